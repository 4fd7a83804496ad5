//! Bringing a subscriber up to date that says where it was.

use std::sync::Arc;

use super::{
    hub::{Hub, Place},
    queue::Delivery,
    tail::Of,
};
use crate::error::Result;

impl Hub {
    /// Sends what was committed behind this number, then lets the subscriber in among those that are told of what comes.
    /// Nothing is left out between the two and nothing told twice: who is let in knows up to which number it was told.
    pub(super) async fn replay(self: Arc<Self>, place: Place, after: i64) {
        let mut told = after;
        loop {
            let answer = self.replay_some(&place, &mut told).await;
            match answer {
                Ok(Step::Again) => {}
                Ok(Step::Done) => return,
                Err(error) => {
                    self.end(place.id, error);
                    return;
                }
            }
        }
    }

    async fn replay_some(&self, place: &Place, told: &mut i64) -> Result<Step> {
        let of = Of { organization: place.organization, workspaces: place.workspaces.clone() };
        let read = self.store.events(*told, Some(&of)).await?;
        let wanted: Vec<_> = read.events.iter().filter(|event| place.plan.wants(event)).collect();
        for some in wanted.chunks(100) {
            let reader = self.store.reader(Ok(Some(place.session)));
            let messages = place.plan.messages(&self.store, &reader, self.stream(), some).await?;
            for message in messages.into_iter().flatten() {
                // Here the subscriber sets the pace.
                if !place.queue.send(Delivery::next(&place.tag, message)).await {
                    return Ok(Step::Done);
                }
            }
        }
        *told = read.through;
        Ok(if self.let_in(place.id, read.through) { Step::Done } else { Step::Again })
    }
}

enum Step {
    Again,
    Done,
}
