//! Filters: every operator of every kind of column finds what SQL finds, and nothing that a client writes is SQL.

use serde_json::{Value, json};

use crate::support::{Answer, Gateway, User};

const HOME: &str = "organization_id = (SELECT id FROM organizations WHERE slug = 'aether-demo')";

/// A filter, and the SQL condition that says the same.
type Case = (String, String);

/// The same operator in both languages: `{ field: { operator: value } }`.
fn case(filter: impl Into<String>, condition: impl Into<String>) -> Case {
    (filter.into(), condition.into())
}

/// Rows of one type in both languages.
struct Rows<'g> {
    gateway: &'g Gateway,
    user: &'g User<'g>,
    field: &'static str,
    /// Table, alias `t`, and the condition that the user sees the row.
    from: String,
}

impl<'g> Rows<'g> {
    fn new(gateway: &'g Gateway, user: &'g User<'g>, field: &'static str, table: &str, scope: &str) -> Self {
        Self { gateway, user, field, from: format!("{table} t WHERE ({scope})") }
    }

    /// Asserts that each filter finds the rows that its condition finds, and returns how many.
    async fn agree(&self, cases: &[Case]) -> Vec<usize> {
        let mut found = Vec::new();
        for some in cases.chunks(25) {
            let (mut query, mut sql) = (String::new(), String::new());
            for (i, (filter, condition)) in some.iter().enumerate() {
                query += &format!(
                    "c{i}: {}(first: 500, orderBy: {{ field: ID }}, filter: {filter}) {{ totalCount nodes {{ id }} }}\n",
                    self.field
                );
                sql += if i == 0 { "SELECT " } else { ", " };
                sql += &format!(
                    "(SELECT coalesce(jsonb_agg(t.id ORDER BY t.id), '[]') FROM {} AND ({condition})) AS c{i}",
                    self.from
                );
            }
            let expected = self.gateway.rows(&sql).await.remove(0);
            let data = self.user.data(&format!("{{ {query} }}")).await;
            for (i, (filter, condition)) in some.iter().enumerate() {
                let (page, expected) = (&data[format!("c{i}")], expected[format!("c{i}")].as_array().expect("ids"));
                let ids: Vec<_> = page["nodes"].as_array().expect("nodes").iter().map(|node| &node["id"]).collect();
                let first: Vec<_> = expected.iter().take(500).collect();
                assert_eq!(ids, first, "{}: {filter} is not {condition}", self.field);
                assert_eq!(page["totalCount"], expected.len(), "{}: {filter}", self.field);
                found.push(expected.len());
            }
        }
        found
    }

    /// The same, where each must find something and leave something out.
    async fn split(&self, cases: &[Case]) {
        let all = self.agree(&[case("{}", "true")]).await[0];
        for (found, (filter, condition)) in self.agree(cases).await.into_iter().zip(cases) {
            assert!(found > 0 && found < all, "{}: {filter}, {condition} finds {found} of {all}", self.field);
        }
    }

    /// Values of a column, as text: the least, one from the middle, the greatest.
    async fn samples(&self, column: &str) -> [String; 3] {
        let sql = format!(
            "SELECT percentile_disc(ARRAY[0.0, 0.5, 1.0]) WITHIN GROUP (ORDER BY {column}) AS v FROM {} AND {column} IS NOT NULL",
            self.from
        );
        let value = self.gateway.value(&sql).await;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        [0, 1, 2].map(|i| text(&value[i]))
    }
}

/// Equality, lists and nulls, which nearly every kind has. `literal` and `sql` write a value in their language.
fn equality(
    field: &str,
    column: &str,
    [a, b, c]: &[String; 3],
    literal: fn(&str) -> String,
    sql: fn(&str) -> String,
) -> Vec<Case> {
    let (la, lb, lc) = (literal(a), literal(b), literal(c));
    let (a, b, c) = (sql(a), sql(b), sql(c));
    vec![
        case(format!("{{ {field}: {{ eq: {lb} }} }}"), format!("{column} = {b}")),
        case(format!("{{ {field}: {{ ne: {lb} }} }}"), format!("{column} IS DISTINCT FROM {b}")),
        case(format!("{{ {field}: {{ in: [{la}, {lb}, {la}] }} }}"), format!("{column} IN ({a}, {b})")),
        case(format!("{{ {field}: {{ in: {lc} }} }}"), format!("{column} = {c}")),
        case(
            format!("{{ {field}: {{ notIn: [{la}, {lb}] }} }}"),
            format!("{column} IS NULL OR {column} NOT IN ({a}, {b})"),
        ),
        case(format!("{{ not: {{ {field}: {{ eq: {lb} }} }} }}"), format!("({column} = {b}) IS NOT TRUE")),
        case(
            format!("{{ not: {{ {field}: {{ in: [{la}, {lb}] }} }} }}"),
            format!("({column} IN ({a}, {b})) IS NOT TRUE"),
        ),
    ]
}

