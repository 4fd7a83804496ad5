//! Carrying out a compiled operation: the fields of the root, each by whoever knows it, written in the order in which they
//! were asked for (specification, section 7.2.2).

use std::{collections::HashMap, sync::Arc};

use aether_operation::{Bound, OperationType, Problem, Selected};
use aether_store::{Result, read::Reader, read::plan::Fetch};
use async_graphql::{PathSegment, Pos, Request as Inner, ServerError, Value};
use futures::future::join_all;

use crate::{
    Schema,
    compiled::{self, position},
    error::{at, with_code},
    graph::{self, Plans},
    plan::Planner,
    request::Response,
    resolvers,
};

/// Whoever answers a field of the root.
enum Answerer {
    /// Nobody: it is known.
    Known(String),
    /// The store, by this plan.
    Store(Fetch),
    /// A hand-written resolver.
    Resolver,
    /// Nobody: it cannot be planned.
    Failed(ServerError),
}

/// What the answer to an operation is made of.
pub(crate) struct Operation<'a> {
    bound: &'a Bound<'a>,
    fields: Vec<(Selected<'a>, Answerer)>,
    plans: Plans,
}

impl<'a> Operation<'a> {
    /// Plans an operation as a whole, so that what cannot be answered is known before anything is done. `introspected` has the
    /// answers to what it asks of the schema itself.
    pub(crate) fn plan(
        bound: &'a Bound<'a>,
        planner: &Planner<'a>,
        introspected: HashMap<String, String>,
    ) -> std::result::Result<Self, Vec<ServerError>> {
        let root = root(bound.kind());
        let mutates = bound.kind() == OperationType::Mutation;
        let mut introspected = introspected;
        let mut plans = Plans::default();
        let mut fields = Vec::new();
        for selected in bound.collect(&[bound.root()], root).map_err(|problem| vec![compiled::error(problem)])? {
            let answerer = match selected.name() {
                "__typename" => Answerer::Known(format!("\"{root}\"")),
                "__schema" | "__type" => {
                    Answerer::Known(introspected.remove(selected.key).unwrap_or_else(|| "null".into()))
                }
                _ => match graph::planned(planner, &selected) {
                    Some(Ok(fetch)) => Answerer::Store(fetch),
                    Some(Err(error)) => Answerer::Failed(at(error, place(bound, &selected))),
                    None => match plans.add(planner, &selected) {
                        Ok(()) => Answerer::Resolver,
                        // Nothing of a mutation is done whose answer could not be read.
                        Err(error) if mutates => return Err(vec![at(error, place(bound, &selected))]),
                        Err(error) => Answerer::Failed(at(error, place(bound, &selected))),
                    },
                },
            };
            fields.push((selected, answerer));
        }
        Ok(Self { bound, fields, plans })
    }

    /// Carries it out. `inner` is the request that hand-written resolvers get.
    pub(crate) async fn run(mut self, schema: &Schema, reader: &Reader, inner: Inner) -> Response {
        let resolved = self.fields.iter().filter(|(_, answerer)| matches!(answerer, Answerer::Resolver));
        let resolved: Vec<_> = resolved.map(|(selected, _)| selected).collect();
        let document = match resolved.is_empty() {
            true => None,
            false => match resolvers::document(self.bound, &resolved) {
                Ok(document) => Some(document),
                Err(problem) => return refused(problem),
            },
        };
        let plans = Arc::new(std::mem::take(&mut self.plans));
        let resolving = async {
            match document {
                Some(document) => Some(schema.resolve(document, inner.data(plans)).await),
                None => None,
            }
        };
        let fetching = join_all(self.fields.iter().map(|(_, answerer)| async move {
            match answerer {
                Answerer::Store(fetch) => Some(reader.fetch(fetch).await),
                _ => None,
            }
        }));
        let (fetched, resolved) = reader.run(async { tokio::join!(fetching, resolving) }).await;
        self.answer(fetched, resolved)
    }

    /// Puts the answers together.
    fn answer(self, fetched: Vec<Option<Result<String>>>, resolved: Option<async_graphql::Response>) -> Response {
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
        let mut data = String::from("{");
        let mut failed = false;
        for ((selected, answerer), fetched) in self.fields.iter().zip(fetched) {
            let json = match (answerer, fetched) {
                (Answerer::Known(json), _) => Some(json.clone()),
                (Answerer::Store(_), Some(Ok(json))) => Some(json),
                (Answerer::Store(_), Some(Err(error))) => {
                    errors.push(under(selected.key, at(error, place(self.bound, selected))));
                    None
                }
                (Answerer::Store(_), None) => None,
                (Answerer::Failed(error), _) => {
                    errors.push(under(selected.key, error.clone()));
                    None
                }
                (Answerer::Resolver, _) => {
                    let value = values.as_mut().and_then(|values| values.swap_remove(selected.key));
                    value.and_then(|value| serde_json::to_string(&value).ok())
                }
            };
            let json = json.filter(|json| json != "null");
            failed |= json.is_none() && selected.is_non_null();
            if data.len() > 1 {
                data.push(',');
            }
            data.push('"');
            data.push_str(selected.key);
            data.push_str("\":");
            data.push_str(json.as_deref().unwrap_or("null"));
        }
        data.push('}');
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

fn place(bound: &Bound<'_>, selected: &Selected<'_>) -> Pos {
    bound.place(selected.field).map(position).unwrap_or_default()
}

/// The error of a field of the root.
fn under(key: &str, mut error: ServerError) -> ServerError {
    if error.path.is_empty() {
        error.path = vec![PathSegment::Field(key.to_owned())];
    }
    error
}

fn refused(problem: Problem) -> Response {
    Response::refused(vec![compiled::error(problem)])
}
