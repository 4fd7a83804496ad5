//! What holds for a deal whichever mutation changes it.

use aether_domain::deal::Stage;
use aether_entity::{
    deals, organizations,
    sea_orm_active_enums::{DealChangeSource, DealStage},
};
use aether_store::{Error, Result, value::label, write::Change};
use chrono::{Months, NaiveDate};
use rust_decimal::Decimal;
use sea_orm::{EntityTrait, Set};

/// A user's own changes.
pub(super) const BY_USER: DealChangeSource = DealChangeSource::User;

/// The stage, by the rules of stages.
pub(super) fn stage(stage: &DealStage) -> Result<Stage> {
    Stage::from_name(&label(stage)).ok_or_else(|| Error::internal("a stage that the rules do not know"))
}

/// Whether the deal has ended.
pub(super) fn is_closed(of: &DealStage) -> Result<bool> {
    Ok(stage(of)?.is_closed())
}

/// Refuses what can only be done with an open deal.
pub(super) fn open(deal: &deals::Model) -> Result<()> {
    if !is_closed(&deal.stage)? {
        return Ok(());
    }
    Err(Error::Precondition("The deal is closed. If it goes on after all, reopen it with reopenDeal first.".into()))
}

/// A probability, in percent.
pub(super) fn probability(field: &str, value: Decimal) -> Result<Decimal> {
    if value < Decimal::ZERO || value > Decimal::ONE_HUNDRED {
        return Err(Error::invalid(field, "A probability is between 0 and 100 percent."));
    }
    if value.normalize().scale() > 2 {
        return Err(Error::invalid(field, "A probability has at most two decimals."));
    }
    Ok(value)
}

/// When a deal is expected to close: not of another age, which is a slip of the keyboard.
pub(super) fn expected(date: NaiveDate, today: NaiveDate) -> std::result::Result<NaiveDate, String> {
    let (from, to) = (today - Months::new(10 * 12), today + Months::new(30 * 12));
    match (from..=to).contains(&date) {
        true => Ok(date),
        false => Err(format!("A deal is expected to close between {from} and {to}. Is the year right?")),
    }
}

/// When a deal closed: not in the future, and not in another age.
pub(super) fn closed(date: NaiveDate, today: NaiveDate) -> std::result::Result<NaiveDate, String> {
    let from = today - Months::new(30 * 12);
    match date {
        date if date > today => Err(format!("A deal cannot have closed in the future; today is {today}.")),
        date if date < from => Err(format!("A deal closed on {from} or later. Is the year right?")),
        date => Ok(date),
    }
}

/// Both or neither: the identifier of a deal in an external system means nothing without the system.
pub(super) fn external(field: &str, system: Option<&String>, id: Option<&String>) -> Result<()> {
    if system.is_some() == id.is_some() {
        return Ok(());
    }
    Err(Error::invalid(field, "A deal has an externalSystem and an externalDealId, or neither."))
}

/// Ends an open deal: what is won is certain, what is lost is out of the question.
pub(super) fn close(deal: &mut deals::ActiveModel, won: bool, on: NaiveDate, reason: Option<String>) {
    deal.stage = Set(if won { DealStage::ClosedWon } else { DealStage::ClosedLost });
    deal.actual_close_date = Set(Some(on));
    deal.probability = Set(if won { Decimal::ONE_HUNDRED } else { Decimal::ZERO });
    deal.close_reason = Set(reason);
}

/// Begins a closed deal again.
pub(super) fn reopen(deal: &mut deals::ActiveModel, stage: DealStage, probability: Decimal) {
    deal.stage = Set(stage);
    deal.probability = Set(probability);
    deal.actual_close_date = Set(None);
    deal.close_reason = Set(None);
    deal.competitor_lost_to = Set(None);
}

/// The currency in which the organization reports; USD unless its settings say.
pub(super) async fn currency_of_organization(c: &Change) -> Result<String> {
    let organization = c.one(organizations::Entity::find_by_id(c.actor().organization_id)).await?;
    let currency =
        organization.and_then(|organization| Some(organization.settings.get("currency")?.as_str()?.to_owned()));
    Ok(currency.filter(|currency| !currency.is_empty()).unwrap_or_else(|| "USD".into()))
}
