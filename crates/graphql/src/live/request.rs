//! From a subscription's field to what the hub watches for.

use aether_operation::{Arguments, Bound, Selected};
use aether_store::{
    Error, Result,
    live::{
        Cursor, SubscriptionPlan,
        feed::{FEEDS, Feed, Of, TOPICS},
        plan::{MessageField, Object, Tenant},
    },
    model::{Model, Type},
    read::plan::Key,
};
use async_graphql::Value;
use heck::AsShoutySnakeCase;
use uuid::Uuid;

use super::types::{EVENT, EVENTS, objects};
use crate::{
    plan::{Planner, invalid},
    scalar::{self, items},
};

/// What a subscription asks for.
pub(super) struct SubscriptionRequest {
    /// What is told.
    pub(super) plan: SubscriptionPlan,
    /// From where on, unless from now.
    pub(super) after: Option<Cursor>,
}

/// What the field of the root asks for.
pub(super) fn request(
    bound: &Bound<'_>,
    planner: &Planner<'_>,
    selected: &Selected<'_>,
) -> Result<SubscriptionRequest> {
    let asked = Asked { bound, planner, selected, arguments: planner.arguments(selected)? };
    match FEEDS.iter().find(|feed| feed.field == selected.name()) {
        Some(feed) => of_feed(&asked, feed),
        None if selected.name() == EVENTS => of_everything(&asked),
        None => Err(Error::internal("a subscription that nobody answers")),
    }
}

/// A field of the subscription root, with its arguments.
struct Asked<'a, 's> {
    bound: &'s Bound<'a>,
    planner: &'s Planner<'a>,
    selected: &'s Selected<'a>,
    arguments: Arguments,
}

impl<'a> Asked<'a, '_> {
    fn given(&self, name: &str) -> Option<&Value> {
        self.arguments.get(name).filter(|value| **value != Value::Null)
    }

    fn uuid(&self, name: &str) -> Result<Option<Uuid>> {
        let wrong = || Error::invalid(name, "This is no UUID.");
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }

    fn after(&self) -> Result<Option<Cursor>> {
        match self.given("after") {
            Some(Value::String(text)) => Cursor::decode(text, "after").map(Some),
            _ => Ok(None),
        }
    }

    /// The values of an argument that takes several, of which one may be written by itself.
    fn several(&self, name: &str) -> &[Value] {
        self.given(name).map_or(&[], items)
    }

    /// The watch without what is asked for of whom.
    fn plan(&self, message: &str) -> Result<SubscriptionPlan> {
        let mut plan = SubscriptionPlan {
            // Where two begin does not make them ask for different things.
            key: self.bound.fingerprint(self.selected, &["after"]).map_err(invalid)?,
            tenant: Tenant::Everything,
            topics: Vec::new(),
            tables: &[],
            row: self.uuid("id")?,
            facets: Vec::new(),
            field: Key::new(self.selected.key),
            parts: Vec::new(),
            objects: Vec::new(),
            actor: None,
        };
        for selected in self.planner.collect(&self.selected.sets, message)? {
            let part = match selected.name() {
                "__typename" => MessageField::Literal(format!("\"{message}\"")),
                "kind" => MessageField::Kind,
                "changedFields" => MessageField::ChangedFields,
                "cursor" => MessageField::Cursor,
                "at" => MessageField::At,
                "actor" => {
                    let users =
                        Model::get().by_table("users").ok_or_else(|| Error::internal("a graph without users"))?;
                    plan.actor = Some(self.object(users, &selected)?);
                    MessageField::Actor
                }
                "topic" => MessageField::Topic,
                "type" => MessageField::Type,
                "id" => MessageField::Id,
                "node" => {
                    for ty in &Model::get().types {
                        if !self.planner.collect(&selected.sets, ty.name)?.is_empty() {
                            plan.objects.push(self.object(ty, &selected)?);
                        }
                    }
                    MessageField::Node
                }
                name => {
                    let ty = Model::get().types.iter().find(|ty| ty.singular == name);
                    let ty = ty.ok_or_else(|| Error::invalid(name, format!("{message} has no field {name}.")))?;
                    plan.objects.push(self.object(ty, &selected)?);
                    MessageField::Object(ty)
                }
            };
            plan.parts.push((Key::new(selected.key), part));
        }
        Ok(plan)
    }

    fn object(&self, ty: &'static Type, selected: &Selected<'a>) -> Result<Object> {
        Object::new(self.planner.identified(ty, &selected.sets)?)
    }
}

fn of_feed(asked: &Asked<'_, '_>, feed: &'static Feed) -> Result<SubscriptionRequest> {
    let mut plan = asked.plan(feed.message)?;
    plan.topics = vec![feed.topic.to_owned()];
    plan.tables = feed.tables;
    let workspace = asked.uuid("workspaceId")?;
    plan.tenant = match (feed.of, workspace) {
        (Of::Workspace | Of::Either, Some(workspace)) => Tenant::Workspace(workspace),
        (Of::Workspace, None) => return Err(Error::invalid("workspaceId", "A workspace is needed.")),
        (Of::Organization | Of::Either, _) => Tenant::Organization,
    };
    for filter in feed.filters {
        let kind = objects(feed).find_map(|ty| ty.table.column(filter.column)).map(|(_, column)| column.kind);
        let kind = kind.ok_or_else(|| Error::internal("a filter by a column that is not there"))?;
        let labels = asked.several(filter.argument).iter().map(|value| scalar::parse(kind, value));
        let labels: Vec<String> =
            labels.collect::<std::result::Result<_, _>>().map_err(|why| Error::invalid(filter.argument, why))?;
        if !labels.is_empty() {
            plan.facets.push((filter.column, labels));
        }
    }
    Ok(SubscriptionRequest { plan, after: asked.after()? })
}

fn of_everything(asked: &Asked<'_, '_>) -> Result<SubscriptionRequest> {
    let mut plan = asked.plan(EVENT)?;
    for value in asked.several("topics") {
        let topic = TOPICS.iter().find(|(name, _)| match value {
            Value::Enum(given) => AsShoutySnakeCase(name).to_string() == *given.as_str(),
            Value::String(given) => AsShoutySnakeCase(name).to_string() == *given,
            _ => false,
        });
        let (topic, _) = topic.ok_or_else(|| Error::invalid("topics", format!("{value} is no topic.")))?;
        plan.topics.push((*topic).to_owned());
    }
    Ok(SubscriptionRequest { plan, after: asked.after()? })
}
