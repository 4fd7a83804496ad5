//! What the rows promise, checked on the rows themselves.

use std::collections::{BTreeMap, BTreeSet};

use aether_domain::drift::{self, TermKind};
use aether_domain::term;
use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{agreement, generate};
use crate::copy::Rows;
use crate::ids::Ids;
use crate::people::People;
use crate::random::stream;
use crate::tenant::midnight;

const TODAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 3, 18).unwrap();

type Row = BTreeMap<&'static str, String>;

/// The rows of every table, with NULL as an absent cell.
struct Data(BTreeMap<&'static str, Vec<Row>>);

impl Data {
    fn new(copies: u32) -> Self {
        let read = |rows: Rows| {
            let cells = |line: &str| {
                let cells = rows.columns.iter().zip(line.split('\t')).filter(|(_, cell)| *cell != "\\N");
                cells.map(|(column, cell)| (*column, cell.replace("\\n", "\n").replace("\\\\", "\\"))).collect()
            };
            (rows.table, rows.text.lines().map(cells).collect())
        };
        Self(raw(copies).1.into_iter().map(read).collect())
    }

    fn all(&self, table: &str) -> &[Row] {
        &self.0[table]
    }

    fn values(&self, table: &str, column: &str) -> BTreeSet<&str> {
        self.all(table).iter().filter_map(|row| row.get(column)).map(String::as_str).collect()
    }
}

fn raw(copies: u32) -> (People, Vec<Rows>) {
    let people = People::new(&mut Ids::new(stream(1, "people", "")), midnight(TODAY), 1);
    let chance = (&mut Ids::new(stream(1, "ids", "")), &mut stream(1, "loan", ""));
    let rows = generate(&people, chance, &<[u8]>::to_vec, TODAY, copies);
    (people, rows)
}

fn set<'a>(values: &[&'a str]) -> BTreeSet<&'a str> {
    values.iter().copied().collect()
}

#[test]
fn the_same_seed_makes_the_same_rows() {
    assert_eq!(raw(2).1, raw(2).1);
}

#[test]
fn everything_there_is_a_name_for_occurs() {
    let data = Data::new(1);
    let events = [
        "LOGIN",
        "LOGOUT",
        "WORKSPACE_CREATE",
        "INVITE_SENT",
        "ROLE_CHANGED",
        "MEMBER_REMOVED",
        "CLAUSE_EDIT",
        "VARIABLE_EDIT",
        "VARIABLE_BIND",
        "GRAPH_SYNC",
        "DRIFT_OVERRIDE",
        "DRIFT_REVERT",
        "DRIFT_APPROVE",
        "RECON_APPLY",
        "RECON_REJECT",
        "PUBLISH",
        "EXPORT_JSON",
        "EXPORT_AUDIT",
        "GOVERNANCE_UPDATED",
        "SECTION_LOCKED",
        "SECTION_UNLOCKED",
    ];
    assert_eq!(data.values("audit_events", "event_type"), set(&events));
    let reasons = set(&["borrower_request", "market_conditions", "credit_update", "legal_requirement", "other"]);
    assert_eq!(data.values("audit_events", "reason_category"), reasons);
    assert_eq!(data.values("drift_items", "reason_category"), reasons);
    for (table, column, names) in [
        ("workspace_members", "role", &["agent", "legal", "risk", "investor"][..]),
        ("workspace_members", "status", &["active", "pending", "removed"]),
        ("clauses", "type", &["financial", "covenant", "definition", "xref", "general"]),
        ("variables", "type", &["financial", "definition", "covenant", "ratio"]),
        ("graph_nodes", "type", &["financial", "covenant", "definition", "xref"]),
        ("graph_edges", "weight", &["1", "2", "3", "4", "5"]),
        ("reconciliation_sessions", "file_type", &["docx", "pdf"]),
        ("reconciliation_items", "confidence", &["HIGH", "MEDIUM", "LOW"]),
        ("reconciliation_items", "decision", &["pending", "applied", "rejected"]),
        ("golden_records", "status", &["READY", "IN_REVIEW"]),
        ("downstream_connectors", "type", &["LoanIQ", "Finastra", "Allvue", "CovenantTracker"]),
        ("downstream_connectors", "status", &["READY", "IN_REVIEW", "DISCONNECTED"]),
        ("connector_deliveries", "status", &["pending", "delivered", "failed"]),
    ] {
        assert_eq!(data.values(table, column), set(names), "{table}.{column}");
    }
    let drift: BTreeSet<(&str, &str)> =
        data.all("drift_items").iter().map(|row| (row["status"].as_str(), row["severity"].as_str())).collect();
    assert_eq!(drift.len(), 12, "every status with every severity: {drift:?}");
}

