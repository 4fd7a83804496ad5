//! Questions of finance that one statement answers: what no list of rows and no group of them can say.

mod consumption;
mod metrics;
mod movement;
mod sales;
mod vendors;

pub use self::{
    consumption::{CATEGORIES, Consumption},
    metrics::{Dimension, MetricFigure, MetricPeriod, MetricQuestion, ReportingPeriod},
    movement::{DealMovement, DealState},
    sales::{Closed, Days, DealDimension, QuarterForecast, StageFlow},
    vendors::{EndingContract, Months, Spend, SpendDimension},
};

use crate::{actor::Audience, model::Model, scope, sql::Sql};

/// The condition that the actor sees the row `t` of a table; of a table that is not in the model nobody sees any.
fn seen(table: &str, audience: Audience) -> Sql {
    seen_as(table, "t", audience)
}

/// As [`seen`], of a row that the statement calls by another name.
fn seen_as(table: &str, alias: &'static str, audience: Audience) -> Sql {
    let mut sql = Sql::new();
    match Model::get().by_table(table) {
        Some(ty) => sql.append(&scope::condition(ty, alias.into(), audience)),
        None => sql.push("false"),
    };
    sql
}
