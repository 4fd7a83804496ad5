//! Bringing a subscriber up to date that says where it was.

use std::sync::Arc;

use super::{
    hub::{Hub, Registration},
    queue::Delivery,
    tail::Of,
};
use crate::error::Result;

impl Hub {
    /// Sends what was committed behind this number, then lets the subscriber in among those that are told of what comes.
    /// Nothing is left out between the two and nothing told twice: who is let in knows up to which number it was told.
    pub(super) async fn replay(self: Arc<Self>, registration: Registration, after: i64) {
        let mut told = after;
        loop {
            let answer = self.replay_some(&registration, &mut told).await;
            match answer {
                Ok(Step::Again) => {}
                Ok(Step::Done) => return,
                Err(error) => {
                    self.end(registration.id, error);
                    return;
                }
            }
        }
    }

    async fn replay_some(&self, registration: &Registration, told: &mut i64) -> Result<Step> {
        let of = Of { organization: registration.organization, workspaces: registration.workspaces.clone() };
        let read = self.store.events(*told, Some(&of)).await?;
        let wanted: Vec<_> = read.events.iter().filter(|event| registration.plan.wants(event)).collect();
        for some in wanted.chunks(100) {
            let reader = self.store.reader(Ok(Some(registration.session)));
            let messages = registration.plan.messages(&self.store, &reader, self.stream(), some).await?;
            for message in messages.into_iter().flatten() {
                // Here the subscriber sets the pace.
                if !registration.queue.send(Delivery::next(&registration.tag, message)).await {
                    return Ok(Step::Done);
                }
            }
        }
        *told = read.through;
        Ok(if self.let_in(registration.id, read.through) { Step::Done } else { Step::Again })
    }
}

enum Step {
    Again,
    Done,
}
