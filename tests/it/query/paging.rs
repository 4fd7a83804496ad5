//! Pages: a walk forward or backward misses nothing and repeats nothing, whatever the order and whatever changes meanwhile.

use std::collections::BTreeMap;

use futures::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use serde_json::{Value, json};

use crate::support::{Answer, Gateway, User};

const HOME_ID: &str = "(SELECT id FROM organizations WHERE slug = 'aether-demo')";

/// Vendors that tie and have nulls in every kind of column, 26 of them.
const VENDORS: &str = "INSERT INTO vendors (organization_id, name, category, description, contract_value,
        contract_end_date, auto_renewal, risk_level, created_at)
    SELECT o.id, 'Walk ' || n, 'Walk', (ARRAY['', 'B', 'a', 'Ünder \"quoted\" \\', NULL])[n % 5 + 1],
        CASE WHEN n % 3 > 0 THEN n % 4 + 0.10 END, CASE WHEN n % 4 > 0 THEN DATE '2026-01-01' + n % 3 END,
        n % 2 = 0, (enum_range(NULL::risk_level))[n % 3 + 1],
        TIMESTAMPTZ '2026-01-01 00:00:00.123456Z' + n % 6 * INTERVAL '1 microsecond'
    FROM organizations o, generate_series(1, 26) n WHERE o.slug = 'aether-demo'";

/// Anomalies for the kinds that vendors have no nullable column of: moments, ids, whole days, percentages below zero.
const ANOMALIES: &str = "INSERT INTO anomalies (organization_id, metric_type, severity, description, primary_driver,
        assigned_to, assigned_at, impact_percentage, affected_period_start)
    SELECT o.id, 'REVENUE', (enum_range(NULL::severity_level))[n % 3 + 1], 'Walk', 'Walk',
        (SELECT u.id FROM users u WHERE u.organization_id = o.id AND n % 3 > 0 ORDER BY u.id OFFSET n % 4 LIMIT 1),
        CASE WHEN n % 4 > 0 THEN TIMESTAMPTZ '1999-12-31 23:59:59.999998Z' + n % 5 * INTERVAL '1 microsecond' END,
        CASE WHEN n % 5 > 0 THEN n % 3 - 1.25 END, CASE WHEN n % 7 > 0 THEN DATE '1999-12-30' + n % 5 END
    FROM organizations o, generate_series(1, 26) n WHERE o.slug = 'aether-demo'";

/// One term of an order: column, whether it descends, whether nulls come first.
type Term = (&'static str, bool, bool);

/// The columns of text among them.
const TEXTS: [&str; 2] = ["name", "description"];

const ASC: bool = false;
const DESC: bool = true;
const LAST: bool = false;
const FIRST: bool = true;

fn order_by(terms: &[Term]) -> String {
    let term = |(column, descending, nulls_first): &Term| {
        let direction = if *descending { "DESC" } else { "ASC" };
        let nulls = if *nulls_first { "FIRST" } else { "LAST" };
        format!("{{ field: {}, direction: {direction}, nulls: {nulls} }}", column.to_uppercase())
    };
    format!("orderBy: [{}]", terms.iter().map(term).collect::<Vec<_>>().join(", "))
}

fn order_sql(terms: &[Term]) -> String {
    let direction = |descending: bool| if descending { "DESC" } else { "ASC" };
    let mut sql = String::new();
    for (column, descending, nulls_first) in terms {
        let nulls = if *nulls_first { "FIRST" } else { "LAST" };
        let collation = if TEXTS.contains(column) { "COLLATE natural_order" } else { "" };
        sql += &format!("{column} {collation} {} NULLS {nulls}, ", direction(*descending));
    }
    sql + "id " + direction(terms.last().is_some_and(|term| term.1))
}

/// The values of the first column that SQL gives, as text.
async fn column(gateway: &Gateway, sql: &str) -> Vec<String> {
    gateway
        .rows(sql)
        .await
        .iter()
        .map(|row| text(row.as_object().and_then(|row| row.values().next()).expect("a column")))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no string: {value}")).to_owned()
}

fn ids(connection: &Value) -> Vec<String> {
    connection["nodes"].as_array().expect("nodes").iter().map(|node| text(&node["id"])).collect()
}

/// Every id of a connection, page by page.
async fn walk(user: &User<'_>, field: &str, arguments: &str, size: usize, backward: bool) -> Vec<String> {
    let (count, from) = if backward { ("last", "before") } else { ("first", "after") };
    let (more, next) = if backward { ("hasPreviousPage", "startCursor") } else { ("hasNextPage", "endCursor") };
    let query = format!(
        "query($cursor: String) {{ page: {field}({count}: {size}, {from}: $cursor, {arguments}) {{
            nodes {{ id }} pageInfo {{ {more} {next} }} }} }}"
    );
    let (mut found, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = user.run(&query, json!({ "cursor": cursor })).await.ok()["page"].take();
        let rows = ids(&page);
        let more = page["pageInfo"][more] == true;
        assert!(rows.len() == size || !more && rows.len() < size, "{field}({arguments}): {} of {size}", rows.len());
        if backward {
            found.splice(0..0, rows);
        } else {
            found.extend(rows);
        }
        assert!(found.len() <= 2_000, "{field}({arguments}) does not end");
        if !more {
            return found;
        }
        cursor = page["pageInfo"][next].clone();
    }
}

