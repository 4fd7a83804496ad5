//! The end of a deal, and its beginning anew.

use aether_entity::{deals, sea_orm_active_enums::DealStage};
use aether_store::{
    Error,
    write::{Change, action},
};
use async_graphql::{Context, Object, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::Set;
use uuid::Uuid;

use super::rules::{self, BY_USER, probability};
use crate::{
    change::change,
    graph::Row,
    input::{Choice, Scalar, optional_text, positive_money, text},
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
    ) -> Result<Row<deals::Entity>> {
        change(ctx, &action::CLOSE_DEAL, |c| async move {
            let reason = optional_text("reason", reason, 255)?;
            let value = final_value.map(|value| positive_money("finalValue", value.0)).transpose()?;
            c.reason(reason.as_deref(), None);
            let deal = c.edit::<deals::Entity>(id, expected_version).await?;
            rules::open(&deal)?;
            let on = closed_on(&c, close_date).await?;
            c.update_deal(deal, BY_USER, |deal| {
                rules::close(deal, true, on, reason);
                if let Some(value) = value {
                    deal.value = Set(value);
                }
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
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
    ) -> Result<Row<deals::Entity>> {
        change(ctx, &action::CLOSE_DEAL, |c| async move {
            let reason = text("reason", &reason, 255)?;
            let competitor = optional_text("competitor", competitor, 255)?;
            c.reason(Some(&reason), None);
            let deal = c.edit::<deals::Entity>(id, expected_version).await?;
            rules::open(&deal)?;
            let on = closed_on(&c, close_date).await?;
            c.update_deal(deal, BY_USER, |deal| {
                rules::close(deal, false, on, Some(reason));
                deal.competitor_lost_to = Set(competitor);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
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
    ) -> Result<Row<deals::Entity>> {
        change(ctx, &action::REOPEN_DEAL, |c| async move {
            c.reason(Some(&text("reason", &reason, 2_000)?), None);
            let chance = self::probability("probability", probability.0)?;
            if rules::is_closed(&stage)? {
                return Err(Error::invalid("stage", "A deal goes on in an open stage."));
            }
            let deal = c.edit::<deals::Entity>(id, expected_version).await?;
            if !rules::stage(&deal.stage)?.may_reopen_to(rules::stage(&stage)?) {
                return Err(Error::Precondition("The deal is open already. Move it with advanceDeal.".into()));
            }
            c.update_deal(deal, BY_USER, |deal| rules::reopen(deal, stage.0, chance)).await?;
            Ok(Row::new(id))
        })
        .await
    }
}

/// The date of a closing, which is not in the future.
async fn closed_on(c: &Change, given: Option<Scalar<NaiveDate>>) -> aether_store::Result<NaiveDate> {
    let today = c.today().await?;
    match given {
        Some(date) if date.0 > today => {
            Err(Error::invalid("closeDate", format!("A deal cannot have closed in the future; today is {today}.")))
        }
        Some(date) => Ok(date.0),
        None => Ok(today),
    }
}
