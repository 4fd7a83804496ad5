//! The end of a deal, and its beginning anew.

use aether_entity::{deals, sea_orm_active_enums::DealStage};
use aether_store::{
    Error, Result,
    write::{UseCase, action},
};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::Set;
use uuid::Uuid;

use super::{
    calendar::Calendar,
    deal,
    rules::{self, BY_USER, probability},
};
use crate::{
    check::{optional_text, positive_money, text},
    reason::Reason,
};

/// Closes an open deal as won: its probability becomes 100.
pub fn win(
    id: Uuid,
    expected_version: i32,
    close_date: Option<NaiveDate>,
    reason: Reason,
    final_value: Option<Decimal>,
) -> UseCase<Uuid> {
    UseCase::new(&action::CLOSE_DEAL, move |c| {
        Box::pin(async move {
            // The deal keeps it, too, in fewer characters than the audit trail.
            let reason = optional_text("reason", reason.note(c)?, 255)?;
            let value = final_value.map(|value| positive_money("finalValue", value)).transpose()?;
            let deal = c.edit::<deals::Entity>(id, expected_version).await?;
            rules::open(&deal)?;
            let calendar = Calendar::of(c).await?;
            let on = closed_on(&calendar, close_date)?;
            deal::update(c, &calendar, deal, BY_USER, |deal| {
                rules::close(deal, true, on, reason);
                if let Some(value) = value {
                    deal.value = Set(value);
                }
            })
            .await?;
            Ok(id)
        })
    })
}

/// Closes an open deal as lost, with a reason: its probability becomes 0.
pub fn lose(
    id: Uuid,
    expected_version: i32,
    reason: Reason,
    competitor: Option<String>,
    close_date: Option<NaiveDate>,
) -> UseCase<Uuid> {
    UseCase::new(&action::CLOSE_DEAL, move |c| {
        Box::pin(async move {
            let reason = text("reason", &reason.demand(c)?, 255)?;
            let competitor = optional_text("competitor", competitor, 255)?;
            let deal = c.edit::<deals::Entity>(id, expected_version).await?;
            rules::open(&deal)?;
            let calendar = Calendar::of(c).await?;
            let on = closed_on(&calendar, close_date)?;
            deal::update(c, &calendar, deal, BY_USER, |deal| {
                rules::close(deal, false, on, Some(reason));
                deal.competitor_lost_to = Set(competitor);
            })
            .await?;
            Ok(id)
        })
    })
}

/// Reopens a closed deal, with a reason: it has no close date, reason or competitor any more, which its history keeps.
pub fn reopen(
    id: Uuid,
    expected_version: i32,
    stage: DealStage,
    probability: Decimal,
    reason: Reason,
) -> UseCase<Uuid> {
    UseCase::new(&action::REOPEN_DEAL, move |c| {
        Box::pin(async move {
            reason.demand(c)?;
            let chance = self::probability("probability", probability)?;
            if rules::is_closed(&stage)? {
                return Err(Error::invalid("stage", "A deal goes on in an open stage."));
            }
            let deal = c.edit::<deals::Entity>(id, expected_version).await?;
            if !rules::stage(&deal.stage)?.may_reopen_to(rules::stage(&stage)?) {
                return Err(Error::Precondition("The deal is open already. Move it with advanceDeal.".into()));
            }
            deal::update(c, &Calendar::of(c).await?, deal, BY_USER, |deal| rules::reopen(deal, stage, chance)).await?;
            Ok(id)
        })
    })
}

/// The date of a closing, which is not in the future.
fn closed_on(calendar: &Calendar, given: Option<NaiveDate>) -> Result<NaiveDate> {
    let today = calendar.today;
    match given {
        Some(date) => rules::closed(date, today).map_err(|problem| Error::invalid("closeDate", problem)),
        None => Ok(today),
    }
}
