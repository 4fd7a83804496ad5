//! The roots of the schema: what the model gives, and what is written by hand, by domain.

use async_graphql::{MergedObject, SDLExportOptions, ValidationMode, parser::types::ExecutableDocument};
use futures::future::BoxFuture;

use crate::{
    Limits, assistant, audit, audit_log, auth, exports, finance, governance, integrations, live, loan, people, rate,
    root_fields, sales, scenarios,
};

/// What can be read: any row by its id, pages of all rows, and oneself.
#[derive(MergedObject, Default)]
pub(crate) struct Query(
    root_fields::Fields,
    auth::AuthQuery,
    audit_log::AuditLogQuery,
    finance::KpiQuery,
    finance::ConsumptionQuery,
    finance::VendorQuery,
    sales::SalesQuery,
    sales::MovementQuery,
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
    exports::ExportMutation,
);

/// Whoever answers hand-written fields: async-graphql, with all that it knows of them.
pub(crate) struct Resolvers(async_graphql::Schema<Query, Mutation, live::Live>);

impl Resolvers {
    pub(crate) fn new(limits: &Limits) -> Self {
        let schema = async_graphql::Schema::build(Query::default(), Mutation::default(), live::Live)
            // Everything was validated when it was compiled.
            .validation_mode(ValidationMode::Fast)
            .data(rate::Rates::new(limits.logins_per_minute, limits.mutations_per_minute))
            .data(limits.clone())
            .finish();
        Self(schema)
    }

    /// Has them answer. Boxed, so that whoever calls it need not know what it consists of: compiling that takes long.
    pub(crate) fn resolve(
        &self,
        document: ExecutableDocument,
        mut request: async_graphql::Request,
    ) -> BoxFuture<'_, async_graphql::Response> {
        request.set_parsed_query(document);
        Box::pin(self.0.execute(request))
    }
}

/// The schema in GraphQL's own language.
pub(crate) fn sdl() -> String {
    let schema = async_graphql::Schema::build(Query::default(), Mutation::default(), live::Live).finish();
    schema.sdl_with_options(SDLExportOptions::new().prefer_single_line_descriptions().use_space_ident().indent_width(2))
}
