//! What is read from.

use crate::{actors::Actors, database::Connections};

/// What is read from, and who has asked lately. Cheap to clone.
#[derive(Clone)]
pub struct Source {
    connections: Connections,
    actors: Actors,
}

impl Source {
    /// One over these connections.
    pub fn new(connections: Connections) -> Self {
        Self { connections, actors: Actors::new() }
    }

    /// The connections.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Those who have asked lately.
    pub fn actors(&self) -> &Actors {
        &self.actors
    }
}
