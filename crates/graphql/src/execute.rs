//! Carrying out a compiled operation: the fields of the root, each by whoever knows it, written in the order in which they
//! were asked for (specification, section 7.2.2).

use std::{collections::HashMap, sync::Arc};

use aether_operation::{Bound, OperationType, Problem};
use aether_store::{
    Result,
    read::{Fetched, Reader, plan::Fetch},
};
use async_graphql::{PathSegment, Pos, Request as Inner, ServerError, Value, parser::types::ExecutableDocument};
use futures::future::join_all;

use crate::{
    compiled::{self, position},
    error::{at, with_code},
    plan::Planner,
    request::{Data, Response},
    resolvers,
    root::Resolvers,
    root_fields::{self, RowId},
    rows::Plans,
};

/// An operation with a plan for each field of its root: all there is to know before it is carried out.
pub(crate) struct Planned {
    fields: Vec<Field>,
}

/// A field of the root.
struct Field {
    key: Box<str>,
    is_non_null: bool,
    place: Pos,
    answerer: Answerer,
}

/// Whoever answers a field of the root.
enum Answerer {
    /// Nobody: it is known.
    Known(String),
    /// Nobody: it is of the schema itself, and known.
    Introspected(String),
    /// The store: the page of this plan.
    Page(Fetch),
    /// The store: the row with this id, by this plan.
    Row(Fetch, RowId),
    /// A hand-written resolver.
    Resolver,
    /// Nobody: it cannot be planned.
    Failed(ServerError),
}

impl Planned {
    /// Plans an operation as a whole, so that what cannot be answered is known before anything is done. `introspected` has the
    /// answers to what it asks of the schema itself. The plans of rows that hand-written resolvers return are told beside it.
    pub(crate) fn new(
        bound: &Bound<'_>,
        planner: &Planner<'_>,
        mut introspected: HashMap<String, String>,
    ) -> std::result::Result<(Self, Plans), Vec<ServerError>> {
        let root = root(bound.kind());
        let mutates = bound.kind() == OperationType::Mutation;
        let mut plans = Plans::default();
        let mut fields = Vec::new();
        for selected in bound.collect(&[bound.root()], root).map_err(|problem| vec![compiled::error(problem)])? {
            let place = bound.location(selected.field).map(position).unwrap_or_default();
            let failed = |error| at(error, planner.failed().map_or(place, position));
            let answerer = match selected.name() {
                "__typename" => Answerer::Known(format!("\"{root}\"")),
                "__schema" | "__type" => {
                    Answerer::Introspected(introspected.remove(selected.key).unwrap_or_else(|| "null".into()))
                }
                _ => match root_fields::planned(bound, planner, &selected) {
                    Some(Ok((fetch, Some(id)))) => Answerer::Row(fetch, id),
                    Some(Ok((fetch, None))) => Answerer::Page(fetch),
                    Some(Err(error)) => Answerer::Failed(failed(error)),
                    None => match plans.add(planner, &selected) {
                        Ok(()) => Answerer::Resolver,
                        // Nothing of a mutation is done whose answer could not be read.
                        Err(error) if mutates => return Err(vec![failed(error)]),
                        Err(error) => Answerer::Failed(failed(error)),
                    },
                },
            };
            fields.push(Field { key: selected.key.into(), is_non_null: selected.is_non_null(), place, answerer });
        }
        Ok((Self { fields }, plans))
    }