async fn walks_as(gateway: &Gateway, user: &User<'_>, field: &str, arguments: &str, sizes: &[usize], sql: &str) {
    let expected = column(gateway, sql).await;
    assert!(!expected.is_empty(), "{sql}");
    for &size in sizes {
        for backward in [false, true] {
            let found = walk(user, field, arguments, size, backward).await;
            assert_eq!(found, expected, "{field}({arguments}) by {size}, backward: {backward}");
        }
    }
}

#[tokio::test]
async fn a_walk_gives_the_rows_that_sql_gives_in_every_order_and_direction() {
    let gateway = Gateway::demo().await;
    gateway.execute(VENDORS).await;
    gateway.execute(ANOMALIES).await;
    let cfo = gateway.cfo().await;
    let mut orders: Vec<(&str, &str, Vec<Term>)> = Vec::new();
    let of_vendors =
        ["description", "contract_value", "contract_end_date", "auto_renewal", "risk_level", "created_at", "name"];
    let of_anomalies = ["assigned_to", "assigned_at", "impact_percentage", "affected_period_start", "severity"];
    for (field, column) in of_vendors.map(|c| ("vendors", c)).into_iter().chain(of_anomalies.map(|c| ("anomalies", c)))
    {
        let marked = if field == "vendors" { "category" } else { "primary_driver" };
        for (direction, nulls) in [(ASC, LAST), (ASC, FIRST), (DESC, LAST), (DESC, FIRST)] {
            orders.push((field, marked, vec![(column, direction, nulls)]));
        }
    }
    let mixed: [&[Term]; 6] = [
        &[("auto_renewal", ASC, LAST), ("contract_value", DESC, LAST), ("description", ASC, FIRST)],
        &[("contract_end_date", DESC, FIRST), ("contract_value", ASC, LAST), ("created_at", DESC, LAST)],
        &[("risk_level", DESC, LAST), ("created_at", DESC, LAST)],
        &[("risk_level", ASC, LAST), ("created_at", DESC, LAST), ("auto_renewal", ASC, LAST)],
        &[("contract_value", DESC, FIRST), ("contract_value", ASC, LAST)],
        &[("description", ASC, FIRST), ("contract_end_date", ASC, FIRST), ("contract_value", ASC, FIRST)],
    ];
    orders.extend(mixed.map(|terms| ("vendors", "category", terms.to_vec())));
    let walks = orders.iter().map(|(field, marked, terms)| {
        let (gateway, cfo) = (&gateway, &cfo);
        async move {
            let filter = format!(
                "filter: {{ {}: {{ eq: \"Walk\" }} }}",
                if *field == "vendors" { "category" } else { "primaryDriver" }
            );
            let sql = format!("SELECT id FROM {field} WHERE {marked} = 'Walk' ORDER BY {}", order_sql(terms));
            walks_as(gateway, cfo, field, &format!("{filter}, {}", order_by(terms)), &[4, 26], &sql).await;
        }
    });
    join_all(walks).await;
    // Every cut once, in an order that has everything: nulls, ties, both directions.
    let terms = mixed[0];
    let sql = format!("SELECT id FROM vendors WHERE category = 'Walk' ORDER BY {}", order_sql(terms));
    let arguments = format!("filter: {{ category: {{ eq: \"Walk\" }} }}, {}", order_by(terms));
    walks_as(&gateway, &cfo, "vendors", &arguments, &[1, 2, 3, 5, 13, 25, 27, 500], &sql).await;
}

