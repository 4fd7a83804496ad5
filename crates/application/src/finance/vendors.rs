//! Vendors: what they supply, their contracts and their risk.

use aether_entity::{
    sea_orm_active_enums::{RiskLevel, VendorStatus},
    vendors,
};
use aether_store::{
    Error, Result,
    write::{UseCase, action},
};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::Set;
use uuid::Uuid;

use super::spelling;
use crate::{
    check::{optional_text, patch_text, positive_money, text},
    patch::{Patch, patch, set},
    reason::Reason,
};

/// A vendor to create.
pub struct NewVendor {
    pub name: String,
    pub category: String,
    pub description: Option<String>,
    pub contract_value: Option<Decimal>,
    pub contract_start_date: Option<NaiveDate>,
    pub contract_end_date: Option<NaiveDate>,
    pub payment_terms: Option<String>,
    pub auto_renewal: bool,
    pub risk_level: Option<RiskLevel>,
    pub risk_notes: Option<String>,
    pub primary_contact_name: Option<String>,
    pub primary_contact_email: Option<String>,
    pub status: Option<VendorStatus>,
}

/// What changes in a vendor: what is left out stays as it is.
pub struct VendorEdit {
    pub name: Option<String>,
    pub category: Option<String>,
    pub description: Patch<String>,
    pub contract_value: Patch<Decimal>,
    pub contract_start_date: Patch<NaiveDate>,
    pub contract_end_date: Patch<NaiveDate>,
    pub payment_terms: Patch<String>,
    pub auto_renewal: Option<bool>,
    pub risk_level: Option<RiskLevel>,
    pub risk_notes: Patch<String>,
    pub primary_contact_name: Patch<String>,
    pub primary_contact_email: Patch<String>,
}

/// Creates a vendor.
pub fn create(input: NewVendor) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_VENDOR, move |c| {
        Box::pin(async move {
            let (starts, ends) = (input.contract_start_date, input.contract_end_date);
            in_order(starts, ends)?;
            let name = text("input.name", &input.name, 255)?;
            let vendor = vendors::ActiveModel {
                organization_id: Set(c.actor().organization_id),
                name: Set(name.clone()),
                category: Set(text("input.category", &input.category, 100)?),
                description: Set(optional_text("input.description", input.description, 2_000)?),
                contract_value: Set(input
                    .contract_value
                    .map(|value| positive_money("input.contractValue", value))
                    .transpose()?),
                contract_start_date: Set(starts),
                contract_end_date: Set(ends),
                payment_terms: Set(optional_text("input.paymentTerms", input.payment_terms, 100)?),
                auto_renewal: Set(input.auto_renewal),
                risk_level: Set(input.risk_level.map_or(RiskLevel::Low, |level| level)),
                risk_notes: Set(optional_text("input.riskNotes", input.risk_notes, 2_000)?),
                primary_contact_name: Set(optional_text("input.primaryContactName", input.primary_contact_name, 255)?),
                primary_contact_email: Set(match input.primary_contact_email {
                    Some(address) => email(Patch::Value(address))?.take(),
                    None => None,
                }),
                status: Set(input.status.map_or(VendorStatus::Active, |status| status)),
                ..Default::default()
            };
            spelling::is_free(c, "vendors", &name, None).await?;
            Ok(c.insert(vendor).await?.id)
        })
    })
}

/// Edits a vendor: its contract, its risk, its contact.
pub fn edit(id: Uuid, expected_version: i32, input: VendorEdit) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_VENDOR, move |c| {
        Box::pin(async move {
            let vendor = c.edit::<vendors::Entity>(id, expected_version).await?;
            let name = input.name.map(|name| text("input.name", &name, 255)).transpose()?;
            if let Some(name) = &name {
                spelling::is_free(c, "vendors", name, Some(id)).await?;
            }
            let category = input.category.map(|category| text("input.category", &category, 100)).transpose()?;
            if let Patch::Value(value) = &input.contract_value {
                positive_money("input.contractValue", *value)?;
            }
            in_order(
                input.contract_start_date.clone().or(vendor.contract_start_date),
                input.contract_end_date.clone().or(vendor.contract_end_date),
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
            Ok(id)
        })
    })
}

/// Says whether business is done with a vendor: activates it, deactivates it or sends it to review.
pub fn set_status(id: Uuid, expected_version: i32, status: VendorStatus, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_VENDOR, move |c| {
        Box::pin(async move {
            reason.note(c)?;
            let vendor = c.edit::<vendors::Entity>(id, expected_version).await?;
            c.update(vendor, |vendor| vendor.status = Set(status)).await?;
            Ok(id)
        })
    })
}

fn in_order(starts: Option<NaiveDate>, ends: Option<NaiveDate>) -> Result<()> {
    if starts.zip(ends).is_some_and(|(starts, ends)| ends < starts) {
        return Err(Error::invalid("input.contractEndDate", "The contract ends before it starts."));
    }
    Ok(())
}

/// An address, as far as one can tell without writing to it.
fn email(address: Patch<String>) -> Result<Patch<String>> {
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
