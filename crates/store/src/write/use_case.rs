//! A use case: what somebody does, as one value that the executor carries out.

use futures::future::BoxFuture;

use super::{Action, Change};
use crate::error::Result;

/// What somebody does: under which action, and how. The action comes with it, so that nobody carries it out under another.
///
/// It is lent the change under way, and cannot keep it: what outlives the transaction does not compile.
///
/// ```
/// # use aether_store::write::{UseCase, action};
/// fn rename(budget: uuid::Uuid, name: String) -> UseCase<()> {
///     UseCase::new(&action::EDIT_BUDGET, move |c| {
///         Box::pin(async move {
///             let budget = c.find::<aether_entity::budgets::Entity>(budget).await?;
///             c.update(budget, |budget| budget.name = sea_orm::Set(name)).await?;
///             Ok(())
///         })
///     })
/// }
/// ```
///
/// ```compile_fail,E0521
/// # use aether_store::write::{Change, UseCase, action};
/// fn keeps(kept: std::sync::Arc<parking_lot::Mutex<Vec<&'static Change>>>) -> UseCase<()> {
///     UseCase::new(&action::EDIT_BUDGET, move |c| {
///         Box::pin(async move {
///             kept.lock().push(c);
///             Ok(())
///         })
///     })
/// }
/// ```
pub struct UseCase<T> {
    pub(super) action: &'static Action,
    pub(super) run: Box<Run<T>>,
}

/// How a use case is carried out. Its future is boxed here, so that it is compiled where it is written and not again in each
/// crate that calls it.
type Run<T> = dyn for<'c> FnOnce(&'c Change) -> BoxFuture<'c, Result<T>> + Send;

impl<T> UseCase<T> {
    /// What is done under this action.
    pub fn new(
        action: &'static Action,
        run: impl for<'c> FnOnce(&'c Change) -> BoxFuture<'c, Result<T>> + Send + 'static,
    ) -> Self {
        Self { action, run: Box::new(run) }
    }

    /// Under which action.
    pub fn action(&self) -> &'static Action {
        self.action
    }
}
