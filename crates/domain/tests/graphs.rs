//! Properties of the graph: reading clause by clause, impact, integrity, drift.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use aether_domain::drift::TermKind;
use aether_domain::graph::{self, Agreement, Clause, NodeRef, Variable, WarningKind};
use aether_domain::text::{ClauseReading, read_clause};
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

/// Sentences out of which clauses are made: definitions that repeat and go round, references that lead nowhere.
const SENTENCES: [&str; 18] = [
    "\"Loan\" means a loan made under a Facility.",
    "\"Facility\" means the facility described in Clause 2.1 (The Facility), under which each Loan is made.",
    "\"Margin\" means 3.25 per cent. a year.",
    "“Event of Default” means an event listed in Clause 3.",
    "\"Margin\" has the meaning given to it in Clause 1.1.",
    "Northgate Bank plc (the \"Agent\") acts for the Lenders (each a \"Lender\").",
    "The Borrower shall pay the Margin on each Loan.",
    "No Event of Default, and no Events of Default, may be continuing.",
    "Each Lender's share of the Facilities is set by the Agent.",
    "See Clauses 2.1 to 2.3 and clause 4.",
    "Clause 99 (Fees) and the clause headed \"Fees\" apply.",
    "An Approved Lender may become a \"Lender\" under Schedule 2.",
    "The Final Maturity Date is a Business Day.",
    "\"Final Maturity Date\" means the last Business Day of the Loan.",
    "Clause 5 of the Intercreditor Agreement applies.",
    "2.3 Fees\nThe fee is a Margin Fee.",
    "(a) first; and\n(b) second, under Section 2.01.",
    "\"unbalanced, 'Loan' means ( the Agent",
];

fn body() -> impl Strategy<Value = String> {
    let sentence = prop::sample::select(SENTENCES.to_vec());
    (prop::collection::vec(sentence, 0..6), prop::sample::select(vec![" ", "\n", "\n\n"]))
        .prop_map(|(sentences, between)| sentences.join(between))
}

fn clause() -> impl Strategy<Value = Clause> {
    let titles = ["1.1 Definitions", "2.1 The Facility", "2.2 Fees", "Clause 3 Events of Default", "Business Days", ""];
    let kinds = [TermKind::Financial, TermKind::Covenant, TermKind::Definition, TermKind::Xref, TermKind::General];
    (prop::sample::select(titles.to_vec()), prop::sample::select(kinds.to_vec()), body(), any::<bool>(), any::<bool>())
        .prop_map(|(title, kind, body, is_sensitive, drifts)| Clause {
            id: Uuid::nil(),
            title: title.to_owned(),
            body,
            kind,
            is_sensitive,
            drifts,
        })
}

