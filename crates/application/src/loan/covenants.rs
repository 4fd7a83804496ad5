//! Covenants: what is tested, how often, against which threshold. A covenant belongs to a clause, whose lock and rules hold
//! for it too.

use aether_entity::{clauses, covenants};
use aether_store::{
    Result,
    write::{Change, UseCase, action},
};
use sea_orm::Set;
use uuid::Uuid;

use super::guard;
use crate::{check::text, patch::set, reason::Reason};

/// A covenant to add.
pub struct NewCovenant {
    pub name: String,
    pub test_frequency: String,
    pub threshold: String,
    pub calculation_basis: String,
}

/// What changes in a covenant: what is left out stays as it is.
pub struct CovenantEdit {
    pub name: Option<String>,
    pub test_frequency: Option<String>,
    pub threshold: Option<String>,
    pub calculation_basis: Option<String>,
}

/// Adds a covenant to a clause, which must not be locked by somebody else.
pub fn add(clause_id: Uuid, input: NewCovenant, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::ADD_COVENANT, move |c| {
        Box::pin(async move {
            let reason = reason.note(c)?;
            let (membership, clause) = c.in_workspace::<clauses::Entity>(clause_id).await?;
            guard::may_edit(c, &membership, &clause, reason.as_deref()).await?;
            let covenant = c
                .insert(covenants::ActiveModel {
                    workspace_id: Set(clause.workspace_id),
                    clause_id: Set(clause_id),
                    name: Set(text("input.name", &input.name, 255)?),
                    test_frequency: Set(text("input.testFrequency", &input.test_frequency, 100)?),
                    threshold: Set(text("input.threshold", &input.threshold, 255)?),
                    calculation_basis: Set(text("input.calculationBasis", &input.calculation_basis, 10_000)?),
                    ..Default::default()
                })
                .await?;
            Ok(covenant.id)
        })
    })
}

/// Edits a covenant, whose clause must not be locked by somebody else.
pub fn edit(id: Uuid, expected_version: i32, input: CovenantEdit, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_COVENANT, move |c| {
        Box::pin(async move {
            let reason = reason.note(c)?;
            let covenant = editable(c, id, expected_version, reason.as_deref()).await?;
            let given =
                |field: &str, value: Option<String>, most| value.map(|value| text(field, &value, most)).transpose();
            let name = given("input.name", input.name, 255)?;
            let test_frequency = given("input.testFrequency", input.test_frequency, 100)?;
            let threshold = given("input.threshold", input.threshold, 255)?;
            let calculation_basis = given("input.calculationBasis", input.calculation_basis, 10_000)?;
            c.update(covenant, |covenant| {
                set(&mut covenant.name, name);
                set(&mut covenant.test_frequency, test_frequency);
                set(&mut covenant.threshold, threshold);
                set(&mut covenant.calculation_basis, calculation_basis);
            })
            .await?;
            Ok(id)
        })
    })
}

/// Removes a covenant, whose clause must not be locked by somebody else, and tells its id.
pub fn remove(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::REMOVE_COVENANT, move |c| {
        Box::pin(async move {
            let reason = reason.note(c)?;
            let covenant = editable(c, id, expected_version, reason.as_deref()).await?;
            c.delete(covenant).await?;
            Ok(id)
        })
    })
}

/// The covenant in the version that the client saw, if its clause may be edited.
async fn editable(c: &Change, id: Uuid, expected: i32, reason: Option<&str>) -> Result<covenants::Model> {
    let (membership, covenant, clause) = c.edit_with_parent::<covenants::Entity, clauses::Entity>(id, expected).await?;
    guard::may_edit(c, &membership, &clause, reason).await?;
    Ok(covenant)
}
