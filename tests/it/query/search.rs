//! Full-text search over clauses: what is found, in which order, and by which index.

use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use serde_json::{Value, json};

use crate::support::{Gateway, User};

/// A workspace of the CFO's own, with clauses that have these bodies.
const CLAUSES: &str = "WITH cfo AS (
        SELECT u.id, u.organization_id FROM users u JOIN organizations o ON o.id = u.organization_id
        WHERE u.email = 'sarah.chen@aether-demo.com' AND o.slug = 'aether-demo'
    ), workspace AS (
        INSERT INTO workspaces (organization_id, name, created_by_id) SELECT organization_id, 'Search', id FROM cfo RETURNING id
    ), member AS (
        INSERT INTO workspace_members (workspace_id, user_id, role, is_admin, status, joined_at)
        SELECT workspace.id, cfo.id, 'agent', true, 'active', now() FROM workspace, cfo
    )
    INSERT INTO clauses (workspace_id, title, body, type, order_index, last_modified_by)
    SELECT workspace.id, 'S' || n, body, 'general', n, cfo.id FROM workspace, cfo, unnest(ARRAY[
        'Zyzzyva once, and nothing else.',
        'Zyzzyva zyzzyva zyzzyva: thrice the word, so this answers best.',
        'A zyzzyva of the fluorescent kind repays the quixotic lender.',
        'The quixotic fluorescent zyzzyva stands in another order.',
        'Fluorescent quixotic matters only.',
        'Zyzzyvas in the plural, and repaying, are found by their stems.',
        'None of them: 100% of the a_b is here.'
    ]) WITH ORDINALITY AS v(body, n)";

/// As many clauses that tie as pages need.
const TIES: &str = "INSERT INTO clauses (workspace_id, title, body, type, order_index, last_modified_by)
    SELECT w.id, 'T' || n, repeat('brobdingnag ', 1 + n % 3) || 'filler', 'general', 100 + n, w.created_by_id
    FROM workspaces w, generate_series(1, 20) n WHERE w.name = 'Search'";

/// The titles found, in order.
async fn found(user: &User<'_>, search: &str) -> Vec<String> {
    let query = "query($search: String!) { clauses(search: $search, first: 500) { totalCount nodes { title } } }";
    let data = user.run(query, json!({ "search": search })).await.ok();
    let nodes = data["clauses"]["nodes"].as_array().expect("nodes");
    assert_eq!(data["clauses"]["totalCount"], nodes.len());
    nodes.iter().map(|node| node["title"].as_str().expect("a title").to_owned()).collect()
}

async fn found_in_any_order(user: &User<'_>, search: &str) -> Vec<String> {
    let mut titles = found(user, search).await;
    titles.sort();
    titles
}

