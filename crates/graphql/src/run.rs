//! From a resolver to the executor.

use std::sync::Arc;

use aether_store::{
    read::Reader,
    write::{Executor, UseCase},
};
use async_graphql::{
    Context, InputType, Name, Value,
    indexmap::IndexMap,
    registry::{MetaDirective, Registry},
};

use crate::{error::Failure, rate::Rates};

/// The directive that has all mutations of a request succeed or fail as one.
pub(crate) const TRANSACTION: &str = "transaction";

/// Carries out a use case as the request's actor: the one way in which a resolver writes.
pub(crate) async fn run<T>(ctx: &Context<'_>, case: UseCase<T>) -> async_graphql::Result<T> {
    let executor = executor(ctx);
    let actor = executor.actor_id().await.map_err(Failure)?;
    ctx.data_unchecked::<Rates>().mutation(actor).map_err(Failure)?;
    Ok(executor.run(case).await.map_err(Failure)?)
}

/// What the request reads with.
pub(crate) fn reader<'a>(ctx: &Context<'a>) -> &'a Reader {
    ctx.data_unchecked::<Arc<Reader>>()
}

/// The request's executor.
pub(crate) fn executor<'a>(ctx: &Context<'a>) -> &'a Executor {
    ctx.data_unchecked::<Arc<Executor>>()
}

/// Registers the directive.
pub(crate) fn register(registry: &mut Registry) {
    // The type of a location has no public name; its values can be parsed.
    let Ok(location) = InputType::parse(Some(Value::Enum(Name::new("MUTATION")))) else { return };
    registry.add_directive(MetaDirective {
        name: TRANSACTION.into(),
        description: Some(
            "Has all mutations of the operation succeed or fail as one: after the first failure nothing more is done, \
             nothing stays done, and `data` is null."
                .into(),
        ),
        locations: vec![location],
        args: IndexMap::new(),
        is_repeatable: false,
        visible: None,
        composable: None,
    });
}
