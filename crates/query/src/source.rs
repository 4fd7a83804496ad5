//! What is read from.

use std::sync::Arc;

use crate::{actors::Actors, database::Connections};

/// What is read from, and who has asked lately. Cheap to clone.
#[derive(Clone)]
pub struct Source(Arc<Inner>);

struct Inner {
    connections: Connections,
    actors: Actors,
}

impl Source {
    /// One over these connections.
    pub fn new(connections: Connections) -> Self {
        Self(Arc::new(Inner { connections, actors: Actors::new() }))
    }

    /// The connections.
    pub fn connections(&self) -> &Connections {
        &self.0.connections
    }

    /// Those who have asked lately.
    pub fn actors(&self) -> &Actors {
        &self.0.actors
    }
}
