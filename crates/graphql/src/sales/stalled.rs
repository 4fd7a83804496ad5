//! Stalled deals: open ones of which nothing has changed for long.

use aether_store::{
    Error, Result,
    model::{Model, Source, Type},
    read::{Condition, Filter},
};
use async_graphql::{Value, indexmap::IndexMap};

/// The root field.
pub(crate) const FIELD: &str = "stalledDeals";
/// What it is.
pub(crate) const DOC: &str = "The open deals of which nothing has changed for long, since they came into the pipeline: for more than 90 days unless said. Otherwise as `deals`.";
/// Its argument.
pub(crate) const ARGUMENT: &str = "olderThanDays";
/// For how many days nothing has changed, unless said.
pub(crate) const DAYS: u32 = 90;
/// For how many may be asked: a hundred years.
const MOST_DAYS: u64 = 36_525;

const CLOSED: [&str; 2] = ["Closed Won", "Closed Lost"];

/// What makes a deal stalled.
pub(crate) fn filter(deals: &Type, arguments: &IndexMap<String, Value>) -> Result<Filter> {
    let days = match arguments.get(ARGUMENT) {
        None | Some(Value::Null) => Some(DAYS),
        Some(Value::Number(days)) => {
            days.as_u64().filter(|days| *days <= MOST_DAYS).and_then(|days| days.try_into().ok())
        }
        Some(_) => None,
    };
    let days =
        days.ok_or_else(|| Error::invalid(ARGUMENT, format!("This must be a number of days from 0 to {MOST_DAYS}.")))?;
    let column = |name: &'static str| {
        deals.table.column(name).map(|(index, _)| index).ok_or_else(|| Error::internal("a column of deals is gone"))
    };
    let gone = || Error::internal("the history of deals is gone");
    let Some(Source::Relation(history)) = deals.field("history").map(|field| &field.source) else { return Err(gone()) };
    let (changed_at, _) = Model::get().types[history.to].table.column("changed_at").ok_or_else(gone)?;
    let is_recent = Filter::Not(Box::new(Filter::Column(changed_at, Condition::OlderThanDays(days))));
    Ok(Filter::All(vec![
        Filter::Column(column("stage")?, Condition::In(false, CLOSED.map(str::to_owned).to_vec())),
        Filter::Column(column("created_at")?, Condition::OlderThanDays(days)),
        // Every change of a deal leaves its history.
        Filter::Related(*history, false, Box::new(is_recent)),
    ]))
}
