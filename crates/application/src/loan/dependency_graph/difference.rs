//! What differs between the graph that the text makes and the rows that are stored.

use std::collections::{BTreeMap, HashMap, HashSet};

use aether_domain::graph::{Graph, Node, NodeRef, WarningKind};
use serde_json::{Value, json};
use uuid::Uuid;

/// How many nodes, edges and warnings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Nodes.
    pub nodes: usize,
    /// Edges.
    pub edges: usize,
    /// Warnings that come from the text.
    pub warnings: usize,
}

/// A stored node.
pub(super) struct StoredNode {
    pub(super) id: Uuid,
    pub(super) clause_id: Option<Uuid>,
    pub(super) variable_id: Option<Uuid>,
    pub(super) label: String,
    pub(super) kind: String,
    pub(super) value: Option<String>,
}

/// A stored edge.
pub(super) struct StoredEdge {
    pub(super) id: Uuid,
    pub(super) ends: (Uuid, Uuid),
    pub(super) weight: i32,
}

/// A stored warning of the text.
pub(super) struct StoredWarning {
    pub(super) id: Uuid,
    pub(super) node_id: Uuid,
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) message: String,
}

/// The graph as it is stored.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) nodes: Vec<StoredNode>,
    pub(super) edges: Vec<StoredEdge>,
    pub(super) warnings: Vec<StoredWarning>,
}

/// Rows to be written, as JSON objects by column, and rows to be deleted.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) insert: Vec<Value>,
    pub(super) update: Vec<Value>,
    pub(super) delete: Vec<Uuid>,
}

/// All that is to be written.
#[derive(Default)]
pub(super) struct Difference {
    pub(super) nodes: Rows,
    pub(super) edges: Rows,
    pub(super) warnings: Rows,
}

impl Difference {
    /// What turns the stored graph into the one that was found. Drift, and the warnings of it, are not looked at: they follow from
    /// the drift items, not from the text.
    pub(super) fn between(stored: &Stored, found: &Graph) -> Self {
        let mut difference = Self::default();
        let ids = difference.nodes(stored, found);
        difference.edges(stored, found, &ids);
        difference.warnings(stored, found, &ids);
        difference
    }

    fn nodes(&mut self, stored: &Stored, found: &Graph) -> HashMap<NodeRef, Uuid> {
        let rows = &mut self.nodes;
        let mut known: HashMap<NodeRef, &StoredNode> = HashMap::new();
        for node in &stored.nodes {
            match node.of() {
                Some(of) if !known.contains_key(&of) => {
                    known.insert(of, node);
                }
                // Of something that is gone, or a second one of the same.
                _ => rows.delete.push(node.id),
            }
        }
        let mut ids = HashMap::new();
        for node in &found.nodes {
            let id = match known.remove(&node.of) {
                Some(stored) => {
                    if !stored.is(node) {
                        rows.update.push(node_row(stored.id, node));
                    }
                    stored.id
                }
                None => {
                    let id = Uuid::now_v7();
                    rows.insert.push(node_row(id, node));
                    id
                }
            };
            ids.insert(node.of, id);
        }
        rows.delete.extend(known.into_values().map(|node| node.id));
        ids
    }

    fn edges(&mut self, stored: &Stored, found: &Graph, ids: &HashMap<NodeRef, Uuid>) {
        let rows = &mut self.edges;
        let mut wanted: BTreeMap<(Uuid, Uuid), i32> = BTreeMap::new();
        for edge in &found.edges {
            if let (Some(&source), Some(&target)) = (ids.get(&edge.source), ids.get(&edge.target)) {
                wanted.insert((source, target), i32::from(edge.weight));
            }
        }
        for edge in &stored.edges {
            match wanted.remove(&edge.ends) {
                Some(weight) if weight == edge.weight => {}
                Some(weight) => rows.update.push(json!({ "id": edge.id, "weight": weight })),
                None => rows.delete.push(edge.id),
            }
        }
        rows.insert = wanted
            .into_iter()
            .map(|((source, target), weight)| {
                json!({ "id": Uuid::now_v7(), "source_id": source, "target_id": target, "weight": weight })
            })
            .collect();
    }

    fn warnings(&mut self, stored: &Stored, found: &Graph, ids: &HashMap<NodeRef, Uuid>) {
        let rows = &mut self.warnings;
        let known: HashMap<(Uuid, &str, &str), &StoredWarning> =
            stored.warnings.iter().map(|warning| (warning.key(), warning)).collect();
        let mut kept = HashSet::new();
        for warning in found.warnings.iter().filter(|warning| warning.kind != WarningKind::SensitiveDrift) {
            let Some(&node) = ids.get(&warning.of) else { continue };
            let key = (node, warning.kind.as_str(), warning.subject.as_str());
            if !kept.insert(key) {
                continue;
            }
            match known.get(&key) {
                Some(stored) if stored.message == warning.message => {}
                Some(stored) => rows.update.push(json!({ "id": stored.id, "message": warning.message })),
                None => rows.insert.push(json!({
                    "id": Uuid::now_v7(), "graph_node_id": node, "kind": key.1, "subject": key.2, "message": warning.message,
                })),
            }
        }
        rows.delete.extend(stored.warnings.iter().filter(|it| !kept.contains(&it.key())).map(|it| it.id));
    }

    /// How many rows are added, changed and removed.
    pub(super) fn counts(&self) -> [Counts; 3] {
        let count = |of: fn(&Rows) -> usize| Counts {
            nodes: of(&self.nodes),
            edges: of(&self.edges),
            warnings: of(&self.warnings),
        };
        [count(|rows| rows.insert.len()), count(|rows| rows.update.len()), count(|rows| rows.delete.len())]
    }
}

impl StoredNode {
    fn of(&self) -> Option<NodeRef> {
        match (self.variable_id, self.clause_id) {
            (Some(variable), _) => Some(NodeRef::Variable(variable)),
            // A node with a value was a variable's.
            (None, Some(clause)) if self.value.is_none() => Some(NodeRef::Clause(clause)),
            _ => None,
        }
    }

    fn is(&self, node: &Node) -> bool {
        self.clause_id == Some(node.clause_id)
            && self.label == node.label
            && self.kind == node.kind.as_str()
            && self.value == node.value
    }
}

impl StoredWarning {
    fn key(&self) -> (Uuid, &str, &str) {
        (self.node_id, &self.kind, &self.subject)
    }
}

fn node_row(id: Uuid, node: &Node) -> Value {
    let variable = match node.of {
        NodeRef::Variable(id) => Some(id),
        NodeRef::Clause(_) => None,
    };
    json!({
        "id": id,
        "label": node.label,
        "type": node.kind.as_str(),
        "clause_id": node.clause_id,
        "variable_id": variable,
        "value": node.value,
    })
}
