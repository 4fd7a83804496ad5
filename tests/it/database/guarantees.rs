//! What the database itself guarantees, whoever writes to it: an audit trail that stays, partitions that are there, counters
//! and versions that nobody can set.

use std::time::Duration;

use aether_store::{Connect, Database, Store};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};

use crate::support::{Gateway, cluster};

/// How long events are kept.
const WEEK: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3_600);

const WRITER: &str = "SET LOCAL ROLE aether_writer; ";

/// The reason for which the database refuses this.
pub async fn refusal(gateway: &Gateway, sql: &str) -> String {
    match gateway.owner.execute_unprepared(sql).await {
        Ok(done) => panic!("{sql}: done to {} rows", done.rows_affected()),
        Err(error) => error.to_string(),
    }
}

pub async fn count(gateway: &Gateway, sql: &str) -> i64 {
    gateway.value(sql).await.as_i64().unwrap_or_else(|| panic!("{sql}: no number"))
}

pub async fn string(gateway: &Gateway, sql: &str) -> String {
    gateway.value(sql).await.as_str().unwrap_or_else(|| panic!("{sql}: no text")).to_owned()
}

/// A store of its own on the gateway's database.
pub async fn store(gateway: &Gateway) -> Store {
    let name = string(gateway, "SELECT current_database()::text").await;
    let connect = Connect { url: cluster::url(&name), max_connections: 2, statement_timeout: Duration::from_secs(30) };
    let Ok(database) = Database::connect(&connect).await else { panic!("no store") };
    Store::new(database)
}

