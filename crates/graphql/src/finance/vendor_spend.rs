//! What is spent on vendors, month by month.

use aether_application::finance::vendor_spend;
use aether_entity as entity;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    input::{Plain, Scalar, plain},
    rows::Row,
    run::run,
};

/// What was spent on a vendor in a month.
#[derive(InputObject)]
struct VendorSpendInput {
    /// The month, given as its first day.
    period_date: Scalar<NaiveDate>,
    /// Amount spent in the month, in the currency of the organization; negative when credits exceed invoices.
    amount: Scalar<Decimal>,
    /// Amount budgeted for the month, in the currency of the organization; null empties it, absent leaves it.
    budget_amount: MaybeUndefined<Scalar<Decimal>>,
    /// Amount by kind of spend, as an object such as `{ compute: 50000, storage: "20000.50" }`, whose amounts must add up to
    /// the amount. Null or absent when it is not broken down.
    breakdown: Option<Scalar<Json>>,
}

plain!(VendorSpendInput as vendor_spend::NewVendorSpend { period_date, amount, budget_amount, breakdown });

/// What is spent on vendors.
#[derive(Default)]
pub(crate) struct VendorSpendMutation;

#[Object]
impl VendorSpendMutation {
    /// Records what was spent on a vendor in a month, or corrects it. The change against the same month of the prior year is
    /// worked out, here and in the same month of the next year.
    async fn record_vendor_spend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The vendor.")] vendor_id: Uuid,
        #[graphql(desc = "The version of the month's spend that you saw; needed where there is one already.")]
        expected_version: Option<i32>,
        #[graphql(desc = "What was spent.")] input: VendorSpendInput,
    ) -> Result<Row<entity::vendor_spend::Entity>> {
        let id = run(ctx, vendor_spend::record(vendor_id, expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }
}
