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
mod compiled;
pub mod error;
mod execute;
mod filter;
mod finance;
mod governance;
mod graph;
mod input;
mod integrations;
mod kept;
mod live;
mod loan;
mod node;
mod page;
mod people;
mod plan;
mod rate;
mod request;
mod resolvers;
mod sales;
mod scalar;
mod scenarios;
mod types;

use std::{collections::HashMap, sync::Arc, time::Duration};

use aether_operation::{Bound, Cached, Compiler};
use aether_store::{
    Error, Result, Store,
    read::Reader,
    session::{Client, Sessions},
    write::{
        Door,
        idempotency::{Begun, Held},
    },
};
use async_graphql::{MergedObject, SDLExportOptions, ServerError, ValidationMode, parser::types::ExecutableDocument};
use futures::future::BoxFuture;
use uuid::Uuid;

use self::{error::code, execute::Planned, plan::Planner};

pub use self::request::{Ready, Request, Response};
pub use aether_operation::OperationType;

/// What one request may ask for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Rows of a page unless said.
    pub default_page_size: u64,
    /// Rows of a page at most.
    pub max_page_size: u64,
    /// Rows of one request at most, were every page full.
    pub max_rows: u64,
    /// Values of one request at most, were every page full: each row has all that is selected of it.
    pub max_values: u64,
    /// Bytes of an answer at most.
    pub max_answer_bytes: usize,
    /// What the filters of one request may cost to plan: the squares of the relations that each reaches through, summed up.
    pub max_filter_cost: u64,
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
            max_values: 5_000_000,
            max_answer_bytes: 64 * 1024 * 1024,
            max_filter_cost: 256,
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

/// Who may ask what the schema is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Introspection {
    /// Anybody.
    Anybody,
    /// Whoever has signed in.
    SignedIn,
    /// Nobody.
    Off,
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
    /// How long the request may take.
    pub patience: Duration,
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
pub struct Schema(Arc<Inner>);

struct Inner {
    resolvers: async_graphql::Schema<Query, Mutation, live::Live>,
    compiler: Compiler,
    limits: Limits,
    introspection: Introspection,
    kept: kept::Kept,
    /// Whole answers about the schema, by their documents: they are large, and always the same.
    introspected: moka::sync::Cache<Arc<str>, Arc<Ready>>,
}

/// How much memory kept answers about the schema may take.
const INTROSPECTED_BYTES: u64 = 16 * 1024 * 1024;

/// A request with its operation: what can be told of it before it is carried out.
pub struct Prepared {
    request: Request,
    operation: aether_operation::Operation,
    was_known: bool,
    suggest: bool,
}

impl Prepared {
    /// What kind of operation it is.
    pub fn kind(&self) -> OperationType {
        self.operation.kind()
    }

    /// What the client calls it.
    pub fn name(&self) -> Option<&str> {
        self.operation.name()
    }

    /// Whether its document had been compiled before.
    pub fn was_known(&self) -> bool {
        self.was_known
    }
}

impl Schema {
    /// The schema with these limits. Without introspection it still answers everything else.
    pub fn new(limits: Limits, introspection: Introspection) -> Self {
        let resolvers = async_graphql::Schema::build(Query::default(), Mutation::default(), live::Live)
            // Everything was validated when it was compiled.
            .validation_mode(ValidationMode::Fast)
            .data(rate::Rates::new(limits.logins_per_minute, limits.mutations_per_minute))
            .data(limits.clone())
            .finish();
        let weigh =
            |text: &Arc<str>, answer: &Arc<Ready>| u32::try_from(text.len() + answer.weight()).unwrap_or(u32::MAX);
        Self(Arc::new(Inner {
            resolvers,
            compiler: compiled::compiler(&limits),
            limits,
            introspection,
            kept: kept::Kept::new(),
            introspected: moka::sync::Cache::builder().max_capacity(INTROSPECTED_BYTES).weigher(weigh).build(),
        }))
    }

    /// Compiles a request's document, or takes it as it was compiled before, and chooses its operation.
    pub fn prepare(&self, request: Request) -> std::result::Result<Prepared, Response> {
        // Whoever may not ask for the schema is not told of it by the way either.
        let suggest = match self.0.introspection {
            Introspection::Anybody => true,
            Introspection::SignedIn => request.is_signed_in,
            Introspection::Off => false,
        };
        let (document, was_known) = self
            .0
            .compiler
            .compile(&request.query, suggest)
            .map_err(|problems| Response::refused(compiled::errors(problems)))?;
        let operation = document.operation(request.operation_name.as_deref());
        let operation = operation.map_err(|problem| Response::refused(vec![compiled::error(problem)]))?;
        Ok(Prepared { request, operation, was_known, suggest })
    }

