//! Covenants: what is tested, how often, against which threshold. A covenant belongs to a clause, whose lock and rules hold
//! for it too.

use aether_application::loan::covenants;
use aether_entity::{self as entity, sea_orm_active_enums::ReasonCategory};
use async_graphql::{Context, InputObject, Object, Result};
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, plain, why},
    rows::Row,
    run::run,
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

plain!(CovenantInput as covenants::NewCovenant { name, test_frequency, threshold, calculation_basis });

plain!(CovenantPatch as covenants::CovenantEdit { name, test_frequency, threshold, calculation_basis });

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
    ) -> Result<Row<entity::covenants::Entity>> {
        let id = run(ctx, covenants::add(clause_id, input.plain(), why(reason, reason_category))).await?;
        Ok(Row::new(id))
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
    ) -> Result<Row<entity::covenants::Entity>> {
        let id = run(ctx, covenants::edit(id, expected_version, input.plain(), why(reason, reason_category))).await?;
        Ok(Row::new(id))
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
        run(ctx, covenants::remove(id, expected_version, why(reason, reason_category))).await
    }
}
