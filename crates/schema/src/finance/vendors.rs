//! Vendors: what they supply, their contracts and their risk.

use aether_entity::{
    sea_orm_active_enums::{RiskLevel, VendorStatus},
    vendors,
};
use aether_store::{Error, write::action};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::Set;
use uuid::Uuid;

use crate::{
    change::change,
    graph::Row,
    input::{Choice, Scalar, optional_text, patch, patch_text, positive_money, set, text},
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

/// Vendors.
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