/// The order is that of the Unicode Collation Algorithm with numbers by their value, written down by hand: letters first without regard to
/// accents and case, then accents, then small letters before capitals.
#[tokio::test]
async fn text_is_sorted_as_people_sort_it() {
    const SORTED: [&str; 15] = [
        "_draft",
        "(none)",
        "9 Lives",
        "10 Downing",
        "Äpfel",
        "apple",
        "Apple",
        "Apples",
        "Clause 2.9",
        "Clause 2.10",
        "Clause 10",
        "cote",
        "coté",
        "Öl",
        "Zebra",
    ];
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let mut shuffled = SORTED;
    shuffled.sort_by_key(|name| std::cmp::Reverse(name.bytes().rev().collect::<Vec<_>>()));
    for name in shuffled {
        gateway
            .execute(&format!(
                "INSERT INTO vendors (organization_id, name, category) VALUES ({HOME_ID}, '{name}', 'Sorted')"
            ))
            .await;
    }
    let names = |connection: &Value| -> Vec<String> {
        connection["nodes"].as_array().expect("nodes").iter().map(|node| text(&node["name"])).collect()
    };
    let all = cfo
        .data(
            "{ up: vendors(first: 50, filter: { category: { eq: \"Sorted\" } }) { nodes { name } }
               down: vendors(first: 50, filter: { category: { eq: \"Sorted\" } }, orderBy: { field: NAME, direction: DESC }) { nodes { name } }
               from: vendors(first: 50, filter: { category: { eq: \"Sorted\" }, name: { gte: \"apple\", lt: \"ÖL\" } }) { nodes { name } } }",
        )
        .await;
    assert_eq!(names(&all["up"]), SORTED);
    assert_eq!(names(&all["down"]), SORTED.iter().rev().copied().collect::<Vec<_>>());
    // What is greater is what comes later.
    assert_eq!(names(&all["from"]), SORTED[5..14]);
    let sql = "SELECT id FROM vendors WHERE category = 'Sorted' ORDER BY name COLLATE natural_order, id";
    walks_as(&gateway, &cfo, "vendors", "filter: { category: { eq: \"Sorted\" } }", &[1, 4], sql).await;
    // Indexes are in that order, so that a page needs no sorting.
    let transaction = gateway.owner.begin().await.expect("a transaction");
    transaction
        .execute_unprepared(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off",
        )
        .await
        .expect("a setting");
    for (table, parent, key) in [
        ("vendors", "organization_id", "name"),
        ("departments", "parent_id", "name"),
        ("compliance_controls", "organization_id", "control_id"),
        ("data_lineage_nodes", "organization_id", "node_key"),
        ("variables", "clause_id", "label"),
        ("graph_nodes", "variable_id", "label"),
        ("covenants", "clause_id", "name"),
        ("budget_line_items", "budget_id", "category"),
        ("downstream_connectors", "workspace_id", "name"),
    ] {
        let sql = format!(
            "EXPLAIN SELECT id FROM {table} t WHERE t.{parent} = '0199aaaa-0000-7000-8000-000000000000'
             ORDER BY t.{key} COLLATE natural_order, t.id LIMIT 5"
        );
        let rows = transaction.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.expect("a plan");
        let plan: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).expect("a line")).collect();
        assert!(!plan.iter().any(|line| line.contains("Sort")), "{table}: {plan:#?}");
    }
}

#[tokio::test]
async fn default_orders_are_those_that_are_declared_and_walk_to_the_end() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let orders = [
        ("deals", "deals", "created_at DESC, id DESC"),
        ("vendors", "vendors", "name COLLATE natural_order, id"),
        ("vendorSpends", "vendor_spend", "period_date DESC, id DESC"),
        ("departments", "departments", "name COLLATE natural_order, id"),
        ("budgets", "budgets", "fiscal_year DESC, name COLLATE natural_order, id"),
        ("anomalies", "anomalies", "detected_at DESC, id DESC"),
        ("kpiSummaries", "mv_kpi_summary", "period DESC, metric_type, id"),
        ("pipelineSummaries", "mv_pipeline_summary", "stage, region, segment, id"),
        ("pipelineSnapshots", "pipeline_snapshots", "snapshot_date DESC, id DESC"),
        ("complianceControls", "compliance_controls", "control_id COLLATE natural_order, id"),
        ("dataLineageNodes", "data_lineage_nodes", "node_key COLLATE natural_order, id"),
        ("integrations", "integrations", "name COLLATE natural_order, id"),
    ];
    for (field, table, order) in orders {
        let sql = format!("SELECT id FROM {table} WHERE organization_id = {HOME_ID} ORDER BY {order}");
        walks_as(&gateway, &cfo, field, "filter: {}", &[187], &sql).await;
        let total = cfo.data(&format!("{{ all: {field} {{ totalCount }} }}")).await["all"]["totalCount"].clone();
        assert_eq!(total, column(&gateway, &sql).await.len(), "{field}");
    }
}

#[tokio::test]
async fn rows_inserted_and_deleted_between_two_pages_shift_nothing() {
    let gateway = Gateway::demo().await;
    gateway.execute(VENDORS).await;
    let cfo = gateway.cfo().await;
    let all = "filter: { category: { eq: \"Walk\" } }, orderBy: [{ field: CONTRACT_VALUE }, { field: NAME, direction: DESC }]";
    let before = walk(&cfo, "vendors", all, 500, false).await;
    let page = cfo
        .data(&format!("{{ vendors(first: 10, {all}) {{ nodes {{ id }} pageInfo {{ startCursor endCursor }} }} }}"))
        .await;
    let cursor = text(&page["vendors"]["pageInfo"]["endCursor"]);
    let row = |name: &str, value: &str| {
        format!(
            "INSERT INTO vendors (organization_id, name, category, contract_value)
             VALUES ({HOME_ID}, '{name}', 'Walk', {value}) RETURNING id"
        )
    };
    // One before everything, one at the very end; and the row that the cursor was taken from goes.
    gateway.execute(&row("Early", "0")).await;
    gateway.execute(&row("A last one", "NULL")).await;
    gateway.execute(&format!("DELETE FROM vendors WHERE id = '{}'", before[9])).await;
    let rest =
        cfo.data(&format!("{{ vendors(first: 500, after: \"{cursor}\", {all}) {{ nodes {{ id name }} }} }}")).await;
    let rest = ids(&rest["vendors"]);
    assert_eq!(rest[..rest.len() - 1], before[10..]);
    let back =
        cfo.data(&format!("{{ vendors(last: 500, before: \"{cursor}\", {all}) {{ nodes {{ id name }} }} }}")).await;
    assert_eq!(back["vendors"]["nodes"][0]["name"], "Early");
    assert_eq!(ids(&back["vendors"])[1..], before[..9]);
    // A page between two cursors.
    let start = text(&page["vendors"]["pageInfo"]["startCursor"]);
    for count in ["first", "last"] {
        let between = format!(
            "{{ vendors({count}: 500, after: \"{start}\", before: \"{cursor}\", {all}) {{ nodes {{ id }} }} }}"
        );
        assert_eq!(ids(&cfo.data(&between).await["vendors"]), before[1..9]);
    }
}

#[tokio::test]
async fn a_page_tells_where_it_stands() {
    let gateway = Gateway::demo().await;
    gateway.execute(VENDORS).await;
    let cfo = gateway.cfo().await;
    let page = async |arguments: &str| {
        let query = format!(
            "{{ vendors({arguments}) {{ totalCount nodes {{ id }} edges {{ cursor node {{ id }} }}
                pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
        );
        let page = cfo.data(&query).await["vendors"].take();
        let edges = page["edges"].as_array().expect("edges");
        let of_edges: Vec<_> = edges.iter().map(|edge| text(&edge["node"]["id"])).collect();
        assert_eq!(of_edges, ids(&page), "edges and nodes are the same rows");
        let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
        assert_eq!(page["pageInfo"]["startCursor"], cursor(edges.first()));
        assert_eq!(page["pageInfo"]["endCursor"], cursor(edges.last()));
        page
    };
    let walk = "filter: { category: { eq: \"Walk\" } }";
    let stands = |page: &Value| {
        let info = &page["pageInfo"];
        (ids(page).len(), info["hasPreviousPage"] == true, info["hasNextPage"] == true, page["totalCount"].as_u64())
    };
    let (before, after) = (true, true);
    assert_eq!(stands(&page(&format!("first: 25, {walk}")).await), (25, !before, after, Some(26)));
    assert_eq!(stands(&page(&format!("first: 26, {walk}")).await), (26, !before, !after, Some(26)));
    assert_eq!(stands(&page(&format!("last: 25, {walk}")).await), (25, before, !after, Some(26)));
    assert_eq!(stands(&page(&format!("last: 26, {walk}")).await), (26, !before, !after, Some(26)));
    assert_eq!(stands(&page(&format!("first: 0, {walk}")).await), (0, !before, after, Some(26)));
    assert_eq!(stands(&page(&format!("last: 0, {walk}")).await), (0, before, !after, Some(26)));
    assert_eq!(stands(&page(walk).await), (20, !before, after, Some(26)), "20 unless said");
    let none = "filter: { category: { eq: \"Nobody\" } }";
    for arguments in [none.to_owned(), format!("first: 0, {none}"), format!("last: 3, {none}")] {
        assert_eq!(stands(&page(&arguments).await), (0, !before, !after, Some(0)), "{arguments}");
    }
    let end = text(&page(&format!("first: 26, {walk}")).await["pageInfo"]["endCursor"]);
    assert_eq!(stands(&page(&format!("first: 5, after: \"{end}\", {walk}")).await), (0, before, !after, Some(26)));
    let start = text(&page(&format!("first: 1, {walk}")).await["pageInfo"]["startCursor"]);
    assert_eq!(stands(&page(&format!("last: 5, before: \"{start}\", {walk}")).await), (0, !before, after, Some(26)));
    // A cursor taken from any edge continues behind that edge.
    let edges = page(&format!("first: 26, {walk}")).await;
    for at in [0, 7, 24] {
        let cursor = text(&edges["edges"][at]["cursor"]);
        let next = page(&format!("first: 1, after: \"{cursor}\", {walk}")).await;
        assert_eq!(next["nodes"][0], edges["nodes"][at + 1]);
    }
}

#[tokio::test]
async fn one_connection_serves_many_aliases_fragments_and_variables() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let all = walk(&cfo, "deals", "filter: {}", 500, false).await;
    let data = cfo
        .data(
            "{ two: deals(first: 2) { nodes { id } }
               three: deals(first: 3) { totalCount nodes { key: id id } again: nodes { id } }
               back: deals(last: 1) { edges { node { id __typename } __typename } pageInfo { __typename } __typename } }",
        )
        .await;
    assert_eq!(ids(&data["two"]), all[..2]);
    assert_eq!(ids(&data["three"]), all[..3]);
    assert_eq!(data["three"]["nodes"][2], json!({ "key": all[2], "id": all[2] }));
    assert_eq!(data["three"]["again"][0], json!({ "id": all[0] }));
    assert_eq!(data["three"]["totalCount"], all.len());
    assert_eq!(
        data["back"],
        json!({
            "edges": [{ "node": { "id": all[all.len() - 1], "__typename": "Deal" }, "__typename": "DealEdge" }],
            "pageInfo": { "__typename": "PageInfo" },
            "__typename": "DealConnection",
        })
    );
    // Fields of one response key are one field, wherever they stand.
    let merged = cfo
        .query(
            "query { deals(first: 2) { nodes { id } } deals(first: 2) { nodes { name } totalCount } ...More ... { deals(first: 2) { nodes { stage } } } }
             fragment More on Query { deals(first: 2) { ...Page pageInfo { hasNextPage } } }
             fragment Page on DealConnection { nodes { ...Row ... on Node { nodeId } } }
             fragment Row on Deal { value owner { id } owner { name } history(first: 1) { totalCount } history(first: 1) { nodes { id } } }",
        )
        .await
        .ok();
    let node = &merged["deals"]["nodes"][1];
    assert_eq!(node["id"], all[1]);
    for key in ["name", "stage", "value", "nodeId"] {
        assert!(node[key].is_string(), "{key}: {merged:#}");
    }
    assert!(
        node["owner"]["name"].is_string() && node["owner"]["id"].is_string() || node["owner"].is_null(),
        "{node:#}"
    );
    assert!(node["history"]["totalCount"].is_u64() && node["history"]["nodes"].is_array(), "{node:#}");
    assert_eq!(merged["deals"]["totalCount"], all.len());
    assert_eq!(merged["deals"]["pageInfo"]["hasNextPage"], true);
    // Directives and variables: given, defaulted, null, left out.
    let query =
        "query($n: Int = 3, $cursor: String, $filter: DealFilter, $order: [DealOrder!], $with: Boolean = false) {
        deals(first: $n, after: $cursor, filter: $filter, orderBy: $order) {
            nodes { id name @include(if: $with) stage @skip(if: true) ... @include(if: $with) { value } }
            totalCount @skip(if: $with)
            pageInfo { endCursor }
        }
        vendors @include(if: $with) { totalCount }
    }";
    let run = async |variables: Value| cfo.run(query, variables).await.ok();
    let plain = run(json!({})).await;
    assert_eq!(ids(&plain["deals"]), all[..3]);
    assert_eq!(plain["deals"]["nodes"][0], json!({ "id": all[0] }));
    assert_eq!(plain["deals"]["totalCount"], all.len());
    assert!(plain.get("vendors").is_none(), "{plain}");
    let with = run(json!({ "n": 1, "with": true, "cursor": plain["deals"]["pageInfo"]["endCursor"] })).await;
    assert_eq!(ids(&with["deals"]), all[3..4]);
    assert!(
        with["deals"]["nodes"][0]["value"].is_string() && with["deals"]["nodes"][0].get("name").is_some(),
        "{with:#}"
    );
    assert!(with["deals"].get("totalCount").is_none() && with["vendors"]["totalCount"].is_u64(), "{with:#}");
    let nulls = run(json!({ "n": null, "cursor": null, "filter": null, "order": null })).await;
    assert_eq!(ids(&nulls["deals"]), all[..20]);
    let order =
        json!({ "order": { "field": "ID", "direction": "DESC" }, "filter": { "stage": { "in": ["PROPOSAL"] } } });
    let sql = format!(
        "SELECT id FROM deals WHERE stage = 'Proposal' AND organization_id = {HOME_ID} ORDER BY id DESC LIMIT 3"
    );
    assert_eq!(ids(&run(order).await["deals"]), column(&gateway, &sql).await);
    // Fields that would have to be two things at once are refused, at any depth.
    for conflict in [
        "{ deals(first: 1) { nodes { id } } deals(first: 2) { nodes { id } } }",
        "{ deals { nodes { name } } deals { nodes { name: stage } } }",
        "{ deals { nodes { history(first: 1) { totalCount } } } deals { nodes { history(first: 2) { totalCount } } } }",
        "{ deals { nodes { name name: stage } } }",
    ] {
        assert!(cfo.query(conflict).await.body["errors"].is_array(), "{conflict}");
    }
}

