//! What is spent on vendors, month by month.

use aether_entity::{catalog::Kind, vendor_spend, vendors};
use aether_store::{
    Error, Result,
    value::canonical,
    write::{Change, UseCase, action},
};
use chrono::{Months, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy};
use sea_orm::Set;
use serde_json::Value as Json;
use uuid::Uuid;

use super::month::{may_correct, recorded};
use crate::{
    check::{first_of_month, money, positive_money},
    patch::{Patch, patch},
};

/// What was spent on a vendor in a month.
pub struct NewVendorSpend {
    pub period_date: NaiveDate,
    pub amount: Decimal,
    pub budget_amount: Patch<Decimal>,
    pub breakdown: Option<Json>,
}

/// Records what was spent on a vendor in a month, or corrects it.
pub fn record(vendor_id: Uuid, expected_version: Option<i32>, input: NewVendorSpend) -> UseCase<Uuid> {
    UseCase::new(&action::RECORD_VENDOR_SPEND, move |c| {
        Box::pin(async move {
            let period = first_of_month("input.periodDate", input.period_date)?;
            let amount = money("input.amount", input.amount)?;
            if let Patch::Value(budget) = &input.budget_amount {
                positive_money("input.budgetAmount", *budget)?;
            }
            let breakdown = input.breakdown.filter(|breakdown| !breakdown.is_null());
            if let Some(breakdown) = &breakdown {
                adds_up(breakdown, amount)?;
            }
            // The vendor is locked, so that no two record the same month at once.
            let vendor = c.find::<vendors::Entity>(vendor_id).await?;
            c.about::<vendors::Entity>(vendor.id);
            let before = month(c, vendor.id, period.checked_sub_months(Months::new(12))).await?;
            let yoy = change_in_percent(before.map(|before| before.amount), amount);
            let spend = match month(c, vendor.id, Some(period)).await? {
                Some(known) => {
                    may_correct::<vendor_spend::Entity>(c, &known, expected_version).await?;
                    c.update(known, |spend| {
                        spend.amount = Set(amount);
                        patch(&mut spend.budget_amount, input.budget_amount);
                        spend.breakdown = Set(breakdown);
                        spend.yoy_change = Set(yoy);
                    })
                    .await?
                }
                None => {
                    c.insert(vendor_spend::ActiveModel {
                        vendor_id: Set(vendor.id),
                        organization_id: Set(vendor.organization_id),
                        period_date: Set(period),
                        amount: Set(amount),
                        budget_amount: Set(input.budget_amount.take()),
                        yoy_change: Set(yoy),
                        breakdown: Set(breakdown),
                        ..Default::default()
                    })
                    .await?
                }
            };
            if let Some(after) = month(c, vendor.id, period.checked_add_months(Months::new(12))).await? {
                let yoy = change_in_percent(Some(amount), after.amount);
                c.update(after, |after| after.yoy_change = Set(yoy)).await?;
            }
            Ok(spend.id)
        })
    })
}

/// Refuses a breakdown whose amounts are not those of the whole.
fn adds_up(breakdown: &Json, amount: Decimal) -> Result<()> {
    const FIELD: &str = "input.breakdown";
    let parts = breakdown
        .as_object()
        .ok_or_else(|| Error::invalid(FIELD, "A breakdown is an object of amounts by kind of spend."))?;
    let mut sum = Decimal::ZERO;
    for (name, part) in parts {
        let number = match part {
            Json::Number(number) => canonical(Kind::Decimal, &number.to_string()),
            Json::String(text) => canonical(Kind::Decimal, text),
            _ => None,
        };
        let number = number.and_then(|number| number.parse::<Decimal>().ok());
        let path = format!("{FIELD}.{name}");
        let number = number.ok_or_else(|| Error::invalid(&path, "This is no amount."))?;
        sum += money(&path, number)?;
    }
    if sum != amount {
        return Err(Error::invalid(FIELD, format!("The parts add up to {sum}, and the amount is {amount}.")));
    }
    Ok(())
}

/// What was spent on the vendor in a month, locked.
async fn month(c: &Change, vendor: Uuid, period: Option<NaiveDate>) -> Result<Option<vendor_spend::Model>> {
    let Some(period) = period else { return Ok(None) };
    recorded::<vendor_spend::Entity>(
        c,
        (vendor_spend::Column::VendorId, vendor),
        (vendor_spend::Column::PeriodDate, period),
    )
    .await
}

/// By how many percent an amount has changed, to two decimals. There is no answer without an amount to compare with, or where
/// that is zero or less; nor where the change is too large to mean anything, ten million percent and more.
fn change_in_percent(from: Option<Decimal>, to: Decimal) -> Option<Decimal> {
    let from = from.filter(|from| from.is_sign_positive() && !from.is_zero())?;
    let change = to.checked_sub(from)?.checked_div(from)?.checked_mul(Decimal::ONE_HUNDRED)?;
    let change = change.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    (change.abs() < Decimal::from(10_000_000)).then_some(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(from: &str, to: &str) -> Option<String> {
        let number = |text: &str| text.parse::<Decimal>().expect("a number");
        change_in_percent(Some(number(from)), number(to)).map(|change| change.normalize().to_string())
    }

    #[test]
    fn years_are_compared_where_they_can_be() {
        assert_eq!(change("100", "110").as_deref(), Some("10"));
        assert_eq!(change("300", "100").as_deref(), Some("-66.67"));
        assert_eq!(change("200", "-100").as_deref(), Some("-150"));
        for (from, to) in [("0", "1"), ("-5", "5"), ("0.01", "999999999999")] {
            assert_eq!(change(from, to), None);
        }
        assert_eq!(change_in_percent(None, Decimal::ONE), None);
    }
}
