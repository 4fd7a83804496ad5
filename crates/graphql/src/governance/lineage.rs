//! The lineage of the data: its nodes and edges, kept by their natural keys.

use aether_application::governance::lineage;
use aether_entity::sea_orm_active_enums::{DataClassification, LineageNodeStatus, LineageNodeType, TransformationType};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::{DateTime, FixedOffset};
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, Scalar, plain},
    run::run,
};

/// A node of the lineage, named by its key. What is left out stays as it is.
#[derive(InputObject)]
struct LineageNodeInput {
    /// Key of the node, unique in the organization, such as sap_gl.
    node_key: String,
    /// Name of the node as it is shown.
    label: String,
    /// What the node does in the flow.
    r#type: Choice<LineageNodeType>,
    /// Whether the node works; ACTIVE for a new one unless given.
    status: Option<Choice<LineageNodeStatus>>,
    /// Kind of system or step, such as ERP or ETL; null empties it.
    subtype: MaybeUndefined<String>,
    /// When the node last took or gave data; null empties it.
    last_sync: MaybeUndefined<Scalar<DateTime<FixedOffset>>>,
    /// What the node holds or does; null empties it.
    description: MaybeUndefined<String>,
    /// The system that the node is part of; null empties it.
    system_name: MaybeUndefined<String>,
    /// The person or team responsible; null empties it.
    owner: MaybeUndefined<String>,
    /// How often the data is refreshed, in words; null empties it.
    refresh_frequency: MaybeUndefined<String>,
    /// How sensitive the data is; null when it is not classified.
    data_classification: MaybeUndefined<Choice<DataClassification>>,
    /// Horizontal position in the diagram, in pixels, together with the vertical one; null when it is laid out automatically.
    position_x: MaybeUndefined<i32>,
    /// Vertical position in the diagram, in pixels, together with the horizontal one; null when it is laid out automatically.
    position_y: MaybeUndefined<i32>,
}

/// An edge of the lineage, named by the keys of its nodes. What is left out stays as it is.
#[derive(InputObject)]
struct LineageEdgeInput {
    /// Key of the node from which the data comes.
    source: String,
    /// Key of the node to which the data goes.
    target: String,
    /// What happens to the data on the way; null empties it.
    transformation_type: MaybeUndefined<Choice<TransformationType>>,
    /// What flows and how; null empties it.
    description: MaybeUndefined<String>,
    /// Amount of data in words, such as 1M records/day; null empties it.
    data_volume: MaybeUndefined<String>,
    /// Delay in words, such as < 1 hour; null empties it.
    latency: MaybeUndefined<String>,
}

plain!(LineageNodeInput as lineage::NewLineageNode { node_key, label, status, subtype, last_sync, description, system_name, owner, refresh_frequency, data_classification, position_x, position_y, r#type });

plain!(LineageEdgeInput as lineage::NewLineageEdge { source, target, transformation_type, description, data_volume, latency });

/// What became of the nodes or edges of one call.
#[derive(SimpleObject)]
struct LineageUpsert {
    /// How many are new.
    created: i32,
    /// How many changed.
    updated: i32,
    /// How many were as they should be.
    unchanged: i32,
    /// Their ids, in the order in which they were given.
    ids: Vec<Uuid>,
}

/// The lineage of the data.
#[derive(Default)]
pub(crate) struct LineageMutation;

#[Object]
impl LineageMutation {
    /// Creates lineage nodes, or brings those with the same key to what is given: all of them or none. Given again, it changes
    /// nothing.
    async fn upsert_lineage_nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The nodes, at most 1,000.")] nodes: Vec<LineageNodeInput>,
    ) -> Result<LineageUpsert> {
        Ok(run(ctx, lineage::upsert_nodes(nodes.plain())).await?.into())
    }

    /// Creates lineage edges, or brings those between the same nodes to what is given: all of them or none. Given again, it
    /// changes nothing.
    async fn upsert_lineage_edges(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The edges, at most 1,000.")] edges: Vec<LineageEdgeInput>,
    ) -> Result<LineageUpsert> {
        Ok(run(ctx, lineage::upsert_edges(edges.plain())).await?.into())
    }

    /// Deletes a lineage node with all its edges, and tells its id.
    async fn delete_lineage_node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The node.")] id: Uuid,
        #[graphql(desc = "The version of the node that you saw.")] expected_version: i32,
    ) -> Result<Uuid> {
        run(ctx, lineage::delete_node(id, expected_version)).await
    }

    /// Deletes a lineage edge, and tells its id.
    async fn delete_lineage_edge(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The edge.")] id: Uuid,
        #[graphql(desc = "The version of the edge that you saw.")] expected_version: i32,
    ) -> Result<Uuid> {
        run(ctx, lineage::delete_edge(id, expected_version)).await
    }
}

impl From<lineage::Upserted> for LineageUpsert {
    fn from(lineage::Upserted { created, updated, unchanged, ids }: lineage::Upserted) -> Self {
        Self { created, updated, unchanged, ids }
    }
}
