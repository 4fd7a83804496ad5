//! The labelled clauses of `corpus/clauses`: what each defines, refers to, uses, and what is to be warned of.

use std::collections::BTreeSet;

use aether_domain::drift::TermKind;
use aether_domain::graph::{self, Agreement, Clause, Graph, NodeRef};
use aether_domain::text::{ClauseReading, Form, read_clause};
use serde::Deserialize;
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Corpus {
    clauses: Vec<Labelled>,
}

/// A clause and what a lawyer says of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labelled {
    title: String,
    #[serde(rename = "type")]
    kind: TermKind,
    #[serde(default)]
    sensitive: bool,
    body: String,
    /// The terms it defines.
    defines: Vec<String>,
    /// The numbers it refers to.
    refers: Vec<String>,
    /// The terms that it uses and another clause defines.
    uses: BTreeSet<String>,
    warnings: BTreeSet<String>,
}

fn corpus() -> Vec<Corpus> {
    let files = [
        include_str!("../corpus/clauses/term-and-revolving.toml"),
        include_str!("../corpus/clauses/leveraged.toml"),
        include_str!("../corpus/clauses/credit-agreement.toml"),
    ];
    files.map(|file| toml::from_str(file).expect("the corpus is TOML")).into()
}

fn agreement(corpus: &Corpus) -> Agreement {
    let clause = |(at, labelled): (usize, &Labelled)| Clause {
        id: Uuid::from_u128(at as u128),
        title: labelled.title.clone(),
        body: labelled.body.clone(),
        kind: labelled.kind,
        is_sensitive: labelled.sensitive,
        drifts: false,
    };
    Agreement { clauses: corpus.clauses.iter().enumerate().map(clause).collect(), variables: Vec::new() }
}

fn told(reading: &ClauseReading) -> Vec<String> {
    let spell = |it: &aether_domain::text::Reference| match (&it.number, &it.through) {
        (Some(number), Some(through)) => format!("{number}–{through}"),
        (Some(number), None) => number.clone(),
        (None, _) => format!("the clause headed {}", it.title.as_deref().unwrap_or_default()),
    };
    reading.references.iter().map(spell).collect()
}

fn warnings(graph: &Graph, clause: usize) -> BTreeSet<String> {
    let of = NodeRef::Clause(Uuid::from_u128(clause as u128));
    let told = graph.warnings.iter().filter(|warning| warning.of == of);
    told.map(|warning| format!("{} {}", warning.kind.as_str(), warning.subject)).collect()
}

#[test]
fn every_clause_is_read_as_it_is_labelled() {
    let mut clauses = 0;
    let mut wrong = Vec::new();
    for corpus in corpus() {
        let agreement = agreement(&corpus);
        let graph = graph::extract(&agreement);
        for (at, labelled) in corpus.clauses.iter().enumerate() {
            clauses += 1;
            let reading = read_clause(&labelled.title, &labelled.body);
            let defines: Vec<&String> =
                reading.definitions.iter().filter(|it| it.form >= Form::Bracketed).map(|it| &it.term).collect();
            let uses: BTreeSet<String> = graph
                .uses
                .iter()
                .filter(|it| it.used_in == agreement.clauses[at].id)
                .map(|it| it.term.clone())
                .collect();
            let mut check = |what: &str, found: String, expected: String| {
                if found != expected {
                    wrong.push(format!("{} {what}\n  found    {found}\n  expected {expected}", labelled.title));
                }
            };
            check("defines", format!("{defines:?}"), format!("{:?}", labelled.defines));
            check("refers to", format!("{:?}", told(&reading)), format!("{:?}", labelled.refers));
            check("uses", format!("{uses:?}"), format!("{:?}", labelled.uses));
            check("warnings", format!("{:?}", warnings(&graph, at)), format!("{:?}", labelled.warnings));
        }
    }
    assert!(clauses >= 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_used_is_an_edge_and_general_clauses_have_none() {
    for corpus in corpus() {
        let agreement = agreement(&corpus);
        let graph = graph::extract(&agreement);
        let nodes: BTreeSet<NodeRef> = graph.nodes.iter().map(|node| node.of).collect();
        assert_eq!(nodes.len(), corpus.clauses.iter().filter(|it| it.kind != TermKind::General).count());
        for used in &graph.uses {
            let (source, target) = (NodeRef::Clause(used.defined_in), NodeRef::Clause(used.used_in));
            let linked = graph.edges.iter().any(|edge| edge.source == source && edge.target == target);
            assert_eq!(linked, nodes.contains(&source) && nodes.contains(&target), "{}", used.term);
        }
        assert!(graph.edges.iter().all(|edge| (1..=5).contains(&edge.weight) && edge.source != edge.target));
        assert!(graph.edges.iter().all(|edge| nodes.contains(&edge.source) && nodes.contains(&edge.target)));
    }
}

#[test]
fn a_warning_is_a_sentence() {
    for corpus in corpus() {
        for warning in graph::extract(&agreement(&corpus)).warnings {
            assert!(warning.message.ends_with('.') && warning.message.contains(&warning.subject), "{warning:?}");
        }
    }
}

/// A reference that lost its number says which clause may have been meant.
#[test]
fn a_dangling_reference_names_the_clause_of_its_title() {
    let leveraged = &corpus()[1];
    let warnings = graph::extract(&agreement(leveraged)).warnings;
    let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert!(
        messages
            .contains(&"Refers to Clause 14, which is not there. A clause of that title is Clause 6 Payment Dates."),
        "{messages:?}"
    );
}

/// Reading takes time by the word, whatever the words are: seconds for all of these even without optimization, where effort
/// that grows with the square of the length would take many minutes.
#[test]
fn long_clauses_are_read_in_proportionate_time() {
    const LENGTH: usize = 1 << 16;
    let started = std::time::Instant::now();
    for piece in [
        "\"A\",",
        "a\n",
        "(the \"A\") ",
        "Clause 1, ",
        "Clauses 1, 2, ",
        "Lender ",
        "(((\"",
        "\"A\" means a B\n",
        "' A'",
    ] {
        let body = piece.repeat(LENGTH / piece.len());
        let reading = read_clause("1 Long", &body);
        let clause = Clause {
            id: Uuid::nil(),
            title: "1 Long".to_owned(),
            body,
            kind: TermKind::Financial,
            is_sensitive: false,
            drifts: false,
        };
        assert_eq!(graph::link(&[(clause, reading)], &[]).nodes.len(), 1);
    }
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
}