/// Asserts that an answer refuses this argument, and returns what it says.
fn refused(answer: &Answer, field: &str) -> String {
    assert_eq!(answer.code(), "VALIDATION_FAILED", "{:#}", answer.body);
    assert_eq!(answer.body["errors"][0]["extensions"]["field"], field, "{:#}", answer.body);
    answer.message().to_owned()
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_query_and_order_only() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let cursor = async |field: &str| {
        text(
            &cfo.data(&format!("{{ page: {field} {{ pageInfo {{ endCursor }} }} }}")).await["page"]["pageInfo"]["endCursor"],
        )
    };
    let own = cursor("deals(first: 3)").await;
    let elsewhere = [
        cursor("vendors(first: 3)").await,
        cursor("deals(first: 3, orderBy: { field: NAME })").await,
        cursor("deals(first: 3, orderBy: { field: CREATED_AT })").await,
        cursor("deals(first: 3, filter: { stage: { eq: PROPOSAL } })").await,
    ];
    for other in &elsewhere {
        for (count, from) in [("first", "after"), ("last", "before")] {
            let message = refused(
                &cfo.query(&format!("{{ deals({count}: 3, {from}: \"{other}\") {{ nodes {{ id }} }} }}")).await,
                from,
            );
            assert!(message.contains("belongs to another query or order"), "{message}");
        }
    }
    for garbage in ["", "x", "%%%", "bm9uc2Vuc2U", "W10", "eyJhIjoxfQ", &"A".repeat(3_000)] {
        let message =
            refused(&cfo.query(&format!("{{ deals(after: \"{garbage}\") {{ nodes {{ id }} }} }}")).await, "after");
        assert!(message.contains("cursor"), "{message}");
    }
    // The same filter, said otherwise, and the way back are the same query.
    for same in ["first: 3, filter: {}", "first: 7", "last: 2"] {
        cfo.data(&format!("{{ deals(after: \"{own}\", {same}) {{ nodes {{ id }} }} }}")).await;
    }
    // A cursor of a nested page is none of the root's, though type and order are the same.
    let nested = cfo.data("{ deals(filter: { history: { some: {} } }, first: 1) { nodes { history(first: 1) { pageInfo { endCursor } } } } }").await;
    let nested = text(&nested["deals"]["nodes"][0]["history"]["pageInfo"]["endCursor"]);
    refused(&cfo.query(&format!("{{ dealHistories(after: \"{nested}\") {{ nodes {{ id }} }} }}")).await, "after");
}

