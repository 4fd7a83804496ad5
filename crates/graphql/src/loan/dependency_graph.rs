//! The dependency graph: synchronized with the text, and asked what a change concerns.

use aether_application::loan::dependency_graph::{self, Counts, GraphWarning, Synced};
use aether_entity::{
    self as entity,
    sea_orm_active_enums::{GraphWarningKind, NodeType},
};
use aether_store::{
    Error,
    read::{Direction, EdgeTable, Reached},
};
use async_graphql::{Context, Object, Result, SimpleObject};
use uuid::Uuid;

use crate::{
    error::Failure,
    input::Choice,
    rows::Row,
    run::{reader, run},
};

/// The dependency graph as it is stored.
const EDGES: EdgeTable = EdgeTable {
    nodes: "graph_nodes",
    node_columns: &["label", "type", "value", "has_drift", "has_warning", "clause_id", "variable_id"],
    edges: "graph_edges",
    edge_columns: &["weight"],
    from: "source_id",
    to: "target_id",
};

/// Asking the graph.
#[derive(Default)]
pub(crate) struct GraphQuery;

#[Object]
impl GraphQuery {
    /// What a change of a clause or variable may concern: every node that can be reached from its node in the dependency graph,
    /// the nearest first.
    async fn impact_of(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The node that changes.")] node_id: Uuid,
        #[graphql(desc = "The greatest distance; every distance unless given.")] max_depth: Option<i32>,
    ) -> Result<Vec<ImpactedNode>> {
        let reader = reader(ctx);
        let reached = reader.traverse(&EDGES, Direction::Along, node_id, max_depth).await.map_err(Failure)?;
        let missing = || Failure(Error::NotFound("There is no graph node with this id.".into()));
        let nodes = reached.ok_or_else(missing)?.iter().map(ImpactedNode::read).collect::<aether_store::Result<_>>();
        Ok(nodes.map_err(Failure)?)
    }
}

/// A node of a dependency graph that a change may concern.
#[derive(SimpleObject)]
struct ImpactedNode {
    /// How many dependencies lie between: 1 for what depends directly.
    distance: i32,
    /// The id of the node.
    node_id: Uuid,
    /// The title of the clause, or the label of the variable, that the node stands for.
    label: String,
    /// What the node stands for.
    #[graphql(name = "type")]
    kind: Choice<NodeType>,
    /// The drafted value of the variable; null for a clause.
    value: Option<String>,
    /// Whether the clause or variable has unresolved drift; null for investors.
    has_drift: Option<bool>,
    /// Whether there is a warning about the node; null for investors, as drift may be what it warns of.
    has_warning: Option<bool>,
    /// The clause that the node stands for, or in which its variable stands.
    clause_id: Option<Uuid>,
    /// The variable that the node stands for; null for a clause.
    variable_id: Option<Uuid>,
    /// The node before it on the shortest way.
    via_node_id: Uuid,
    /// The strength of the dependency on the node before it, from 1 (weak) to 5 (strong).
    weight: i32,
}

impl ImpactedNode {
    fn read(reached: &Reached) -> aether_store::Result<Self> {
        let row = reached.row();
        Ok(Self {
            distance: reached.distance,
            node_id: reached.id,
            label: row.get("label")?,
            kind: Choice(row.label("type")?),
            value: row.get("value")?,
            has_drift: row.get("has_drift")?,
            has_warning: row.get("has_warning")?,
            clause_id: row.get("clause_id")?,
            variable_id: row.get("variable_id")?,
            via_node_id: reached.from,
            weight: row.get("edge_weight")?,
        })
    }
}

/// Synchronizing the graph.
#[derive(Default)]
pub(crate) struct GraphMutation;

#[Object]
impl GraphMutation {
    /// Synchronizes the dependency graph of a workspace with the text: finds who depends on whom and what is wrong, and scores the
    /// integrity. Only clauses that have changed since the last time are read, and only what differs is written.
    async fn sync_graph(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] workspace_id: Uuid,
    ) -> Result<GraphSync> {
        Ok(GraphSync(run(ctx, dependency_graph::synchronize(workspace_id)).await?))
    }
}

/// What a synchronization of a dependency graph has found and done.
struct GraphSync(Synced);

/// What a synchronization of a dependency graph has found and done.
#[Object]
impl GraphSync {
    /// The state of the graph, with its integrity.
    async fn graph_state(&self) -> Row<entity::graph_state::Entity> {
        Row::new(self.0.standing.state_id)
    }

    /// How many nodes the graph has.
    async fn nodes(&self) -> usize {
        self.0.found.nodes
    }

    /// How many edges the graph has.
    async fn edges(&self) -> usize {
        self.0.found.edges
    }

    /// How many clauses had changed since the last synchronization and were read.
    async fn clauses_read(&self) -> usize {
        self.0.clauses_read
    }

    /// How much was added.
    async fn added(&self) -> GraphCounts {
        self.0.added.into()
    }

    /// How much was there already and has changed.
    async fn changed(&self) -> GraphCounts {
        self.0.changed.into()
    }

    /// How much was removed.
    async fn removed(&self) -> GraphCounts {
        self.0.removed.into()
    }

    /// What is wrong, in the order of the clauses.
    async fn warnings(&self) -> Vec<GraphSyncWarning> {
        self.0.warnings.iter().map(Into::into).collect()
    }
}

/// Parts of a dependency graph, counted.
#[derive(SimpleObject)]
struct GraphCounts {
    /// How many nodes.
    nodes: usize,
    /// How many edges.
    edges: usize,
    /// How many warnings about the text; those of drift come and go with it and are not counted.
    warnings: usize,
}

/// Something wrong at a node of a dependency graph.
#[derive(SimpleObject)]
struct GraphSyncWarning {
    /// The id of the node.
    node_id: Uuid,
    /// The title of the clause, or the label of the variable, that the node stands for.
    label: String,
    /// What is wrong.
    kind: Choice<GraphWarningKind>,
    /// The reference or the term that it is about; empty for drift.
    subject: String,
    /// What is wrong, in a sentence.
    message: String,
}

impl From<Counts> for GraphCounts {
    fn from(Counts { nodes, edges, warnings }: Counts) -> Self {
        Self { nodes, edges, warnings }
    }
}

impl From<&GraphWarning> for GraphSyncWarning {
    fn from(warning: &GraphWarning) -> Self {
        Self {
            node_id: warning.node_id,
            label: warning.label.clone(),
            kind: Choice(warning.kind.clone()),
            subject: warning.subject.clone(),
            message: warning.message.clone(),
        }
    }
}
