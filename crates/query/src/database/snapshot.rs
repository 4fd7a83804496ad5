//! One state of the database, read for as long as it takes: a transaction that only reads, on a connection of its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::sync::Mutex;

use super::{
    admission::Permit,
    control::{Backend, Control},
    share::Transaction,
    statement::Call,
    wire::{Failure, Wire},
};
use crate::{
    error::{Error, Result},
    rows::Rows,
};

/// What begins it. A cursor is read to its end, so that is what its plan should be best at.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL cursor_tuple_fraction = 1";

/// How many bytes its statements may answer before what they answered is done with.
pub const ROOM: usize = 64 * 1024 * 1024;

/// The transaction. Once it is dropped its connection is closed.
pub struct Snapshot {
    wire: Mutex<Option<Wire>>,
    backend: Backend,
    control: Control,
    /// How long a statement may take.
    deadline: Duration,
    /// How many bytes its statements may still answer.
    room: AtomicUsize,
    _permit: Permit,
}

impl Snapshot {
    /// Begins on this connection, for which this is the permit.
    pub(super) async fn begin(
        mut wire: Wire,
        backend: Backend,
        control: Control,
        deadline: Duration,
        permit: Permit,
    ) -> Result<Arc<Self>> {
        wire.ask(BEGIN).await.map_err(|said| Error::from(Failure::ServerMessage(0, said)))?;
        Ok(Arc::new(Self {
            wire: Mutex::new(Some(wire)),
            backend,
            control,
            deadline,
            room: AtomicUsize::new(ROOM),
            _permit: permit,
        }))
    }

    /// Lets its statements answer as many bytes again.
    pub fn renew_room(&self) {
        self.room.store(ROOM, Ordering::Relaxed);
    }

    async fn read(&self, call: Call<'_>) -> Result<Rows> {
        let mut kept = self.wire.lock().await;
        // Taken out: it is put back only in a state in which it can be used again.
        let mut wire = kept.take().ok_or_else(|| Error::internal("a snapshot that has ended"))?;
        let planning = wire.planning();
        let calls = [call];
        let reading = wire.rows(&calls, planning, |_| true, &self.room);
        let answer = tokio::time::timeout(self.deadline, reading).await.unwrap_or(Err(Failure::Late));
        let mut rows = answer.map_err(|failure| match failure {
            Failure::Large(_) => too_large(),
            failure => failure.into(),
        })?;
        *kept = Some(wire);
        rows.pop().ok_or_else(|| Error::internal("a statement without an answer"))
    }
}

/// What is said of rows that are too large.
pub fn too_large() -> Error {
    let most = ROOM / 1024 / 1024;
    Error::invalid("query", format!("There is a row with more than {most} MiB: select fewer fields of it at once."))
}

impl Transaction for Snapshot {
    fn rows<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Rows>> {
        Box::pin(self.read(call))
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        match self.wire.get_mut().take() {
            Some(wire) => drop(runtime.spawn(wire.close())),
            // It was left amid a statement, which nobody waits for any more.
            None => {
                let (control, backend) = (self.control.clone(), self.backend);
                runtime.spawn(async move { control.terminate(backend).await });
            }
        }
    }
}
