//! Deals, while they are open.

use aether_application::sales::deals;
use aether_entity::{
    self as entity,
    sea_orm_active_enums::{DealLob, DealRegion, DealSegment, DealStage},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, Scalar, plain, why},
    rows::Row,
    run::run,
};

/// A deal to create.
#[derive(InputObject)]
struct DealInput {
    /// Name of the deal.
    name: String,
    /// Name of the account, which is the customer.
    account_name: Option<String>,
    /// Identifier of the account in the external CRM.
    account_id: Option<Uuid>,
    /// External CRM that knows the deal, such as `salesforce`; together with `externalDealId`.
    external_system: Option<String>,
    /// Identifier of the deal there; together with `externalSystem`.
    external_deal_id: Option<String>,
    /// Sales region.
    region: Choice<DealRegion>,
    /// Market segment.
    segment: Choice<DealSegment>,
    /// Line of business.
    lob: Choice<DealLob>,
    /// Industry of the customer, such as `TMT`.
    vertical: Option<String>,
    /// Kind of revenue, such as `Subscription`.
    revenue_type: Option<String>,
    /// Stage that it begins in, an open one.
    #[graphql(default_with = "Choice(DealStage::Prospecting)")]
    stage: Choice<DealStage>,
    /// Total contract value, not negative, in the currency of the deal.
    value: Scalar<Decimal>,
    /// Currency of the value, ISO 4217; that of the organization unless given.
    currency: Option<String>,
    /// Probability of winning it, percent 0-100.
    probability: Scalar<Decimal>,
    /// Date that it is expected to close on.
    expected_close_date: Option<Scalar<NaiveDate>>,
    /// User of your organization who owns it; you unless given.
    owner_id: Option<Uuid>,
    /// Channel that it came through, such as `Partner`.
    channel: Option<String>,
    /// Marketing campaign that it came from.
    campaign_source: Option<String>,
}

/// What changes in a deal: what is left out stays as it is.
#[derive(InputObject)]
struct DealPatch {
    /// Name of the deal.
    name: Option<String>,
    /// Name of the account; null empties it.
    account_name: MaybeUndefined<String>,
    /// Identifier of the account in the external CRM; null empties it.
    account_id: MaybeUndefined<Uuid>,
    /// External CRM that knows the deal; null, for both, unlinks it.
    external_system: MaybeUndefined<String>,
    /// Identifier of the deal there; null, for both, unlinks it.
    external_deal_id: MaybeUndefined<String>,
    /// Sales region.
    region: Option<Choice<DealRegion>>,
    /// Market segment.
    segment: Option<Choice<DealSegment>>,
    /// Line of business.
    lob: Option<Choice<DealLob>>,
    /// Industry of the customer; null empties it.
    vertical: MaybeUndefined<String>,
    /// Kind of revenue; null empties it.
    revenue_type: MaybeUndefined<String>,
    /// Total contract value, not negative; of an open deal only.
    value: Option<Scalar<Decimal>>,
    /// Currency of the value, ISO 4217; of an open deal only.
    currency: Option<String>,
    /// Probability of winning it, percent 0-100; of an open deal only.
    probability: Option<Scalar<Decimal>>,
    /// Date that it is expected to close on; null empties it; of an open deal only.
    expected_close_date: MaybeUndefined<Scalar<NaiveDate>>,
    /// Channel that it came through; null empties it.
    channel: MaybeUndefined<String>,
    /// Marketing campaign that it came from; null empties it.
    campaign_source: MaybeUndefined<String>,
}

plain!(DealInput as deals::NewDeal { name, account_name, account_id, external_system, external_deal_id, region, segment, lob, vertical, revenue_type, stage, value, currency, probability, expected_close_date, owner_id, channel, campaign_source });

plain!(DealPatch as deals::DealEdit { name, account_name, account_id, external_system, external_deal_id, region, segment, lob, vertical, revenue_type, value, currency, probability, expected_close_date, channel, campaign_source });

/// Deals, while they are open.
#[derive(Default)]
pub(crate) struct DealMutation;

#[Object]
impl DealMutation {
    /// Creates a deal. Its history begins with its stage.
    async fn create_deal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deal.")] input: DealInput,
    ) -> Result<Row<entity::deals::Entity>> {
        let id = run(ctx, deals::create(input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Edits a deal, but for its stage, its owner and its end, which have mutations of their own. The value, currency,
    /// probability and expected date of a closed deal stay as they are.
    async fn edit_deal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deal.")] id: Uuid,
        #[graphql(desc = "The version of the deal that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: DealPatch,
    ) -> Result<Row<entity::deals::Entity>> {
        let id = run(ctx, deals::edit(id, expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Moves an open deal to another open stage, forwards or backwards.
    async fn advance_deal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deal.")] id: Uuid,
        #[graphql(desc = "The version of the deal that you saw.")] expected_version: i32,
        #[graphql(desc = "The stage that it enters, an open one.")] stage: Choice<DealStage>,
        #[graphql(desc = "Probability of winning it from now on, percent 0-100; stays unless given.")]
        probability: Option<Scalar<Decimal>>,
    ) -> Result<Row<entity::deals::Entity>> {
        let id = run(ctx, deals::advance(id, expected_version, stage.plain(), probability.plain())).await?;
        Ok(Row::new(id))
    }

    /// Gives a deal another owner.
    async fn reassign_deal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deal.")] id: Uuid,
        #[graphql(desc = "The version of the deal that you saw.")] expected_version: i32,
        #[graphql(desc = "The new owner, an active user of your organization.")] owner_id: Uuid,
        #[graphql(desc = "Why it changes hands.")] reason: Option<String>,
    ) -> Result<Row<entity::deals::Entity>> {
        let id = run(ctx, deals::reassign(id, expected_version, owner_id, why(reason, None))).await?;
        Ok(Row::new(id))
    }
}
