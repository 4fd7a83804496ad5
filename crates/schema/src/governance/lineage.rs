//! The lineage of the data: its nodes and edges, kept by their natural keys.

use std::collections::{HashMap, HashSet};

use aether_entity::{
    data_lineage_edges, data_lineage_nodes, organizations,
    sea_orm_active_enums::{DataClassification, LineageNodeStatus, LineageNodeType, TransformationType},
};
use aether_store::{
    Error,
    write::{Change, WritableEdit, action},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::LockType};
use uuid::Uuid;

use crate::{
    change::change,
    input::{Choice, Scalar, patch, patch_text, set, text},
};

/// How many nodes or edges one call takes.
const MOST: usize = 1_000;

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
        change(ctx, &action::EDIT_LINEAGE, |c| async move {
            alone(&c, "nodes", nodes.len()).await?;
            let mut keys = Vec::with_capacity(nodes.len());
            for (at, node) in nodes.iter().enumerate() {
                keys.push(text(&format!("nodes.{at}.nodeKey"), &node.node_key, 100)?);
            }
            unique("nodes", "nodeKey", &keys)?;
            let mut known = nodes_by_key(&c, &keys).await?;
            let mut upsert = Upsert::default();
            for (at, (node, key)) in nodes.into_iter().zip(keys).enumerate() {
                let edit = NodeEdit::new(at, node)?;
                match known.remove(&key) {
                    Some(row) => {
                        edit.check_position(at, (row.position_x, row.position_y))?;
                        let before = row.row_version;
                        let row = c.update(row, |row| edit.apply(row)).await?;
                        upsert.known(row.id, row.row_version != before);
                    }
                    None => {
                        edit.check_position(at, (None, None))?;
                        let mut row = empty_node(c.actor().organization_id, key);
                        edit.apply(&mut row);
                        upsert.created(*row.id.as_ref(), row);
                    }
                }
            }
            upsert.finish(&c).await
        })
        .await
    }

    /// Creates lineage edges, or brings those between the same nodes to what is given: all of them or none. Given again, it
    /// changes nothing.
    async fn upsert_lineage_edges(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The edges, at most 1,000.")] edges: Vec<LineageEdgeInput>,
    ) -> Result<LineageUpsert> {
        change(ctx, &action::EDIT_LINEAGE, |c| async move {
            alone(&c, "edges", edges.len()).await?;
            let keys: Vec<String> =
                edges.iter().flat_map(|e| [&e.source, &e.target]).map(|k| k.trim().into()).collect();
            let nodes = nodes_by_key(&c, &keys).await?;
            let mut ends = Vec::with_capacity(edges.len());
            for (at, pair) in keys.chunks(2).enumerate() {
                let end = |name: &str, key: &String| {
                    let missing =
                        || Error::invalid(format!("edges.{at}.{name}"), "There is no lineage node with this key.");
                    nodes.get(key).map(|node| node.id).ok_or_else(missing)
                };
                let (source, target) = (end("source", &pair[0])?, end("target", &pair[1])?);
                if source == target {
                    return Err(Error::invalid(
                        format!("edges.{at}.target"),
                        "An edge leads to another node than it comes from.",
                    ));
                }
                ends.push((source, target));
            }
            unique("edges", "target", &ends)?;
            let mut known = edges_between(&c, &ends).await?;
            let mut upsert = Upsert::default();
            for (at, (edge, ends)) in edges.into_iter().zip(ends).enumerate() {
                let edit = EdgeEdit::new(at, edge)?;
                match known.remove(&ends) {
                    Some(row) => {
                        let before = row.row_version;
                        let row = c.update(row, |row| edit.apply(row)).await?;
                        upsert.known(row.id, row.row_version != before);
                    }
                    None => {
                        let mut row = data_lineage_edges::ActiveModel {
                            id: Set(Uuid::now_v7()),
                            organization_id: Set(c.actor().organization_id),
                            source_node_id: Set(ends.0),
                            target_node_id: Set(ends.1),
                            transformation_type: Set(None),
                            description: Set(None),
                            data_volume: Set(None),
                            latency: Set(None),
                            ..Default::default()
                        };
                        edit.apply(&mut row);
                        upsert.created(*row.id.as_ref(), row);
                    }
                }
            }
            upsert.finish(&c).await
        })
        .await
    }

    /// Deletes a lineage node with all its edges, and tells its id.
    async fn delete_lineage_node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The node.")] id: Uuid,
        #[graphql(desc = "The version of the node that you saw.")] expected_version: i32,
    ) -> Result<Uuid> {
        change(ctx, &action::EDIT_LINEAGE, |c| async move {
            let node = c.edit::<data_lineage_nodes::Entity>(id, expected_version).await?;
            c.about::<data_lineage_nodes::Entity>(id);
            let edges = data_lineage_edges::Entity::find()
                .filter(
                    Condition::any()
                        .add(data_lineage_edges::Column::SourceNodeId.eq(id))
                        .add(data_lineage_edges::Column::TargetNodeId.eq(id)),
                )
                .order_by_asc(data_lineage_edges::Column::Id)
                .lock(LockType::Update);
            // One by one, so that the audit log has them; the database would take them away in silence.
            for edge in c.all(edges).await? {
                c.delete(edge).await?;
            }
            c.delete(node).await?;
            Ok(id)
        })
        .await
    }

    /// Deletes a lineage edge, and tells its id.
    async fn delete_lineage_edge(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The edge.")] id: Uuid,
        #[graphql(desc = "The version of the edge that you saw.")] expected_version: i32,
    ) -> Result<Uuid> {
        change(ctx, &action::EDIT_LINEAGE, |c| async move {
            let edge = c.edit::<data_lineage_edges::Entity>(id, expected_version).await?;
            c.delete(edge).await?;
            Ok(id)
        })
        .await
    }
}

