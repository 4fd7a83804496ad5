//! What is recorded once a month for a vendor or a department, and corrected by whoever has seen it.

use aether_store::{
    Error, Result,
    write::{Change, Writable},
};
use chrono::NaiveDate;
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect, sea_query::LockType};
use uuid::Uuid;

/// What is recorded of its owner in a month, locked; the columns are those of the owner and of the month.
pub(super) async fn recorded<E: Writable>(
    c: &Change,
    (owner_id, owner): (E::Column, Uuid),
    (period_date, period): (E::Column, NaiveDate),
) -> Result<Option<E::Model>> {
    c.one(E::find().filter(owner_id.eq(owner)).filter(period_date.eq(period)).lock(LockType::NoKeyUpdate)).await
}

/// Refuses to correct a month unless the client has seen what is recorded.
pub(super) async fn may_correct<E: Writable>(c: &Change, known: &E::Model, seen: Option<i32>) -> Result<()> {
    let there_already = || {
        Error::invalid(
            "expectedVersion",
            "This month is recorded already. Read it, and send its rowVersion as expectedVersion to correct it.",
        )
    };
    c.expect::<E>(known, seen.ok_or_else(there_already)?).await
}
