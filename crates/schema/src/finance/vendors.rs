//! Vendors and what is spent on them.

use aether_entity::{
    sea_orm_active_enums::{RiskLevel, VendorStatus},
    vendor_spend, vendors,
};
use aether_store::{
    Error,
    write::{Change, action},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use chrono::{Months, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::LockType};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    change::change,
    graph::Row,
    input::{Choice, Scalar, first_of_month, money, optional_text, patch, patch_text, positive_money, set, text},
};

/// A vendor to create.
#[derive(InputObject)]
struct VendorInput {
    /// Name of the vendor, unique within the organization.
    name: String,
    /// Category of the vendor, such as Cloud Infrastructure, SaaS or Professional Services.
    category: String,
    /// What the vendor supplies.
    description: Option<String>,
    /// Value of the contract over its whole term, in the currency of the organization.
    contract_value: Option<Scalar<Decimal>>,
    /// First day of the contract.
    contract_start_date: Option<Scalar<NaiveDate>>,
    /// Last day of the contract; open-ended unless given.
    contract_end_date: Option<Scalar<NaiveDate>>,
    /// Payment terms, such as Net 30.
    payment_terms: Option<String>,
    /// Whether the contract renews itself at its end.
    #[graphql(default)]
    auto_renewal: bool,
    /// Risk of depending on the vendor; low unless given.
    risk_level: Option<Choice<RiskLevel>>,
    /// Notes on the risk.
    risk_notes: Option<String>,
    /// Name of the primary contact at the vendor.
    primary_contact_name: Option<String>,
    /// E-mail address of the primary contact at the vendor.
    primary_contact_email: Option<String>,
    /// Whether business is done with the vendor; active unless given.
    status: Option<Choice<VendorStatus>>,
}

/// What changes in a vendor: what is left out stays as it is.
#[derive(InputObject)]
struct VendorPatch {
    /// Name of the vendor, unique within the organization.
    name: Option<String>,
    /// Category of the vendor.
    category: Option<String>,
    /// What the vendor supplies; null empties it.
    description: MaybeUndefined<String>,
    /// Value of the contract over its whole term, in the currency of the organization; null empties it.
    contract_value: MaybeUndefined<Scalar<Decimal>>,
    /// First day of the contract; null empties it.
    contract_start_date: MaybeUndefined<Scalar<NaiveDate>>,
    /// Last day of the contract; null makes it open-ended.
    contract_end_date: MaybeUndefined<Scalar<NaiveDate>>,
    /// Payment terms; null empties them.
    payment_terms: MaybeUndefined<String>,
    /// Whether the contract renews itself at its end.
    auto_renewal: Option<bool>,
    /// Risk of depending on the vendor.
    risk_level: Option<Choice<RiskLevel>>,
    /// Notes on the risk; null empties them.
    risk_notes: MaybeUndefined<String>,
    /// Name of the primary contact at the vendor; null empties it.
    primary_contact_name: MaybeUndefined<String>,
    /// E-mail address of the primary contact at the vendor; null empties it.
    primary_contact_email: MaybeUndefined<String>,
}

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

/// Vendors and what is spent on them.
#[derive(Default)]
pub(crate) struct VendorMutation;

