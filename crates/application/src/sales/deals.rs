//! Deals, while they are open.

use aether_entity::{
    deals,
    sea_orm_active_enums::{DealLob, DealRegion, DealSegment, DealStage},
};
use aether_store::{
    Error, Result,
    write::{UseCase, action},
};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::{ActiveValue, Set};
use uuid::Uuid;

use super::{
    calendar::Calendar,
    deal,
    rules::{self, BY_USER, probability},
};
use crate::{
    check::{currency, optional_text, patch_text, positive_money, text},
    patch::{Patch, patch, set},
    reason::Reason,
};

/// A deal to create.
pub struct NewDeal {
    pub name: String,
    pub account_name: Option<String>,
    pub account_id: Option<Uuid>,
    pub external_system: Option<String>,
    pub external_deal_id: Option<String>,
    pub region: DealRegion,
    pub segment: DealSegment,
    pub lob: DealLob,
    pub vertical: Option<String>,
    pub revenue_type: Option<String>,
    pub stage: DealStage,
    pub value: Decimal,
    pub currency: Option<String>,
    pub probability: Decimal,
    pub expected_close_date: Option<NaiveDate>,
    pub owner_id: Option<Uuid>,
    pub channel: Option<String>,
    pub campaign_source: Option<String>,
}

/// What changes in a deal: what is left out stays as it is.
pub struct DealEdit {
    pub name: Option<String>,
    pub account_name: Patch<String>,
    pub account_id: Patch<Uuid>,
    pub external_system: Patch<String>,
    pub external_deal_id: Patch<String>,
    pub region: Option<DealRegion>,
    pub segment: Option<DealSegment>,
    pub lob: Option<DealLob>,
    pub vertical: Patch<String>,
    pub revenue_type: Patch<String>,
    pub value: Option<Decimal>,
    pub currency: Option<String>,
    pub probability: Option<Decimal>,
    pub expected_close_date: Patch<NaiveDate>,
    pub channel: Patch<String>,
    pub campaign_source: Patch<String>,
}

/// Creates a deal.
pub fn create(input: NewDeal) -> UseCase<Uuid> {
    UseCase::new(&action::CREATE_DEAL, move |c| {
        Box::pin(async move {
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
                None => rules::currency_of_organization(c).await?,
            };
            let owner = input.owner_id.unwrap_or(c.actor().user_id);
            let calendar = Calendar::of(c).await?;
            let deal = deals::ActiveModel {
                name: Set(Some(text("input.name", &input.name, 500)?)),
                account_name: Set(optional_text("input.accountName", input.account_name, 255)?),
                account_id: Set(input.account_id),
                external_system: Set(external_system),
                external_deal_id: Set(external_deal_id),
                region: Set(input.region),
                segment: Set(input.segment),
                lob: Set(input.lob),
                vertical: Set(optional_text("input.vertical", input.vertical, 50)?),
                revenue_type: Set(optional_text("input.revenueType", input.revenue_type, 50)?),
                stage: Set(input.stage),
                value: Set(positive_money("input.value", input.value)?),
                currency: Set(currency),
                probability: Set(probability("input.probability", input.probability)?),
                expected_close_date: Set(expected(&calendar, input.expected_close_date)?),
                owner_id: Set(Some(c.colleague(owner, "input.ownerId").await?.id)),
                channel: Set(optional_text("input.channel", input.channel, 100)?),
                campaign_source: Set(optional_text("input.campaignSource", input.campaign_source, 200)?),
                ..Default::default()
            };
            Ok(deal::insert(c, &calendar, deal, BY_USER).await?.id)
        })
    })
}

