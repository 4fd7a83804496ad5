//! The lineage of the data: its nodes and edges, kept by their natural keys.

use std::collections::{HashMap, HashSet};

use aether_entity::{
    data_lineage_edges, data_lineage_nodes, organizations,
    sea_orm_active_enums::{DataClassification, LineageNodeStatus, LineageNodeType, TransformationType},
};
use aether_store::{
    Error, Result,
    write::{Change, UseCase, WritableEdit, action},
};
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::LockType};
use uuid::Uuid;

use crate::{
    check::{patch_text, text},
    patch::{Patch, patch, set},
};

/// How many nodes or edges one call takes.
const MOST: usize = 1_000;

/// A node of the lineage, named by its key. What is left out stays as it is.
pub struct NewLineageNode {
    pub r#type: LineageNodeType,
    pub node_key: String,
    pub label: String,
    pub status: Option<LineageNodeStatus>,
    pub subtype: Patch<String>,
    pub last_sync: Patch<DateTime<FixedOffset>>,
    pub description: Patch<String>,
    pub system_name: Patch<String>,
    pub owner: Patch<String>,
    pub refresh_frequency: Patch<String>,
    pub data_classification: Patch<DataClassification>,
    pub position_x: Patch<i32>,
    pub position_y: Patch<i32>,
}

/// An edge of the lineage, named by the keys of its nodes. What is left out stays as it is.
pub struct NewLineageEdge {
    pub source: String,
    pub target: String,
    pub transformation_type: Patch<TransformationType>,
    pub description: Patch<String>,
    pub data_volume: Patch<String>,
    pub latency: Patch<String>,
}

/// Creates lineage nodes, or brings those with the same key to what is given: all of them or none.
pub fn upsert_nodes(nodes: Vec<NewLineageNode>) -> UseCase<Upserted> {
    UseCase::new(&action::EDIT_LINEAGE, move |c| {
        Box::pin(async move {
            alone(c, "nodes", nodes.len()).await?;
            let mut keys = Vec::with_capacity(nodes.len());
            for (at, node) in nodes.iter().enumerate() {
                keys.push(text(&format!("nodes.{at}.nodeKey"), &node.node_key, 100)?);
            }
            unique("nodes", "nodeKey", &keys)?;
            let mut known = nodes_by_key(c, &keys).await?;
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
            upsert.finish(c).await
        })
    })
}

/// Creates lineage edges, or brings those between the same nodes to what is given: all of them or none.
pub fn upsert_edges(edges: Vec<NewLineageEdge>) -> UseCase<Upserted> {
    UseCase::new(&action::EDIT_LINEAGE, move |c| {
        Box::pin(async move {
            alone(c, "edges", edges.len()).await?;
            let keys: Vec<String> =
                edges.iter().flat_map(|e| [&e.source, &e.target]).map(|k| k.trim().into()).collect();
            let nodes = nodes_by_key(c, &keys).await?;
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
            let mut known = edges_between(c, &ends).await?;
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
            upsert.finish(c).await
        })
    })
}

/// Deletes a lineage node with all its edges, and tells its id.
pub fn delete_node(id: Uuid, expected_version: i32) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_LINEAGE, move |c| {
        Box::pin(async move {
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
    })
}

/// Deletes a lineage edge, and tells its id.
pub fn delete_edge(id: Uuid, expected_version: i32) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_LINEAGE, move |c| {
        Box::pin(async move {
            let edge = c.edit::<data_lineage_edges::Entity>(id, expected_version).await?;
            c.delete(edge).await?;
            Ok(id)
        })
    })
}

/// One upsert of an organization at a time, so that no two create the same; and not too much at once.
async fn alone(c: &Change, field: &str, given: usize) -> Result<()> {
    if given == 0 || given > MOST {
        return Err(Error::invalid(field, format!("Give from 1 to {MOST} of them.")));
    }
    c.find::<organizations::Entity>(c.actor().organization_id).await.map(drop)
}

fn unique<T: std::hash::Hash + Eq>(list: &str, field: &str, keys: &[T]) -> Result<()> {
    let mut seen = HashSet::with_capacity(keys.len());
    match keys.iter().position(|key| !seen.insert(key)) {
        None => Ok(()),
        Some(at) => Err(Error::invalid(format!("{list}.{at}.{field}"), "This is given twice. Give it once.")),
    }
}

/// What an upsert did.
pub struct Upserted {
    /// How many are new.
    pub created: i32,
    /// How many changed.
    pub updated: i32,
    /// How many were as they should be.
    pub unchanged: i32,
    /// Their ids, in the order in which they were given.
    pub ids: Vec<Uuid>,
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

    async fn finish(self, c: &Change) -> Result<Upserted> {
        let Self { ids, new, updated } = self;
        // A call takes far fewer than an i32 can count.
        let count = |number| i32::try_from(number).unwrap_or(i32::MAX);
        let [created, updated, unchanged] = [new.len(), updated, ids.len() - new.len() - updated].map(count);
        c.insert_all(new).await?;
        Ok(Upserted { created, updated, unchanged, ids })
    }
}

async fn nodes_by_key(c: &Change, keys: &[String]) -> Result<HashMap<String, data_lineage_nodes::Model>> {
    let nodes = data_lineage_nodes::Entity::find()
        .filter(data_lineage_nodes::Column::NodeKey.is_in(keys))
        .order_by_asc(data_lineage_nodes::Column::Id)
        .lock(LockType::NoKeyUpdate);
    Ok(c.all(nodes).await?.into_iter().map(|node| (node.node_key.clone(), node)).collect())
}

type Ends = (Uuid, Uuid);

async fn edges_between(c: &Change, ends: &[Ends]) -> Result<HashMap<Ends, data_lineage_edges::Model>> {
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
struct NodeEdit(NewLineageNode);

impl NodeEdit {
    fn new(at: usize, mut node: NewLineageNode) -> Result<Self> {
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
    fn check_position(&self, at: usize, (x, y): (Option<i32>, Option<i32>)) -> Result<()> {
        let after = |value: &Patch<i32>, before: Option<i32>| match value {
            Patch::Absent => before,
            Patch::Null => None,
            Patch::Value(value) => Some(*value),
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
        row.r#type = Set(node.r#type);
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
struct EdgeEdit(NewLineageEdge);

impl EdgeEdit {
    fn new(at: usize, mut edge: NewLineageEdge) -> Result<Self> {
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
