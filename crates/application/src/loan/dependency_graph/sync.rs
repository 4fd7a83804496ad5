//! Synchronizing the graph with the text: only what has changed is read, and only what differs is written.

#![expect(
    clippy::disallowed_methods,
    reason = "the difference of two graphs is written by one statement for each kind of row"
)]

use std::collections::HashMap;

use aether_domain::{
    drift::TermKind,
    graph::{self, ClauseReading},
};
use aether_entity::{clauses, sea_orm_active_enums::GraphWarningKind, variables, workspaces};
use aether_store::{
    Error, Result,
    sql::{Param, Sql},
    value::label,
    write::{Change, UseCase, action},
};
use sea_orm::{ColumnTrait, EntityTrait, Iterable, QueryFilter, QueryOrder, Set};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    GraphStanding,
    difference::{Counts, Difference, Rows, Stored, StoredEdge, StoredNode, StoredWarning},
    refresh,
};

/// What a synchronization has found and done.
#[derive(Debug)]
pub struct Synced {
    /// How the graph stands now.
    pub standing: GraphStanding,
    /// How many nodes, edges and warnings of the text there are.
    pub found: Counts,
    /// How many clauses had changed and were read.
    pub clauses_read: usize,
    /// How many rows were added.
    pub added: Counts,
    /// How many rows were changed.
    pub changed: Counts,
    /// How many rows were removed.
    pub removed: Counts,
    /// All warnings, those of drift included, in the order of the clauses.
    pub warnings: Vec<GraphWarning>,
}

/// A warning about a node.
#[derive(Debug)]
pub struct GraphWarning {
    /// The node.
    pub node_id: Uuid,
    /// The title of its clause, or the label of its variable.
    pub label: String,
    /// What is wrong.
    pub kind: GraphWarningKind,
    /// The reference or the term; empty for drift.
    pub subject: String,
    /// A sentence for a person.
    pub message: String,
}

/// Synchronizes the dependency graph of a workspace with the text: finds who depends on whom and what is wrong, and scores the integrity.
pub fn synchronize(workspace_id: Uuid) -> UseCase<Synced> {
    UseCase::new(&action::SYNC_GRAPH, move |c| {
        Box::pin(async move {
            c.workspace(workspace_id).await?;
            c.about::<workspaces::Entity>(workspace_id);
            let synced = bring_up_to_date(c).await?;
            c.note("nodes", synced.found.nodes);
            c.note("edges", synced.found.edges);
            c.note("warnings", synced.warnings.len());
            c.note("clausesRead", synced.clauses_read);
            for (name, counts) in [("added", synced.added), ("changed", synced.changed), ("removed", synced.removed)] {
                c.note(name, json!({ "nodes": counts.nodes, "edges": counts.edges, "warnings": counts.warnings }));
            }
            c.note("integrityScore", format!("{:.4}", synced.standing.integrity));
            c.note("integrityScoreBefore", synced.standing.before.map(|before| format!("{before:.4}")));
            Ok(synced)
        })
    })
}

/// Finds the graph in the text of the workspace that was entered, and makes the stored one equal to it.
async fn bring_up_to_date(c: &Change) -> Result<Synced> {
    let workspace = c.entered()?;
    let of_workspace = clauses::Column::WorkspaceId.eq(workspace);
    let clauses = clauses::Entity::find().filter(of_workspace).order_by_asc(clauses::Column::OrderIndex);
    let clauses = c.all(clauses).await?;
    let variables = variables::Entity::find()
        .filter(variables::Column::WorkspaceId.eq(workspace))
        .order_by_asc(variables::Column::CreatedAt)
        .order_by_asc(variables::Column::Id);
    let variables = c.all(variables).await?;
    let (read, clauses_read) = read_clauses(c, workspace, clauses).await?;
    let variables = variables.into_iter().map(variable).collect::<Result<Vec<_>>>()?;
    let found = graph::link(&read, &variables);

    let difference = Difference::between(&stored_graph(c, workspace).await?, &found);
    let [added, changed, removed] = difference.counts();
    write_graph(c, workspace, difference).await?;
    let membership = c.workspace(workspace).await?;
    c.update(membership.workspace.clone(), |workspace: &mut workspaces::ActiveModel| {
        workspace.last_sync_at = Set(c.now());
    })
    .await?;
    let standing = refresh(c, None).await?;
    Ok(Synced {
        standing,
        found: Counts { nodes: found.nodes.len(), edges: found.edges.len(), warnings: found.warnings.len() },
        clauses_read,
        added,
        changed,
        removed,
        warnings: graph_warnings(c, workspace).await?,
    })
}

