//! From a subscription's field to what the hub watches for.

use std::fmt::Write;

use aether_store::{
    Error, Result,
    live::{
        Cursor, Watch,
        feed::{FEEDS, Feed, Of, TOPICS},
        watch::{Object, Part, Tenant},
    },
    model::{Model, Type},
    read::plan::Key,
};
use async_graphql::{
    Context, Value,
    indexmap::IndexMap,
    parser::types::{Selection, SelectionSet},
};
use heck::AsShoutySnakeCase;
use uuid::Uuid;

use super::{
    Wish,
    types::{EVENT, EVENTS, objects},
};
use crate::{
    plan::Planner,
    scalar,
    selection::{Selected, collect},
};

/// What the field asks for; none if there is no such field.
pub(super) fn wish(ctx: &Context<'_>) -> Option<Result<Wish>> {
    match FEEDS.iter().find(|feed| feed.field == ctx.item.node.name.node) {
        Some(feed) => Some(of_feed(ctx, feed)),
        None => (ctx.item.node.name.node == EVENTS).then(|| of_everything(ctx)),
    }
}

/// A field of the subscription root, with its arguments.
struct Asked<'a> {
    ctx: &'a Context<'a>,
    selected: Selected<'a>,
    arguments: IndexMap<String, Value>,
}

impl<'a> Asked<'a> {
    fn new(ctx: &'a Context<'a>) -> Self {
        let key = ctx.item.node.response_key().node.as_str();
        let selected = Selected { key, field: ctx.item, sets: vec![&ctx.item.node.selection_set.node] };
        let arguments = selected.arguments(ctx.query_env);
        Self { ctx, selected, arguments }
    }

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
        match self.given(name) {
            None => &[],
            Some(Value::List(values)) => values,
            Some(value) => std::slice::from_ref(value),
        }
    }

    /// The watch without what is asked for of whom.
    fn watch(&self, message: &str) -> Result<Watch> {
        let mut watch = Watch {
            key: self.key(),
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
        for selected in collect(self.ctx.query_env, &self.selected.sets, message)? {
            let part = match selected.name() {
                "__typename" => Part::Literal(format!("\"{message}\"")),
                "kind" => Part::Kind,
                "changedFields" => Part::ChangedFields,
                "cursor" => Part::Cursor,
                "at" => Part::At,
                "actor" => {
                    let users =
                        Model::get().by_table("users").ok_or_else(|| Error::internal("a graph without users"))?;
                    watch.actor = Some(self.object(users, &selected)?);
                    Part::Actor
                }
                "topic" => Part::Topic,
                "type" => Part::Type,
                "id" => Part::Id,
                "node" => {
                    for ty in &Model::get().types {
                        if !collect(self.ctx.query_env, &selected.sets, ty.name)?.is_empty() {
                            watch.objects.push(self.object(ty, &selected)?);
                        }
                    }
                    Part::Node
                }
                name => {
                    let ty = Model::get().types.iter().find(|ty| ty.singular == name);
                    let ty = ty.ok_or_else(|| Error::invalid(name, format!("{message} has no field {name}.")))?;
                    watch.objects.push(self.object(ty, &selected)?);
                    Part::Object(ty)
                }
            };
            watch.parts.push((Key::new(selected.key), part));
        }
        Ok(watch)
    }

    fn object(&self, ty: &'static Type, selected: &Selected<'a>) -> Result<Object> {
        Object::new(Planner::new(self.ctx).one(ty, Uuid::nil(), &selected.sets)?)
    }

    /// What tells this from other subscriptions: the field with all that is selected, its variables put in.
    fn key(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, &self.selected);
        out
    }

    fn write(&self, out: &mut String, selected: &Selected<'_>) {
        let mut arguments = selected.arguments(self.ctx.query_env);
        // Where two begin does not make them ask for different things.
        arguments.shift_remove("after");
        _ = write!(out, "{}:{}(", selected.key, selected.name());
        for (name, value) in arguments {
            _ = write!(out, "{name}:{value},");
        }
        out.push(')');
        for set in &selected.sets {
            self.write_set(out, set);
        }
    }

    fn write_set(&self, out: &mut String, set: &SelectionSet) {
        out.push('{');
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    self.write(out, &Selected { key, field, sets: vec![&field.node.selection_set.node] });
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map(|on| on.node.on.node.as_str());
                    _ = write!(out, "...{}", on.unwrap_or_default());
                    self.write_set(out, &fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.ctx.query_env.fragments.get(&spread.node.fragment_name.node) {
                        _ = write!(out, "...{}", fragment.node.type_condition.node.on.node);
                        self.write_set(out, &fragment.node.selection_set.node);
                    }
                }
            }
            out.push(' ');
        }
        out.push('}');
    }
}

fn of_feed(ctx: &Context<'_>, feed: &'static Feed) -> Result<Wish> {
    let asked = Asked::new(ctx);
    let mut watch = asked.watch(feed.message)?;
    watch.topics = vec![feed.topic.to_owned()];
    watch.tables = feed.tables;
    let workspace = asked.uuid("workspaceId")?;
    watch.tenant = match (feed.of, workspace) {
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
            watch.facets.push((filter.column, labels));
        }
    }
    Ok(Wish { watch, after: asked.after()? })
}

fn of_everything(ctx: &Context<'_>) -> Result<Wish> {
    let asked = Asked::new(ctx);
    let mut watch = asked.watch(EVENT)?;
    for value in asked.several("topics") {
        let topic = TOPICS.iter().find(|(name, _)| match value {
            Value::Enum(given) => AsShoutySnakeCase(name).to_string() == *given.as_str(),
            Value::String(given) => AsShoutySnakeCase(name).to_string() == *given,
            _ => false,
        });
        let (topic, _) = topic.ok_or_else(|| Error::invalid("topics", format!("{value} is no topic.")))?;
        watch.topics.push((*topic).to_owned());
    }
    Ok(Wish { watch, after: asked.after()? })
}
