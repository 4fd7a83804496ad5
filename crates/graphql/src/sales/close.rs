//! The end of a deal, and its beginning anew.

use aether_application::sales::close;
use aether_entity::{self as entity, sea_orm_active_enums::DealStage};
use async_graphql::{Context, Object, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, Scalar, why},
    rows::Row,
    run::run,
};

/// Closing deals and reopening them.
#[derive(Default)]
pub(crate) struct DealCloseMutation;

#[Object]
impl DealCloseMutation {
    /// Closes an open deal as won: its probability becomes 100.
    async fn close_deal_won(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deal.")] id: Uuid,
        #[graphql(desc = "The version of the deal that you saw.")] expected_version: i32,
        #[graphql(
            desc = "Date that it was won on, not in the future; today in the organization's time zone unless given."
        )]
        close_date: Option<Scalar<NaiveDate>>,
        #[graphql(desc = "Why it was won.")] reason: Option<String>,
        #[graphql(desc = "Value that was signed, in the currency of the deal; that of the deal unless given.")]
        final_value: Option<Scalar<Decimal>>,
    ) -> Result<Row<entity::deals::Entity>> {
        let id = run(ctx, close::win(id, expected_version, close_date.plain(), why(reason, None), final_value.plain()))
            .await?;
        Ok(Row::new(id))
    }

    /// Closes an open deal as lost, with a reason: its probability becomes 0.
    async fn close_deal_lost(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deal.")] id: Uuid,
        #[graphql(desc = "The version of the deal that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it was lost, such as `Price`.")] reason: String,
        #[graphql(desc = "Competitor that it was lost to.")] competitor: Option<String>,
        #[graphql(
            desc = "Date that it was lost on, not in the future; today in the organization's time zone unless given."
        )]
        close_date: Option<Scalar<NaiveDate>>,
    ) -> Result<Row<entity::deals::Entity>> {
        let id = run(ctx, close::lose(id, expected_version, why(Some(reason), None), competitor, close_date.plain()))
            .await?;
        Ok(Row::new(id))
    }

    /// Reopens a closed deal, with a reason: it has no close date, reason or competitor any more, which its history keeps.
    async fn reopen_deal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deal.")] id: Uuid,
        #[graphql(desc = "The version of the deal that you saw.")] expected_version: i32,
        #[graphql(desc = "The stage that it goes on in, an open one.")] stage: Choice<DealStage>,
        #[graphql(desc = "Probability of winning it after all, percent 0-100.")] probability: Scalar<Decimal>,
        #[graphql(desc = "Why it goes on.")] reason: String,
    ) -> Result<Row<entity::deals::Entity>> {
        let id =
            run(ctx, close::reopen(id, expected_version, stage.plain(), probability.plain(), why(Some(reason), None)))
                .await?;
        Ok(Row::new(id))
    }
}