/// Chance that is the same every time (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test]
async fn the_audit_trail_cannot_be_changed_by_anybody() {
    let gateway = Gateway::demo().await;
    gateway
        .execute(
            "INSERT INTO audit_logs (organization_id, timestamp, actor_type, actor_name, action, details)
             SELECT id, '2041-05-05', 'SYSTEM', 'test', 'TEST', '{}' FROM organizations LIMIT 1",
        )
        .await;
    let monthly =
        string(&gateway, "SELECT tableoid::regclass::text FROM audit_logs WHERE timestamp < now() LIMIT 1").await;
    assert!(monthly.starts_with("audit_logs_2"), "{monthly}");
    let digest = "SELECT md5(string_agg(l::text, '' ORDER BY id)) || (SELECT md5(string_agg(e::text, '' ORDER BY id)) FROM audit_events e)
        FROM audit_logs l";
    let before = gateway.value(digest).await;
    for table in ["audit_logs", "audit_logs_default", &monthly, "audit_events"] {
        assert_ne!(count(&gateway, &format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
        for change in [
            format!("UPDATE {table} SET actor_name = 'somebody else'"),
            format!("UPDATE {table} SET id = id"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("TRUNCATE {table} CASCADE"),
            format!("MERGE INTO {table} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE"),
        ] {
            let why = refusal(&gateway, &change).await;
            assert!(why.contains("append-only"), "{change}: {why}");
            let why = refusal(&gateway, &format!("{WRITER}{change}")).await;
            assert!(why.contains("append-only") || why.contains("permission denied"), "{change}: {why}");
        }
        for change in [
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("DROP TABLE {table}"),
            format!("SET session_replication_role = replica; DELETE FROM {table}"),
        ] {
            refusal(&gateway, &format!("{WRITER}{change}")).await;
        }
    }
    // And nothing may be written past the trail of a table that exists only as its parent's part.
    refusal(&gateway, &format!("{WRITER}INSERT INTO {monthly} SELECT * FROM {monthly} LIMIT 1")).await;
    assert_eq!(gateway.value(digest).await, before);
}

#[tokio::test]
async fn an_entry_is_reviewed_once_and_for_all() {
    let gateway = Gateway::demo().await;
    let id = string(&gateway, "SELECT id FROM audit_logs WHERE NOT reviewed LIMIT 1").await;
    let who = string(&gateway, "SELECT id FROM users LIMIT 1").await;
    let update = |set: &str| format!("{WRITER}UPDATE audit_logs SET {set} WHERE id = '{id}'");
    let review = format!("reviewed = true, reviewed_by = '{who}', reviewed_at = now()");
    for more in ["action = 'OTHER'", "details = '{}'", "requires_review = NOT requires_review", "timestamp = now()"] {
        refusal(&gateway, &update(&format!("{review}, {more}"))).await;
        let as_owner = format!("UPDATE audit_logs SET {review}, {more} WHERE id = '{id}'");
        assert!(refusal(&gateway, &as_owner).await.contains("append-only"), "{more}");
    }
    refusal(&gateway, &update("reviewed = true, reviewed_at = now()")).await;
    gateway.execute(&update(&review)).await;
    for again in [&review, "reviewed = false, reviewed_by = NULL, reviewed_at = NULL", "reviewed_at = now()"] {
        let why = refusal(&gateway, &update(again)).await;
        assert!(why.contains("append-only"), "{again}: {why}");
    }
    assert_eq!(count(&gateway, &format!("SELECT count(*) FROM audit_logs WHERE id = '{id}' AND reviewed")).await, 1);
}

#[tokio::test]
async fn what_the_audit_trail_names_cannot_be_deleted() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let session = cfo.data("{ me { sessionId } }").await["me"]["sessionId"].as_str().expect("an id").to_owned();
    // The demo data has workspaces with a trail only once its loans are loaded.
    gateway
        .execute(
            "INSERT INTO workspaces (organization_id, name, created_by_id) SELECT organization_id, 'Audited', id FROM users
              WHERE email = 'sarah.chen@aether-demo.com';
             INSERT INTO audit_events (workspace_id, actor_id, actor_name, event_type)
             SELECT id, created_by_id, 'test', 'PUBLISH' FROM workspaces WHERE name = 'Audited'",
        )
        .await;
    for (table, condition) in [
        ("organizations", "slug = 'aether-demo'".to_owned()),
        ("users", "email = 'sarah.chen@aether-demo.com'".to_owned()),
        ("workspaces", "name = 'Audited'".to_owned()),
        ("user_sessions", format!("id = '{session}'")),
        ("ai_actions", "id IN (SELECT actor_id FROM audit_logs WHERE actor_type = 'AI_AGENT')".to_owned()),
    ] {
        assert_ne!(count(&gateway, &format!("SELECT count(*) FROM {table} WHERE {condition}")).await, 0, "{table}");
        let delete = format!("DELETE FROM {table} WHERE {condition}");
        let why = refusal(&gateway, &delete).await;
        assert!(why.contains("audit trail"), "{table}: {why}");
        let why = refusal(&gateway, &format!("{WRITER}{delete}")).await;
        assert!(why.contains("audit trail") || why.contains("permission denied"), "{table}: {why}");
        refusal(&gateway, &format!("{WRITER}TRUNCATE {table} CASCADE")).await;
    }
}

#[tokio::test]
async fn a_row_of_a_distant_month_is_readable_and_moves_into_its_partition() {
    let gateway = Gateway::demo().await;
    gateway
        .execute(
            "INSERT INTO financial_metrics (organization_id, metric_date, metric_type, actual_value)
             SELECT id, d, 'REVENUE', 7 FROM organizations, unnest('{2041-05-01,2041-05-31,2041-06-01}'::date[]) d WHERE slug = 'aether-demo';
             INSERT INTO audit_logs (organization_id, timestamp, actor_type, actor_name, action, details)
             SELECT id, '2041-05-31 23:59:59.999999+00', 'SYSTEM', 'test', 'TEST', '{}' FROM organizations LIMIT 1;
             INSERT INTO event_outbox (at, topic, aggregate_type, aggregate_id, organization_id, kind)
             SELECT '2041-05-07', 't', 't', id, id, 't' FROM organizations LIMIT 1;
             INSERT INTO ai_messages (conversation_id, role, content, tokens_used, created_at)
             SELECT id, 'user', 'hello', 5, '2041-05-07' FROM ai_conversations LIMIT 1",
        )
        .await;
    let query =
        r#"{ financialMetrics(filter: { metricDate: { gte: "2041-01-01" } }) { totalCount nodes { actualValue } } }"#;
    let cfo = gateway.cfo().await;
    assert_eq!(cfo.data(query).await["financialMetrics"]["totalCount"], 3);
    let places = "SELECT string_agg(DISTINCT place, ' ' ORDER BY place) FROM (
        SELECT tableoid::regclass::text AS place FROM financial_metrics WHERE metric_date > '2041-01-01'
        UNION ALL SELECT tableoid::regclass::text FROM audit_logs WHERE timestamp > '2041-01-01'
        UNION ALL SELECT tableoid::regclass::text FROM event_outbox WHERE at > '2041-01-01'
        UNION ALL SELECT tableoid::regclass::text FROM ai_messages WHERE created_at > '2041-01-01') p";
    assert_eq!(
        gateway.value(places).await,
        "ai_messages_default audit_logs_default event_outbox_default financial_metrics_default"
    );
    let sums = "SELECT (SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM ai_conversations c)
        || (SELECT string_agg(sequence::text, ' ') FROM event_outbox)";
    let before = gateway.value(sums).await;

    let ensure = "SELECT ensure_partitions('2041-05-20', '2041-05-21')";
    // Two at once: together they make each partition once.
    let (one, other) = tokio::join!(count(&gateway, ensure), count(&gateway, ensure));
    assert_eq!(one + other, 4, "{one} and {other}");
    assert_eq!(count(&gateway, ensure).await, 0);
    assert_eq!(
        gateway.value(places).await,
        "ai_messages_2041_05 audit_logs_2041_05 event_outbox_2041_05 financial_metrics_2041_05 financial_metrics_default"
    );
    assert_eq!(gateway.value(sums).await, before);
    assert_eq!(cfo.data(query).await["financialMetrics"]["totalCount"], 3);
    for table in ["audit_logs_2041_05", "audit_logs_default"] {
        assert!(refusal(&gateway, &format!("TRUNCATE {table}")).await.contains("append-only"));
    }
    assert!(refusal(&gateway, "DELETE FROM audit_logs_2041_05").await.contains("append-only"));
    gateway
        .execute(
            "INSERT INTO audit_logs (organization_id, timestamp, actor_type, actor_name, action, details)
             SELECT id, '2051-05-31', 'SYSTEM', 'test', 'TEST', '{}' FROM organizations LIMIT 1",
        )
        .await;
    assert!(refusal(&gateway, "DELETE FROM audit_logs_default").await.contains("append-only"));
    let writer = format!("{WRITER}SELECT ensure_partitions('2041-06-01', '2041-08-01')");
    gateway.execute(&writer).await;
    assert_eq!(count(&gateway, "SELECT ensure_partitions('2041-06-01', '2041-08-01')").await, 0);
    refusal(&gateway, "SET LOCAL ROLE aether_reader; SELECT ensure_partitions('2042-06-01', '2042-06-01')").await;
}

#[tokio::test]
async fn versions_count_edits_whatever_a_client_says() {
    let gateway = Gateway::demo().await;
    let tables = gateway
        .rows(
            "SELECT c.relname AS name, EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND tgname = 'zz_count_version') AS kept
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attname = 'row_version'
              WHERE relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1",
        )
        .await;
    assert!(tables.len() > 20, "{}", tables.len());
    for table in tables {
        assert_eq!(table["kept"], true, "{table}");
        let name = table["name"].as_str().expect("a name");
        let sum = format!("SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM {name} t");
        let before = gateway.value(&sum).await;
        gateway.execute(&format!("UPDATE {name} SET row_version = row_version + 50, updated_at = '2001-01-01'")).await;
        gateway.execute(&format!("UPDATE {name} SET id = id")).await;
        assert_eq!(gateway.value(&sum).await, before, "{name}");
    }
    for (table, edit) in [
        ("vendors", "description = 'edited'"),
        ("vendors", "description = NULL"),
        ("financial_metrics", "actual_value = coalesce(actual_value, 0) + 1"),
        ("deals", "value = value + 1"),
        ("department_costs", "payroll = payroll + 1"),
        ("users", "preferences = '{\"theme\": \"none\"}'"),
    ] {
        let id = string(&gateway, &format!("SELECT id FROM {table} ORDER BY id LIMIT 1")).await;
        let row = format!("SELECT row_version, updated_at FROM {table} WHERE id = '{id}'");
        let before = gateway.rows(&row).await.remove(0);
        let update =
            format!("UPDATE {table} SET {edit}, row_version = 900, updated_at = '2001-01-01' WHERE id = '{id}'");
        gateway.execute(&format!("{WRITER}{update}")).await;
        let after = gateway.rows(&row).await.remove(0);
        assert_eq!(after["row_version"].as_i64(), before["row_version"].as_i64().map(|n| n + 1), "{table}: {edit}");
        assert!(after["updated_at"].as_str() > before["updated_at"].as_str(), "{table}: {edit}: {before} {after}");
    }
}

/// Runs statements and, after each, what must never find anything.
async fn keeps(gateway: &Gateway, statements: Vec<String>, wrong: &str) {
    assert_eq!(count(gateway, wrong).await, 0, "before");
    for sql in statements {
        gateway.execute(&sql).await;
        assert_eq!(count(gateway, wrong).await, 0, "{sql}");
    }
}

#[tokio::test]
async fn the_total_of_a_budget_is_the_sum_of_its_lines() {
    let gateway = Gateway::demo().await;
    let wrong = "SELECT count(*) FROM budgets b WHERE total_amount IS DISTINCT FROM
        (SELECT coalesce(sum(annual_amount), 0) FROM budget_line_items WHERE budget_id = b.id)";
    let dice = &mut Dice(1);
    let budget = |n: u64| format!("(SELECT id FROM budgets ORDER BY id OFFSET {} LIMIT 1)", n % 4);
    let line = |n: u64| format!("(SELECT id FROM budget_line_items ORDER BY id OFFSET {} LIMIT 1)", n % 40);
    let statements = (0..60).map(|_| {
        let (a, b, amount) = (dice.below(90), dice.below(90), dice.below(100_000) as f64 / 100.0 - 300.0);
        match dice.below(6) {
            0 => format!(
                "INSERT INTO budget_line_items (budget_id, category, q1_amount, q4_amount)
                 VALUES ({}, 'x', {amount}, 1), ({}, 'y', 2, {amount})",
                budget(a),
                budget(b)
            ),
            1 => format!("UPDATE budget_line_items SET q2_amount = {amount} WHERE id IN ({}, {})", line(a), line(b)),
            2 => format!("UPDATE budget_line_items SET budget_id = {}, q3_amount = {amount} WHERE id IN ({}, {})", budget(a), line(a), line(b)),
            3 => format!("DELETE FROM budget_line_items WHERE id IN ({}, {})", line(a), line(b)),
            4 => format!("UPDATE budgets SET total_amount = {amount}, region = 'R{a}' WHERE id = {}", budget(a)),
            _ => format!(
                "WITH gone AS (DELETE FROM budget_line_items WHERE id = {} RETURNING budget_id)
                 UPDATE budget_line_items SET q1_amount = q1_amount + 1 WHERE budget_id IN (SELECT budget_id FROM gone)",
                line(a)
            ),
        }
    });
    keeps(&gateway, statements.collect(), wrong).await;
    // Two at once, on lines of the same budgets.
    let half = |number: i64| {
        let gateway = &gateway;
        async move {
            for step in 0..30 {
                let sql = format!(
                    "UPDATE budget_line_items SET q1_amount = {step}, budget_id = (SELECT id FROM budgets ORDER BY id OFFSET {} LIMIT 1)
                      WHERE id = (SELECT id FROM budget_line_items ORDER BY id OFFSET {} LIMIT 1)",
                    step % 3,
                    2 * (step % 5) + number
                );
                gateway.execute(&sql).await;
            }
        }
    };
    tokio::join!(half(0), half(1));
    assert_eq!(count(&gateway, wrong).await, 0);
    let new = "INSERT INTO budgets (organization_id, name, fiscal_year, version, total_amount)
        SELECT id, 'new', 2099, 'v9', 12345 FROM organizations LIMIT 1";
    gateway.execute(&format!("{WRITER}{new}")).await;
    assert_eq!(count(&gateway, wrong).await, 0);
}

#[tokio::test]
async fn a_conversation_counts_its_messages() {
    let gateway = Gateway::demo().await;
    let wrong = "SELECT count(*) FROM ai_conversations c
        WHERE message_count <> (SELECT count(*) FROM ai_messages WHERE conversation_id = c.id)
           OR total_tokens_used <> (SELECT coalesce(sum(tokens_used), 0) FROM ai_messages WHERE conversation_id = c.id)";
    let dice = &mut Dice(2);
    let conversation = |n: u64| format!("(SELECT id FROM ai_conversations ORDER BY id OFFSET {} LIMIT 1)", n % 4);
    let message = |n: u64| format!("(SELECT id FROM ai_messages ORDER BY id OFFSET {} LIMIT 1)", n % 30);
    let statements = (0..60).map(|_| {
        let (a, b, tokens) = (dice.below(90), dice.below(90), dice.below(500));
        match dice.below(6) {
            0 => format!(
                "INSERT INTO ai_messages (conversation_id, role, content, tokens_used)
                 VALUES ({}, 'user', 'x', {tokens}), ({}, 'assistant', 'y', NULL)",
                conversation(a),
                conversation(b)
            ),
            1 => format!("UPDATE ai_messages SET tokens_used = {tokens} WHERE id IN ({}, {})", message(a), message(b)),
            2 => format!("UPDATE ai_messages SET conversation_id = {}, tokens_used = NULL WHERE id = {}", conversation(b), message(a)),
            // Into the partition of another month.
            3 => format!("UPDATE ai_messages SET created_at = now() - interval '{} days' WHERE id = {}", a, message(b)),
            4 => format!("DELETE FROM ai_messages WHERE id IN ({}, {})", message(a), message(b)),
            _ => format!("UPDATE ai_conversations SET message_count = {a}, total_tokens_used = {tokens}, title = 'T{a}' WHERE id = {}", conversation(a)),
        }
    });
    keeps(&gateway, statements.collect(), wrong).await;
}

#[tokio::test]
async fn a_reconciliation_session_counts_its_items() {
    let gateway = Gateway::demo().await;
    gateway
        .execute(
            "WITH workspace AS (
                INSERT INTO workspaces (organization_id, name, created_by_id)
                SELECT organization_id, 'Counted', id FROM users WHERE email = 'sarah.chen@aether-demo.com' RETURNING id, created_by_id
             ), session AS (
                INSERT INTO reconciliation_sessions (workspace_id, file_name, file_type, uploaded_by, total_items, pending_count)
                SELECT id, 'markup ' || n, 'docx', created_by_id, 0, 0 FROM workspace, generate_series(1, 3) n
             )
             INSERT INTO clauses (workspace_id, title, body, type, order_index, last_modified_by)
             SELECT id, 'Clause', 'Text', 'general', 1, created_by_id FROM workspace",
        )
        .await;
    let wrong = "SELECT count(*) FROM reconciliation_sessions s CROSS JOIN LATERAL (
            SELECT count(*) AS total, count(*) FILTER (WHERE decision = 'applied') AS applied,
                   count(*) FILTER (WHERE decision = 'rejected') AS rejected, count(*) FILTER (WHERE decision = 'pending') AS pending
              FROM reconciliation_items WHERE session_id = s.id) c
        WHERE (total_items, applied_count, rejected_count, pending_count) <> (total, applied, rejected, pending)";
    let dice = &mut Dice(3);
    let session = |n: u64| format!("(SELECT id FROM reconciliation_sessions WHERE file_name = 'markup {}')", n % 3 + 1);
    let item = |n: u64| {
        format!(
            "(SELECT i.id FROM reconciliation_items i JOIN reconciliation_sessions s ON s.id = session_id
              WHERE file_name LIKE 'markup _' ORDER BY i.id OFFSET {} LIMIT 1)",
            n % 8
        )
    };
    let statements = (0..60).map(|_| {
        let (a, b) = (dice.below(90), dice.below(90));
        let decision = ["applied", "rejected"][dice.below(2) as usize];
        match dice.below(6) {
            0 | 1 => format!(
                "INSERT INTO reconciliation_items (workspace_id, session_id, incoming_snippet, target_clause_id, confidence, baseline_value, current_value, proposed_value)
                 SELECT s.workspace_id, s.id, 'x', c.id, 'HIGH', '1', '1', '2'
                   FROM reconciliation_sessions s JOIN clauses c USING (workspace_id) WHERE s.id IN ({}, {})",
                session(a),
                session(b)
            ),
            2 => format!("UPDATE reconciliation_items SET decision = '{decision}', decided_at = now() WHERE id IN ({}, {})", item(a), item(b)),
            3 => format!("UPDATE reconciliation_items SET session_id = {}, proposed_value = '{a}' WHERE id = {}", session(b), item(a)),
            4 => format!("DELETE FROM reconciliation_items WHERE id = {}", item(a)),
            _ => format!("UPDATE reconciliation_sessions SET total_items = {a}, pending_count = {a}, file_name = file_name || '' WHERE id = {}", session(a)),
        }
    });
    keeps(&gateway, statements.collect(), wrong).await;
}

