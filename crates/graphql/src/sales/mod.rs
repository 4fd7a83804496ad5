//! The sales domain: deals from the first contact to their end, and what the pipeline was like.

mod close;
mod deals;
mod figures;
mod import;
mod movement;
mod snapshots;
pub(crate) mod stalled;

use async_graphql::MergedObject;

pub(crate) use figures::SalesQuery;
pub(crate) use movement::MovementQuery;

/// Selling: deals and the pipeline.
#[derive(MergedObject, Default)]
pub(crate) struct SalesMutation(
    deals::DealMutation,
    close::DealCloseMutation,
    import::DealImportMutation,
    snapshots::PipelineMutation,
);