#[tokio::test]
async fn a_tampered_cursor_is_refused_or_is_another_place_but_breaks_nothing() {
    let gateway = Gateway::demo().await;
    gateway.execute(VENDORS).await;
    let cfo = gateway.cfo().await;
    let arguments =
        "first: 2, filter: { contractValue: { isNull: false }, contractEndDate: { isNull: false } }, orderBy: [
        { field: RISK_LEVEL }, { field: AUTO_RENEWAL }, { field: ROW_VERSION }, { field: CONTRACT_VALUE, nulls: FIRST },
        { field: CREATED_AT }, { field: CONTRACT_END_DATE, direction: DESC }]";
    let page = cfo.data(&format!("{{ vendors({arguments}) {{ pageInfo {{ endCursor }} }} }}")).await;
    let cursor = text(&page["vendors"]["pageInfo"]["endCursor"]);
    let json = gateway
        .value(&format!("SELECT convert_from(decode(rpad(translate('{cursor}', '-_', '+/'), (length('{cursor}') + 3) / 4 * 4, '='), 'base64'), 'UTF8')"))
        .await;
    let Value::Array(parts) = serde_json::from_str(&text(&json)).expect("JSON") else { panic!("{json}") };
    let (fingerprint, position) = (parts[0].clone(), parts[1].as_array().expect("a position").clone());
    let mut forged = Vec::new();
    let places: [&[Value]; 7] = [
        &[json!("Grave"), json!("HIGH"), json!(null), json!("low'; DROP TABLE vendors; --")],
        &[json!("maybe"), json!(null), json!(true), json!("t")],
        &[json!("2147483648"), json!("1.5"), json!("+1"), json!(" 1"), json!("")],
        &[json!("NaN"), json!("Infinity"), json!("1e999"), json!("1e3"), json!("1_000"), json!("0x10"), json!(null)],
        &[
            json!("infinity"),
            json!("0000-01-01T00:00:00Z"),
            json!("2026-06-30T23:59:60Z"),
            json!("2026-01-01T00:00:00+23:59"),
            json!("+12026-01-01T00:00:00Z"),
            json!("2026-01-01t00:00:00z"),
            json!("now"),
        ],
        &[
            json!("2026-02-30"),
            json!("-0044-03-15"),
            json!("+2026-01-01"),
            json!("2026-1-1"),
            json!("today"),
            json!(null),
        ],
        &[
            json!("urn:uuid:019312d0-3c5a-7b6e-8f00-0242ac120002"),
            json!("{019312d0-3c5a-7b6e-8f00-0242ac120002}"),
            json!("019312d03c5a7b6e8f000242ac120002"),
            json!("\u{0}"),
            json!(null),
        ],
    ];
    for (place, values) in places.iter().enumerate() {
        for value in *values {
            let mut position = position.clone();
            position[place] = value.clone();
            forged.push(json!([fingerprint, position]));
        }
    }
    let mut longer = position.clone();
    longer.push(json!("1"));
    forged.extend([
        json!([fingerprint, longer]),
        json!([fingerprint, &position[1..]]),
        json!([fingerprint, []]),
        json!([fingerprint]),
    ]);
    forged.extend([
        json!([0, position]),
        json!([-1, position]),
        json!({ "0": fingerprint }),
        json!([fingerprint, position, 1]),
    ]);
    let list = forged
        .iter()
        .map(|json| format!("('{}')", json.to_string().replace('\'', "''")))
        .collect::<Vec<_>>()
        .join(", ");
    let encoded = format!(
        "SELECT translate(encode(convert_to(json, 'UTF8'), 'base64'), '+/=' || chr(10), '-_') AS cursor
         FROM (VALUES {list}) v(json)"
    );
    let mut cursors = column(&gateway, &encoded).await;
    // And every character of the cursor, changed.
    for at in 0..cursor.len() {
        let other = if &cursor[at..=at] == "A" { "B" } else { "A" };
        cursors.push(format!("{}{other}{}", &cursor[..at], &cursor[at + 1..]));
    }
    let mut refusals = 0;
    for some in cursors.chunks(60) {
        let page = |(i, cursor): (usize, &String)| {
            format!("c{i}: vendors({arguments}, after: \"{cursor}\") {{ nodes {{ id }} }}")
        };
        let query = format!("{{ {} }}", some.iter().enumerate().map(page).collect::<Vec<_>>().join("\n"));
        let answer = cfo.query(&query).await;
        for error in answer.body["errors"].as_array().into_iter().flatten() {
            let tampered = error["path"][0].as_str().and_then(|key| key[1..].parse::<usize>().ok()).map(|i| &some[i]);
            assert_eq!(error["extensions"]["code"], "VALIDATION_FAILED", "{tampered:?} {error:#}");
            assert_eq!(error["extensions"]["field"], "after");
            refusals += 1;
        }
    }
    assert!(refusals > cursors.len() / 2, "{refusals} of {}", cursors.len());
}