/// The clauses with their readings, and how many had to be read: those whose stored reading is not of the text as it is.
async fn read_clauses(
    c: &Change,
    workspace: Uuid,
    clauses: Vec<clauses::Model>,
) -> Result<(Vec<(graph::Clause, ClauseReading)>, usize)> {
    let mut sql = Sql::new();
    sql.push("SELECT r.clause_id, r.reading FROM clause_readings r JOIN clauses c ON c.id = r.clause_id WHERE c.workspace_id = ")
        .uuid(workspace);
    let mut stored: HashMap<Uuid, ClauseReading> = HashMap::new();
    for row in c.run_sql(&sql).await? {
        // A reading in an older form is made anew.
        if let Ok(reading) = serde_json::from_value(row.try_get_by_index::<Value>(1)?) {
            stored.insert(row.try_get_by_index(0)?, reading);
        }
    }
    let mut fresh = Vec::new();
    let mut read = Vec::with_capacity(clauses.len());
    for clause in clauses {
        let reading = match stored.remove(&clause.id).filter(|it| it.is_of(&clause.title, &clause.body)) {
            Some(reading) => reading,
            None => {
                let reading = graph::read_clause(&clause.title, &clause.body);
                fresh.push(json!({ "clause_id": clause.id, "hash": reading.hash, "reading": reading }));
                reading
            }
        };
        let clause = graph::Clause {
            id: clause.id,
            title: clause.title,
            body: clause.body,
            kind: kind(&label(&clause.r#type))?,
            is_sensitive: clause.is_sensitive,
            drifts: false,
        };
        read.push((clause, reading));
    }
    let clauses_read = fresh.len();
    bulk(
        c,
        "INSERT INTO clause_readings (clause_id, text_hash, reading, read_at)
         SELECT clause_id, decode(hash, 'hex'), reading, now()
           FROM jsonb_to_recordset($1) AS x (clause_id uuid, hash text, reading jsonb)
         ON CONFLICT (clause_id) DO UPDATE
            SET text_hash = excluded.text_hash, reading = excluded.reading, read_at = excluded.read_at",
        fresh,
        None,
    )
    .await?;
    Ok((read, clauses_read))
}

async fn stored_graph(c: &Change, workspace: Uuid) -> Result<Stored> {
    let mut stored = Stored::default();
    for row in
        select(c, "SELECT id, clause_id, variable_id, label, type::text, value FROM graph_nodes", workspace).await?
    {
        stored.nodes.push(StoredNode {
            id: row.try_get_by_index(0)?,
            clause_id: row.try_get_by_index(1)?,
            variable_id: row.try_get_by_index(2)?,
            label: row.try_get_by_index(3)?,
            kind: row.try_get_by_index(4)?,
            value: row.try_get_by_index(5)?,
        });
    }
    for row in select(c, "SELECT id, source_id, target_id, weight FROM graph_edges", workspace).await? {
        stored.edges.push(StoredEdge {
            id: row.try_get_by_index(0)?,
            ends: (row.try_get_by_index(1)?, row.try_get_by_index(2)?),
            weight: row.try_get_by_index(3)?,
        });
    }
    let warnings = "SELECT id, graph_node_id, kind::text, subject, message FROM graph_warnings";
    for row in select(c, warnings, workspace).await? {
        let kind: String = row.try_get_by_index(2)?;
        if kind != label(&GraphWarningKind::SensitiveDrift) {
            stored.warnings.push(StoredWarning {
                id: row.try_get_by_index(0)?,
                node_id: row.try_get_by_index(1)?,
                kind,
                subject: row.try_get_by_index(3)?,
                message: row.try_get_by_index(4)?,
            });
        }
    }
    Ok(stored)
}

async fn select(c: &Change, what: &'static str, workspace: Uuid) -> Result<Vec<sea_orm::QueryResult>> {
    let mut sql = Sql::new();
    sql.push(what).push(" WHERE workspace_id = ").uuid(workspace);
    c.run_sql(&sql).await
}

async fn write_graph(c: &Change, workspace: Uuid, difference: Difference) -> Result<()> {
    let Difference { nodes, edges, warnings } = difference;
    // First what refers, then what is referred to.
    let gone = [("graph_warnings", &warnings.delete), ("graph_edges", &edges.delete), ("graph_nodes", &nodes.delete)];
    for (table, ids) in gone {
        if !ids.is_empty() {
            let mut sql = Sql::new();
            sql.push("DELETE FROM ").push(table).push(" WHERE id = ANY (").uuids(ids.clone()).push(")");
            c.run_sql(&sql).await?;
        }
    }
    let Rows { insert, update, .. } = nodes;
    bulk(c,
        "INSERT INTO graph_nodes (id, workspace_id, label, type, clause_id, variable_id, value)
         SELECT id, $2, label, type, clause_id, variable_id, value FROM jsonb_populate_recordset(NULL::graph_nodes, $1)",
        insert,
        Some(workspace),
    )
    .await?;
    bulk(c,
        "UPDATE graph_nodes n SET label = x.label, type = x.type, clause_id = x.clause_id, value = x.value, updated_at = now()
           FROM jsonb_populate_recordset(NULL::graph_nodes, $1) x WHERE n.id = x.id",
        update,
        None,
    )
    .await?;
    let Rows { insert, update, .. } = edges;
    bulk(
        c,
        "INSERT INTO graph_edges (id, workspace_id, source_id, target_id, weight)
         SELECT id, $2, source_id, target_id, weight FROM jsonb_populate_recordset(NULL::graph_edges, $1)",
        insert,
        Some(workspace),
    )
    .await?;
    bulk(c,
        "UPDATE graph_edges e SET weight = x.weight FROM jsonb_populate_recordset(NULL::graph_edges, $1) x WHERE e.id = x.id",
        update,
        None,
    )
    .await?;
    let Rows { insert, update, .. } = warnings;
    bulk(
        c,
        "INSERT INTO graph_warnings (id, workspace_id, graph_node_id, kind, subject, message)
         SELECT id, $2, graph_node_id, kind, subject, message FROM jsonb_populate_recordset(NULL::graph_warnings, $1)",
        insert,
        Some(workspace),
    )
    .await?;
    bulk(c,
        "UPDATE graph_warnings w SET message = x.message FROM jsonb_populate_recordset(NULL::graph_warnings, $1) x WHERE w.id = x.id",
        update,
        None,
    )
    .await
}

/// Runs a statement over rows, if there are any: `$1` are the rows, `$2` is the workspace.
async fn bulk(c: &Change, statement: &'static str, rows: Vec<Value>, workspace: Option<Uuid>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let values: Vec<_> = std::iter::once(Param::Json(Value::Array(rows))).chain(workspace.map(Param::Uuid)).collect();
    c.run_sql(&Sql::of(statement, &values)).await?;
    Ok(())
}

/// Every warning of the workspace, in the order of the clauses.
async fn graph_warnings(c: &Change, workspace: Uuid) -> Result<Vec<GraphWarning>> {
    let mut sql = Sql::new();
    sql.push(
        "SELECT w.graph_node_id, n.label, w.kind::text, w.subject, w.message
           FROM graph_warnings w JOIN graph_nodes n ON n.id = w.graph_node_id LEFT JOIN clauses c ON c.id = n.clause_id
          WHERE w.workspace_id = ",
    )
    .uuid(workspace)
    .push(" ORDER BY c.order_index, w.kind, w.subject, w.id");
    let rows = c.run_sql(&sql).await?;
    rows.iter()
        .map(|row| {
            Ok(GraphWarning {
                node_id: row.try_get_by_index(0)?,
                label: row.try_get_by_index(1)?,
                kind: warning_kind(&row.try_get_by_index::<String>(2)?)?,
                subject: row.try_get_by_index(3)?,
                message: row.try_get_by_index(4)?,
            })
        })
        .collect()
}

fn variable(row: variables::Model) -> Result<graph::Variable> {
    Ok(graph::Variable {
        id: row.id,
        clause_id: row.clause_id,
        label: row.label,
        kind: kind(&label(&row.r#type))?,
        value: row.value,
        drifts: false,
    })
}

fn kind(name: &str) -> Result<TermKind> {
    TermKind::from_name(name).ok_or_else(|| Error::internal("a type of clauses that the rules do not know"))
}

fn warning_kind(name: &str) -> Result<GraphWarningKind> {
    let known = GraphWarningKind::iter().find(|kind| label(kind) == name);
    known.ok_or_else(|| Error::internal("a kind of warnings that is not known"))
}