#[tokio::test]
async fn generated_columns_are_read_filtered_and_sorted_like_others() {
    let gateway = Gateway::demo().await;
    let deal = string(
        &gateway,
        "SELECT d.id FROM deals d JOIN organizations o ON o.id = organization_id WHERE slug = 'aether-demo' LIMIT 1",
    )
    .await;
    gateway.execute(&format!("UPDATE deals SET value = 1000000000.01, probability = 33.33 WHERE id = '{deal}'")).await;
    let cost = string(&gateway, "SELECT c.id FROM department_costs c JOIN organizations o ON o.id = organization_id WHERE slug = 'aether-demo' LIMIT 1").await;
    let costs = "payroll = 100, software = 20, travel = 3, marketing = -0.5, other = 0";
    gateway.execute(&format!("UPDATE department_costs SET {costs}, headcount = 0 WHERE id = '{cost}'")).await;
    let line = string(
        &gateway,
        "SELECT l.id FROM budget_line_items l JOIN budgets b ON b.id = budget_id JOIN organizations o ON o.id = organization_id WHERE slug = 'aether-demo' LIMIT 1",
    )
    .await;
    let quarters = "q1_amount = 0.1, q2_amount = 0.2, q3_amount = 1e15, q4_amount = -1";
    gateway.execute(&format!("UPDATE budget_line_items SET {quarters} WHERE id = '{line}'")).await;
    let cfo = gateway.cfo().await;
    let query = format!(
        r#"{{
            deal(id: "{deal}") {{ weightedValue }}
            departmentCost(id: "{cost}") {{ totalCost costPerEmployee }}
            budgetLineItem(id: "{line}") {{ annualAmount }}
            largest: deals(first: 1, orderBy: [{{ field: WEIGHTED_VALUE, direction: DESC }}]) {{ nodes {{ id }} }}
            found: deals(filter: {{ weightedValue: {{ eq: "333300000.00" }} }}) {{ nodes {{ id }} }}
            unknown: departmentCosts(filter: {{ costPerEmployee: {{ isNull: true }}, totalCost: {{ eq: "122.50" }} }}) {{ nodes {{ id }} }}
        }}"#
    );
    let data = cfo.data(&query).await;
    let first = |alias: &str| data[alias]["nodes"][0]["id"].clone();
    assert_eq!(data["deal"]["weightedValue"], "333300000.00");
    assert_eq!(data["departmentCost"], json!({ "totalCost": "122.50", "costPerEmployee": null }));
    assert_eq!(data["budgetLineItem"]["annualAmount"], "999999999999999.30");
    assert_eq!([first("largest"), first("found"), first("unknown")], [json!(deal), json!(deal), json!(cost)]);
    refusal(&gateway, &format!("UPDATE deals SET weighted_value = 1 WHERE id = '{deal}'")).await;
}