#[tokio::test]
async fn a_page_that_cannot_be_is_an_error_and_never_a_cut() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let refusals = [
        ("first: 501", "first", "at most 500"),
        ("last: 501", "last", "at most 500"),
        ("first: -1", "first", "whole number"),
        ("last: -1", "last", "whole number"),
        ("first: 2, last: 2", "last", "not for both"),
        ("first: 0, last: 0", "last", "not for both"),
    ];
    for (arguments, field, says) in refusals {
        for query in [
            format!("{{ deals({arguments}) {{ nodes {{ id }} }} }}"),
            format!("{{ deals {{ nodes {{ history({arguments}) {{ nodes {{ id }} }} }} }} }}"),
            format!("{{ deals({arguments}) {{ totalCount }} }}"),
        ] {
            let answer = cfo.query(&query).await;
            let message = refused(&answer, field);
            assert!(message.contains(says), "{message}");
            assert!(answer.body["data"]["deals"].is_null(), "{:#}", answer.body);
        }
    }
    // Int has 32 bits.
    for arguments in ["first: 99999999999", "first: 1.5", "first: \"2\"", "first: true", "limit: 2"] {
        assert_eq!(
            cfo.query(&format!("{{ deals({arguments}) {{ nodes {{ id }} }} }}")).await.code(),
            "GRAPHQL_VALIDATION_FAILED",
            "{arguments}"
        );
    }
    let many = (0..9).map(|_| "{ field: NAME }").collect::<Vec<_>>().join(", ");
    refused(&cfo.query(&format!("{{ deals(orderBy: [{many}]) {{ nodes {{ id }} }} }}")).await, "orderBy");
    // Pages multiply: what a request could return at most is refused beforehand.
    let deep = "{ deals(first: 500) { nodes { history(first: 500) { nodes { deal { history(first: 500) { nodes { id } } } } } } } }";
    refused(&cfo.query(deep).await, "first");
    // 500 is a page like any other.
    assert_eq!(
        ids(&cfo.data("{ financialMetrics(first: 500) { nodes { id } } }").await["financialMetrics"]).len(),
        500
    );
    // What fails leaves the rest whole.
    let answer = cfo.query("{ bad: deals(first: 501) { totalCount } good: deals(first: 1) { nodes { id } } }").await;
    assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer.body["errors"][0]["path"], json!(["bad"]));
    assert_eq!(ids(&answer.body["data"]["good"]).len(), 1);
}

