//! Deals, while they are open.

use aether_entity::{
    deals,
    sea_orm_active_enums::{DealLob, DealRegion, DealSegment, DealStage},
};
use aether_store::{Error, write::action};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::{ActiveValue, Set};
use uuid::Uuid;

use super::rules::{self, BY_USER, probability};
use crate::{
    change::change,
    graph::Row,
    input::{Choice, Scalar, currency, optional_text, patch, patch_text, positive_money, set, text},
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
    ) -> Result<Row<deals::Entity>> {
        change(ctx, &action::CREATE_DEAL, |c| async move {
            if rules::is_closed(&input.stage)? {
                return Err(Error::invalid(
                    "input.stage",
                    "A deal begins in an open stage. Create it there, then close it with closeDealWon or closeDealLost.",
                ));
            }
            let external_system = optional_text("input.externalSystem", input.external_system, 100)?;
            let external_deal_id = optional_text("input.externalDealId", input.external_deal_id, 100)?;
            rules::external("input.externalDealId", external_system.as_ref(), external_deal_id.as_ref())?;
            let currency = match input.currency {
                Some(code) => currency("input.currency", &code)?,
                None => rules::currency_of_organization(&c).await?,
            };
            let owner = input.owner_id.unwrap_or(c.actor().user_id);
            let deal = deals::ActiveModel {
                name: Set(Some(text("input.name", &input.name, 500)?)),
                account_name: Set(optional_text("input.accountName", input.account_name, 255)?),
                account_id: Set(input.account_id),
                external_system: Set(external_system),
                external_deal_id: Set(external_deal_id),
                region: Set(input.region.0),
                segment: Set(input.segment.0),
                lob: Set(input.lob.0),
                vertical: Set(optional_text("input.vertical", input.vertical, 50)?),
                revenue_type: Set(optional_text("input.revenueType", input.revenue_type, 50)?),
                stage: Set(input.stage.0),
                value: Set(positive_money("input.value", input.value.0)?),
                currency: Set(currency),
                probability: Set(probability("input.probability", input.probability.0)?),
                expected_close_date: Set(input.expected_close_date.map(|date| date.0)),
                owner_id: Set(Some(c.colleague(owner, "input.ownerId").await?.id)),
                channel: Set(optional_text("input.channel", input.channel, 100)?),
                campaign_source: Set(optional_text("input.campaignSource", input.campaign_source, 200)?),
                ..Default::default()
            };
            Ok(Row::new(c.insert_deal(deal, BY_USER).await?.id))
        })
        .await
    }

    /// Edits a deal, but for its stage, its owner and its end, which have mutations of their own. The value, currency,
    /// probability and expected date of a closed deal stay as they are.
    async fn edit_deal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deal.")] id: Uuid,
        #[graphql(desc = "The version of the deal that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: DealPatch,
    ) -> Result<Row<deals::Entity>> {
        change(ctx, &action::EDIT_DEAL, |c| async move {
            let deal = c.edit::<deals::Entity>(id, expected_version).await?;
            if input.value.is_some()
                || input.currency.is_some()
                || input.probability.is_some()
                || !input.expected_close_date.is_undefined()
            {
                rules::open(&deal)?;
            }
            let name = input.name.map(|name| text("input.name", &name, 500)).transpose()?;
            let value = input.value.map(|value| positive_money("input.value", value.0)).transpose()?;
            let currency = input.currency.map(|code| currency("input.currency", &code)).transpose()?;
            let probability = input.probability.map(|value| probability("input.probability", value.0)).transpose()?;
            let account_name = patch_text("input.accountName", input.account_name, 255)?;
            let external_system = patch_text("input.externalSystem", input.external_system, 100)?;
            let external_deal_id = patch_text("input.externalDealId", input.external_deal_id, 100)?;
            let vertical = patch_text("input.vertical", input.vertical, 50)?;
            let revenue_type = patch_text("input.revenueType", input.revenue_type, 50)?;
            let channel = patch_text("input.channel", input.channel, 100)?;
            let campaign_source = patch_text("input.campaignSource", input.campaign_source, 200)?;
            let after = |patch: &MaybeUndefined<String>, before: &Option<String>| match patch {
                MaybeUndefined::Undefined => before.clone(),
                MaybeUndefined::Null => None,
                MaybeUndefined::Value(value) => Some(value.clone()),
            };
            rules::external(
                "input.externalDealId",
                after(&external_system, &deal.external_system).as_ref(),
                after(&external_deal_id, &deal.external_deal_id).as_ref(),
            )?;
            c.update_deal(deal, BY_USER, |deal| {
                if let Some(name) = name {
                    deal.name = Set(Some(name));
                }
                patch(&mut deal.account_name, account_name);
                patch(&mut deal.account_id, input.account_id);
                patch(&mut deal.external_system, external_system);
                patch(&mut deal.external_deal_id, external_deal_id);
                set(&mut deal.region, input.region);
                set(&mut deal.segment, input.segment);
                set(&mut deal.lob, input.lob);
                patch(&mut deal.vertical, vertical);
                patch(&mut deal.revenue_type, revenue_type);
                set(&mut deal.value, value.map(Scalar));
                set(&mut deal.currency, currency);
                set(&mut deal.probability, probability.map(Scalar));
                patch(&mut deal.expected_close_date, input.expected_close_date);
                patch(&mut deal.channel, channel);
                patch(&mut deal.campaign_source, campaign_source);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
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
    ) -> Result<Row<deals::Entity>> {
        change(ctx, &action::ADVANCE_DEAL, |c| async move {
            let deal = c.edit::<deals::Entity>(id, expected_version).await?;
            if rules::is_closed(&stage)? {
                return Err(Error::invalid("stage", "A deal is closed with closeDealWon or closeDealLost."));
            }
            rules::open(&deal)?;
            if !rules::stage(&deal.stage)?.may_advance_to(rules::stage(&stage)?) {
                return Err(Error::Precondition("The deal is in this stage already. Choose another.".into()));
            }
            let probability = probability.map(|value| rules::probability("probability", value.0)).transpose()?;
            c.update_deal(deal, BY_USER, |deal| {
                deal.stage = Set(stage.0);
                if let Some(probability) = probability {
                    deal.probability = ActiveValue::Set(probability);
                }
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Gives a deal another owner.
    async fn reassign_deal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deal.")] id: Uuid,
        #[graphql(desc = "The version of the deal that you saw.")] expected_version: i32,
        #[graphql(desc = "The new owner, an active user of your organization.")] owner_id: Uuid,
        #[graphql(desc = "Why it changes hands.")] reason: Option<String>,
    ) -> Result<Row<deals::Entity>> {
        change(ctx, &action::REASSIGN_DEAL, |c| async move {
            c.reason(optional_text("reason", reason, 2_000)?.as_deref(), None);
            let deal = c.edit::<deals::Entity>(id, expected_version).await?;
            let owner = c.colleague(owner_id, "ownerId").await?.id;
            c.update_deal(deal, BY_USER, |deal| deal.owner_id = Set(Some(owner))).await?;
            Ok(Row::new(id))
        })
        .await
    }
}