fn nulls(field: &str, column: &str) -> Vec<Case> {
    vec![
        case(format!("{{ {field}: {{ isNull: true }} }}"), format!("{column} IS NULL")),
        case(format!("{{ {field}: {{ isNull: false }} }}"), format!("{column} IS NOT NULL")),
        case(format!("{{ not: {{ {field}: {{ isNull: true }} }} }}"), format!("{column} IS NOT NULL")),
    ]
}

/// Comparisons, of the kinds that have an order.
fn ordering(
    field: &str,
    column: &str,
    [a, b, c]: &[String; 3],
    literal: fn(&str) -> String,
    sql: fn(&str) -> String,
) -> Vec<Case> {
    let mut cases = Vec::new();
    for (operator, symbol, value) in
        [("gt", ">", a), ("gt", ">", b), ("gte", ">=", b), ("lt", "<", b), ("lt", "<", c), ("lte", "<=", b)]
    {
        let (written, value) = (literal(value), sql(value));
        cases.push(case(format!("{{ {field}: {{ {operator}: {written} }} }}"), format!("{column} {symbol} {value}")));
        cases.push(case(
            format!("{{ not: {{ {field}: {{ {operator}: {written} }} }} }}"),
            format!("({column} {symbol} {value}) IS NOT TRUE"),
        ));
    }
    let (la, lc, a, c) = (literal(a), literal(c), sql(a), sql(c));
    cases.push(case(format!("{{ {field}: {{ gt: {la}, lt: {lc} }} }}"), format!("{column} > {a} AND {column} < {c}")));
    cases
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn sql(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn bare(text: &str) -> String {
    text.to_owned()
}

fn shouted(text: &str) -> String {
    text.to_uppercase().replace([' ', '-'], "_")
}

/// Vendors whose texts are what `LIKE`, JSON and SQL take for their own.
const ODD: &str = r#"INSERT INTO vendors (organization_id, name, category, description, contract_value, contract_end_date)
    SELECT o.id, 'Odd ' || n, 'Odd', d, CASE WHEN n % 4 > 0 THEN n + 0.5 END, CASE WHEN n % 3 > 0 THEN DATE '2026-01-01' + n::int END
    FROM organizations o, unnest(ARRAY['100%', '100 x', 'a_b', 'axb', 'back\slash', 'backslash', 'Énergie Süd', 'énergie nord',
        'ÉNERGIE', '日本語 🦀', 'quote''s', 'double"quotes', 'line' || chr(10) || 'break', '$1', '?', '', ' ', NULL, NULL])
        WITH ORDINALITY AS v(d, n)
    WHERE o.slug = 'aether-demo'"#;

#[tokio::test]
async fn every_operator_of_every_kind_finds_what_sql_finds() {
    let gateway = Gateway::demo().await;
    gateway.execute(ODD).await;
    gateway
        .execute(&format!(
            "UPDATE deals SET synced_at = created_at + INTERVAL '1 microsecond' * days_in_pipeline WHERE {HOME} AND stage = 'Proposal';
             UPDATE user_sessions SET ip_address = '2001:db8::7' WHERE id IN (SELECT id FROM user_sessions ORDER BY id LIMIT 3);
             UPDATE user_sessions SET ip_address = NULL WHERE id IN (SELECT id FROM user_sessions ORDER BY id DESC LIMIT 2)"
        ))
        .await;
    let cfo = gateway.cfo().await;
    let rows = |field: &'static str, table: &str| Rows::new(&gateway, &cfo, field, table, HOME);

    let deals = rows("deals", "deals");
    let samples = deals.samples("owner_id").await;
    let mut cases = equality("ownerId", "owner_id", &samples, quoted, sql);
    cases.extend(nulls("ownerId", "owner_id"));
    cases.push(case(
        format!("{{ ownerId: {{ eq: {} }} }}", quoted(&samples[0].to_uppercase())),
        format!("owner_id = {}", sql(&samples[0])),
    ));
    let samples = deals.samples("synced_at").await;
    cases.extend(equality("syncedAt", "synced_at", &samples, quoted, sql));
    cases.extend(ordering("syncedAt", "synced_at", &samples, quoted, sql));
    cases.extend(nulls("syncedAt", "synced_at"));
    let samples = deals.samples("days_in_pipeline").await;
    cases.extend(equality("daysInPipeline", "days_in_pipeline", &samples, bare, bare));
    cases.extend(ordering("daysInPipeline", "days_in_pipeline", &samples, bare, bare));
    let samples = deals.samples("weighted_value").await;
    cases.extend(ordering("weightedValue", "weighted_value", &samples, quoted, bare));
    cases.extend(ordering("weightedValue", "weighted_value", &samples, bare, bare));
    let stages = ["Proposal", "Legal Review", "Closed Won"].map(str::to_owned);
    cases.extend(equality("stage", "stage", &stages, shouted, sql));
    deals.split(&cases).await;

    let odd = Rows::new(&gateway, &cfo, "vendors", "vendors", &format!("{HOME} AND category = 'Odd'"));
    let odd_only = |cases: Vec<Case>| {
        let only = |(filter, condition)| case(format!("{{ category: {{ eq: \"Odd\" }}, and: {filter} }}"), condition);
        cases.into_iter().map(only).collect::<Vec<_>>()
    };
    let mut cases = Vec::new();
    for (field, column, samples) in [
        ("contractValue", "contract_value", odd.samples("contract_value").await),
        ("contractEndDate", "contract_end_date", odd.samples("contract_end_date").await),
        ("description", "description", ["", "a_b", "énergie nord"].map(str::to_owned)),
    ] {
        cases.extend(equality(field, column, &samples, quoted, sql));
        // What is greater comes later in the order of the rows.
        let sorted = if field == "description" { "description COLLATE natural_order" } else { column };
        cases.extend(ordering(field, sorted, &samples, quoted, sql));
        cases.extend(nulls(field, column));
    }
    let all = odd.gateway.rows(&format!("SELECT id FROM {}", odd.from)).await.len();
    let cases = odd_only(cases);
    for (found, (filter, _)) in odd.agree(&cases).await.iter().zip(&cases) {
        assert!((1..all).contains(found), "{filter} finds {found} of {all}");
    }

    let vendors = rows("vendors", "vendors");
    vendors
        .split(&[
            case("{ autoRenewal: { eq: true } }", "auto_renewal"),
            case("{ autoRenewal: { ne: true } }", "NOT auto_renewal"),
            case("{ autoRenewal: { in: [false] } }", "NOT auto_renewal"),
            case("{ autoRenewal: { notIn: [false] } }", "auto_renewal"),
        ])
        .await;
    assert_eq!(vendors.agree(&[case("{ autoRenewal: { isNull: true } }", "false")]).await, [0]);

    let integrations = rows("integrations", "integrations");
    let samples = integrations.samples("records_synced_total").await;
    let mut cases = equality("recordsSyncedTotal", "records_synced_total", &samples, quoted, bare);
    cases.extend(ordering("recordsSyncedTotal", "records_synced_total", &samples, bare, bare));
    integrations.agree(&cases).await;

    let visible = format!("EXISTS (SELECT FROM users u WHERE u.id = user_id AND u.{HOME})");
    let sessions = Rows::new(&gateway, &cfo, "userSessions", "user_sessions", &visible);
    let address = |field: &'static str| [field.to_owned(), "127.0.0.1".into(), "2001:db8::7".into()];
    let mut cases = equality("ipAddress", "ip_address", &address("10.0.0.1"), quoted, |text| format!("'{text}'::inet"));
    cases.extend(nulls("ipAddress", "ip_address"));
    cases.push(case("{ ipAddress: { eq: \"2001:DB8:0::0:7\" } }", "ip_address = '2001:db8::7'"));
    sessions.agree(&cases).await;
}

#[tokio::test]
async fn lists_and_json_are_searched_by_what_they_contain() {
    let gateway = Gateway::demo().await;
    gateway
        .execute(&format!(
            "UPDATE anomalies SET related_anomaly_ids = ARRAY(SELECT a.id FROM anomalies a WHERE a.{HOME} ORDER BY a.id LIMIT 2)
             WHERE id IN (SELECT a.id FROM anomalies a WHERE a.{HOME} ORDER BY a.id DESC LIMIT 2);
             UPDATE anomalies SET related_anomaly_ids = '{{}}' WHERE id IN (SELECT a.id FROM anomalies a WHERE a.{HOME} ORDER BY a.id LIMIT 1);
             UPDATE scenarios SET tags = '{{plain,\"with, comma\",\"quo\\\"te\",\"NULL\",\"null\",Ünicode}}'
             WHERE id IN (SELECT s.id FROM scenarios s WHERE s.{HOME} ORDER BY s.id LIMIT 1);
             UPDATE vendor_spend SET breakdown = '{{\"odd key?\": {{\"deep\": [1, 2.50, \"x\", null, true]}}, \"n\": 10.0}}'
             WHERE id IN (SELECT v.id FROM vendor_spend v WHERE v.{HOME} ORDER BY v.id LIMIT 3);
             UPDATE vendor_spend SET breakdown = NULL
             WHERE id IN (SELECT v.id FROM vendor_spend v WHERE v.{HOME} ORDER BY v.id DESC LIMIT 3)"
        ))
        .await;
    let cfo = gateway.cfo().await;
    let rows = |field: &'static str, table: &str| Rows::new(&gateway, &cfo, field, table, HOME);

    let ids = gateway.rows(&format!("SELECT id FROM anomalies WHERE {HOME} ORDER BY id LIMIT 3")).await;
    let [a, b, c] = [0, 1, 2].map(|i| ids[i]["id"].as_str().expect("an id").to_owned());
    let list = |ids: &[&String]| format!("[{}]", ids.iter().map(|id| quoted(id)).collect::<Vec<_>>().join(", "));
    let array =
        |ids: &[&String]| format!("ARRAY[{}]::uuid[]", ids.iter().map(|id| sql(id)).collect::<Vec<_>>().join(", "));
    let anomalies = rows("anomalies", "anomalies");
    let mut cases = nulls("relatedAnomalyIds", "related_anomaly_ids");
    for ids in [vec![&a], vec![&a, &b], vec![&b, &a, &b]] {
        for (operator, symbol) in [("containsAll", "@>"), ("containsAny", "&&")] {
            cases.push(case(
                format!("{{ relatedAnomalyIds: {{ {operator}: {} }} }}", list(&ids)),
                format!("related_anomaly_ids {symbol} {}", array(&ids)),
            ));
        }
    }
    cases.push(case(
        format!("{{ not: {{ relatedAnomalyIds: {{ containsAny: {} }} }} }}", list(&[&a])),
        format!("(related_anomaly_ids && {}) IS NOT TRUE", array(&[&a])),
    ));
    cases.push(case(
        format!("{{ relatedAnomalyIds: {{ containsAny: {} }} }}", quoted(&a)),
        format!("{} = ANY(related_anomaly_ids)", sql(&a)),
    ));
    cases.push(case("{ relatedAnomalyIds: { containsAll: [] } }", "related_anomaly_ids IS NOT NULL"));
    anomalies.split(&cases).await;
    let none = [
        case("{ relatedAnomalyIds: { containsAny: [] } }", "false"),
        case(format!("{{ relatedAnomalyIds: {{ containsAll: {} }} }}", list(&[&a, &c])), "false"),
    ];
    assert_eq!(anomalies.agree(&none).await, [0, 0]);

    let scenarios = rows("scenarios", "scenarios");
    scenarios
        .split(&[
            case(r#"{ tags: { containsAll: ["plain", "with, comma"] } }"#, "tags @> ARRAY['plain', 'with, comma']"),
            case(r#"{ tags: { containsAny: ["nowhere", "quo\"te"] } }"#, r#"tags && ARRAY['quo"te']"#),
            case(r#"{ tags: { containsAny: ["null"] } }"#, "'null' = ANY(tags)"),
            case(r#"{ tags: { containsAny: "Ünicode" } }"#, "'Ünicode' = ANY(tags)"),
            case(r#"{ not: { tags: { containsAny: ["plain"] } } }"#, "NOT tags && ARRAY['plain']"),
        ])
        .await;
    let none = [case(r#"{ tags: { containsAny: ["with", "Plain", "{plain}", "%"] } }"#, "false")];
    assert_eq!(scenarios.agree(&none).await, [0]);

    let spends = rows("vendorSpends", "vendor_spend");
    let mut cases = nulls("breakdown", "breakdown");
    for json in ["{ n: 10 }", "{ n: 10.00 }"] {
        cases.push(case(format!("{{ breakdown: {{ contains: {json} }} }}"), r#"breakdown @> '{"n": 10}'"#));
    }
    cases.push(case(r#"{ breakdown: { hasKey: "odd key?" } }"#, "breakdown ? 'odd key?'"));
    cases.push(case(r#"{ not: { breakdown: { hasKey: "n" } } }"#, "(breakdown ? 'n') IS NOT TRUE"));
    spends.split(&cases).await;
    // JSON with keys that GraphQL has no name for comes as a variable.
    let count = async |json: Value| {
        let query = "query($json: JSON!) { vendorSpends(filter: { breakdown: { contains: $json } }) { totalCount } }";
        cfo.run(query, json!({ "json": json })).await.ok()["vendorSpends"]["totalCount"].clone()
    };
    assert_eq!(count(json!({ "odd key?": { "deep": [2.5, null, true] } })).await, 3);
    assert_eq!(count(json!({ "odd key?": { "deep": ["x", "y"] } })).await, 0);
    assert_eq!(count(json!({ "odd key?": { "deep": [1] }, "n": "10" })).await, 0);
    assert_eq!(count(json!("'; DROP TABLE vendor_spend; --")).await, 0);
}

#[tokio::test]
async fn text_is_matched_without_case_and_wildcards_are_plain() {
    let gateway = Gateway::demo().await;
    gateway.execute(ODD).await;
    let cfo = gateway.cfo().await;
    let found = async |operator: &str, text: &str| {
        let query = format!(
            "query($text: String!) {{ vendors(filter: {{ category: {{ eq: \"Odd\" }}, description: {{ {operator}: $text }} }}, first: 50) {{
                nodes {{ description }} }} }}"
        );
        let data = cfo.run(&query, json!({ "text": text })).await.ok();
        let nodes = data["vendors"]["nodes"].as_array().expect("nodes").clone();
        let mut texts: Vec<_> =
            nodes.iter().map(|node| node["description"].as_str().expect("text").to_owned()).collect();
        texts.sort();
        texts
    };
    let cases: [(&str, &str, &[&str]); 18] = [
        ("contains", "%", &["100%"]),
        ("contains", "_", &["a_b"]),
        ("contains", "\\", &["back\\slash"]),
        ("contains", "K\\S", &["back\\slash"]),
        ("contains", "BACKSLASH", &["backslash"]),
        ("startsWith", "100", &["100 x", "100%"]),
        ("startsWith", "00", &[]),
        ("startsWith", "A_", &["a_b"]),
        ("endsWith", "%", &["100%"]),
        ("endsWith", "B", &["a_b", "axb"]),
        ("contains", "énergie", &["Énergie Süd", "ÉNERGIE", "énergie nord"]),
        ("startsWith", "ÉNERGIE", &["Énergie Süd", "ÉNERGIE", "énergie nord"]),
        ("endsWith", "SÜD", &["Énergie Süd"]),
        ("contains", "本", &["日本語 🦀"]),
        ("endsWith", "🦀", &["日本語 🦀"]),
        ("contains", "'", &["quote's"]),
        ("contains", "\n", &["line\nbreak"]),
        ("contains", "$1", &["$1"]),
    ];
    for (operator, text, expected) in cases {
        let mut expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
        expected.sort();
        assert_eq!(found(operator, text).await, expected, "{operator} {text:?}");
    }
    // Everything contains nothing, but null does not.
    for operator in ["contains", "startsWith", "endsWith"] {
        assert_eq!(found(operator, "").await.len(), 17, "{operator}");
    }
    assert_eq!(found("eq", "énergie").await, Vec::<String>::new(), "eq looks at the case");
    assert_eq!(found("eq", "?").await, ["?"]);
    assert_eq!(found("eq", "").await, [""]);
}

#[tokio::test]
async fn conditions_nest_and_empty_lists_mean_what_logic_says() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let deals = Rows::new(&gateway, &cfo, "deals", "deals", HOME);
    let all = deals.agree(&[case("{}", "true")]).await[0];
    let everything = [
        "{ and: [] }",
        "{ and: [{}] }",
        "{ or: [{}] }",
        "{ not: { or: [] } }",
        "{ stage: {} }",
        "{ stage: { notIn: [] } }",
        "{ or: { stage: { notIn: [] } } }",
        "{ and: [{ or: [{ not: { or: [] } }] }] }",
    ];
    assert_eq!(deals.agree(&everything.map(|filter| case(filter, "true"))).await, vec![all; everything.len()]);
    let nothing = [
        "{ or: [] }",
        "{ not: {} }",
        "{ not: { and: [] } }",
        "{ stage: { in: [] } }",
        "{ and: [{}, { or: [] }] }",
        "{ stage: { eq: PROPOSAL, ne: PROPOSAL } }",
        "{ stage: { eq: PROPOSAL }, or: [] }",
    ];
    assert_eq!(deals.agree(&nothing.map(|filter| case(filter, "false"))).await, vec![0; nothing.len()]);
    deals
        .split(&[
            case("{ stage: { eq: PROPOSAL }, region: { eq: EUROPE } }", "stage = 'Proposal' AND region = 'Europe'"),
            case("{ and: [{ stage: { eq: PROPOSAL } }, { region: { eq: EUROPE } }] }", "stage = 'Proposal' AND region = 'Europe'"),
            case("{ or: [{ stage: { eq: PROPOSAL } }, { region: { eq: EUROPE } }] }", "stage = 'Proposal' OR region = 'Europe'"),
            case(
                "{ or: [{ stage: { eq: PROPOSAL }, segment: { eq: SMB } }, { region: { eq: EUROPE } }], lob: { eq: SOFTWARE } }",
                "(stage = 'Proposal' AND segment = 'SMB' OR region = 'Europe') AND lob = 'Software'",
            ),
            case(
                "{ not: { or: [{ stage: { in: [PROPOSAL, CLOSED_LOST] } }, { and: [{ lob: { eq: SERVICES } }, { not: { value: { gt: 50000 } } }] }] } }",
                "NOT (stage IN ('Proposal', 'Closed Lost') OR (lob = 'Services' AND NOT value > 50000))",
            ),
            case("{ not: { not: { stage: { eq: PROPOSAL } } } }", "stage = 'Proposal'"),
            // What is unknown is not so, and not-so is a yes.
            case(
                "{ not: { competitorLostTo: { contains: \"suite\" }, stage: { eq: CLOSED_LOST } } }",
                "(competitor_lost_to ILIKE '%suite%' AND stage = 'Closed Lost') IS NOT TRUE",
            ),
            case("{ not: { not: { competitorLostTo: { startsWith: \"f\" } } } }", "competitor_lost_to ILIKE 'f%'"),
            case("{ ownerId: { isNull: false }, competitorLostTo: { isNull: true, ne: \"x\" } }", "owner_id IS NOT NULL AND competitor_lost_to IS NULL"),
        ])
        .await;
    // A variable that is left out leaves its condition out; one that is null is refused.
    let query = "query($stage: DealStage, $filter: DealFilter) { deals(filter: { stage: { eq: $stage }, and: [{}, { lob: { eq: SOFTWARE } }] }) { totalCount }
        other: deals(filter: $filter) { totalCount } }";
    let count = async |variables: Value| cfo.run(query, variables).await.ok();
    let software = deals.agree(&[case("{ lob: { eq: SOFTWARE } }", "lob = 'Software'")]).await[0];
    let out = count(json!({})).await;
    assert_eq!((&out["deals"]["totalCount"], &out["other"]["totalCount"]), (&json!(software), &json!(all)));
    let given = count(
        json!({ "stage": "CLOSED_WON", "filter": { "stage": { "in": "CLOSED_WON" }, "lob": { "eq": "SOFTWARE" } } }),
    )
    .await;
    assert_eq!(given["deals"], given["other"]);
    refused(&cfo.run(query, json!({ "stage": null })).await, "filter.stage.eq");
}

#[tokio::test]
async fn filters_reach_through_relations() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let rows = |field: &'static str, table: &str| Rows::new(&gateway, &cfo, field, table, HOME);
    let history = |condition: &str| {
        format!(
            "EXISTS (SELECT FROM deal_history h LEFT JOIN users u ON u.id = h.changed_by WHERE h.deal_id = t.id AND {condition})"
        )
    };
    let owner = |condition: &str| format!("EXISTS (SELECT FROM users u WHERE u.id = t.owner_id AND {condition})");
    let seller = gateway
        .value(&format!("SELECT left(u.name, 3) FROM users u JOIN deals d ON d.owner_id = u.id WHERE d.{HOME} LIMIT 1"))
        .await;
    let seller = seller.as_str().expect("a name").to_owned();
    rows("deals", "deals")
        .split(&[
            case("{ owner: {} }", "owner_id IS NOT NULL"),
            case("{ not: { owner: {} } }", "owner_id IS NULL"),
            case(format!("{{ owner: {{ name: {{ startsWith: {} }} }} }}", quoted(&seller)), owner(&format!("u.name ILIKE '{seller}%'"))),
            case(format!("{{ owner: {{ not: {{ name: {{ startsWith: {} }} }} }} }}", quoted(&seller)), owner(&format!("u.name NOT ILIKE '{seller}%'"))),
            case("{ owner: { role: { eq: ANALYST } } }", owner("u.role = 'ANALYST'")),
            case("{ owner: { organization: { slug: { eq: \"aether-demo\" } } } }", "owner_id IS NOT NULL"),
            case("{ history: { some: { fieldChanged: { eq: \"value\" } } } }", history("h.field_changed = 'value'")),
            case("{ history: { none: { fieldChanged: { eq: \"value\" } } } }", format!("NOT {}", history("h.field_changed = 'value'"))),
            case("{ not: { history: { some: { fieldChanged: { eq: \"value\" } } } } }", format!("NOT {}", history("h.field_changed = 'value'"))),
            case(
                "{ history: { some: { fieldChanged: { eq: \"stage\" }, changedByUser: { role: { eq: ANALYST } } } } }",
                history("h.field_changed = 'stage' AND u.role = 'ANALYST'"),
            ),
            case(
                "{ history: { some: { newValue: { eq: \"Proposal\" } }, none: { newValue: { eq: \"Closed Won\" } } } }",
                format!("{} AND NOT {}", history("h.new_value = 'Proposal'"), history("h.new_value = 'Closed Won'")),
            ),
            case(
                "{ history: { some: { deal: { owner: { role: { eq: ANALYST } } }, newValue: { eq: \"Proposal\" } } } }",
                format!("{} AND {}", history("h.new_value = 'Proposal'"), owner("u.role = 'ANALYST'")),
            ),
            case(
                "{ or: [{ owner: { role: { eq: ANALYST } } }, { history: { none: {} } }, { ownerId: { isNull: true } }] }",
                format!("{} OR NOT {} OR owner_id IS NULL", owner("u.role = 'ANALYST'"), history("true")),
            ),
        ])
        .await;
    let spend =
        |condition: &str| format!("EXISTS (SELECT FROM vendor_spend s WHERE s.vendor_id = t.id AND {condition})");
    let median = gateway
        .value(&format!(
            "SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY amount)::text FROM vendor_spend WHERE {HOME}"
        ))
        .await;
    let median = median.as_str().expect("an amount");
    rows("vendors", "vendors")
        .split(&[
            case(format!("{{ spends: {{ some: {{ amount: {{ gt: \"{median}\" }} }} }} }}"), spend(&format!("s.amount > {median}"))),
            case(format!("{{ spends: {{ none: {{ amount: {{ gt: \"{median}\" }} }} }} }}"), format!("NOT {}", spend(&format!("s.amount > {median}")))),
            case(
                format!("{{ spends: {{ some: {{ vendor: {{ spends: {{ some: {{ amount: {{ gt: \"{median}\" }} }} }} }} }} }} }}"),
                spend(&format!("s.amount > {median}")),
            ),
        ])
        .await;
    rows("departments", "departments")
        .split(&[
            case("{ parent: {} }", "parent_id IS NOT NULL"),
            case(
                "{ parent: { parent: {} } }",
                "EXISTS (SELECT FROM departments p WHERE p.id = t.parent_id AND p.parent_id IS NOT NULL)",
            ),
            case("{ children: { none: {} } }", "NOT EXISTS (SELECT FROM departments c WHERE c.parent_id = t.id)"),
            case(
                "{ children: { some: { children: { some: {} } } } }",
                "EXISTS (SELECT FROM departments c JOIN departments g ON g.parent_id = c.id WHERE c.parent_id = t.id)",
            ),
        ])
        .await;
    // A chain that closes on itself holds as far as a filter may reach; what reaches farther is refused, not tried.
    let users = async |filter: Value| {
        let query = "query($filter: UserFilter) { users(filter: $filter) { totalCount } all: users { totalCount } }";
        cfo.run(query, json!({ "filter": filter })).await
    };
    let chain =
        |deep| (0..deep).fold(json!({}), |filter, _| json!({ "organization": { "users": { "some": filter } } }));
    let wide = |count| json!({ "and": (0..count).map(|_| json!({ "organization": {} })).collect::<Vec<_>>() });
    for filter in [chain(1), chain(2), wide(5)] {
        let data = users(filter).await.ok();
        assert_eq!(data["users"], data["all"]);
    }
    let fourth = "filter".to_owned() + &".organization.users.some".repeat(2);
    for deep in [3, 35] {
        refused(&users(chain(deep)).await, &format!("{fourth}.organization"));
    }
    // Side by side each begins anew.
    let both = json!({ "and": [chain(1), chain(1)] });
    let data = users(both).await.ok();
    assert_eq!(data["users"], data["all"]);
    refused(&users(wide(6)).await, "filter.and.5.organization");
}

/// Asserts that an answer refuses this place of its input.
fn refused(answer: &Answer, field: &str) {
    assert_eq!(answer.code(), "VALIDATION_FAILED", "{:#}", answer.body);
    assert_eq!(answer.body["errors"][0]["extensions"]["field"], field, "{:#}", answer.body);
}

#[tokio::test]
async fn what_is_no_filter_is_refused_where_it_stands() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let written = async |filter: &str| cfo.query(&format!("{{ deals(filter: {filter}) {{ totalCount }} }}")).await;
    let sent = async |filter: Value| {
        cfo.run("query($filter: DealFilter) { deals(filter: $filter) { totalCount } }", json!({ "filter": filter }))
            .await
    };
    for (filter, field) in [
        ("{ name: { eq: null } }", "filter.name.eq"),
        ("{ name: { in: null } }", "filter.name.in"),
        ("{ name: { isNull: null } }", "filter.name.isNull"),
        ("{ name: null }", "filter.name"),
        ("{ and: null }", "filter.and"),
        ("{ not: null }", "filter.not"),
        ("{ owner: null }", "filter.owner"),
        ("{ history: { some: null } }", "filter.history.some"),
        ("{ and: [{}, { or: [{ owner: { name: { contains: null } } }] }] }", "filter.and.1.or.0.owner.name.contains"),
    ] {
        refused(&written(filter).await, field);
    }
    refused(
        &sent(json!({ "history": { "none": { "changedByUser": { "email": { "startsWith": null } } } } })).await,
        "filter.history.none.changedByUser.email.startsWith",
    );
    refused(&sent(json!({ "name": { "eq": "a\u{0}b" } })).await, "filter.name.eq");
    refused(&sent(json!({ "name": { "in": ["a", "b\u{0}"] } })).await, "filter.name.in.1");
    for wrong in [
        "{ value: { gt: \"many\" } }",
        "{ value: { gt: true } }",
        "{ value: { gt: \"NaN\" } }",
        "{ createdAt: { gt: \"yesterday\" } }",
        "{ createdAt: { gt: \"2026-01-01\" } }",
        "{ createdAt: { gt: \"infinity\" } }",
        "{ expectedCloseDate: { eq: \"2026-02-30\" } }",
        "{ expectedCloseDate: { eq: 20260101 } }",
        "{ ownerId: { eq: \"me\" } }",
        "{ ownerId: { in: [\"019312d0-3c5a-7b6e-8f00-0242ac120002\", \"x\"] } }",
        "{ stage: { eq: Proposal } }",
        "{ stage: { gt: PROPOSAL } }",
        "{ daysInPipeline: { eq: 1.5 } }",
        "{ daysInPipeline: { eq: \"1\" } }",
        "{ daysInPipeline: { eq: 2147483648 } }",
        "{ name: { eq: 1 } }",
        "{ name: { in: [\"a\", null] } }",
        "{ name: { isNull: \"true\" } }",
        "{ name: { like: \"a\" } }",
        "{ name: \"a\" }",
        "{ nobody: { eq: 1 } }",
        "{ history: { every: {} } }",
        "{ history: {  fieldChanged: { eq: \"stage\" } } }",
        "{ owner: { passwordHash: { isNull: false } } }",
        "{ owner: { mfaSecret: { contains: \"a\" } } }",
        "[]",
        "\"x\"",
    ] {
        let answer = written(wrong).await;
        assert!(answer.body["errors"].is_array(), "{wrong}: {:#}", answer.body);
        let field = answer.body["errors"][0]["extensions"]["field"].as_str();
        match answer.code() {
            "GRAPHQL_VALIDATION_FAILED" => {}
            "VALIDATION_FAILED" => {
                assert!(field.is_some_and(|field| field.starts_with("filter")), "{wrong}: {:#}", answer.body)
            }
            code => panic!("{wrong}: {code}"),
        }
        assert!(answer.body["data"].is_null() || answer.body["data"]["deals"].is_null(), "{wrong}: {:#}", answer.body);
    }
    // As variables, too.
    for wrong in [
        json!({ "value": { "gt": {} } }),
        json!({ "stage": { "eq": "Proposal" } }),
        json!({ "x": 1 }),
        json!([1]),
        json!("x"),
        json!({ "ownerId": { "eq": 7 } }),
        json!({ "createdAt": { "lt": 1735689600 } }),
        json!({ "daysInPipeline": { "in": [1, "2"] } }),
    ] {
        let answer = sent(wrong.clone()).await;
        assert!(
            ["GRAPHQL_VALIDATION_FAILED", "VALIDATION_FAILED"].contains(&answer.code()),
            "{wrong}: {:#}",
            answer.body
        );
    }
    // As much as one filter may ask, and one more.
    let many = |count: usize| json!({ "or": (0..count).map(|i| json!({ "name": { "eq": i.to_string() } })).collect::<Vec<_>>() });
    assert!(sent(many(99)).await.body.get("errors").is_none());
    let answer = sent(many(100)).await;
    refused(&answer, "filter.or.99.name");
    assert!(answer.message().contains("200 conditions"), "{}", answer.message());
    refused(&sent(json!({ "and": vec![json!({}); 5_000] })).await, "filter.and.199");
    let values = |count: usize| json!({ "name": { "in": (0..count).map(|i| i.to_string()).collect::<Vec<_>>() } });
    assert!(sent(values(1_000)).await.body.get("errors").is_none());
    refused(&sent(values(1_001)).await, "filter.name.in");
}

#[tokio::test]
async fn what_a_client_writes_is_never_sql() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let attacks = [
        "'; DROP TABLE deals; --",
        "' OR '1'='1",
        "\\'; DELETE FROM deals; --",
        "$$; DROP TABLE deals; $$",
        "$1",
        "{\"a\": \"b\"}",
        "') UNION SELECT password_hash FROM users --",
        "%' OR true --",
        "\u{2019} OR 1=1",
        "E'\\x27'",
    ];
    let query = "query($text: String!, $list: [String!]!, $json: JSON!) {
        eq: deals(filter: { name: { eq: $text } }) { totalCount }
        in: deals(filter: { accountName: { in: $list } }) { totalCount }
        contains: deals(filter: { name: { contains: $text } }) { totalCount }
        related: deals(filter: { owner: { email: { startsWith: $text } } }) { totalCount }
        any: scenarios(filter: { tags: { containsAny: $list } }) { totalCount }
        key: vendorSpends(filter: { breakdown: { hasKey: $text } }) { totalCount }
        json: vendorSpends(filter: { breakdown: { contains: $json } }) { totalCount }
        search: clauses(search: $text) { totalCount }
        none: deals(filter: { name: { notIn: $list } }) { totalCount }
    }";
    let deals = gateway.value(&format!("SELECT count(*) FROM deals WHERE {HOME}")).await;
    for attack in attacks {
        let data = cfo.run(query, json!({ "text": attack, "list": [attack, "x"], "json": { "k": attack } })).await.ok();
        for field in ["eq", "in", "contains", "related", "any", "key", "json"] {
            assert_eq!(data[field]["totalCount"], 0, "{field}: {attack}");
        }
        assert_eq!(data["none"]["totalCount"], deals, "{attack}");
        // Names that are no values of an enum, ids that are no ids.
        let order = cfo
            .run(
                "query($order: [DealOrder!]) { deals(orderBy: $order) { totalCount } }",
                json!({ "order": [{ "field": attack }] }),
            )
            .await;
        assert!(["GRAPHQL_VALIDATION_FAILED", "VALIDATION_FAILED"].contains(&order.code()), "{attack}");
        let id = cfo.run("query($id: UUID!) { deal(id: $id) { id } }", json!({ "id": attack })).await;
        assert!(["GRAPHQL_VALIDATION_FAILED", "VALIDATION_FAILED"].contains(&id.code()), "{attack}");
    }
    assert_eq!(gateway.value(&format!("SELECT count(*) FROM deals WHERE {HOME}")).await, deals);
}