    /// The variables of a prepared request as they were coerced, as JSON.
    pub fn variables(&self, prepared: &Prepared) -> std::result::Result<serde_json::Value, Response> {
        let bound = self.bind(prepared)?;
        let variables =
            bound.variables().map(|(name, value)| (name.to_owned(), value.clone().into_json().unwrap_or_default()));
        Ok(variables.collect::<serde_json::Map<_, _>>().into())
    }

    /// How well the kept operations serve.
    pub fn compiled(&self) -> Cached {
        self.0.compiler.cached()
    }

    fn bind<'a>(&'a self, prepared: &'a Prepared) -> std::result::Result<Bound<'a>, Response> {
        let bound = self.0.compiler.bind(&prepared.operation, prepared.request.variables.as_ref(), prepared.suggest);
        bound.map_err(|problems| Response::refused(compiled::errors(problems)))
    }

    /// Executes a query or mutation for whoever asks.
    pub async fn execute(&self, prepared: Prepared, mut asker: Asker) -> Response {
        let reader = asker.store.reader(match std::mem::replace(&mut asker.identity, Identity::Nobody) {
            Identity::Nobody => Ok(None),
            Identity::Session(id) => Ok(Some(id)),
            Identity::Refused(error) => Err(error),
        });
        let reader = reader.limited(self.0.limits.max_answer_bytes);
        let bound = match self.bind(&prepared) {
            Ok(bound) => bound,
            Err(response) => return response,
        };
        let key = Some(&bound).filter(|bound| bound.kind() == OperationType::Query).and_then(kept::Key::of);
        if let Some(planned) = key.as_ref().and_then(|key| self.0.kept.get(key)) {
            return in_time(asker.patience, planned.read(&bound, &reader)).await;
        }
        // Boxed: what came before shall not be as large as what has not.
        Box::pin(self.plan_and_execute(&prepared, &bound, key, reader, asker)).await
    }

    /// Executes an operation that has to be planned.
    async fn plan_and_execute(
        &self,
        prepared: &Prepared,
        bound: &Bound<'_>,
        key: Option<kept::Key>,
        reader: Reader,
        asker: Asker,
    ) -> Response {
        let reader = Arc::new(reader);
        let door = Arc::new(Door::new(
            asker.store.clone(),
            reader.clone(),
            asker.client.clone(),
            asker.sessions.sealer().clone(),
        ));
        let introspected = match self.introspect(bound, prepared, &reader).await {
            Ok(Introspected::Whole(answer)) => return Response::ready(answer),
            Ok(Introspected::Part(answers)) => answers,
            Err(error) => return Response::refused(vec![error]),
        };
        let planner = Planner::new(bound, &self.0.limits);
        let (planned, plans) = match Planned::new(bound, &planner, introspected) {
            Ok(planned) => planned,
            Err(errors) => return Response::refused(errors),
        };
        if planned.is_repeatable() {
            let planned = Arc::new(planned);
            if let Some(key) = key {
                self.0.kept.keep(key, planned.clone());
            }
            return in_time(asker.patience, planned.read(bound, &reader)).await;
        }
        let mutates = bound.kind() == OperationType::Mutation;
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
        let request = async_graphql::Request::new("")
            .data(reader.clone())
            .data(door.clone())
            .data(asker.store.clone())
            .data(asker.sessions)
            .data(asker.client);
        let together = mutates && prepared.operation.has_directive(change::TRANSACTION);
        // Boxed, as what it consists of takes much of the stack, and those who call it have some already.
        let carried_out = Box::pin(async {
            if together {
                self.together(planned.run(bound, self, &reader, plans, request), &door).await
            } else {
                planned.run(bound, self, &reader, plans, request).await
            }
        });
        let response = match tokio::time::timeout(asker.patience, carried_out).await {
            Ok(response) => response,
            Err(_) => failed(if door.has_committed() { Error::StoppedAfterCommit } else { Error::Stopped }),
        };
        if let Some(held) = held {
            keep(&asker.store, held, &response, door.is_secret()).await;
        }
        response
    }

