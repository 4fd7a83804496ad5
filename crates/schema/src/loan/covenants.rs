//! Covenants: what is tested, how often, against which threshold. A covenant belongs to a clause, whose lock and rules hold
//! for it too.

use aether_entity::{clauses, covenants, sea_orm_active_enums::ReasonCategory};
use aether_store::write::{Change, action};
use async_graphql::{Context, InputObject, Object, Result};
use sea_orm::Set;
use uuid::Uuid;

use super::guard;
use crate::{
    change::change,
    graph::Row,
    input::{Choice, set, text},
};

/// A covenant to add.
#[derive(InputObject)]
struct CovenantInput {
    /// Name, such as Leverage Ratio, at most 255 characters.
    name: String,
    /// How often it is tested, such as Quarterly, at most 100 characters.
    test_frequency: String,
    /// The level that must be kept, in the words of the agreement, such as `4.50:1.00`, at most 255 characters.
    threshold: String,
    /// How the tested figure is calculated, such as Total Net Debt to Adjusted EBITDA, at most 10,000 characters.
    calculation_basis: String,
}

/// What changes in a covenant: what is left out stays as it is.
#[derive(InputObject)]
struct CovenantPatch {
    /// Name, at most 255 characters.
    name: Option<String>,
    /// How often it is tested, at most 100 characters.
    test_frequency: Option<String>,
    /// The level that must be kept, in the words of the agreement, at most 255 characters.
    threshold: Option<String>,
    /// How the tested figure is calculated, at most 10,000 characters.
    calculation_basis: Option<String>,
}

/// Adding, editing and removing covenants.
#[derive(Default)]
pub(crate) struct CovenantMutation;

#[Object]
impl CovenantMutation {
    /// Adds a covenant to a clause, which must not be locked by somebody else.
    async fn add_covenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The clause that sets it out.")] clause_id: Uuid,
        #[graphql(desc = "The covenant.")] input: CovenantInput,
        #[graphql(desc = "Why it is added; a sensitive clause may need it.")] reason: Option<String>,
        #[graphql(desc = "The kind of that reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<covenants::Entity>> {
        change(ctx, &action::ADD_COVENANT, |c| async move {
            c.reason(reason.as_deref(), reason_category.map(|category| category.0));
            let (membership, clause) = c.in_workspace::<clauses::Entity>(clause_id).await?;
            guard::may_edit(&c, &membership, &clause, reason.as_deref()).await?;
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
            Ok(Row::new(covenant.id))
        })
        .await
    }

    /// Edits a covenant, whose clause must not be locked by somebody else.
    async fn edit_covenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The covenant.")] id: Uuid,
        #[graphql(desc = "The version of the covenant that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: CovenantPatch,
        #[graphql(desc = "Why it changes; a sensitive clause may need it.")] reason: Option<String>,
        #[graphql(desc = "The kind of that reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<covenants::Entity>> {
        change(ctx, &action::EDIT_COVENANT, |c| async move {
            c.reason(reason.as_deref(), reason_category.map(|category| category.0));
            let covenant = editable(&c, id, expected_version, reason.as_deref()).await?;
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
            Ok(Row::new(id))
        })
        .await
    }

    /// Removes a covenant, whose clause must not be locked by somebody else, and tells its id.
    async fn remove_covenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The covenant.")] id: Uuid,
        #[graphql(desc = "The version of the covenant that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is removed; a sensitive clause may need it.")] reason: Option<String>,
        #[graphql(desc = "The kind of that reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Uuid> {
        change(ctx, &action::REMOVE_COVENANT, |c| async move {
            c.reason(reason.as_deref(), reason_category.map(|category| category.0));
            let covenant = editable(&c, id, expected_version, reason.as_deref()).await?;
            c.delete(covenant).await?;
            Ok(id)
        })
        .await
    }
}

/// The covenant in the version that the client saw, if its clause may be edited.
async fn editable(c: &Change, id: Uuid, expected: i32, reason: Option<&str>) -> aether_store::Result<covenants::Model> {
    let (membership, covenant) = c.edit_in_workspace::<covenants::Entity>(id, expected).await?;
    let clause = c.find::<clauses::Entity>(covenant.clause_id).await?;
    guard::may_edit(c, &membership, &clause, reason).await?;
    Ok(covenant)
}
