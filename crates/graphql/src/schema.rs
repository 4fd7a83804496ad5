//! The schema: an operation is compiled, planned, and carried out for whoever asks.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use aether_operation::{Bound, Cached, Compiler, OperationType, Types};
use aether_store::{
    Error, Result, Store,
    read::Reader,
    write::{
        Executor,
        idempotency::{Begun, Held},
    },
};
use async_graphql::ServerError;

use quick_cache::{Weighter, sync::Cache};

use crate::{
    Asker, Identity, Introspection, Limits, Ready, Request, Response, compiled, error,
    error::code,
    execute::Planned,
    kept,
    plan::Planner,
    root::{self, Resolvers},
    run,
};

/// The schema, ready to execute.
#[derive(Clone)]
pub struct Schema(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    resolvers: Resolvers,
    pub(crate) compiler: Arc<Compiler>,
    pub(crate) limits: Limits,
    introspection: Introspection,
    kept: kept::Kept,
    /// Whole answers about the schema, by their documents: they are large, and always the same.
    introspected: Cache<Arc<str>, Arc<Ready>, Weight>,
}

/// What a kept answer weighs, bytes.
#[derive(Clone)]
struct Weight;

impl Weighter<Arc<str>, Arc<Ready>> for Weight {
    fn weight(&self, text: &Arc<str>, answer: &Arc<Ready>) -> u64 {
        (text.len() + answer.weight()) as u64
    }
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
        static TYPES: LazyLock<Arc<Types>> = LazyLock::new(|| {
            Arc::new(Types::read(&root::sdl()).unwrap_or_else(|why| panic!("the schema is not valid: {why}")))
        });
        Self(Arc::new(Inner {
            resolvers: Resolvers::new(&limits),
            compiler: Arc::new(compiled::compiler(TYPES.clone(), &limits)),
            limits,
            introspection,
            kept: kept::Kept::new(),
            introspected: Cache::with_weighter(1, INTROSPECTED_BYTES, Weight),
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

    pub(crate) fn bind<'a>(&'a self, prepared: &'a Prepared) -> std::result::Result<Bound<'a>, Response> {
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
        let executor = Arc::new(Executor::new(
            asker.store.clone(),
            reader.clone(),
            asker.client.clone(),
            asker.sessions.encryption().clone(),
        ));
        let introspected = match self.introspect(bound, prepared, &reader).await {
            Ok(Introspected::Whole(answer)) => return Response::ready(answer),
            Ok(Introspected::ConnectionField(answers)) => answers,
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
            executor.hold(held.clone());
        }
        let request = async_graphql::Request::new("")
            .data(reader.clone())
            .data(executor.clone())
            .data(asker.store.clone())
            .data(self.0.compiler.clone())
            .data(asker.sessions)
            .data(asker.client);
        let together = mutates && prepared.operation.has_directive(run::TRANSACTION);
        // Boxed, as what it consists of takes much of the stack, and those who call it have some already.
        let carried_out = Box::pin(async {
            if together {
                self.together(planned.run(bound, &self.0.resolvers, &reader, plans, request), &executor).await
            } else {
                planned.run(bound, &self.0.resolvers, &reader, plans, request).await
            }
        });
        let response = match tokio::time::timeout(asker.patience, carried_out).await {
            Ok(response) => response,
            Err(_) => failed(if executor.has_committed() { Error::StoppedAfterCommit } else { Error::Stopped }),
        };
        if let Some(held) = held {
            keep(&asker.store, held, &response, executor.is_secret()).await;
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
            return Ok(Introspected::ConnectionField(HashMap::new()));
        }
        match self.0.introspection {
            Introspection::Anybody => {}
            Introspection::SignedIn => _ = reader.actor().await.map_err(error::nowhere)?,
            Introspection::Off => {
                let told = "Introspection is off on this gateway: its operator has the schema.";
                let place =
                    fields.iter().find(|field| about(field.name())).and_then(|field| bound.location(field.field));
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
            return Ok(Introspected::ConnectionField(answers.into_iter().collect()));
        }
        let members: Vec<_> = answers.iter().map(|(key, json)| format!("\"{key}\":{json}")).collect();
        let answer = Arc::new(Ready::new(format!("{{{}}}", members.join(","))));
        self.0.introspected.insert(key.into(), answer.clone());
        Ok(Introspected::Whole(answer))
    }

    /// Executes a request whose mutations succeed or fail as one.
    async fn together(&self, carried_out: impl Future<Output = Response>, executor: &Executor) -> Response {
        if let Err(error) = executor.begin_together().await {
            return failed(error);
        }
        let mut response = carried_out.await;
        match executor.end_together(response.errors.is_empty()).await {
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
        root::sdl()
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
    ConnectionField(HashMap<String, String>),
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
