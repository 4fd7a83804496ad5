//! Scenarios: set up, copied, shared and deleted.

use std::collections::BTreeSet;

use aether_entity::{
    scenarios,
    sea_orm_active_enums::{ScenarioStatus, UserStatus},
    users,
};
use aether_store::{
    Error,
    policy::Permission,
    write::{Change, action},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::parameters::{ScenarioParametersInput, checked};
use crate::{
    change::change,
    graph::Row,
    input::{optional_text, patch, patch_text, set, text},
};

/// How many tags a scenario may have.
const MOST_TAGS: usize = 20;
/// How many users a scenario may be shared with.
const MOST_SHARED: usize = 500;

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
    ) -> Result<Row<scenarios::Entity>> {
        change(ctx, &action::CREATE_SCENARIO, |c| async move {
            let scenario = scenarios::ActiveModel {
                organization_id: Set(c.actor().organization_id),
                created_by: Set(c.actor().user_id),
                name: Set(text("input.name", &input.name, 255)?),
                description: Set(optional_text("input.description", input.description, 10_000)?),
                tags: Set(tags("input.tags", input.tags)?),
                parameters: Set(checked(input.parameters)?),
                is_template: Set(input.is_template),
                ..Default::default()
            };
            Ok(Row::new(c.insert(scenario).await?.id))
        })
        .await
    }

    /// Edits a scenario of yours; those who may delete any scenario may edit any.
    async fn edit_scenario(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The scenario.")] id: Uuid,
        #[graphql(desc = "The version of the scenario that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: ScenarioPatch,
    ) -> Result<Row<scenarios::Entity>> {
        change(ctx, &action::EDIT_SCENARIO, |c| async move {
            let scenario = owned(&c, id, expected_version).await?;
            at_rest(&scenario)?;
            let name = input.name.map(|name| text("input.name", &name, 255)).transpose()?;
            let description = patch_text("input.description", input.description, 10_000)?;
            let tags = input.tags.map(|given| tags("input.tags", given)).transpose()?;
            let parameters = input.parameters.map(checked).transpose()?;
            let parameters = parameters.filter(|parameters| *parameters != scenario.parameters);
            c.update(scenario, |scenario| {
                set(&mut scenario.name, name);
                patch(&mut scenario.description, description);
                set(&mut scenario.tags, tags);
                set(&mut scenario.is_template, input.is_template);
                if let Some(parameters) = parameters {
                    scenario.parameters = Set(parameters);
                    scenario.status = Set(ScenarioStatus::Draft);
                    scenario.results = Set(None);
                    scenario.ai_analysis = Set(None);
                }
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Copies a scenario that you see, such as a template, to a new one of yours: its assumptions and labels, without results.
    async fn copy_scenario(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The scenario to copy.")] id: Uuid,
        #[graphql(desc = "Name of the new one; that of the old one unless given.")] name: Option<String>,
    ) -> Result<Row<scenarios::Entity>> {
        change(ctx, &action::CREATE_SCENARIO, |c| async move {
            let from = c.find::<scenarios::Entity>(id).await?;
            let name = name.map(|name| text("name", &name, 255)).transpose()?.unwrap_or(from.name);
            c.note("copiedFrom", from.id.to_string());
            let copy = scenarios::ActiveModel {
                organization_id: Set(from.organization_id),
                created_by: Set(c.actor().user_id),
                name: Set(name),
                description: Set(from.description),
                tags: Set(from.tags),
                parameters: Set(from.parameters),
                ..Default::default()
            };
            Ok(Row::new(c.insert(copy).await?.id))
        })
        .await
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
    ) -> Result<Row<scenarios::Entity>> {
        change(ctx, &action::SHARE_SCENARIO, |c| async move {
            if user_ids.len() > MOST_SHARED {
                return Err(Error::invalid(
                    "userIds",
                    format!("A scenario is shared with at most {MOST_SHARED} users."),
                ));
            }
            let scenario = owned(&c, id, expected_version).await?;
            let wanted: BTreeSet<Uuid> = user_ids.iter().copied().filter(|user| *user != scenario.created_by).collect();
            let select = users::Entity::find()
                .filter(users::Column::Id.is_in(wanted.iter().copied()))
                .filter(users::Column::OrganizationId.eq(c.actor().organization_id))
                .filter(users::Column::Status.eq(UserStatus::Active));
            let known: BTreeSet<Uuid> = c.all(select).await?.into_iter().map(|user| user.id).collect();
            if let Some(at) = user_ids.iter().position(|user| wanted.contains(user) && !known.contains(user)) {
                return Err(Error::invalid(
                    format!("userIds.{at}"),
                    "There is no active user of your organization with this id.",
                ));
            }
            c.update(scenario, |scenario| scenario.shared_with = Set(known.into_iter().collect())).await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Deletes a scenario of yours with its runs, and tells its id; those who may delete any scenario may delete any.
    async fn delete_scenario(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The scenario.")] id: Uuid,
        #[graphql(desc = "The version of the scenario that you saw.")] expected_version: i32,
    ) -> Result<Uuid> {
        change(ctx, &action::DELETE_SCENARIO, |c| async move {
            let scenario = owned(&c, id, expected_version).await?;
            at_rest(&scenario)?;
            c.delete(scenario).await?;
            Ok(id)
        })
        .await
    }
}

/// The scenario, if it is the actor's or the actor may delete anybody's. Those it is shared with only see it.
async fn owned(c: &Change, id: Uuid, expected: i32) -> aether_store::Result<scenarios::Model> {
    let scenario = c.find::<scenarios::Entity>(id).await?;
    if scenario.created_by != c.actor().user_id && !c.actor().may(Permission::ScenariosDelete) {
        return Err(Error::Forbidden {
            permission: Permission::ScenariosDelete.name(),
            because: Some("this scenario is somebody else's. Copy it with copyScenario and change the copy."),
        });
    }
    c.expect::<scenarios::Entity>(&scenario, expected).await?;
    Ok(scenario)
}

fn at_rest(scenario: &scenarios::Model) -> aether_store::Result<()> {
    if scenario.status != ScenarioStatus::Running {
        return Ok(());
    }
    Err(Error::Precondition("A simulation of this scenario is under way. Wait until it has ended.".into()))
}

/// Labels: trimmed, each once.
fn tags(field: &str, given: Vec<String>) -> aether_store::Result<Vec<String>> {
    let mut tags: Vec<String> = Vec::new();
    for (at, tag) in given.iter().enumerate() {
        let tag = text(&format!("{field}.{at}"), tag, 50)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > MOST_TAGS {
        return Err(Error::invalid(field, format!("A scenario has at most {MOST_TAGS} tags.")));
    }
    Ok(tags)
}