/// One upsert of an organization at a time, so that no two create the same; and not too much at once.
async fn alone(c: &Change, field: &str, given: usize) -> aether_store::Result<()> {
    if given == 0 || given > MOST {
        return Err(Error::invalid(field, format!("Give from 1 to {MOST} of them.")));
    }
    c.find::<organizations::Entity>(c.actor().organization_id).await.map(drop)
}

fn unique<T: std::hash::Hash + Eq>(list: &str, field: &str, keys: &[T]) -> aether_store::Result<()> {
    let mut seen = HashSet::with_capacity(keys.len());
    match keys.iter().position(|key| !seen.insert(key)) {
        None => Ok(()),
        Some(at) => Err(Error::invalid(format!("{list}.{at}.{field}"), "This is given twice. Give it once.")),
    }
}

/// An upsert on its way.
struct Upsert<A> {
    ids: Vec<Uuid>,
    new: Vec<A>,
    updated: usize,
}

impl<A> Default for Upsert<A> {
    fn default() -> Self {
        Self { ids: Vec::new(), new: Vec::new(), updated: 0 }
    }
}

impl<A: WritableEdit> Upsert<A> {
    /// One that was there.
    fn known(&mut self, id: Uuid, has_changed: bool) {
        self.ids.push(id);
        self.updated += usize::from(has_changed);
    }

    /// One to be inserted.
    fn created(&mut self, id: Uuid, row: A) {
        self.ids.push(id);
        self.new.push(row);
    }

    async fn finish(self, c: &Change) -> aether_store::Result<LineageUpsert> {
        let Self { ids, new, updated } = self;
        // A call takes far fewer than an i32 can count.
        let count = |number| i32::try_from(number).unwrap_or(i32::MAX);
        let [created, updated, unchanged] = [new.len(), updated, ids.len() - new.len() - updated].map(count);
        c.insert_all(new).await?;
        Ok(LineageUpsert { created, updated, unchanged, ids })
    }
}

async fn nodes_by_key(c: &Change, keys: &[String]) -> aether_store::Result<HashMap<String, data_lineage_nodes::Model>> {
    let nodes = data_lineage_nodes::Entity::find()
        .filter(data_lineage_nodes::Column::NodeKey.is_in(keys))
        .order_by_asc(data_lineage_nodes::Column::Id)
        .lock(LockType::NoKeyUpdate);
    Ok(c.all(nodes).await?.into_iter().map(|node| (node.node_key.clone(), node)).collect())
}

type Ends = (Uuid, Uuid);