/// Edits a deal, but for its stage, its owner and its end, which have mutations of their own.
pub fn edit(id: Uuid, expected_version: i32, input: DealEdit) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_DEAL, move |c| {
        Box::pin(async move {
            let deal = c.edit::<deals::Entity>(id, expected_version).await?;
            if input.value.is_some()
                || input.currency.is_some()
                || input.probability.is_some()
                || !input.expected_close_date.is_absent()
            {
                rules::open(&deal)?;
            }
            let calendar = Calendar::of(c).await?;
            expected(&calendar, input.expected_close_date.value().copied())?;
            let name = input.name.map(|name| text("input.name", &name, 500)).transpose()?;
            let value = input.value.map(|value| positive_money("input.value", value)).transpose()?;
            let currency = input.currency.map(|code| currency("input.currency", &code)).transpose()?;
            let probability = input.probability.map(|value| probability("input.probability", value)).transpose()?;
            let account_name = patch_text("input.accountName", input.account_name, 255)?;
            let external_system = patch_text("input.externalSystem", input.external_system, 100)?;
            let external_deal_id = patch_text("input.externalDealId", input.external_deal_id, 100)?;
            let vertical = patch_text("input.vertical", input.vertical, 50)?;
            let revenue_type = patch_text("input.revenueType", input.revenue_type, 50)?;
            let channel = patch_text("input.channel", input.channel, 100)?;
            let campaign_source = patch_text("input.campaignSource", input.campaign_source, 200)?;
            let after = |patch: &Patch<String>, before: &Option<String>| match patch {
                Patch::Absent => before.clone(),
                Patch::Null => None,
                Patch::Value(value) => Some(value.clone()),
            };
            rules::external(
                "input.externalDealId",
                after(&external_system, &deal.external_system).as_ref(),
                after(&external_deal_id, &deal.external_deal_id).as_ref(),
            )?;
            deal::update(c, &calendar, deal, BY_USER, |deal| {
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
                set(&mut deal.value, value);
                set(&mut deal.currency, currency);
                set(&mut deal.probability, probability);
                patch(&mut deal.expected_close_date, input.expected_close_date);
                patch(&mut deal.channel, channel);
                patch(&mut deal.campaign_source, campaign_source);
            })
            .await?;
            Ok(id)
        })
    })
}

/// Moves an open deal to another open stage, forwards or backwards.
pub fn advance(id: Uuid, expected_version: i32, stage: DealStage, probability: Option<Decimal>) -> UseCase<Uuid> {
    UseCase::new(&action::ADVANCE_DEAL, move |c| {
        Box::pin(async move {
            let deal = c.edit::<deals::Entity>(id, expected_version).await?;
            if rules::is_closed(&stage)? {
                return Err(Error::invalid("stage", "A deal is closed with closeDealWon or closeDealLost."));
            }
            rules::open(&deal)?;
            if !rules::stage(&deal.stage)?.may_advance_to(rules::stage(&stage)?) {
                return Err(Error::Precondition("The deal is in this stage already. Choose another.".into()));
            }
            let probability = probability.map(|value| rules::probability("probability", value)).transpose()?;
            deal::update(c, &Calendar::of(c).await?, deal, BY_USER, |deal| {
                deal.stage = Set(stage);
                if let Some(probability) = probability {
                    deal.probability = ActiveValue::Set(probability);
                }
            })
            .await?;
            Ok(id)
        })
    })
}

/// Gives a deal another owner.
pub fn reassign(id: Uuid, expected_version: i32, owner_id: Uuid, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::REASSIGN_DEAL, move |c| {
        Box::pin(async move {
            reason.note(c)?;
            let deal = c.edit::<deals::Entity>(id, expected_version).await?;
            let owner = c.colleague(owner_id, "ownerId").await?.id;
            deal::update(c, &Calendar::of(c).await?, deal, BY_USER, |deal| deal.owner_id = Set(Some(owner))).await?;
            Ok(id)
        })
    })
}

/// When the deal is expected to close, if that is of this age.
fn expected(calendar: &Calendar, date: Option<NaiveDate>) -> Result<Option<NaiveDate>> {
    let Some(date) = date else { return Ok(None) };
    let expected = rules::expected(date, calendar.today);
    expected.map(Some).map_err(|message| Error::invalid("input.expectedCloseDate", message))
}