#[tokio::test]
async fn nothing_is_as_unique_as_something() {
    let gateway = Gateway::demo().await;
    let home = "(SELECT id FROM organizations WHERE slug = 'aether-demo')";
    for insert in [
        format!(
            "INSERT INTO financial_metrics (organization_id, metric_date, metric_type) VALUES ({home}, '2040-01-01', 'ARR')"
        ),
        format!("INSERT INTO budgets (organization_id, name, fiscal_year) VALUES ({home}, 'twice', 2098)"),
        format!("INSERT INTO pipeline_snapshots (organization_id, snapshot_date) VALUES ({home}, '2040-01-01')"),
        "INSERT INTO ai_models (name, version, type) VALUES ('twice', 'v1', 'forecasting')".to_owned(),
        format!(
            "INSERT INTO deals (organization_id, external_deal_id, region, segment, lob, stage, value, probability)
             VALUES ({home}, 'twice', 'Europe', 'SMB', 'Software', 'Proposal', 1, 1)"
        ),
    ] {
        gateway.execute(&insert).await;
        let why = refusal(&gateway, &insert).await;
        assert!(why.contains("duplicate key"), "{insert}: {why}");
    }
    // Wherever a unique key may be NULL in part, and is not for some rows only.
    let loose = gateway
        .rows(
            "SELECT indexrelid::regclass::text AS name FROM pg_index i JOIN pg_class c ON c.oid = indexrelid
              WHERE indisunique AND NOT indnullsnotdistinct AND indpred IS NULL AND NOT relispartition
                AND relnamespace = 'public'::regnamespace
                AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY (indkey) AND NOT attnotnull)
                -- Those of a materialized view keep its refresh going.
                AND (SELECT relkind FROM pg_class t WHERE t.oid = indrelid) <> 'm'",
        )
        .await;
    assert_eq!(loose, Vec::<Value>::new());
}