#[tokio::test]
async fn the_longest_text_still_makes_a_cursor_that_is_taken_back() {
    let gateway = Gateway::demo().await;
    gateway
        .execute(&format!(
            "INSERT INTO vendors (organization_id, name, category, risk_notes)
             SELECT {HOME_ID}, 'Long ' || n, 'Long', repeat('ü', 20000) || n FROM generate_series(1, 3) n"
        ))
        .await;
    let cfo = gateway.cfo().await;
    let sql = "SELECT id FROM vendors WHERE category = 'Long' ORDER BY risk_notes, id";
    walks_as(
        &gateway,
        &cfo,
        "vendors",
        "filter: { category: { eq: \"Long\" } }, orderBy: { field: RISK_NOTES }",
        &[1],
        sql,
    )
    .await;
}

#[tokio::test]
async fn nested_pages_are_cut_filtered_ordered_and_counted_for_each_parent() {
    let gateway = Gateway::demo().await;
    gateway
        .execute(&format!(
            "INSERT INTO deals (organization_id, region, segment, lob, stage, value, probability)
             VALUES ({HOME_ID}, 'Europe', 'SMB', 'Software', 'Prospecting', 1, 1)"
        ))
        .await;
    let cfo = gateway.cfo().await;
    // What each deal's page must be: the rows of the newest 60 deals that satisfy `condition`, `size` of each in this order.
    let expected = async |condition: &str, order: &str, size: usize| {
        let sql = format!(
            "SELECT d.id, (SELECT coalesce(jsonb_agg(r.id ORDER BY r.place), '[]') FROM (
                 SELECT h.id, row_number() OVER (ORDER BY {order}) AS place FROM deal_history h
                 WHERE h.deal_id = d.id AND {condition} ORDER BY place LIMIT {size}) r) AS rows,
                 (SELECT count(*) FROM deal_history h WHERE h.deal_id = d.id AND {condition}) AS total
             FROM deals d WHERE d.organization_id = {HOME_ID} ORDER BY d.created_at DESC, d.id DESC LIMIT 60"
        );
        let rows = gateway.rows(&sql).await.into_iter();
        rows.map(|row| (text(&row["id"]), (row["rows"].clone(), row["total"].clone()))).collect::<BTreeMap<_, _>>()
    };
    let found = async |arguments: &str| {
        let query = format!(
            "{{ deals(first: 60) {{ nodes {{ id history({arguments}) {{ totalCount nodes {{ id }} edges {{ cursor }}
                 pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }} }}"
        );
        let data = cfo.data(&query).await;
        let nodes = data["deals"]["nodes"].as_array().expect("nodes");
        assert_eq!(nodes.len(), 60);
        nodes.iter().map(|node| (text(&node["id"]), node["history"].clone())).collect::<BTreeMap<_, _>>()
    };
    let rows_of = |found: &BTreeMap<String, Value>| {
        let of = |page: &Value| (json!(ids(page)), page["totalCount"].clone());
        found.iter().map(|(id, page)| (id.clone(), of(page))).collect::<BTreeMap<_, _>>()
    };
    let newest = "h.changed_at DESC, h.id DESC";
    let two = found("first: 2").await;
    assert_eq!(rows_of(&two), expected("true", newest, 2).await);
    for page in two.values() {
        let (rows, total) = (ids(page).len() as u64, page["totalCount"].as_u64().expect("a total"));
        assert_eq!(page["pageInfo"]["hasNextPage"], total > rows);
        assert_eq!(page["pageInfo"]["hasPreviousPage"], false);
    }
    // The new deal has no history: an empty page like any other.
    let empty = two.values().find(|page| page["totalCount"] == 0).expect("a deal without history");
    let nothing = json!({ "hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null });
    assert_eq!(*empty, json!({ "totalCount": 0, "nodes": [], "edges": [], "pageInfo": nothing }));

    let filtered = "filter: { fieldChanged: { eq: \"stage\" }, changeSource: { ne: SYNC } }";
    let condition = "h.field_changed = 'stage' AND h.change_source IS DISTINCT FROM 'sync'";
    assert_eq!(rows_of(&found(&format!("first: 3, {filtered}")).await), expected(condition, newest, 3).await);
    let by_value = "orderBy: [{ field: NEW_VALUE, nulls: FIRST }, { field: CHANGED_AT, direction: DESC }]";
    let order = "h.new_value COLLATE natural_order NULLS FIRST, h.changed_at DESC, h.id DESC";
    assert_eq!(rows_of(&found(&format!("first: 4, {by_value}")).await), expected("true", order, 4).await);
    // From the end, each page in the order asked for.
    let last = rows_of(&found("last: 2").await);
    for (id, (rows, total)) in expected("true", "h.changed_at, h.id", 2).await {
        let mut rows = rows.as_array().expect("rows").clone();
        rows.reverse();
        assert_eq!(last[&id], (json!(rows), total));
    }
    // One cursor for every parent: each page goes on behind that moment.
    let cursor = two.values().map(|page| &page["pageInfo"]["endCursor"]).find(|cursor| cursor.is_string());
    let cursor = text(cursor.expect("a cursor"));
    let at = two.values().find(|page| page["pageInfo"]["endCursor"] == *cursor).expect("its page");
    let place =
        format!("(SELECT p.changed_at, p.id FROM deal_history p WHERE p.id = '{}')", ids(at).last().expect("a row"));
    let total = expected("true", newest, 1).await;
    for (arguments, comparison, order) in
        [("first: 2, after", "<", newest), ("last: 2, before", ">", "h.changed_at, h.id")]
    {
        let page = rows_of(&found(&format!("{arguments}: \"{cursor}\"")).await);
        for (id, (rows, _)) in expected(&format!("(h.changed_at, h.id) {comparison} {place}"), order, 2).await {
            let mut rows = rows.as_array().expect("rows").clone();
            if comparison == ">" {
                rows.reverse();
            }
            assert_eq!(page[&id], (json!(rows), total[&id].1.clone()), "the total does not depend on the page");
        }
    }
    // Only counted, only looked at, and several at once.
    let several = cfo
        .data(
            "{ deals(first: 60) { nodes { id counted: history { totalCount }
                one: history(first: 1) { nodes { id } } none: history(first: 0) { nodes { id } pageInfo { hasNextPage } }
                kind: history { __typename } } } }",
        )
        .await;
    for node in several["deals"]["nodes"].as_array().expect("nodes") {
        let (rows, total) = &total[node["id"].as_str().expect("an id")];
        assert_eq!((&json!(ids(&node["one"])), &node["counted"]["totalCount"]), (rows, total));
        assert_eq!(node["none"], json!({ "nodes": [], "pageInfo": { "hasNextPage": *total != json!(0) } }));
        assert_eq!(node["kind"]["__typename"], "DealHistoryConnection");
    }
}
