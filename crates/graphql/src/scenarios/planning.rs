//! Scenarios: set up, copied, shared and deleted.

use aether_application::scenarios::planning;
use aether_entity as entity;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use uuid::Uuid;

use super::parameters::ScenarioParametersInput;
use crate::{
    input::{Plain, plain},
    rows::Row,
    run::run,
};

/// A scenario to create.
#[derive(InputObject)]
struct ScenarioInput {
    /// Name of the scenario.
    name: String,
    /// What it is about.
    description: Option<String>,
    /// Labels by which it is found, at most 20.
    #[graphql(default)]
    tags: Vec<String>,
    /// Its assumptions.
    parameters: ScenarioParametersInput,
    /// Whether it serves as a template, which everybody in the organization sees.
    #[graphql(default)]
    is_template: bool,
}

/// What changes in a scenario: what is left out stays as it is.
#[derive(InputObject)]
struct ScenarioPatch {
    /// Name of the scenario.
    name: Option<String>,
    /// What it is about; null empties it.
    description: MaybeUndefined<String>,
    /// Labels by which it is found, all of them.
    tags: Option<Vec<String>>,
    /// Its assumptions, all of them. If they change, the results of earlier runs no longer hold: it is a draft again.
    parameters: Option<ScenarioParametersInput>,
    /// Whether it serves as a template, which everybody in the organization sees.
    is_template: Option<bool>,
}

plain!(ScenarioInput as planning::NewScenario { name, description, tags, parameters, is_template });

plain!(ScenarioPatch as planning::ScenarioEdit { name, description, tags, parameters, is_template });

/// Setting up scenarios.
#[derive(Default)]
pub(crate) struct ScenarioMutation;

#[Object]
impl ScenarioMutation {
    /// Creates a scenario, which is yours. Nobody but you sees it until you share it, unless it is a template, and those who may
    /// delete any scenario.
    async fn create_scenario(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The scenario.")] input: ScenarioInput,
    ) -> Result<Row<entity::scenarios::Entity>> {
        let id = run(ctx, planning::create(input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Edits a scenario of yours; those who may delete any scenario may edit any.
    async fn edit_scenario(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The scenario.")] id: Uuid,
        #[graphql(desc = "The version of the scenario that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: ScenarioPatch,
    ) -> Result<Row<entity::scenarios::Entity>> {
        let id = run(ctx, planning::edit(id, expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Copies a scenario that you see, such as a template, to a new one of yours: its assumptions and labels, without results.
    async fn copy_scenario(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The scenario to copy.")] id: Uuid,
        #[graphql(desc = "Name of the new one; that of the old one unless given.")] name: Option<String>,
    ) -> Result<Row<entity::scenarios::Entity>> {
        let id = run(ctx, planning::copy(id, name)).await?;
        Ok(Row::new(id))
    }

    /// Shares a scenario of yours with these users and no others; those who may delete any scenario may share any.
    async fn share_scenario(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The scenario.")] id: Uuid,
        #[graphql(desc = "The version of the scenario that you saw.")] expected_version: i32,
        #[graphql(
            desc = "Active users of your organization, all that it is to be shared with; none ends the sharing."
        )]
        user_ids: Vec<Uuid>,
    ) -> Result<Row<entity::scenarios::Entity>> {
        let id = run(ctx, planning::share(id, expected_version, user_ids)).await?;
        Ok(Row::new(id))
    }

    /// Deletes a scenario of yours with its runs, and tells its id; those who may delete any scenario may delete any.
    async fn delete_scenario(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The scenario.")] id: Uuid,
        #[graphql(desc = "The version of the scenario that you saw.")] expected_version: i32,
    ) -> Result<Uuid> {
        run(ctx, planning::delete(id, expected_version)).await
    }
}
