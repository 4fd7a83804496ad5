//! What can be reached in a graph of rows, with the distance: one statement, whatever the graph.
//!
//! The walk is breadth-first, a level of the recursion for each distance, and takes every node once, so cycles end and a
//! distance is the shortest.

use std::sync::Arc;

use uuid::Uuid;

use super::{fetch::Reader, plan::SelectedColumn, statement};
use crate::{
    actor::Audience,
    error::{Error, Result},
    model::{Model, Type},
    rows::{Row, Rows},
    scope,
    sql::Sql,
};

/// A graph that is kept in two tables of the model: its edges refer to its nodes, and to those of one tenant only.
#[derive(Debug)]
pub struct EdgeTable {
    /// The table of the nodes.
    pub nodes: &'static str,
    /// What is read of a node, under the column's own name.
    pub node_columns: &'static [&'static str],
    /// The table of the edges.
    pub edges: &'static str,
    /// What is read of the edge by which a node is reached, under the column's name with `edge_` before it.
    pub edge_columns: &'static [&'static str],
    /// The column of an edge that names the node where it begins.
    pub from: &'static str,
    /// The column of an edge that names the node where it ends.
    pub to: &'static str,
}

/// Which way edges are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From where they begin to where they end.
    Along,
    /// The other way.
    Against,
}

/// A node that can be reached.
pub struct Reached {
    /// How many edges lie between.
    pub distance: i32,
    /// The node.
    pub id: Uuid,
    /// The edge by which it is reached.
    pub via: Uuid,
    /// The node before it on the way.
    pub from: Uuid,
    rows: Arc<Rows>,
    place: usize,
}

impl Reached {
    /// The columns of the node and the edge.
    pub fn row(&self) -> Row<'_> {
        self.rows.row(self.place)
    }
}

impl Reader {
    /// What can be reached from a node within so many steps (any number unless given), the nearest first; `None` when there is
    /// no such node that the actor sees.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `maxDepth` when it is not positive.
    pub async fn traverse(
        &self,
        network: &EdgeTable,
        direction: Direction,
        start: Uuid,
        most: Option<i32>,
    ) -> Result<Option<Vec<Reached>>> {
        if most.is_some_and(|most| most < 1) {
            return Err(Error::invalid(
                "maxDepth",
                "This must be 1 or more; leave it out to follow every path to its end.",
            ));
        }
        let (nodes, edges) = (of(network.nodes)?, of(network.edges)?);
        let rows = self.rooted(|audience| sql(network, (nodes, edges), direction, start, most, audience)).await?;
        let (rows, mut found) = (Arc::new(rows), false);
        let mut reached = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            let Some(distance) = row.get::<Option<i32>>("distance")? else { continue };
            found = true;
            if distance > 0 {
                let (id, via, from) = (row.get("id")?, row.get("via")?, row.get("from_node")?);
                reached.push(Reached { distance, id, via, from, rows: rows.clone(), place });
            }
        }
        Ok(found.then_some(reached))
    }
}

fn of(table: &str) -> Result<&'static Type> {
    Model::get().by_table(table).ok_or_else(|| Error::internal("a network whose table is not in the model"))
}

fn sql(
    network: &EdgeTable,
    (nodes, edges): (&Type, &Type),
    direction: Direction,
    start: Uuid,
    most: Option<i32>,
    audience: Audience,
) -> Sql {
    let (from, to) = match direction {
        Direction::Along => (network.from, network.to),
        Direction::Against => (network.to, network.from),
    };
    let mut sql = Sql::new();
    sql.push("WITH RECURSIVE walk (distance, nodes, edges, seen) AS (SELECT 0, ARRAY[n.id], ARRAY[NULL::uuid], ARRAY[n.id] FROM ");
    sql.push(nodes.table.name).push(" n WHERE n.id = ").uuid(start).push(" AND ");
    sql.append(&scope::condition(nodes, "n".into(), audience));
    sql.push(
        " UNION ALL SELECT w.distance + 1, step.nodes, step.edges, w.seen || step.nodes FROM walk w CROSS JOIN LATERAL \
         (SELECT array_agg(s.node) AS nodes, array_agg(s.edge) AS edges FROM (SELECT DISTINCT ON (e.",
    );
    sql.push(to).push(") e.").push(to).push(" AS node, e.id AS edge FROM unnest(w.nodes) f (id) JOIN ");
    sql.push(edges.table.name).push(" e ON e.").push(from);
    sql.push(" = f.id WHERE NOT EXISTS (SELECT FROM unnest(w.seen) k (id) WHERE k.id = e.").push(to);
    sql.push(") ORDER BY e.").push(to).push(", e.id) s) step WHERE step.nodes IS NOT NULL");
    if let Some(most) = most {
        sql.push(" AND w.distance < ").int(most);
    }
    sql.push(") SELECT w.distance, n.id, e.id AS via, e.").push(from).push(" AS from_node");
    columns(&mut sql, nodes, network.node_columns, "n", "", audience);
    columns(&mut sql, edges, network.edge_columns, "e", "edge_", audience);
    sql.push(" FROM walk w CROSS JOIN LATERAL unnest(w.nodes, w.edges) AS u (node, edge) JOIN ");
    sql.push(nodes.table.name).push(" n ON n.id = u.node AND ").append(&scope::condition(nodes, "n".into(), audience));
    sql.push(" LEFT JOIN ").push(edges.table.name).push(" e ON e.id = u.edge ORDER BY w.distance");
    for &(column, descends) in &nodes.order {
        sql.push(", ").append(&scope::column(nodes, column, "n".into(), audience)).push(if descends {
            " DESC"
        } else {
            ""
        });
    }
    sql.push(", n.id");
    sql
}

fn columns(
    sql: &mut Sql,
    ty: &Type,
    names: &[&'static str],
    alias: &'static str,
    prefix: &'static str,
    audience: Audience,
) {
    for (index, column) in ty.table.columns.iter().enumerate().filter(|(_, column)| names.contains(&column.name)) {
        let value = statement::expression(ty, SelectedColumn::Column(index), alias.into(), audience, None);
        sql.push(", ").append(&statement::travelling(column.kind, &value));
        sql.push(" AS ").push(prefix).push(column.name);
    }
}
