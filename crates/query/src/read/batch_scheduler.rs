//! Batches in turns: a request's batched loads run when all siblings have asked for what they need.
//!
//! async-graphql's loader starts a batch by a timer on whatever thread is free, which races with the siblings that still
//! ask: how many statements a query takes would then be chance. Here the loader's batches are queued and driven by the
//! request itself, when it has gone as far as it can in a turn: never while there are siblings that have yet to ask.

use std::{pin::pin, sync::Arc, task::Poll};

use futures::{
    future::{BoxFuture, poll_fn},
    stream::{FuturesUnordered, StreamExt},
};
use parking_lot::Mutex;

/// The batches that wait for the end of the turn.
#[derive(Clone, Default)]
pub(super) struct BatchScheduler(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl BatchScheduler {
    /// Queues a batch.
    pub(super) fn queue(&self, batch: BoxFuture<'static, ()>) {
        self.0.lock().push(batch);
    }

    /// Runs a request and, at the end of each of its turns, the batches it has queued.
    pub(super) async fn run<T>(&self, request: impl Future<Output = T>) -> T {
        let mut request = pin!(request);
        let mut running: Option<FuturesUnordered<_>> = None;
        poll_fn(|context| {
            loop {
                if let Poll::Ready(answer) = request.as_mut().poll(context) {
                    return Poll::Ready(answer);
                }
                let queued = std::mem::take(&mut *self.0.lock());
                if !queued.is_empty() {
                    running.get_or_insert_default().extend(queued);
                }
                let Some(running) = &mut running else { return Poll::Pending };
                // A finished batch lets the request go on; until one is, all there is to do is wait.
                match running.poll_next_unpin(context) {
                    Poll::Ready(Some(())) => {}
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, time::Duration};

    use async_graphql::dataloader::{DataLoader, Loader};
    use futures::future::join_all;

    use super::*;

    struct Batches(Arc<Mutex<Vec<usize>>>);

    impl Loader<u32> for Batches {
        type Value = u32;
        type Error = ();
        async fn load(&self, keys: &[u32]) -> Result<HashMap<u32, u32>, ()> {
            self.0.lock().push(keys.len());
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(keys.iter().map(|key| (*key, *key)).collect())
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn siblings_share_a_batch_however_many_threads_there_are() {
        for _ in 0..50 {
            let sizes = Arc::new(Mutex::new(Vec::new()));
            let scheduler = BatchScheduler::default();
            let spawner = scheduler.clone();
            let loader =
                DataLoader::new(Batches(sizes.clone()), move |batch| spawner.queue(batch)).delay(Duration::ZERO);
            let level = |offset: u32| {
                let loader = &loader;
                join_all((0..100).map(move |i| async move { loader.load_one(offset + i).await }))
            };
            scheduler
                .run(async {
                    level(0).await;
                    level(100).await;
                })
                .await;
            assert_eq!(*sizes.lock(), [100, 100]);
        }
    }
}