fn agreement() -> impl Strategy<Value = Agreement> {
    let kinds = [TermKind::Financial, TermKind::Covenant, TermKind::Definition, TermKind::Ratio];
    let variable = (any::<prop::sample::Index>(), prop::sample::select(kinds.to_vec()), any::<bool>());
    (prop::collection::vec(clause(), 1..8), prop::collection::vec(variable, 0..8)).prop_map(
        |(mut clauses, variables)| {
            for (at, clause) in clauses.iter_mut().enumerate() {
                clause.id = Uuid::from_u128(at as u128);
            }
            let variable = |(at, (clause, kind, drifts)): (usize, (prop::sample::Index, TermKind, bool))| Variable {
                id: Uuid::from_u128(1_000 + at as u128),
                clause_id: clause.get(&clauses).id,
                label: format!("Term {at}"),
                kind,
                value: "1".to_owned(),
                drifts,
            };
            let variables = variables.into_iter().enumerate().map(variable).collect();
            Agreement { clauses, variables }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_never_panics(title in "\\PC*", body in "(\\PC|\n)*", near in "[\"“”'( )Claus0-9.,a-cA-C\n-]{0,200}") {
        for body in [&body, &near] {
            let reading = read_clause(&title, body);
            prop_assert!(reading.is_of(&title, body));
            let clause = Clause { title: title.clone(), body: body.clone(), ..one_clause() };
            let graph = graph::link(&[(clause, reading)], &[]);
            prop_assert_eq!((graph.nodes.len(), graph.edges.len()), (1, 0));
        }
    }

    /// A stored reading of every clause that has not changed, and a fresh one of the clause that has.
    #[test]
    fn reading_the_changed_clause_alone_is_enough(
        agreement in agreement(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), body()), 1..4),
    ) {
        let mut agreement = agreement;
        let mut stored: BTreeMap<Uuid, String> = BTreeMap::new();
        let mut read_again = 0;
        for (which, body) in std::iter::once(None).chain(edits.into_iter().map(Some)).map(Option::unzip) {
            if let (Some(which), Some(body)) = (which, body) {
                let at = which.index(agreement.clauses.len());
                agreement.clauses[at].body = body;
            }
            let fresh: Vec<(Clause, ClauseReading)> = agreement.clauses.iter().map(|clause| {
                let kept = stored.get(&clause.id).map(|text| serde_json::from_str::<ClauseReading>(text).expect("a reading"));
                let reading = kept.filter(|reading| reading.is_of(&clause.title, &clause.body)).unwrap_or_else(|| {
                    read_again += 1;
                    read_clause(&clause.title, &clause.body)
                });
                stored.insert(clause.id, serde_json::to_string(&reading).expect("plain data"));
                (clause.clone(), reading)
            }).collect();
            prop_assert_eq!(graph::link(&fresh, &agreement.variables), graph::extract(&agreement));
        }
        prop_assert!(read_again <= agreement.clauses.len() + 3);
    }

    #[test]
    fn nodes_edges_and_score_agree(agreement in agreement()) {
        let graph = graph::extract(&agreement);
        let nodes: BTreeSet<NodeRef> = graph.nodes.iter().map(|node| node.of).collect();
        let general = agreement.clauses.iter().filter(|it| it.kind == TermKind::General).count();
        prop_assert_eq!(nodes.len(), agreement.clauses.len() - general + agreement.variables.len());
        let pairs: BTreeSet<(NodeRef, NodeRef)> = graph.edges.iter().map(|edge| (edge.source, edge.target)).collect();
        prop_assert_eq!(pairs.len(), graph.edges.len());
        for edge in &graph.edges {
            prop_assert!(nodes.contains(&edge.source) && nodes.contains(&edge.target) && edge.source != edge.target);
            prop_assert!((1..=5).contains(&edge.weight));
        }
        for variable in &agreement.variables {
            let bound = (NodeRef::Variable(variable.id), NodeRef::Clause(variable.clause_id));
            prop_assert_eq!(pairs.contains(&bound), nodes.contains(&bound.1));
        }
        for node in &graph.nodes {
            prop_assert_eq!(node.has_warning, graph.warnings.iter().any(|warning| warning.of == node.of));
            let own = match node.of {
                NodeRef::Clause(id) => agreement.clauses.iter().any(|it| it.id == id && it.drifts)
                    || agreement.variables.iter().any(|it| it.clause_id == id && it.drifts),
                NodeRef::Variable(id) => agreement.variables.iter().any(|it| it.id == id && it.drifts),
            };
            prop_assert_eq!(node.has_drift, own);
            let warned = graph.warnings.iter().any(|it| it.of == node.of && it.kind == WarningKind::SensitiveDrift);
            prop_assert_eq!(warned, own && node.is_sensitive);
        }
        let share = |count: usize| Decimal::from(count) / Decimal::from(nodes.len().max(1));
        let drifting = graph.nodes.iter().filter(|node| node.has_drift).count();
        let warned = graph.nodes.iter().filter(|node| node.has_warning).count();
        let expected = Decimal::ONE - Decimal::new(3, 1) * share(drifting) - Decimal::new(2, 1) * share(warned);
        prop_assert!((graph.integrity - expected).abs() <= Decimal::new(1, 4));
    }

    #[test]
    fn setting_drift_is_as_good_as_linking_anew(agreement in agreement(), flips in prop::collection::vec(any::<bool>(), 20)) {
        let mut changed = agreement.clone();
        let drifts = changed.clauses.iter_mut().map(|it| &mut it.drifts).chain(changed.variables.iter_mut().map(|it| &mut it.drifts));
        for (drifts, flip) in drifts.zip(flips) {
            *drifts = flip;
        }
        let clauses = changed.clauses.iter().filter(|it| it.drifts).map(|it| NodeRef::Clause(it.id));
        let variables = changed.variables.iter().filter(|it| it.drifts).map(|it| NodeRef::Variable(it.id));
        let mut graph = graph::extract(&agreement);
        graph.set_drift(&clauses.chain(variables).collect::<HashSet<_>>());
        prop_assert_eq!(graph, graph::extract(&changed));
    }

    /// Compared with relaxing all edges until nothing changes (Bellman–Ford).
    #[test]
    fn impact_is_everything_reachable_at_its_distance(edges in prop::collection::vec((0_u8..12, 0_u8..12), 0..40), start in 0_u8..12) {
        let mut distance: BTreeMap<u8, u32> = BTreeMap::from([(start, 0)]);
        for _ in 0..12 {
            for (source, target) in &edges {
                if let Some(&steps) = distance.get(source) {
                    let known = distance.entry(*target).or_insert(steps + 1);
                    *known = (*known).min(steps + 1);
                }
            }
        }
        distance.remove(&start);
        let impact = graph::impact(edges, start);
        prop_assert!(impact.is_sorted_by_key(|(_, steps)| *steps));
        prop_assert_eq!(impact.len(), distance.len());
        prop_assert_eq!(impact.into_iter().collect::<BTreeMap<_, _>>(), distance);
    }

    #[test]
    fn integrity_lies_between_none_and_one(nodes in 0_usize..10_000, drift in 0_usize..20_000, warning in 0_usize..20_000) {
        let score = graph::integrity(nodes, drift, warning);
        prop_assert!(score >= Decimal::ZERO && score <= Decimal::ONE && score.scale() <= 4);
        prop_assert!(graph::integrity(nodes, drift + 1, warning) <= score);
        prop_assert!(graph::integrity(nodes, drift, warning + 1) <= score);
        prop_assert_eq!(graph::integrity(nodes, 0, 0), Decimal::ONE);
    }
}

