//! The GraphQL schema of the gateway.
//!
//! Types, filters, orders and connections are read off the store's model (`types`); a selection becomes one plan for the
//! store (`plan`); hand-written resolvers are in `auth`; errors get their codes in [`error`].

// Merged objects nest: the future of a mutation is as deep as there are groups of mutations, several levels for each.
#![recursion_limit = "512"]

mod assistant;
mod audit;
mod audit_log;
mod auth;
mod change;
pub mod error;
mod filter;
mod finance;
mod governance;
mod graph;
mod input;
mod integrations;
mod live;
mod loan;
mod node;
mod order;
mod page;
mod people;
mod plan;
mod rate;
mod sales;
mod scalar;
mod scenarios;
mod selection;
mod types;

use std::sync::Arc;

use aether_store::{
    Error, Result, Store,
    read::Reader,
    session::{Client, Sessions},
    write::{
        Door,
        idempotency::{Begun, Held},
    },
};
use async_graphql::{MergedObject, Request, Response, SDLExportOptions, Value};
use futures::future::BoxFuture;
use uuid::Uuid;

use self::error::code;

/// What one request may ask for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Rows of a page unless said.
    pub default_page_size: u64,
    /// Rows of a page at most.
    pub max_page_size: u64,
    /// Rows of one request at most, were every page full.
    pub max_rows: u64,
    /// How deep fields may nest.
    pub max_depth: usize,
    /// How many fields a request may select.
    pub max_fields: usize,
    /// Whether connectors on other machines may be delivered to without encryption.
    pub allow_insecure_connectors: bool,
    /// Attempts to sign in from one address in a minute; 0 for any number.
    pub logins_per_minute: u32,
    /// Mutations of one user in a minute; 0 for any number.
    pub mutations_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            default_page_size: 20,
            max_page_size: 500,
            max_rows: 500_000,
            max_depth: 24,
            max_fields: 2_000,
            allow_insecure_connectors: false,
            logins_per_minute: 60,
            mutations_per_minute: 1_200,
        }
    }
}

/// Who a request says it is.
pub enum Identity {
    /// It does not say.
    Nobody,
    /// By a valid access token of this session.
    Session(Uuid),
    /// By something that is no valid access token.
    Refused(Error),
}

/// Who asks, from where, and with what.
pub struct Asker {
    /// The store.
    pub store: Store,
    /// The sessions.
    pub sessions: Sessions,
    /// Who the request says it is.
    pub identity: Identity,
    /// Where it comes from.
    pub client: Client,
    /// The key under which it may be repeated, with the hash of its body.
    pub idempotency: Option<(String, Vec<u8>)>,
}

/// What can be read: any row by its id, pages of all rows, and oneself.
#[derive(MergedObject, Default)]
pub(crate) struct Query(
    graph::Graph,
    auth::AuthQuery,
    audit_log::AuditLogQuery,
    loan::LoanQuery,
    governance::GovernanceQuery,
    live::LiveQuery,
);

/// What can be changed.
#[derive(MergedObject, Default)]
pub(crate) struct Mutation(
    auth::AuthMutation,
    people::PeopleMutation,
    finance::FinanceMutation,
    sales::SalesMutation,
    scenarios::ScenariosMutation,
    assistant::AssistantMutation,
    loan::LoanMutation,
    audit::AuditMutation,
    governance::GovernanceMutation,
    integrations::IntegrationsMutation,
);

/// The schema, ready to execute.
#[derive(Clone)]
pub struct Schema(async_graphql::Schema<Query, Mutation, live::Live>);

impl Schema {
    /// The schema with these limits. Without introspection it still answers everything else.
    pub fn new(limits: Limits, introspection: bool) -> Self {
        let mut builder = async_graphql::Schema::build(Query::default(), Mutation::default(), live::Live)
            .limit_depth(limits.max_depth)
            .limit_complexity(limits.max_fields)
            .data(rate::Rates::new(limits.logins_per_minute, limits.mutations_per_minute))
            .data(limits);
        if !introspection {
            builder = builder.disable_introspection();
        }
        Self(builder.finish())
    }

