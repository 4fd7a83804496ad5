//! What the messages of a connection come over.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{Notify, mpsc};

use super::plan::Message;
use crate::error::Error;

/// How many messages wait for a connection at most; one that falls further behind is cut off, to resume by its cursor.
pub const QUEUE: usize = 256;

/// What a connection is handed.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// A message for the subscription of this tag.
    Next(Arc<str>, Message),
    /// The subscription of this tag has ended, and why.
    Failed(Arc<str>, Error),
}

impl Delivery {
    pub(super) fn next(tag: &Arc<str>, message: Message) -> Self {
        Self::Next(tag.clone(), message)
    }
}

/// Where the deliveries of one connection go.
#[derive(Debug)]
pub struct ConnectionQueue {
    sender: mpsc::Sender<Delivery>,
    overflowed: AtomicBool,
    cut: Notify,
}

impl ConnectionQueue {
    /// A line, and what comes out of it.
    pub fn new() -> (Arc<Self>, mpsc::Receiver<Delivery>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Arc::new(Self { sender, overflowed: AtomicBool::new(false), cut: Notify::new() }), receiver)
    }

    /// Waits until the connection has fallen so far behind that it must be closed.
    pub async fn overflow(&self) {
        if !self.overflowed.load(Ordering::Acquire) {
            self.cut.notified().await;
        }
    }

    pub(super) async fn send(&self, delivery: Delivery) -> bool {
        self.sender.send(delivery).await.is_ok()
    }

    /// Hands over without waiting. Once something did not fit, nothing follows: what is sent has no gaps.
    pub(super) fn offer(&self, delivery: Delivery) -> bool {
        if self.overflowed.load(Ordering::Acquire) {
            return false;
        }
        match self.sender.try_send(delivery) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.overflowed.store(true, Ordering::Release);
                self.cut.notify_one();
                false
            }
        }
    }
}