#[test]
fn agreements_are_long_and_say_what_their_variables_say() {
    for original in agreement::all() {
        for agreement in [original.varied(31, " again"), original] {
            assert!(agreement.clauses.len() >= 25);
            let variables: usize = agreement.clauses.iter().map(|clause| clause.variables.len()).sum();
            assert!(variables >= 10);
            for clause in &agreement.clauses {
                let words = clause.body.split_whitespace().count();
                assert!((60..=180).contains(&words), "{} has {words} words", clause.title);
                assert!(
                    clause.kind != TermKind::General || clause.variables.is_empty(),
                    "{} has no node",
                    clause.title
                );
                for variable in &clause.variables {
                    assert!(clause.body.contains(&variable.value), "{} says {}", clause.title, variable.value);
                    assert!(
                        term::same(&variable.value, &variable.baseline_value)
                            || variable.reason.is_some()
                            || variable.settled.iter().any(|settled| settled.status == "approved"),
                        "{}",
                        variable.label
                    );
                }
            }
        }
    }
}

#[test]
fn severity_agrees_with_the_values() {
    for row in Data::new(3).all("drift_items") {
        let kind = TermKind::from_name(&row["type"]).expect("a type of clauses");
        let severity = drift::severity(kind, &row["baseline_value"], &row["current_value"]);
        assert_eq!(Some(row["severity"].as_str()), severity.map(drift::Severity::as_str));
        assert!(matches!(row["type"].as_str(), "financial" | "covenant" | "definition"), "{}", row["title"]);
    }
}

#[test]
fn variables_agree_with_their_drift() {
    let data = Data::new(2);
    for variable in data.all("variables") {
        let items: Vec<&Row> =
            data.all("drift_items").iter().filter(|item| item["variable_id"] == variable["id"]).collect();
        let open = items.iter().filter(|item| item["status"] == "unresolved").count();
        let accepted = items.iter().any(|item| item["status"] == "approved");
        let same = term::same(&variable["value"], &variable["baseline_value"]);
        assert!(if same { open == 0 } else { open == 1 || accepted }, "{}", variable["label"]);
        let node = data.all("graph_nodes").iter().find(|node| node.get("variable_id") == Some(&variable["id"]));
        assert_eq!(node.expect("a node")["has_drift"], if open > 0 { "t" } else { "f" });
    }
}

#[test]
fn an_override_waits_with_all_that_is_known_of_it() {
    let data = Data::new(1);
    let mut waiting = 0;
    for item in data.all("drift_items") {
        let columns = ["override_requested_by", "override_requested_at", "override_reason", "override_category"];
        let told = columns.iter().filter(|column| item.contains_key(*column)).count();
        assert!(told == 0 || told == 4 && item["status"] == "unresolved", "{}", item["title"]);
        waiting += told / 4;
    }
    assert_eq!(waiting, 1);
}