    /// Whether the store answers all of it, so that it serves again when it is asked for with the same variables.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.fields
            .iter()
            .all(|field| matches!(field.answerer, Answerer::Known(_) | Answerer::Page(_) | Answerer::Row(..)))
    }

    /// Carries out what the store alone answers.
    pub(crate) async fn read(&self, bound: &Bound<'_>, reader: &Reader) -> Response {
        // Boxed once, so that it is not moved from one that waits for it to the next.
        let fetched = reader.run(Box::pin(self.fetch(bound, reader))).await;
        self.answer(reader, fetched, None)
    }

    /// Carries it out. `inner` is the request that hand-written resolvers get, and `plans` those of the rows that they return.
    pub(crate) async fn run(
        &self,
        bound: &Bound<'_>,
        resolvers: &Resolvers,
        reader: &Reader,
        plans: Plans,
        inner: Inner,
    ) -> Response {
        let document = match self.resolved(bound) {
            Ok(document) => document,
            Err(problem) => return Response::refused(vec![compiled::error(problem)]),
        };
        let resolving = async {
            match document {
                Some(document) => {
                    let response = resolvers.resolve(document, inner.data(Arc::new(plans))).await;
                    Some(self.completed(bound, response))
                }
                None => None,
            }
        };
        let (fetched, resolved) = reader.run(async { tokio::join!(self.fetch(bound, reader), resolving) }).await;
        self.answer(reader, fetched, resolved)
    }

    /// The document of what hand-written resolvers answer, if there is any.
    fn resolved(&self, bound: &Bound<'_>) -> std::result::Result<Option<ExecutableDocument>, Problem> {
        let is_resolved = |field: &Field| matches!(field.answerer, Answerer::Resolver);
        if !self.fields.iter().any(is_resolved) {
            return Ok(None);
        }
        let selected = bound.collect(&[bound.root()], root(bound.kind()))?;
        let resolved = self.fields.iter().zip(&selected).filter(|(field, _)| is_resolved(field));
        let resolved: Vec<_> = resolved.map(|(_, selected)| selected).collect();
        resolvers::document(bound, &resolved).map(Some)
    }

    /// What hand-written resolvers have answered, as the specification has it.
    fn completed(&self, bound: &Bound<'_>, mut response: async_graphql::Response) -> async_graphql::Response {
        let Value::Object(values) = &mut response.data else { return response };
        // It was collected before, so that it cannot fail now.
        for selected in bound.collect(&[bound.root()], root(bound.kind())).unwrap_or_default() {
            if let Some(value) = values.get_mut(selected.key) {
                *value = bound.completed(&selected, std::mem::take(value), &resolvers::is_row).unwrap_or_default();
            }
        }
        response
    }

    /// What the store answers, field by field.
    async fn fetch(&self, bound: &Bound<'_>, reader: &Reader) -> Vec<Option<Result<Fetched>>> {
        let fetch = async |field: &Field| match &field.answerer {
            Answerer::Page(fetch) => Some(reader.fetch(fetch).await),
            Answerer::Row(fetch, id) => Some(match id.of(bound) {
                Ok(id) => reader.fetch_one(fetch, id).await,
                Err(error) => Err(error),
            }),
            _ => None,
        };
        match &self.fields[..] {
            [field] => vec![fetch(field).await],
            fields => join_all(fields.iter().map(fetch)).await,
        }
    }

    /// Puts the answers together: writes them one behind the other into the response.
    fn answer(
        &self,
        reader: &Reader,
        fetched: Vec<Option<Result<Fetched>>>,
        resolved: Option<async_graphql::Response>,
    ) -> Response {
        let mut errors = Vec::new();
        let mut resolved_errors = Vec::new();
        let mut values = match resolved {
            None => None,
            Some(response) => {
                resolved_errors = response.errors;
                match response.data {
                    Value::Object(values) => Some(values),
                    _ => None,
                }
            }
        };
        let mut data = Data::new();
        let mut failed = false;
        for (field, fetched) in self.fields.iter().zip(fetched) {
            let out = data.field(&field.key);
            let start = out.len();
            let written = match (&field.answerer, fetched) {
                (Answerer::Known(json) | Answerer::Introspected(json), _) => {
                    out.extend_from_slice(json.as_bytes());
                    Ok(())
                }
                (Answerer::Page(fetch) | Answerer::Row(fetch, _), Some(fetched)) => {
                    let written = fetched.and_then(|fetched| reader.write(out, fetch, fetched));
                    written.map_err(|error| under(&field.key, at(error, field.place)))
                }
                (Answerer::Page(_) | Answerer::Row(..), None) => Ok(()),
                (Answerer::Failed(error), _) => Err(under(&field.key, error.clone())),
                (Answerer::Resolver, _) => {
                    let value = values.as_mut().and_then(|values| values.swap_remove(&*field.key));
                    if let Some(json) = value.and_then(|value| serde_json::to_vec(&value).ok()) {
                        out.extend_from_slice(&json);
                    }
                    Ok(())
                }
            };
            errors.extend(written.err());
            if out.len() == start {
                out.extend_from_slice(b"null");
            }
            failed |= field.is_non_null && &out[start..] == b"null";
        }
        errors.extend(resolved_errors.into_iter().map(with_code));
        Response::executed((!failed).then_some(data), errors)
    }
}

fn root(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}

/// The error of a field of the root.
fn under(key: &str, mut error: ServerError) -> ServerError {
    if error.path.is_empty() {
        error.path = vec![PathSegment::Field(key.to_owned())];
    }
    error
}
