//! Variables: the commercial and defined terms that are bound in clauses.

use aether_entity::{
    clauses, drift_items,
    sea_orm_active_enums::{DriftStatus, ReasonCategory, VariableType},
    variables,
};
use aether_store::{Error, write::action};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::{guard::may_edit, term};
use crate::{
    change::change,
    graph::Row,
    input::{Choice, optional_text, patch, patch_text, set, text},
};

/// How many characters a value has at most.
pub(super) const LONGEST_VALUE: usize = 2_000;
/// How many characters a reason has at most.
pub(super) const LONGEST_REASON: usize = 2_000;

/// A term to bind in a clause.
#[derive(InputObject)]
struct VariableInput {
    /// Name of the term, such as Margin or Leverage Ratio.
    label: String,
    /// What kind of term it is.
    #[graphql(name = "type")]
    kind: Choice<VariableType>,
    /// The value as drafted, in the words of the agreement, such as `4.50:1.00` or `USD 500,000,000`.
    value: String,
    /// Unit of the value, such as `%`, `bps` or `USD`; none if it has none or the value names it.
    unit: Option<String>,
    /// The agreed value. A drafted value that says something else is drift from the start; without one there is no drift.
    baseline_value: Option<String>,
}

/// What changes in a term: what is left out stays as it is.
#[derive(InputObject)]
struct VariablePatch {
    /// Name of the term.
    label: Option<String>,
    /// The value as drafted, in the words of the agreement.
    value: Option<String>,
    /// Unit of the value; null empties it.
    unit: MaybeUndefined<String>,
}

/// Binding, editing and unbinding terms.
#[derive(Default)]
pub(crate) struct VariableMutation;

#[Object]
impl VariableMutation {
    /// Binds a term in a clause, which gives it a node in the dependency graph. Needs the clause unlocked or locked by you.
    async fn bind_variable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The clause in which the term stands.")] clause_id: Uuid,
        #[graphql(desc = "The term.")] input: VariableInput,
        #[graphql(desc = "Why; a sensitive clause may need it.")] reason: Option<String>,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<variables::Entity>> {
        change(ctx, &action::BIND_VARIABLE, |c| async move {
            let reason = optional_text("reason", reason, LONGEST_REASON)?;
            c.reason(reason.as_deref(), reason_category.map(|category| category.0));
            let (membership, clause) = c.in_workspace::<clauses::Entity>(clause_id).await?;
            may_edit(&c, &membership, &clause, reason.as_deref()).await?;
            let variable = c
                .insert(variables::ActiveModel {
                    workspace_id: Set(clause.workspace_id),
                    clause_id: Set(clause.id),
                    label: Set(text("input.label", &input.label, 255)?),
                    r#type: Set(input.kind.0),
                    value: Set(text("input.value", &input.value, LONGEST_VALUE)?),
                    unit: Set(optional_text("input.unit", input.unit, 20)?),
                    baseline_value: Set(optional_text("input.baselineValue", input.baseline_value, LONGEST_VALUE)?),
                    last_modified_at: Set(c.now()),
                    last_modified_by: Set(Some(c.actor().user_id)),
                    ..Default::default()
                })
                .await?;
            term::follow(&c, None, &variable).await?;
            c.link_variables(&[clause.id]).await?;
            term::refresh(&c, clause.id).await?;
            Ok(Row::new(variable.id))
        })
        .await
    }

    /// Edits a term. A value that leaves the agreed one opens a drift item; one that says the same again takes the open item back.
    /// An override that waits for approval is withdrawn when the value changes. Needs the clause unlocked or locked by you.
    async fn edit_variable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The variable.")] id: Uuid,
        #[graphql(desc = "The version of the variable that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: VariablePatch,
        #[graphql(desc = "Why; a sensitive clause may need it.")] reason: Option<String>,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<variables::Entity>> {
        change(ctx, &action::EDIT_VARIABLE, |c| async move {
            let label = input.label.map(|label| text("input.label", &label, 255)).transpose()?;
            let value = input.value.map(|value| text("input.value", &value, LONGEST_VALUE)).transpose()?;
            let unit = patch_text("input.unit", input.unit, 20)?;
            let reason = optional_text("reason", reason, LONGEST_REASON)?;
            c.reason(reason.as_deref(), reason_category.map(|category| category.0));
            let (membership, variable) = c.edit_in_workspace::<variables::Entity>(id, expected_version).await?;
            let clause = c.find::<clauses::Entity>(variable.clause_id).await?;
            may_edit(&c, &membership, &clause, reason.as_deref()).await?;
            let before = variable.row_version;
            let after = term::edit(&c, variable, |variable| {
                set(&mut variable.label, label);
                set(&mut variable.value, value);
                patch(&mut variable.unit, unit);
            })
            .await?;
            if after.row_version != before {
                term::refresh(&c, clause.id).await?;
            }
            Ok(Row::new(id))
        })
        .await
    }

    /// Unbinds a term from its clause, and tells its id. Its node and its open drift item go with it; what was settled stays.
    /// Needs the clause unlocked or locked by you.
    async fn unbind_variable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The variable.")] id: Uuid,
        #[graphql(desc = "The version of the variable that you saw.")] expected_version: i32,
        #[graphql(desc = "Why; a sensitive clause may need it.")] reason: Option<String>,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Uuid> {
        change(ctx, &action::UNBIND_VARIABLE, |c| async move {
            let reason = optional_text("reason", reason, LONGEST_REASON)?;
            c.reason(reason.as_deref(), reason_category.map(|category| category.0));
            let (membership, variable) = c.edit_in_workspace::<variables::Entity>(id, expected_version).await?;
            let clause = c.find::<clauses::Entity>(variable.clause_id).await?;
            may_edit(&c, &membership, &clause, reason.as_deref()).await?;
            c.about::<variables::Entity>(id);
            let open = drift_items::Entity::find()
                .filter(drift_items::Column::VariableId.eq(id))
                .filter(drift_items::Column::Status.eq(DriftStatus::Unresolved));
            for item in c.all(open).await? {
                c.delete(item).await?;
            }
            c.delete(variable).await?;
            c.link_variables(&[clause.id]).await?;
            term::refresh(&c, clause.id).await?;
            Ok(id)
        })
        .await
    }
}

/// A reason that must be given.
pub(super) fn reason_given(reason: &str) -> aether_store::Result<String> {
    match reason.trim() {
        "" => Err(Error::invalid("reason", "A reason is needed. Say why in a sentence.")),
        _ => text("reason", reason, LONGEST_REASON),
    }
}