    /// What an operation asks of the schema itself.
    async fn introspect(
        &self,
        bound: &Bound<'_>,
        prepared: &Prepared,
        reader: &Reader,
    ) -> std::result::Result<Introspected, ServerError> {
        let root = [bound.root()];
        let fields = bound.collect(&root, "Query").map_err(compiled::error)?;
        let about = |name: &str| matches!(name, "__schema" | "__type");
        if bound.kind() != OperationType::Query || !fields.iter().any(|field| about(field.name())) {
            return Ok(Introspected::Part(HashMap::new()));
        }
        match self.0.introspection {
            Introspection::Anybody => {}
            Introspection::SignedIn => _ = reader.actor().await.map_err(error::nowhere)?,
            Introspection::Off => {
                let told = "Introspection is off on this gateway: its operator has the schema.";
                let place = fields.iter().find(|field| about(field.name())).and_then(|field| bound.place(field.field));
                let mut error = ServerError::new(told, place.map(compiled::position));
                error.extensions.get_or_insert_default().set("code", code::GRAPHQL_VALIDATION_FAILED);
                return Err(error);
            }
        }
        // Nothing else is asked for, and nothing varies.
        let is_whole = fields.iter().all(|field| about(field.name())) && bound.variables().next().is_none();
        let key =
            format!("{}\n{}", prepared.request.operation_name.as_deref().unwrap_or_default(), prepared.request.query);
        if let Some(answer) = self.0.introspected.get(key.as_str()).filter(|_| is_whole) {
            return Ok(Introspected::Whole(answer));
        }
        let answers = self.0.compiler.introspect(bound).map_err(compiled::error)?;
        if !is_whole {
            return Ok(Introspected::Part(answers.into_iter().collect()));
        }
        let members: Vec<_> = answers.iter().map(|(key, json)| format!("\"{key}\":{json}")).collect();
        let answer = Arc::new(Ready::new(format!("{{{}}}", members.join(","))));
        self.0.introspected.insert(key.into(), answer.clone());
        Ok(Introspected::Whole(answer))
    }

    /// Has hand-written resolvers answer. Boxed, so that whoever calls it need not know what it consists of: compiling that
    /// takes long.
    fn resolve(
        &self,
        document: ExecutableDocument,
        mut request: async_graphql::Request,
    ) -> BoxFuture<'_, async_graphql::Response> {
        request.set_parsed_query(document);
        Box::pin(self.0.resolvers.execute(request))
    }

    /// Executes a request whose mutations succeed or fail as one.
    async fn together(&self, carried_out: impl Future<Output = Response>, door: &Door) -> Response {
        if let Err(error) = door.begin_together().await {
            return failed(error);
        }
        let mut response = carried_out.await;
        match door.end_together(response.errors.is_empty()).await {
            Ok(true) => {}
            Ok(false) => response.without_data(),
            Err(error) => {
                response.without_data();
                response.errors.push(error::nowhere(error));
            }
        }
        response
    }

    /// The schema in GraphQL's own language.
    pub fn sdl() -> String {
        let schema = async_graphql::Schema::build(Query::default(), Mutation::default(), live::Live).finish();
        schema.sdl_with_options(
            SDLExportOptions::new().prefer_single_line_descriptions().use_space_ident().indent_width(2),
        )
    }
}

/// Has a query answer within this time.
async fn in_time(patience: Duration, answering: impl Future<Output = Response>) -> Response {
    tokio::time::timeout(patience, answering).await.unwrap_or_else(|_| failed(Error::Stopped))
}

/// What is answered about the schema.
enum Introspected {
    /// The whole answer.
    Whole(Arc<Ready>),
    /// The answers to these keys, as JSON; others are asked for, too.
    Part(HashMap<String, String>),
}

/// What to do with a request that may be a repeated one.
async fn repeat(store: &Store, reader: &Reader, (key, hash): &(String, Vec<u8>)) -> Result<Begun> {
    store.begin_idempotent(reader.actor().await?.user_id, key, hash).await
}

/// The answer of the first time, which says that it is that.
fn replayed(answer: serde_json::Value) -> Response {
    match Response::from_kept(answer) {
        Some(mut response) => {
            response.extensions.insert("idempotentReplay".into(), true.into());
            response
        }
        None => failed(Error::internal("a kept answer that cannot be read")),
    }
}

/// The response to a request that failed as a whole.
fn failed(error: Error) -> Response {
    Response::executed(None, vec![error::nowhere(error)])
}

/// Keeps an answer for repeated requests, unless it shows secrets or the request failed for a reason that passes.
async fn keep(store: &Store, held: Held, response: &Response, secret: bool) {
    let passing = |error: &async_graphql::ServerError| {
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
        [code::INTERNAL, code::UNAVAILABLE, code::TIMEOUT, code::RATE_LIMITED]
            .iter()
            .any(|passing| code == Some(&(*passing).into()))
    };
    let kept = match secret || response.errors.iter().any(passing) {
        false => store.keep_answer(held, response.to_kept()).await,
        true => store.release_key(held).await,
    };
    if kept.is_err() {
        tracing::warn!("the answer of an idempotent request could not be kept");
    }
}
