//! The GraphQL schema of the gateway.
//!
//! Types, filters, orders and connections are read off the store's model (`types`); a selection becomes one plan for the
//! store (`plan`); hand-written resolvers are in `auth`; errors get their codes in [`error`].

mod audit_log;
mod auth;
pub mod error;
mod filter;
mod graph;
mod node;
mod order;
mod page;
mod plan;
mod scalar;
mod selection;
mod types;

use std::sync::Arc;

use aether_store::{Error, Store};
use async_graphql::{EmptySubscription, MergedObject, Request, Response, SDLExportOptions};
use uuid::Uuid;

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
}

impl Default for Limits {
    fn default() -> Self {
        Self { default_page_size: 20, max_page_size: 500, max_rows: 500_000, max_depth: 24, max_fields: 2_000 }
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

/// What can be read: any row by its id, pages of all rows, and oneself.
#[derive(MergedObject)]
pub(crate) struct Query(graph::Graph, auth::AuthQuery, audit_log::AuditLogQuery);

/// What can be changed.
#[derive(MergedObject)]
pub(crate) struct Mutation(auth::AuthMutation);

/// The schema, ready to execute.
#[derive(Clone)]
pub struct Schema(async_graphql::Schema<Query, Mutation, EmptySubscription>);

impl Schema {
    /// The schema with these limits. Without introspection it still answers everything else.
    pub fn new(limits: Limits, introspection: bool) -> Self {
        let mut builder = async_graphql::Schema::build(
            Query(graph::Graph, auth::AuthQuery, audit_log::AuditLogQuery),
            Mutation(auth::AuthMutation),
            EmptySubscription,
        )
        .limit_depth(limits.max_depth)
        .limit_complexity(limits.max_fields)
        .data(limits);
        if !introspection {
            builder = builder.disable_introspection();
        }
        Self(builder.finish())
    }

    /// Executes a request for whoever it says it is.
    pub async fn execute(&self, mut request: Request, store: &Store, identity: Identity) -> Response {
        let reader = Arc::new(store.reader(match identity {
            Identity::Nobody => Ok(None),
            Identity::Session(id) => Ok(Some(id)),
            Identity::Refused(error) => Err(error),
        }));
        let keys = order::of_request(&mut request);
        let request = request
            .data(reader.clone())
            .data(store.clone())
            .data(plan::RowCount::default())
            .data(graph::Answers::default());
        let mut response = reader.run(self.0.execute(request)).await;
        order::restore(&mut response.data, &keys);
        response.errors = response.errors.into_iter().map(error::with_code).collect();
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
