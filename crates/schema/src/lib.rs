//! The GraphQL schema of the gateway.
//!
//! Types, filters, orders and connections are read off the store's model (`types`); a selection becomes one plan for the
//! store (`plan`); hand-written resolvers are in `auth`; errors get their codes in [`error`].

pub mod error;
mod filter;
mod graph;
mod node;
mod page;
mod plan;
mod scalar;
mod selection;
mod types;

use aether_store::read::Reader;
use async_graphql::{EmptyMutation, EmptySubscription, MergedObject, Request, Response, SDLExportOptions};

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

/// What can be read.
#[derive(MergedObject)]
pub(crate) struct Query(graph::Graph);

/// The schema, ready to execute.
#[derive(Clone)]
pub struct Schema(async_graphql::Schema<Query, EmptyMutation, EmptySubscription>);

impl Schema {
    /// The schema with these limits. Without introspection it still answers everything else.
    pub fn new(limits: Limits, introspection: bool) -> Self {
        let mut builder = async_graphql::Schema::build(Query(graph::Graph), EmptyMutation, EmptySubscription)
            .limit_depth(limits.max_depth)
            .limit_complexity(limits.max_fields)
            .data(limits);
        if !introspection {
            builder = builder.disable_introspection();
        }
        Self(builder.finish())
    }

    /// Executes a request for whoever the reader reads as.
    pub async fn execute(&self, request: Request, reader: Reader) -> Response {
        let reader = std::sync::Arc::new(reader);
        let mut response = reader.run(self.0.execute(request.data(reader.clone()))).await;
        response.errors = response.errors.into_iter().map(error::with_code).collect();
        response
    }

    /// The schema in GraphQL's own language.
    pub fn sdl() -> String {
        let schema = Self::new(Limits::default(), true).0;
        schema.sdl_with_options(SDLExportOptions::new().prefer_single_line_descriptions().use_space_ident().indent_width(2))
    }
}