#[tokio::test]
async fn the_summaries_are_kept_up_by_one_gateway_at_a_time() {
    let gateway = Gateway::demo().await;
    let store = store(&gateway).await;
    let summed = "SELECT count(*) FROM mv_pipeline_summary m JOIN organizations o ON o.id = organization_id
        WHERE slug = 'aether-demo' AND region = 'Latin America' AND segment = 'SMB' AND stage = 'Legal Review' AND total_value = 424242";
    let measured = "SELECT count(*) FROM mv_kpi_summary WHERE metric_type = 'CASH_FLOW' AND actual_total = -424242";
    gateway
        .execute(
            "DELETE FROM deals WHERE region = 'Latin America' AND segment = 'SMB' AND stage = 'Legal Review';
             INSERT INTO deals (organization_id, region, segment, lob, stage, value, probability)
             SELECT id, 'Latin America', 'SMB', 'Software', 'Legal Review', 424242, 50 FROM organizations WHERE slug = 'aether-demo';
             INSERT INTO financial_metrics (organization_id, metric_date, metric_type, actual_value)
             SELECT id, date_trunc('month', now())::date, 'CASH_FLOW', -424242 FROM organizations WHERE slug = 'castlebrook-investors'",
        )
        .await;
    assert_eq!((count(&gateway, summed).await, count(&gateway, measured).await), (0, 0));

    let other = gateway.owner.begin().await.expect("a transaction");
    other.execute_unprepared("SELECT pg_advisory_xact_lock(hashtext('maintain'))").await.expect("a lock");
    assert_eq!(store.maintain(WEEK).await, Ok(false));
    assert_eq!(count(&gateway, summed).await, 0);
    other.rollback().await.expect("it is let go");

    assert_eq!(store.maintain(WEEK).await, Ok(true));
    assert_eq!((count(&gateway, summed).await, count(&gateway, measured).await), (1, 1));
    let months =
        "SELECT count(*) FROM generate_series(date_trunc('month', now()), now() + interval '3 months', '1 month') m
        WHERE to_regclass('audit_logs_' || to_char(m, 'YYYY_MM')) IS NULL";
    assert_eq!(count(&gateway, months).await, 0);

    let (one, two) = tokio::join!(store.maintain(WEEK), store.maintain(WEEK));
    assert!(one == Ok(true) || two == Ok(true), "{one:?} {two:?}");
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
}
