//! Scenarios: set up, copied, shared and deleted.

use std::collections::BTreeSet;

use aether_domain::scenario::Parameters;
use aether_entity::{
    scenarios,
    sea_orm_active_enums::{ScenarioStatus, UserStatus},
    users,
};
use aether_store::{
    Error, Result,
    policy::Permission,
    write::{Change, UseCase, action},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::parameters::checked;
use crate::{
    check::{optional_text, patch_text, text},
    patch::{Patch, patch, set},
};

/// How many tags a scenario may have.
const MOST_TAGS: usize = 20;

/// How many users a scenario may be shared with.
const MOST_SHARED: usize = 500;

/// A scenario to create.
pub struct NewScenario {
    pub name: String,
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub parameters: Parameters,
    pub is_template: bool,
}

/// What changes in a scenario: what is left out stays as it is.
pub struct ScenarioEdit {
    pub name: Option<String>,
    pub description: Patch<String>,
    pub tags: Option<Vec<String>>,
    pub parameters: Option<Parameters>,
    pub is_template: Option<bool>,
}

/// Creates a scenario, which is yours.
pub fn create(input: NewScenario) -> UseCase<Uuid> {
    UseCase::new(&action::CREATE_SCENARIO, move |c| {
        Box::pin(async move {
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
            Ok(c.insert(scenario).await?.id)
        })
    })
}

/// Edits a scenario of yours; those who may delete any scenario may edit any.
pub fn edit(id: Uuid, expected_version: i32, input: ScenarioEdit) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_SCENARIO, move |c| {
        Box::pin(async move {
            let scenario = owned(c, id, expected_version).await?;
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
            Ok(id)
        })
    })
}

/// Copies a scenario that you see, such as a template, to a new one of yours: its assumptions and labels, without results.
pub fn copy(id: Uuid, name: Option<String>) -> UseCase<Uuid> {
    UseCase::new(&action::CREATE_SCENARIO, move |c| {
        Box::pin(async move {
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
            Ok(c.insert(copy).await?.id)
        })
    })
}

/// Shares a scenario of yours with these users and no others; those who may delete any scenario may share any.
pub fn share(id: Uuid, expected_version: i32, user_ids: Vec<Uuid>) -> UseCase<Uuid> {
    UseCase::new(&action::SHARE_SCENARIO, move |c| {
        Box::pin(async move {
            if user_ids.len() > MOST_SHARED {
                return Err(Error::invalid(
                    "userIds",
                    format!("A scenario is shared with at most {MOST_SHARED} users."),
                ));
            }
            let scenario = owned(c, id, expected_version).await?;
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
            Ok(id)
        })
    })
}

/// Deletes a scenario of yours with its runs, and tells its id; those who may delete any scenario may delete any.
pub fn delete(id: Uuid, expected_version: i32) -> UseCase<Uuid> {
    UseCase::new(&action::DELETE_SCENARIO, move |c| {
        Box::pin(async move {
            let scenario = owned(c, id, expected_version).await?;
            at_rest(&scenario)?;
            c.delete(scenario).await?;
            Ok(id)
        })
    })
}

/// The scenario, if it is the actor's or the actor may delete anybody's. Those it is shared with only see it.
async fn owned(c: &Change, id: Uuid, expected: i32) -> Result<scenarios::Model> {
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

fn at_rest(scenario: &scenarios::Model) -> Result<()> {
    if scenario.status != ScenarioStatus::Running {
        return Ok(());
    }
    Err(Error::Precondition("A simulation of this scenario is under way. Wait until it has ended.".into()))
}

/// Labels: trimmed, each once.
fn tags(field: &str, given: Vec<String>) -> Result<Vec<String>> {
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
