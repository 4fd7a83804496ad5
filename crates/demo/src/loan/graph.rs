//! The dependency graph of a workspace, as the rows of its tables.

use std::collections::{BTreeMap, HashSet};

use aether_domain::graph::{self, Graph, NodeRef};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::agreement::{self, Agreement};
use super::simulator::Simulator;
use crate::copy::row;

/// The graph that the text of an agreement makes. Clauses and variables are named by position, as the workspaces in which
/// the agreement is used have identifiers of their own.
pub(super) fn of(agreement: &Agreement) -> Graph {
    let mut text = graph::Agreement::default();
    for (position, clause) in agreement.clauses.iter().enumerate() {
        let id = named(position);
        text.clauses.push(graph::Clause {
            id,
            title: clause.title.clone(),
            body: clause.body.clone(),
            kind: clause.kind,
            is_sensitive: clause.is_sensitive,
            drifts: false,
        });
        let variable = |(at, variable): (usize, &agreement::Variable)| graph::Variable {
            id: named(at),
            clause_id: id,
            label: variable.label.clone(),
            kind: variable.kind,
            value: variable.value.clone(),
            drifts: false,
        };
        text.variables.extend((text.variables.len()..).zip(&clause.variables).map(variable));
    }
    graph::extract(&text)
}

fn named(position: usize) -> Uuid {
    Uuid::from_u128(position as u128)
}

fn position(id: Uuid) -> usize {
    usize::try_from(id.as_u128()).expect("a position")
}

/// The graph with the drift of this moment.
fn now(simulator: &Simulator) -> Graph {
    let mut graph = simulator.graph.clone();
    let drifting: HashSet<NodeRef> = (0..simulator.variables.len())
        .filter(|&at| simulator.variables[at].drifts)
        .map(|at| NodeRef::Variable(named(at)))
        .collect();
    graph.set_drift(&drifting);
    graph
}

/// The integrity at this moment.
pub(super) fn integrity(simulator: &Simulator) -> Decimal {
    now(simulator).integrity
}

/// How many nodes and edges a sync finds.
pub(super) fn size(simulator: &Simulator) -> (usize, usize) {
    (simulator.graph.nodes.len(), simulator.graph.edges.len())
}

/// Fills the four tables of the graph, as the sync at this moment finds it.
pub(super) fn rows(simulator: &mut Simulator) {
    let graph = now(simulator);
    let mut ids: BTreeMap<NodeRef, Uuid> = BTreeMap::new();
    for node in &graph.nodes {
        let clause = &simulator.clauses[position(node.clause_id)];
        let (variable, created) = match node.of {
            NodeRef::Clause(_) => (None, clause.created),
            NodeRef::Variable(id) => {
                let variable = &simulator.variables[position(id)];
                (Some((variable.id, variable.value.as_str())), variable.created)
            }
        };
        let id = simulator.ids.at(created);
        ids.insert(node.of, id);
        simulator.tables.graph_nodes(row![
            id,
            simulator.workspace,
            node.label.as_str(),
            node.kind.as_str(),
            clause.id,
            variable.map(|(id, _)| id),
            variable.map(|(_, value)| value),
            node.has_drift,
            node.has_warning,
            created,
            simulator.now,
        ]);
    }
    for edge in &graph.edges {
        let id = simulator.id();
        let weight = i32::from(edge.weight);
        simulator.tables.graph_edges(row![
            id,
            simulator.workspace,
            ids[&edge.source],
            ids[&edge.target],
            weight,
            simulator.now
        ]);
    }
    for warning in &graph.warnings {
        let id = simulator.id();
        simulator.tables.graph_warnings(row![
            id,
            simulator.workspace,
            ids[&warning.of],
            warning.kind.as_str(),
            warning.subject.as_str(),
            warning.message.as_str(),
            simulator.now,
        ]);
    }
    let id = simulator.ids.at(simulator.opened);
    simulator.tables.graph_state(row![id, simulator.workspace, graph.integrity, simulator.now]);
}

#[cfg(test)]
mod tests {
    use aether_domain::graph::WarningKind;

    use super::*;

    #[test]
    fn the_flaws_are_the_ones_that_were_put_there() {
        let found = agreement::all().map(|agreement| {
            let graph = of(&agreement);
            let label = |of: NodeRef| graph.nodes.iter().find(|node| node.of == of).map(|node| node.label.clone());
            let told = graph.warnings.iter().map(|warning| {
                format!("{}: {} {}", label(warning.of).expect("a node"), warning.kind.as_str(), warning.subject)
            });
            told.collect::<Vec<_>>()
        });
        let circular = WarningKind::CircularDefinition.as_str();
        let expected: [&[&str]; 3] = [
            &[
                "3.2 Conditions to Each Utilisation: UNDEFINED_TERM Approved Offtaker",
                "11.1 Reports and Accounts: DANGLING_REFERENCE Clause 18.4",
            ],
            &[
                &format!("Clause 4 Basket Definitions: {circular} Permitted Acquisition"),
                &format!("Clause 4 Basket Definitions: {circular} Permitted Debt"),
                "Clause 19 Limitation on Debt: UNDEFINED_TERM Qualified Receivables Program",
                "Clause 26 Remedies and Application of Proceeds: DANGLING_REFERENCE Clause 34",
            ],
            &[
                "6.2 Sustainability Reporting: UNDEFINED_TERM Verified Emissions Statement",
                "6.3 Loss of the Sustainability Link: DANGLING_REFERENCE Clause 19.2",
            ],
        ];
        assert_eq!(found, expected.map(|list| list.iter().map(|told| (*told).to_owned()).collect::<Vec<_>>()));
    }
}