#[tokio::test]
async fn words_phrases_alternatives_and_exclusions_find_what_they_say() {
    let gateway = Gateway::demo().await;
    gateway.execute(CLAUSES).await;
    let cfo = gateway.cfo().await;
    assert_eq!(found(&cfo, "zyzzyva").await[0], "S2", "the best comes first");
    assert_eq!(found_in_any_order(&cfo, "ZYZZYVA").await, ["S1", "S2", "S3", "S4", "S6"]);
    assert_eq!(found_in_any_order(&cfo, "fluorescent quixotic").await, ["S3", "S4", "S5"]);
    assert_eq!(found(&cfo, "\"fluorescent quixotic\"").await, ["S5"], "next to each other, in this order");
    assert_eq!(found(&cfo, "\"quixotic fluorescent zyzzyva\"").await, ["S4"]);
    assert_eq!(found_in_any_order(&cfo, "zyzzyva -quixotic").await, ["S1", "S2", "S6"]);
    assert_eq!(found_in_any_order(&cfo, "\"fluorescent quixotic\" OR \"thrice the word\"").await, ["S2", "S5"]);
    assert_eq!(found(&cfo, "zyzzyva plural").await, ["S6"], "words are found by their stems");
    for nothing in ["xyzzyxnowhere", "zyzzyva -zyzzyva", "the", "%", "' OR true --", "\"", "()|:*<->"] {
        let titles = found(&cfo, nothing).await;
        assert!(titles.is_empty() || nothing == "{nothing}: {titles:?}");
    }
    // Together with a filter, under a parent, counted for it.
    let nested = cfo
        .data(
            "{ workspaces(filter: { name: { eq: \"Search\" } }) { nodes {
                clauses(search: \"zyzzyva\", first: 2, filter: { title: { ne: \"S2\" } }) { totalCount nodes { title } } } }
              none: workspaces(filter: { name: { ne: \"Search\" } }) { nodes { clauses(search: \"zyzzyva\") { totalCount nodes { id } } } } }",
        )
        .await;
    let clauses = &nested["workspaces"]["nodes"][0]["clauses"];
    assert_eq!((&clauses["totalCount"], clauses["nodes"].as_array().map(Vec::len)), (&json!(4), Some(2)));
    for other in nested["none"]["nodes"].as_array().expect("nodes") {
        assert_eq!(other["clauses"], json!({ "totalCount": 0, "nodes": [] }));
    }
    // Searching orders by rank unless another order is asked for.
    let ordered =
        cfo.data("{ clauses(search: \"zyzzyva\", orderBy: { field: ORDER_INDEX }) { nodes { title } } }").await;
    let titles: Vec<_> =
        ordered["clauses"]["nodes"].as_array().expect("nodes").iter().map(|node| &node["title"]).collect();
    assert_eq!(titles, ["S1", "S2", "S3", "S4", "S6"]);
}

#[tokio::test]
async fn a_search_without_a_word_is_refused() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    for search in ["", " ", "\t\n"] {
        let answer = cfo
            .run("query($search: String) { clauses(search: $search) { totalCount } }", json!({ "search": search }))
            .await;
        assert_eq!(answer.code(), "VALIDATION_FAILED");
        assert_eq!(answer.body["errors"][0]["extensions"]["field"], "search");
    }
    let query = "query($search: String) { found: clauses(search: $search) { totalCount } all: clauses { totalCount } }";
    let data = cfo.run(query, json!({ "search": null })).await.ok();
    assert_eq!(data["found"], data["all"], "null is not a search");
    for search in [json!("a\u{0}b"), json!("x".repeat(5_000))] {
        assert_eq!(cfo.run(query, json!({ "search": search })).await.code(), "VALIDATION_FAILED");
    }
    // There is nothing to search elsewhere.
    assert_eq!(cfo.query("{ deals(search: \"x\") { totalCount } }").await.code(), "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn edges_tell_rank_and_snippet_and_the_order_is_that_of_the_rank() {
    let gateway = Gateway::demo().await;
    gateway.execute(CLAUSES).await;
    let cfo = gateway.cfo().await;
    let data = cfo.data("{ clauses(search: \"zyzzyva\") { edges { rank snippet node { id } } } }").await;
    let edges = data["clauses"]["edges"].as_array().expect("edges");
    let ranks: Vec<_> = edges.iter().map(|edge| edge["rank"].as_f64().expect("a number")).collect();
    assert!(ranks.is_sorted_by(|a, b| a >= b) && ranks[0] > ranks[1], "{ranks:?}");
    let sql = "SELECT id, ts_rank_cd(to_tsvector('english', body), websearch_to_tsquery('english', 'zyzzyva'))::float8 AS rank
        FROM clauses WHERE to_tsvector('english', body) @@ websearch_to_tsquery('english', 'zyzzyva')";
    let expected = gateway.rows(sql).await;
    assert_eq!(expected.len(), edges.len());
    for edge in edges {
        let rank = expected.iter().find(|row| row["id"] == edge["node"]["id"]).expect("the same rows")["rank"].as_f64();
        assert!((rank.expect("a rank") - edge["rank"].as_f64().expect("a rank")).abs() < 1e-5);
        let snippet = edge["snippet"].as_str().expect("a snippet").to_lowercase();
        assert!(snippet.contains("**zyzzyva"), "{snippet}");
    }
    let none = cfo.data("{ clauses(first: 1) { edges { rank snippet } } }").await;
    assert_eq!(none["clauses"]["edges"][0], json!({ "rank": null, "snippet": null }));
    // A snippet is a piece, not the whole.
    gateway
        .execute("UPDATE clauses SET body = repeat('Many other words come before it. ', 200) || 'Then the gallimaufry.' WHERE title = 'S7'")
        .await;
    let data = cfo.data("{ clauses(search: \"gallimaufry\") { edges { snippet } } }").await;
    let snippet = data["clauses"]["edges"][0]["snippet"].as_str().expect("a snippet");
    assert!(snippet.contains("**gallimaufry**") && snippet.len() < 1_000, "{snippet}");
}

#[tokio::test]
async fn ranked_results_are_paged_by_cursor_though_ranks_tie() {
    let gateway = Gateway::demo().await;
    gateway.execute(CLAUSES).await;
    gateway.execute(TIES).await;
    let cfo = gateway.cfo().await;
    let expected = found(&cfo, "brobdingnag").await;
    assert_eq!(expected.len(), 20);
    for (count, from, more, next) in
        [("first", "after", "hasNextPage", "endCursor"), ("last", "before", "hasPreviousPage", "startCursor")]
    {
        let query = format!(
            "query($cursor: String, $search: String!) {{ clauses({count}: 3, {from}: $cursor, search: $search) {{
                nodes {{ title }} pageInfo {{ more: {more} next: {next} }} }} }}"
        );
        let (mut pages, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let data = cfo.run(&query, json!({ "cursor": cursor, "search": "brobdingnag" })).await.ok();
            let page = &data["clauses"];
            let nodes = page["nodes"].as_array().expect("nodes");
            pages
                .push(nodes.iter().map(|node| node["title"].as_str().expect("a title").to_owned()).collect::<Vec<_>>());
            if page["pageInfo"]["more"] == false {
                break;
            }
            cursor = page["pageInfo"]["next"].clone();
        }
        if count == "last" {
            pages.reverse();
        }
        assert_eq!(pages.len(), 7);
        assert_eq!(pages.concat(), expected, "{count}");
        // It belongs to this search.
        let other = cfo.run(&query, json!({ "cursor": cursor, "search": "zyzzyva" })).await;
        assert_eq!(
            (other.code(), &other.body["errors"][0]["extensions"]["field"]),
            ("VALIDATION_FAILED", &json!(from))
        );
    }
}

#[tokio::test]
async fn the_index_on_bodies_answers_the_search() {
    let gateway = Gateway::demo().await;
    let transaction = gateway.owner.begin().await.expect("a transaction");
    transaction.execute_unprepared("SET LOCAL enable_seqscan = off").await.expect("a setting");
    // The condition as the gateway writes it; `statements.rs` has the statement itself.
    let sql = "EXPLAIN SELECT id FROM clauses t
        WHERE to_tsvector('english', t.\"body\") @@ websearch_to_tsquery('english', 'interest OR \"default event\" -fee'::text)";
    let rows = transaction.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.expect("a plan");
    let plan: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).expect("a line")).collect();
    assert!(plan.iter().any(|line| line.contains("idx_clauses_body_search")), "{plan:#?}");
}
