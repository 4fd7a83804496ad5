//! The graph, read: every type, every field, both directions; and how many statements it takes.

use crate::support::{Gateway, HOME};

/// The document of a loan, four levels deep.
const DOCUMENT: &str = "{
    workspaces(first: 3) { nodes { name
        clauses(first: 20) { nodes { title
            variables(first: 10) { nodes { label value
                graphNodes(first: 5) { nodes { label hasDrift } } } } } } } }
}";

#[tokio::test]
async fn the_four_level_document_takes_a_statement_per_level() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let answer = cfo.query(DOCUMENT).await;
    // The first request of a session on a gateway reads the actor as well.
    assert!(answer.statements() <= 5, "{}", answer.statements());
    let data = answer.ok();
    let clause = &data["workspaces"]["nodes"][0]["clauses"]["nodes"];
    assert!(clause.as_array().is_some_and(|clauses| clauses.len() == 20), "{data:#}");
    assert_eq!(cfo.query(DOCUMENT).await.statements(), 4);
    assert_eq!(cfo.query(&DOCUMENT.replace("first: 3", "first: 1")).await.statements(), 4);
}

#[tokio::test]
async fn a_demo_user_signs_in_and_reads_its_own_organization() {
    let gateway = Gateway::demo().await;
    let data = gateway.cfo().await.data("{ me { user { organization { slug } } } organizations { totalCount } }").await;
    assert_eq!(data["me"]["user"]["organization"]["slug"], HOME);
}
