//! Where data comes from and where it goes.

use aether_entity::sea_orm_active_enums::{LineageNodeStatus, LineageNodeType, TransformationType};
use aether_store::{
    Error,
    read::{Direction, EdgeTable, Reached},
};
use async_graphql::{Context, Object, Result, SimpleObject};
use uuid::Uuid;

use crate::{error::Failure, input::Choice, run::reader};

const LINEAGE: EdgeTable = EdgeTable {
    nodes: "data_lineage_nodes",
    node_columns: &["node_key", "label", "type", "status"],
    edges: "data_lineage_edges",
    edge_columns: &["transformation_type"],
    from: "source_node_id",
    to: "target_node_id",
};

/// A node on the way of the data, up or down from another.
#[derive(SimpleObject)]
struct LineageStep {
    /// How many edges lie between, on the shortest way: 1 for a neighbour.
    distance: i32,
    /// The node.
    node_id: Uuid,
    /// Key of the node.
    node_key: String,
    /// Name of the node as it is shown.
    label: String,
    /// What the node does in the flow.
    r#type: Choice<LineageNodeType>,
    /// Whether the node works.
    status: Choice<LineageNodeStatus>,
    /// The edge by which it is reached.
    via_edge_id: Uuid,
    /// The node before it on that way: the one asked about for a neighbour.
    via_node_id: Uuid,
    /// What happens to the data on that edge; null when it is not laid down.
    via_transformation: Option<Choice<TransformationType>>,
}

/// Following the lineage of the data.
#[derive(Default)]
pub(crate) struct TraceQuery;

#[Object]
impl TraceQuery {
    /// Everything from which the data of a lineage node comes, the nearest first, each node once with its shortest distance.
    async fn lineage_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The node.")] node_id: Uuid,
        #[graphql(desc = "How many edges to follow at most; to the end unless given.")] max_depth: Option<i32>,
    ) -> Result<Vec<LineageStep>> {
        trace(ctx, Direction::Against, node_id, max_depth).await
    }

    /// Everything to which the data of a lineage node goes, the nearest first, each node once with its shortest distance.
    async fn lineage_downstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The node.")] node_id: Uuid,
        #[graphql(desc = "How many edges to follow at most; to the end unless given.")] max_depth: Option<i32>,
    ) -> Result<Vec<LineageStep>> {
        trace(ctx, Direction::Along, node_id, max_depth).await
    }
}

async fn trace(ctx: &Context<'_>, direction: Direction, node: Uuid, most: Option<i32>) -> Result<Vec<LineageStep>> {
    let reader = reader(ctx);
    let reached = reader.traverse(&LINEAGE, direction, node, most).await.map_err(Failure)?;
    let reached =
        reached.ok_or_else(|| Failure(Error::NotFound("There is no data lineage node with this id.".into())))?;
    Ok(reached.iter().map(LineageStep::read).collect::<Result<_, _>>().map_err(Failure)?)
}

impl LineageStep {
    fn read(reached: &Reached) -> aether_store::Result<Self> {
        let row = reached.row();
        let transformation = row.get::<Option<String>>("edge_transformation_type")?;
        Ok(Self {
            distance: reached.distance,
            node_id: reached.id,
            node_key: row.get("node_key")?,
            label: row.get("label")?,
            r#type: Choice(row.label("type")?),
            status: Choice(row.label("status")?),
            via_edge_id: reached.via,
            via_node_id: reached.from,
            via_transformation: transformation.map(|_| row.label("edge_transformation_type")).transpose()?.map(Choice),
        })
    }
}