async fn edges_between(c: &Change, ends: &[Ends]) -> aether_store::Result<HashMap<Ends, data_lineage_edges::Model>> {
    let edges = data_lineage_edges::Entity::find()
        .filter(data_lineage_edges::Column::SourceNodeId.is_in(ends.iter().map(|(source, _)| *source)))
        .filter(data_lineage_edges::Column::TargetNodeId.is_in(ends.iter().map(|(_, target)| *target)))
        .order_by_asc(data_lineage_edges::Column::Id)
        .lock(LockType::NoKeyUpdate);
    Ok(c.all(edges).await?.into_iter().map(|edge| ((edge.source_node_id, edge.target_node_id), edge)).collect())
}

/// A new node of which nothing is known: every column is set, for one statement inserts many.
fn empty_node(organization: Uuid, key: String) -> data_lineage_nodes::ActiveModel {
    data_lineage_nodes::ActiveModel {
        id: Set(Uuid::now_v7()),
        organization_id: Set(organization),
        node_key: Set(key),
        subtype: Set(None),
        status: Set(LineageNodeStatus::Active),
        last_sync: Set(None),
        description: Set(None),
        system_name: Set(None),
        owner: Set(None),
        refresh_frequency: Set(None),
        data_classification: Set(None),
        position_x: Set(None),
        position_y: Set(None),
        ..Default::default()
    }
}

/// What is to become of a node, checked.
struct NodeEdit(LineageNodeInput);

impl NodeEdit {
    fn new(at: usize, mut node: LineageNodeInput) -> aether_store::Result<Self> {
        let path = |name: &str| format!("nodes.{at}.{name}");
        node.label = text(&path("label"), &node.label, 255)?;
        node.subtype = patch_text(&path("subtype"), node.subtype, 100)?;
        node.description = patch_text(&path("description"), node.description, 5_000)?;
        node.system_name = patch_text(&path("systemName"), node.system_name, 100)?;
        node.owner = patch_text(&path("owner"), node.owner, 255)?;
        node.refresh_frequency = patch_text(&path("refreshFrequency"), node.refresh_frequency, 100)?;
        Ok(Self(node))
    }

    /// Refuses half a position.
    fn check_position(&self, at: usize, (x, y): (Option<i32>, Option<i32>)) -> aether_store::Result<()> {
        let after = |value: &MaybeUndefined<i32>, before: Option<i32>| match value {
            MaybeUndefined::Undefined => before,
            MaybeUndefined::Null => None,
            MaybeUndefined::Value(value) => Some(*value),
        };
        if after(&self.0.position_x, x).is_some() == after(&self.0.position_y, y).is_some() {
            return Ok(());
        }
        Err(Error::invalid(
            format!("nodes.{at}.positionX"),
            "A position needs both numbers: give both, or null for both.",
        ))
    }

    fn apply(self, row: &mut data_lineage_nodes::ActiveModel) {
        let Self(node) = self;
        row.label = Set(node.label);
        row.r#type = Set(node.r#type.0);
        set(&mut row.status, node.status);
        patch(&mut row.subtype, node.subtype);
        patch(&mut row.last_sync, node.last_sync);
        patch(&mut row.description, node.description);
        patch(&mut row.system_name, node.system_name);
        patch(&mut row.owner, node.owner);
        patch(&mut row.refresh_frequency, node.refresh_frequency);
        patch(&mut row.data_classification, node.data_classification);
        patch(&mut row.position_x, node.position_x);
        patch(&mut row.position_y, node.position_y);
    }
}

/// What is to become of an edge, checked.
struct EdgeEdit(LineageEdgeInput);

impl EdgeEdit {
    fn new(at: usize, mut edge: LineageEdgeInput) -> aether_store::Result<Self> {
        let path = |name: &str| format!("edges.{at}.{name}");
        edge.description = patch_text(&path("description"), edge.description, 5_000)?;
        edge.data_volume = patch_text(&path("dataVolume"), edge.data_volume, 50)?;
        edge.latency = patch_text(&path("latency"), edge.latency, 50)?;
        Ok(Self(edge))
    }

    fn apply(self, row: &mut data_lineage_edges::ActiveModel) {
        let Self(edge) = self;
        patch(&mut row.transformation_type, edge.transformation_type);
        patch(&mut row.description, edge.description);
        patch(&mut row.data_volume, edge.data_volume);
        patch(&mut row.latency, edge.latency);
    }
}