#[Object]
impl VendorMutation {
    /// Creates a vendor.
    async fn create_vendor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The vendor.")] input: VendorInput,
    ) -> Result<Row<vendors::Entity>> {
        change(ctx, &action::EDIT_VENDOR, |c| async move {
            let (starts, ends) =
                (input.contract_start_date.map(|date| date.0), input.contract_end_date.map(|date| date.0));
            in_order(starts, ends)?;
            let vendor = vendors::ActiveModel {
                organization_id: Set(c.actor().organization_id),
                name: Set(text("input.name", &input.name, 255)?),
                category: Set(text("input.category", &input.category, 100)?),
                description: Set(optional_text("input.description", input.description, 2_000)?),
                contract_value: Set(input
                    .contract_value
                    .map(|value| positive_money("input.contractValue", value.0))
                    .transpose()?),
                contract_start_date: Set(starts),
                contract_end_date: Set(ends),
                payment_terms: Set(optional_text("input.paymentTerms", input.payment_terms, 100)?),
                auto_renewal: Set(input.auto_renewal),
                risk_level: Set(input.risk_level.map_or(RiskLevel::Low, |level| level.0)),
                risk_notes: Set(optional_text("input.riskNotes", input.risk_notes, 2_000)?),
                primary_contact_name: Set(optional_text("input.primaryContactName", input.primary_contact_name, 255)?),
                primary_contact_email: Set(match input.primary_contact_email {
                    Some(address) => email(MaybeUndefined::Value(address))?.take(),
                    None => None,
                }),
                status: Set(input.status.map_or(VendorStatus::Active, |status| status.0)),
                ..Default::default()
            };
            Ok(Row::new(c.insert(vendor).await?.id))
        })
        .await
    }

    /// Edits a vendor: its contract, its risk, its contact.
    async fn edit_vendor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The vendor.")] id: Uuid,
        #[graphql(desc = "The version of the vendor that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: VendorPatch,
    ) -> Result<Row<vendors::Entity>> {
        change(ctx, &action::EDIT_VENDOR, |c| async move {
            let vendor = c.edit::<vendors::Entity>(id, expected_version).await?;
            let name = input.name.map(|name| text("input.name", &name, 255)).transpose()?;
            let category = input.category.map(|category| text("input.category", &category, 100)).transpose()?;
            if let MaybeUndefined::Value(value) = &input.contract_value {
                positive_money("input.contractValue", value.0)?;
            }
            let date = |new: &MaybeUndefined<Scalar<NaiveDate>>, old| match new {
                MaybeUndefined::Undefined => old,
                new => new.value().map(|date| date.0),
            };
            in_order(
                date(&input.contract_start_date, vendor.contract_start_date),
                date(&input.contract_end_date, vendor.contract_end_date),
            )?;
            let description = patch_text("input.description", input.description, 2_000)?;
            let payment_terms = patch_text("input.paymentTerms", input.payment_terms, 100)?;
            let risk_notes = patch_text("input.riskNotes", input.risk_notes, 2_000)?;
            let contact_name = patch_text("input.primaryContactName", input.primary_contact_name, 255)?;
            let contact_email = email(input.primary_contact_email)?;
            c.update(vendor, |vendor| {
                set(&mut vendor.name, name);
                set(&mut vendor.category, category);
                patch(&mut vendor.description, description);
                patch(&mut vendor.contract_value, input.contract_value);
                patch(&mut vendor.contract_start_date, input.contract_start_date);
                patch(&mut vendor.contract_end_date, input.contract_end_date);
                patch(&mut vendor.payment_terms, payment_terms);
                set(&mut vendor.auto_renewal, input.auto_renewal);
                set(&mut vendor.risk_level, input.risk_level);
                patch(&mut vendor.risk_notes, risk_notes);
                patch(&mut vendor.primary_contact_name, contact_name);
                patch(&mut vendor.primary_contact_email, contact_email);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Says whether business is done with a vendor: activates it, deactivates it or sends it to review.
    async fn set_vendor_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The vendor.")] id: Uuid,
        #[graphql(desc = "The version of the vendor that you saw.")] expected_version: i32,
        #[graphql(desc = "The new status.")] status: Choice<VendorStatus>,
        #[graphql(desc = "Why, for the audit log.")] reason: Option<String>,
    ) -> Result<Row<vendors::Entity>> {
        change(ctx, &action::EDIT_VENDOR, |c| async move {
            c.reason(optional_text("reason", reason, 2_000)?.as_deref(), None);
            let vendor = c.edit::<vendors::Entity>(id, expected_version).await?;
            c.update(vendor, |vendor| vendor.status = Set(status.0)).await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Records what was spent on a vendor in a month, or corrects it. The change against the same month of the prior year is
    /// worked out, here and in the same month of the next year.
    async fn record_vendor_spend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The vendor.")] vendor_id: Uuid,
        #[graphql(desc = "The version of the month's spend that you saw; needed where there is one already.")]
        expected_version: Option<i32>,
        #[graphql(desc = "What was spent.")] input: VendorSpendInput,
    ) -> Result<Row<vendor_spend::Entity>> {
        change(ctx, &action::RECORD_VENDOR_SPEND, |c| async move {
            let period = first_of_month("input.periodDate", input.period_date.0)?;
            let amount = money("input.amount", input.amount.0)?;
            if let MaybeUndefined::Value(budget) = &input.budget_amount {
                positive_money("input.budgetAmount", budget.0)?;
            }
            let breakdown = input.breakdown.map(|breakdown| breakdown.0).filter(|breakdown| !breakdown.is_null());
            if let Some(breakdown) = &breakdown {
                adds_up(breakdown, amount)?;
            }
            // The vendor is locked, so that no two record the same month at once.
            let vendor = c.find::<vendors::Entity>(vendor_id).await?;
            c.about::<vendors::Entity>(vendor.id);
            let before = month(&c, vendor.id, period.checked_sub_months(Months::new(12))).await?;
            let yoy = change_in_percent(before.map(|before| before.amount), amount);
            let spend = match month(&c, vendor.id, Some(period)).await? {
                Some(known) => {
                    let expected = expected_version.ok_or_else(there_already)?;
                    c.expect::<vendor_spend::Entity>(&known, expected).await?;
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
                        budget_amount: Set(input.budget_amount.take().map(|budget| budget.0)),
                        yoy_change: Set(yoy),
                        breakdown: Set(breakdown),
                        ..Default::default()
                    })
                    .await?
                }
            };
            if let Some(after) = month(&c, vendor.id, period.checked_add_months(Months::new(12))).await? {
                let yoy = change_in_percent(Some(amount), after.amount);
                c.update(after, |after| after.yoy_change = Set(yoy)).await?;
            }
            Ok(Row::new(spend.id))
        })
        .await
    }
}

fn in_order(starts: Option<NaiveDate>, ends: Option<NaiveDate>) -> aether_store::Result<()> {
    if starts.zip(ends).is_some_and(|(starts, ends)| ends < starts) {
        return Err(Error::invalid("input.contractEndDate", "The contract ends before it starts."));
    }
    Ok(())
}

/// An address, as far as one can tell without writing to it.
fn email(address: MaybeUndefined<String>) -> aether_store::Result<MaybeUndefined<String>> {
    let address = patch_text("input.primaryContactEmail", address, 255)?;
    let sound = |address: &String| {
        address
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
            && !address.contains(char::is_whitespace)
    };
    if address.value().is_some_and(|address| !sound(address)) {
        return Err(Error::invalid("input.primaryContactEmail", "This is no e-mail address."));
    }
    Ok(address)
}

/// Refuses a breakdown whose amounts are not those of the whole.
fn adds_up(breakdown: &Json, amount: Decimal) -> aether_store::Result<()> {
    const FIELD: &str = "input.breakdown";
    let parts = breakdown
        .as_object()
        .ok_or_else(|| Error::invalid(FIELD, "A breakdown is an object of amounts by kind of spend."))?;
    let mut sum = Decimal::ZERO;
    for (name, part) in parts {
        let number = match part {
            Json::Number(number) => Decimal::from_str_exact(&number.to_string()).ok(),
            Json::String(text) => Decimal::from_str_exact(text).ok(),
            _ => None,
        };
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
async fn month(
    c: &Change,
    vendor: Uuid,
    period: Option<NaiveDate>,
) -> aether_store::Result<Option<vendor_spend::Model>> {
    let Some(period) = period else { return Ok(None) };
    let spend = vendor_spend::Entity::find()
        .filter(vendor_spend::Column::VendorId.eq(vendor))
        .filter(vendor_spend::Column::PeriodDate.eq(period))
        .lock(LockType::NoKeyUpdate);
    c.one(spend).await
}

/// By how many percent an amount has changed, to two decimals. There is no answer without an amount to compare with, or where
/// that is zero or less; nor where the change is too large to mean anything, ten million percent and more.
fn change_in_percent(from: Option<Decimal>, to: Decimal) -> Option<Decimal> {
    let from = from.filter(|from| from.is_sign_positive() && !from.is_zero())?;
    let change = to.checked_sub(from)?.checked_div(from)?.checked_mul(Decimal::ONE_HUNDRED)?;
    let change = change.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    (change.abs() < Decimal::from(10_000_000)).then_some(change)
}

fn there_already() -> Error {
    Error::invalid(
        "expectedVersion",
        "This month is recorded already. Read it, and send its rowVersion as expectedVersion to correct it.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(from: &str, to: &str) -> Option<String> {
        let number = |text: &str| text.parse::<Decimal>().expect("a number");
        change_in_percent(Some(number(from)), number(to)).map(|change| change.to_string())
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
