//! Variables: the commercial and defined terms that are bound in clauses.

use aether_application::loan::variables;
use aether_entity::{
    self as entity,
    sea_orm_active_enums::{ReasonCategory, VariableType},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, plain, why},
    rows::Row,
    run::run,
};

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

plain!(VariableInput as variables::NewVariable { label, kind, value, unit, baseline_value });

plain!(VariablePatch as variables::VariableEdit { label, value, unit });

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
    ) -> Result<Row<entity::variables::Entity>> {
        let id = run(ctx, variables::bind(clause_id, input.plain(), why(reason, reason_category))).await?;
        Ok(Row::new(id))
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
    ) -> Result<Row<entity::variables::Entity>> {
        let id = run(ctx, variables::edit(id, expected_version, input.plain(), why(reason, reason_category))).await?;
        Ok(Row::new(id))
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
        run(ctx, variables::unbind(id, expected_version, why(reason, reason_category))).await
    }
}
