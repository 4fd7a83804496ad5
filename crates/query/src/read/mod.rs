//! Reading: a plan of what to fetch goes in, the answer as JSON comes out.
//!
//! The schema turns a selection into a [`plan::Fetch`]; here it becomes one scoped statement per node of that tree,
//! whatever the number of rows, and the rows are written straight into the answer's JSON. Nothing else reads.

mod batch_scheduler;
mod buckets;
mod cursor;
mod fetch;
mod filter;
mod groups;
mod invitations;
pub mod json;
mod loaded;
mod my_memberships;
mod order;
pub mod plan;
mod related;
mod statement;
mod stream;
mod traversal;
mod written;

pub(crate) use self::buckets::{fiscal_shift, timezone, today};
pub use self::{
    buckets::{Bucket, PriorPeriod},
    cursor::{Cursor, Position},
    fetch::{Fetched, Reader},
    filter::{Condition, Filter, Operator},
    groups::{Function, GroupKey, GroupValue, Grouping, Having, Measure},
    invitations::Invitation,
    my_memberships::MyMembership,
    stream::{Portion, Streaming, TakesPortions},
    traversal::{Direction, EdgeTable, Reached},
};
