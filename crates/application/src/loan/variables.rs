//! Variables: the commercial and defined terms that are bound in clauses.

use aether_entity::{
    clauses, drift_items,
    sea_orm_active_enums::{DriftStatus, VariableType},
    variables,
};
use aether_store::write::{UseCase, action};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::{dependency_graph, guard::may_edit, term};
use crate::{
    check::{optional_text, patch_text, text},
    patch::{Patch, patch, set},
    reason::Reason,
};

/// How many characters a value has at most.
pub(super) const LONGEST_VALUE: usize = 2_000;

/// A term to bind in a clause.
pub struct NewVariable {
    pub label: String,
    pub kind: VariableType,
    pub value: String,
    pub unit: Option<String>,
    pub baseline_value: Option<String>,
}

/// What changes in a term: what is left out stays as it is.
pub struct VariableEdit {
    pub label: Option<String>,
    pub value: Option<String>,
    pub unit: Patch<String>,
}

/// Binds a term in a clause, which gives it a node in the dependency graph.
pub fn bind(clause_id: Uuid, input: NewVariable, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::BIND_VARIABLE, move |c| {
        Box::pin(async move {
            let reason = reason.note(c)?;
            let (membership, clause) = c.in_workspace::<clauses::Entity>(clause_id).await?;
            may_edit(c, &membership, &clause, reason.as_deref()).await?;
            let variable = c
                .insert(variables::ActiveModel {
                    workspace_id: Set(clause.workspace_id),
                    clause_id: Set(clause.id),
                    label: Set(text("input.label", &input.label, 255)?),
                    r#type: Set(input.kind),
                    value: Set(text("input.value", &input.value, LONGEST_VALUE)?),
                    unit: Set(optional_text("input.unit", input.unit, 20)?),
                    baseline_value: Set(optional_text("input.baselineValue", input.baseline_value, LONGEST_VALUE)?),
                    last_modified_at: Set(c.now()),
                    last_modified_by: Set(Some(c.actor().user_id)),
                    ..Default::default()
                })
                .await?;
            term::follow(c, None, &variable).await?;
            dependency_graph::link_variables(c, &[clause.id]).await?;
            term::refresh(c, clause.id).await?;
            Ok(variable.id)
        })
    })
}

/// Edits a term.
pub fn edit(id: Uuid, expected_version: i32, input: VariableEdit, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_VARIABLE, move |c| {
        Box::pin(async move {
            let label = input.label.map(|label| text("input.label", &label, 255)).transpose()?;
            let value = input.value.map(|value| text("input.value", &value, LONGEST_VALUE)).transpose()?;
            let unit = patch_text("input.unit", input.unit, 20)?;
            let reason = reason.note(c)?;
            let (membership, variable, clause) =
                c.edit_with_parent::<variables::Entity, clauses::Entity>(id, expected_version).await?;
            may_edit(c, &membership, &clause, reason.as_deref()).await?;
            let before = variable.row_version;
            let after = term::edit(c, variable, |variable| {
                set(&mut variable.label, label);
                set(&mut variable.value, value);
                patch(&mut variable.unit, unit);
            })
            .await?;
            if after.row_version != before {
                term::refresh(c, clause.id).await?;
            }
            Ok(id)
        })
    })
}

/// Unbinds a term from its clause, and tells its id.
pub fn unbind(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::UNBIND_VARIABLE, move |c| {
        Box::pin(async move {
            let reason = reason.note(c)?;
            let (membership, variable, clause) =
                c.edit_with_parent::<variables::Entity, clauses::Entity>(id, expected_version).await?;
            may_edit(c, &membership, &clause, reason.as_deref()).await?;
            c.about::<variables::Entity>(id);
            let open = drift_items::Entity::find()
                .filter(drift_items::Column::VariableId.eq(id))
                .filter(drift_items::Column::Status.eq(DriftStatus::Unresolved));
            for item in c.all(open).await? {
                c.delete(item).await?;
            }
            c.delete(variable).await?;
            dependency_graph::link_variables(c, &[clause.id]).await?;
            term::refresh(c, clause.id).await?;
            Ok(id)
        })
    })
}