    /// Executes a request for whoever asks.
    pub async fn execute(&self, mut request: Request, asker: Asker) -> Response {
        let reader = Arc::new(asker.store.reader(match asker.identity {
            Identity::Nobody => Ok(None),
            Identity::Session(id) => Ok(Some(id)),
            Identity::Refused(error) => Err(error),
        }));
        let door = Arc::new(Door::new(
            asker.store.clone(),
            reader.clone(),
            asker.client.clone(),
            asker.sessions.sealer().clone(),
        ));
        let keys = order::of_request(&mut request);
        let name = request.operation_name.clone();
        let (mutates, together) = match request.parsed_query() {
            Ok(document) => {
                let operation = change::operation(document, name.as_deref());
                (operation.is_some_and(change::is_mutation), operation.is_some_and(change::goes_together))
            }
            Err(_) => (false, false),
        };
        let held = match asker.idempotency.filter(|_| mutates) {
            None => None,
            Some(key) => match repeat(&asker.store, &reader, &key).await {
                Ok(Begun::Fresh(held)) => Some(held),
                Ok(Begun::Answered(answer)) => return replayed(answer),
                Err(error) => return failed(error),
            },
        };
        if let Some(held) = &held {
            door.hold(held.clone());
        }
        let request = request
            .data(reader.clone())
            .data(door.clone())
            .data(asker.store.clone())
            .data(asker.sessions)
            .data(asker.client)
            .data(plan::RowCount::default())
            .data(graph::Answers::default());
        let mut response = if together {
            self.together(request, &reader, &door).await
        } else {
            reader.run(self.resolve(request)).await
        };
        order::restore(&mut response.data, &keys);
        response.errors = response.errors.into_iter().map(error::with_code).collect();
        if let Some(held) = held {
            keep(&asker.store, held, &response, door.is_secret()).await;
        }
        response
    }

    /// Resolves a request. Boxed, so that whoever calls it need not know what it consists of: compiling that takes long.
    fn resolve(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(self.0.execute(request))
    }

    /// Executes a request whose mutations succeed or fail as one.
    async fn together(&self, request: Request, reader: &Reader, door: &Door) -> Response {
        if let Err(error) = door.begin_together().await {
            return failed(error);
        }
        let mut response = reader.run(self.resolve(request)).await;
        match door.end_together(response.errors.is_empty()).await {
            Ok(true) => {}
            Ok(false) => response.data = Value::Null,
            Err(error) => {
                response.data = Value::Null;
                response.errors.push(error::nowhere(error));
            }
        }
        response
    }

    /// The schema in GraphQL's own language.
    pub fn sdl() -> String {
        let schema = Self::new(Limits::default(), true).0;
        schema.sdl_with_options(
            SDLExportOptions::new().prefer_single_line_descriptions().use_space_ident().indent_width(2),
        )
    }
}

/// What to do with a request that may be a repeated one.
async fn repeat(store: &Store, reader: &Reader, (key, hash): &(String, Vec<u8>)) -> Result<Begun> {
    store.begin_idempotent(reader.actor().await?.user_id, key, hash).await
}

/// The answer of the first time, which says that it is that.
fn replayed(answer: serde_json::Value) -> Response {
    match serde_json::from_value::<Response>(answer) {
        Ok(mut response) => {
            response.extensions.insert("idempotentReplay".into(), true.into());
            response
        }
        Err(_) => failed(Error::internal("a kept answer that cannot be read")),
    }
}

fn failed(error: Error) -> Response {
    Response::from_errors(vec![error::nowhere(error)])
}

/// Keeps an answer for repeated requests, unless it shows secrets or the request failed for a reason that passes.
async fn keep(store: &Store, held: Held, response: &Response, secret: bool) {
    let passing = |error: &async_graphql::ServerError| {
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
        [code::INTERNAL, code::UNAVAILABLE, code::TIMEOUT, code::RATE_LIMITED]
            .iter()
            .any(|passing| code == Some(&(*passing).into()))
    };
    let kept = match serde_json::to_value(response) {
        Ok(answer) if !secret && !response.errors.iter().any(passing) => store.keep_answer(held, answer).await,
        _ => store.release_key(held).await,
    };
    if kept.is_err() {
        tracing::warn!("the answer of an idempotent request could not be kept");
    }
}
