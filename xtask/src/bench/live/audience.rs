//! The subscribers of a run.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use super::{
    progress::Progress,
    socket::{self, Counts, Socket, Told},
};

/// How many connect at once.
const AT_ONCE: usize = 64;
/// How long is waited for messages once no more come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Subscribers that are connected.
pub struct Audience {
    /// The place of each, and what it will have been told.
    members: Vec<(usize, JoinHandle<Told>)>,
    counts: Arc<Counts>,
    stop: watch::Sender<bool>,
}

impl Audience {
    /// Connects so many, spread evenly over the places: `connect` is told the place, and the how-many-eth there.
    pub async fn gather<F>(
        subscribers: usize,
        places: usize,
        what: &'static str,
        connect: impl Fn(usize, usize) -> F,
    ) -> Result<Self>
    where
        F: Future<Output = Result<Socket>>,
    {
        let counts = Arc::new(Counts::default());
        let (stop, stopping) = watch::channel(false);
        let progress = Progress::new(what, subscribers as u64);
        let members = stream::iter(0..subscribers)
            .map(|number| {
                let (place, connecting) = (number % places, connect(number % places, number / places));
                let (counts, stopping, progress) = (counts.clone(), stopping.clone(), &progress);
                async move {
                    let socket = connecting.await?;
                    progress.step();
                    Ok::<_, anyhow::Error>((place, tokio::spawn(socket::listen(socket, counts, stopping))))
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(Self { members, counts, stop })
    }

    pub fn len(&self) -> u64 {
        self.members.len() as u64
    }

    /// How many are in each place.
    pub fn by_place(&self, places: usize) -> Vec<u64> {
        let mut counts = vec![0; places];
        self.members.iter().for_each(|(place, _)| counts[*place] += 1);
        counts
    }

    /// How many messages all of them have had.
    pub fn received(&self) -> u64 {
        self.counts.received.load(Ordering::Relaxed)
    }

    /// How many of them have had any.
    pub fn started(&self) -> u64 {
        self.counts.started.load(Ordering::Relaxed)
    }

    /// Waits until they have had so many messages, or get no more; whether they have.
    pub async fn wait_for(&self, messages: u64) -> bool {
        let mut last = (self.received(), Instant::now());
        loop {
            let received = self.received();
            if received >= messages {
                return true;
            }
            if received != last.0 {
                last = (received, Instant::now());
            } else if last.1.elapsed() > PATIENCE {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Closes the connections and tells, by place, what each was told.
    pub async fn part(self) -> Result<Vec<(usize, Told)>> {
        // What comes once too often may still be under way.
        tokio::time::sleep(Duration::from_secs(1)).await;
        ensure!(self.stop.send(true).is_ok(), "every connection was closed before the end");
        let mut all = Vec::with_capacity(self.members.len());
        for (place, member) in self.members {
            all.push((place, member.await?));
        }
        Ok(all)
    }
}
