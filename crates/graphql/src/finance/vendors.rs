//! Vendors: what they supply, their contracts and their risk.

use aether_application::finance::vendors;
use aether_entity::{
    self as entity,
    sea_orm_active_enums::{RiskLevel, VendorStatus},
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

plain!(VendorInput as vendors::NewVendor { name, category, description, contract_value, contract_start_date, contract_end_date, payment_terms, auto_renewal, risk_level, risk_notes, primary_contact_name, primary_contact_email, status });

plain!(VendorPatch as vendors::VendorEdit { name, category, description, contract_value, contract_start_date, contract_end_date, payment_terms, auto_renewal, risk_level, risk_notes, primary_contact_name, primary_contact_email });

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
    ) -> Result<Row<entity::vendors::Entity>> {
        let id = run(ctx, vendors::create(input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Edits a vendor: its contract, its risk, its contact.
    async fn edit_vendor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The vendor.")] id: Uuid,
        #[graphql(desc = "The version of the vendor that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: VendorPatch,
    ) -> Result<Row<entity::vendors::Entity>> {
        let id = run(ctx, vendors::edit(id, expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Says whether business is done with a vendor: activates it, deactivates it or sends it to review.
    async fn set_vendor_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The vendor.")] id: Uuid,
        #[graphql(desc = "The version of the vendor that you saw.")] expected_version: i32,
        #[graphql(desc = "The new status.")] status: Choice<VendorStatus>,
        #[graphql(desc = "Why, for the audit log.")] reason: Option<String>,
    ) -> Result<Row<entity::vendors::Entity>> {
        let id = run(ctx, vendors::set_status(id, expected_version, status.plain(), why(reason, None))).await?;
        Ok(Row::new(id))
    }
}