#[test]
fn warnings_are_those_of_the_nodes() {
    let data = Data::new(2);
    let warned = data.values("graph_warnings", "graph_node_id");
    assert!(data.values("graph_warnings", "kind").contains("SENSITIVE_DRIFT"));
    for node in data.all("graph_nodes") {
        assert_eq!(node["has_warning"] == "t", warned.contains(node["id"].as_str()), "{}", node["label"]);
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let data = Data::new(2);
    let (people, _) = raw(1);
    let ids: BTreeMap<&str, BTreeSet<&str>> = data.0.keys().map(|table| (*table, data.values(table, "id"))).collect();
    let users: BTreeSet<String> = people.users.iter().map(|user| user.id.to_string()).collect();
    let mut checked = 0;
    for (table, rows) in &data.0 {
        for (column, value) in rows.iter().flatten() {
            let known = match *column {
                "workspace_id" => ids["workspaces"].contains(value.as_str()),
                "clause_id" | "target_clause_id" => ids["clauses"].contains(value.as_str()),
                "variable_id" | "target_variable_id" => ids["variables"].contains(value.as_str()),
                "node_id" => ids["graph_nodes"].contains(value.as_str()),
                "source_id" | "target_id" if *table == "graph_edges" => ids["graph_nodes"].contains(value.as_str()),
                "session_id" => ids["reconciliation_sessions"].contains(value.as_str()),
                "golden_record_id" => ids["golden_records"].contains(value.as_str()),
                "connector_id" => ids["downstream_connectors"].contains(value.as_str()),
                "version_id" => ids["golden_record_versions"].contains(value.as_str()),
                "delivery_id" => ids["connector_deliveries"].contains(value.as_str()),
                // What an event is about, in whatever table.
                "target_id" => ids.values().any(|ids| ids.contains(value.as_str())),
                "user_id"
                | "created_by_id"
                | "actor_id"
                | "locked_by"
                | "last_modified_by"
                | "current_modified_by"
                | "approved_by"
                | "uploaded_by"
                | "decided_by"
                | "override_requested_by"
                | "published_by" => users.contains(value),
                _ => continue,
            };
            assert!(known, "{table}.{column} {value}");
            checked += 1;
        }
    }
    assert!(checked > 5_000);
}

#[test]
fn nobody_acts_out_of_turn() {
    let data = Data::new(2);
    let mut members: BTreeMap<(&str, &str), (&str, &str)> = BTreeMap::new();
    for row in data.all("workspace_members") {
        members.insert((&row["workspace_id"], &row["user_id"]), (&row["role"], &row["status"]));
    }
    for event in data.all("audit_events").iter().filter(|event| event.contains_key("workspace_id")) {
        let (role, status) = members[&(event["workspace_id"].as_str(), event["actor_id"].as_str())];
        assert_eq!(status, "active");
        let allowed: &[&str] = match event["event_type"].as_str() {
            "CLAUSE_EDIT" | "VARIABLE_EDIT" | "VARIABLE_BIND" | "GRAPH_SYNC" | "RECON_APPLY" | "RECON_REJECT"
            | "DRIFT_REVERT" => &["agent", "legal"],
            "DRIFT_APPROVE" => &["risk"],
            "EXPORT_JSON" | "EXPORT_AUDIT" => &["agent", "risk"],
            _ => &["agent"],
        };
        assert!(allowed.contains(&role), "{} by {role}", event["event_type"]);
    }
    for item in data.all("drift_items") {
        let settled = item["status"] != "unresolved";
        for column in ["approved_by", "approved_at", "approval_reason", "reason_category"] {
            assert_eq!(item.contains_key(column), settled);
        }
        if item["status"] == "approved" || item["status"] == "overridden" {
            assert_ne!(item["approved_by"], item["current_modified_by"]);
        }
    }
}

#[test]
fn time_runs_forward_and_ends_today() {
    let data = Data::new(2);
    let end = "2026-03-18 00:00:00.000000+00".to_owned();
    for (table, rows) in &data.0 {
        for row in rows {
            for (column, value) in row.iter().filter(|(column, _)| column.ends_with("_at") || **column == "timestamp") {
                assert!(*value <= end, "{table}.{column} {value}");
            }
            if let (Some(created), Some(updated)) = (row.get("created_at"), row.get("updated_at")) {
                assert!(created <= updated, "{table}");
            }
        }
    }
    for item in data.all("drift_items") {
        assert!(item["baseline_approved_at"] < item["current_modified_at"]);
        assert!(item.get("approved_at").is_none_or(|at| *at > item["current_modified_at"]));
    }
}

#[test]
fn golden_records_follow_their_rule() {
    let data = Data::new(2);
    for record in data.all("golden_records") {
        let unresolved = data.all("drift_items").iter().filter(|item| {
            item["workspace_id"] == record["workspace_id"]
                && item["severity"] == "HIGH"
                && item["status"] == "unresolved"
        });
        let high = unresolved.count();
        assert_eq!(record["unresolved_high_drift_count"], high.to_string());
        let score: Decimal = record["integrity_score"].parse().expect("a number");
        let state = data.all("graph_state").iter().find(|state| state["workspace_id"] == record["workspace_id"]);
        assert_eq!(state.expect("a state")["integrity_score"], record["integrity_score"]);
        assert_eq!(record["status"] == "READY", high == 0 && score >= aether_domain::golden::READY_FROM);
        let versions = data.all("golden_record_versions").iter().filter(|v| v["golden_record_id"] == record["id"]);
        let last = versions.map(|version| &version["published_at"]).max();
        assert_eq!(last, record.get("last_publish_at"));
    }
}

#[test]
fn deliveries_agree_with_their_log_and_their_connector() {
    let data = Data::new(2);
    for delivery in data.all("connector_deliveries") {
        let log: Vec<&Row> =
            data.all("delivery_attempts").iter().filter(|attempt| attempt["delivery_id"] == delivery["id"]).collect();
        assert_eq!(delivery["attempts"], log.len().to_string());
        let (last, earlier) = log.split_last().expect("an attempt");
        assert!(earlier.iter().all(|attempt| attempt.contains_key("error")));
        assert_eq!(delivery["status"] == "delivered", !last.contains_key("error"));
        assert_eq!(delivery.get("last_error"), last.get("error"));
        assert_eq!(delivery["status"] == "pending", delivery.contains_key("next_attempt_at"));
        let connector = data.all("downstream_connectors").iter().find(|it| it["id"] == delivery["connector_id"]);
        let connector = connector.expect("a connector");
        // The gateway must not try to reach these hosts, which do not exist.
        assert!(delivery["status"] != "pending" || connector["status"] != "READY");
        if let Some(at) = delivery.get("delivered_at") {
            assert!(connector["last_sync_at"] >= *at);
        }
    }
    for connector in data.all("downstream_connectors").iter().filter(|connector| connector["status"] == "READY") {
        assert!(connector.contains_key("url") && connector.contains_key("encrypted_secret"));
    }
}

#[test]
fn a_session_is_half_decided_and_counts_right() {
    let data = Data::new(1);
    let mut half = 0;
    for session in data.all("reconciliation_sessions") {
        let items = data.all("reconciliation_items").iter().filter(|item| item["session_id"] == session["id"]);
        let decisions: Vec<&str> = items.map(|item| item["decision"].as_str()).collect();
        for (column, decision) in
            [("applied_count", "applied"), ("rejected_count", "rejected"), ("pending_count", "pending")]
        {
            assert_eq!(session[column], decisions.iter().filter(|it| **it == decision).count().to_string());
        }
        assert_eq!(session["total_items"], decisions.len().to_string());
        let open = decisions.iter().filter(|it| **it == "pending").count();
        half += i32::from(open > 0 && open < decisions.len());
    }
    assert!(half > 0);
}
