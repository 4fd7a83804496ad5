//! Several mutations of one request as one transaction: all or nothing.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::database::AuditBatch;
use crate::database::{Transaction, share_transaction};

/// The transaction that the mutations of a request share, if they do.
#[derive(Default)]
pub(super) struct SharedTransaction(Mutex<State>);

#[derive(Default)]
struct State {
    transaction: Option<Arc<Transaction>>,
    failed: bool,
    refusals: Vec<AuditBatch>,
}

impl SharedTransaction {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }

    pub(super) fn begin(&self, transaction: Arc<Transaction>) {
        // What the request reads from now on, it reads in the transaction: its own changes are not committed yet.
        share_transaction(Some(transaction.clone()));
        self.state().transaction = Some(transaction);
    }

    pub(super) fn end(&self) -> (Option<Arc<Transaction>>, bool, Vec<AuditBatch>) {
        share_transaction(None);
        let mut state = self.state();
        (state.transaction.take(), state.failed, std::mem::take(&mut state.refusals))
    }

    pub(super) fn transaction(&self) -> Option<Arc<Transaction>> {
        self.state().transaction.clone()
    }

    pub(super) fn has_failed(&self) -> bool {
        let state = self.state();
        state.transaction.is_some() && state.failed
    }

    pub(super) fn fail(&self) {
        self.state().failed = true;
    }

    /// Keeps what a refusal leaves for when the transaction has been rolled back; gives it back where there is none.
    pub(super) fn keep(&self, refusal: AuditBatch) -> Option<AuditBatch> {
        let mut state = self.state();
        if state.transaction.is_none() {
            return Some(refusal);
        }
        state.refusals.push(refusal);
        None
    }
}