fn one_clause() -> Clause {
    Clause {
        id: Uuid::nil(),
        title: String::new(),
        body: String::new(),
        kind: TermKind::Financial,
        is_sensitive: false,
        drifts: false,
    }
}

#[test]
fn the_score_is_the_documented_one() {
    for (nodes, drift, warning, expected) in [
        (10, 1, 1, "0.95"),
        (40, 3, 2, "0.9675"),
        (3, 1, 0, "0.9"),
        // Halfway is rounded up, as PostgreSQL does.
        (16, 1, 0, "0.9813"),
        (7, 2, 1, "0.8857"),
        (4, 4, 4, "0.5"),
        (0, 0, 0, "1"),
    ] {
        assert_eq!(graph::integrity(nodes, drift, warning).normalize().to_string(), expected);
    }
}

#[test]
fn weights_follow_the_strength_of_the_tie() {
    let clause = |number: u128, title: &str, kind: TermKind, body: &str| Clause {
        id: Uuid::from_u128(number),
        title: title.to_owned(),
        body: body.to_owned(),
        kind,
        ..one_clause()
    };
    let variable = |number: u128, clause: u128| Variable {
        id: Uuid::from_u128(number),
        clause_id: Uuid::from_u128(clause),
        label: "Margin".to_owned(),
        kind: TermKind::Ratio,
        value: "3.25%".to_owned(),
        drifts: false,
    };
    let agreement = Agreement {
        clauses: vec![
            clause(1, "1 Definitions", TermKind::Definition, "\"Loan\" means a loan. \"Margin\" means 3.25%."),
            clause(2, "2 Interest Rate", TermKind::Financial, "The Margin accrues on a Loan."),
            clause(3, "3 Repayment", TermKind::Financial, "A Loan, the Loan, each Loan and all Loans are repaid."),
            clause(4, "4 Fees", TermKind::Financial, "See Clause 2 (Interest Rate)."),
            clause(5, "5 Costs", TermKind::Financial, "Costs accrue as under Interest Rate, Clause 2 and Clause 2."),
            clause(6, "6 Notices", TermKind::General, "Notices of a Loan are given under Clause 2."),
        ],
        variables: vec![variable(11, 2), variable(12, 6), variable(13, 2), variable(14, 2)],
    };
    let graph = graph::extract(&agreement);
    let name = |of: NodeRef| match of {
        NodeRef::Clause(id) | NodeRef::Variable(id) => id.as_u128(),
    };
    let edges: Vec<_> = graph.edges.iter().map(|edge| (name(edge.source), name(edge.target), edge.weight)).collect();
    let expected =
        [(1, 2, 2), (1, 3, 3), (2, 4, 2), (2, 5, 5), (11, 2, 5), (11, 13, 2), (13, 2, 5), (13, 14, 2), (14, 2, 5)];
    assert_eq!(edges, expected);
    assert_eq!(graph.nodes.iter().filter(|node| node.kind == graph::NodeKind::Covenant).count(), 4);
    assert_eq!(graph.integrity, Decimal::ONE);
}
