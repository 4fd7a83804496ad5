//! What a page says that somebody runs, runs as it stands, one block after the other. Ids and versions come from the
//! answers before; what the reader would look up or choose, the test looks up in the demo data.

use std::collections::{HashMap, VecDeque};

use futures::{StreamExt, stream};
use serde_json::{Map, Value, json};

use super::{Page, declared, pages};
use crate::{
    loan::{connectors, golden},
    mutations::{IN_WORKSPACE, by_sql},
    support::{Gateway, HOME, User},
};

/// The SQL of the organization with everything.
const IN_HOME: &str = "(SELECT id FROM organizations WHERE slug = 'aether-demo')";

#[tokio::test]
async fn what_pages_say_somebody_runs_runs() {
    // Drafting has a test of its own, which looks at what comes of it.
    let mut pages = pages();
    pages.retain(|page| page.name != "drafting.md" && page.blocks().iter().any(|block| block.who.is_some()));
    assert!(!pages.is_empty(), "the pages say nowhere who runs what");
    let runs = pages.iter().map(async |page| run(&Gateway::demo().await, page).await.err());
    let problems: Vec<_> = stream::iter(runs).buffered(4).filter_map(async |problem| problem).collect().await;
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// Runs what the page says that somebody runs, and tells the answers, or what is the first that does not run.
pub async fn run(gateway: &Gateway, page: &Page) -> Result<Vec<Value>, String> {
    let mut users: HashMap<String, User<'_>> = HashMap::new();
    let mut variables = prepared(gateway, page).await;
    let mut answers = Vec::new();
    for block in page.blocks() {
        let Some(who) = &block.who else { continue };
        if !users.contains_key(who) {
            users.insert(who.clone(), sign_in(gateway, who).await);
        }
        for operation in &block.operations {
            let given: Map<_, _> = declared(operation)
                .into_iter()
                .filter_map(|(name, _)| Some((name.clone(), variables.get(&name)?.clone())))
                .collect();
            let answer = users[who].run(operation, Value::Object(given.clone())).await;
            let error = answer.body.get("errors").map(|_| answer.code());
            if error != block.code.as_deref() {
                let given = Value::Object(given);
                return Err(format!("{}: {operation}with {given} as {who}:\n{:#}", block.place, answer.body));
            }
            learn(&mut variables, &answer.body["data"]);
            answers.push(answer.body["data"].clone());
        }
    }
    Ok(answers)
}

/// Whom the pages speak of.
async fn sign_in<'g>(gateway: &'g Gateway, who: &str) -> User<'g> {
    let (email, organization) = match who {
        "stranger" => return gateway.stranger(),
        "cfo" => ("sarah.chen@aether-demo.com", HOME),
        "manager" => ("finance.manager@aether-demo.com", HOME),
        "analyst" => ("analyst@aether-demo.com", HOME),
        "viewer" => ("viewer@aether-demo.com", HOME),
        "admin" => ("admin@aether-demo.com", HOME),
        "agent" => ("agent@northgate-bank.example", "northgate-bank"),
        "risk" => ("risk@northgate-bank.example", "northgate-bank"),
        "counsel" => ("legal@harrow-and-lane.example", "harrow-and-lane"),
        other => panic!("nobody is called {other}"),
    };
    gateway.sign_in(email, organization).await
}

/// What pages call a row that a field of this name answers with.
fn name(field: &str) -> Option<&'static str> {
    Some(match field {
        "createWorkspace" | "updateGovernanceRules" => "workspace",
        "inviteMember" | "acceptInvitation" | "changeMemberRole" => "member",
        "addClause" | "editClause" | "lockClause" | "unlockClause" | "moveClause" => "clause",
        "addCovenant" | "editCovenant" => "covenant",
        "lineItems" => "line",
        "graphNodes" => "node",
        "sessions" => "session",
        _ => return None,
    })
}

/// Takes from an answer what later operations may ask for. `$id` and `$version` are of the outermost row that tells its id,
/// or else `$version` of the outermost that tells its version. Rows with a name are `$clause` and `$clauseVersion`.
fn learn(variables: &mut Map<String, Value>, answer: &Value) {
    let mut objects: VecDeque<(Option<&str>, &Value)> = VecDeque::from([(None, answer)]);
    let (mut newest, mut version): (Option<(&Value, Option<&Value>)>, Option<&Value>) = (None, None);
    while let Some((row, value)) = objects.pop_front() {
        match value {
            Value::Array(items) => objects.extend(items.iter().map(|item| (row, item))),
            Value::Object(fields) => {
                let id = fields.get("id").or_else(|| fields.get("ids")?.as_array()?.last());
                if let (Some(name), Some(id)) = (row, id) {
                    variables.insert(name.to_owned(), id.clone());
                    variables.insert(format!("{name}Version"), fields.get("rowVersion").cloned().unwrap_or_default());
                }
                newest = newest.or(id.map(|id| (id, fields.get("rowVersion"))));
                version = version.or(fields.get("rowVersion"));
                if let Some(token) = fields.get("token") {
                    variables.insert("token".into(), token.clone());
                }
                let named = |field: &str| name(field).or(row.filter(|_| field == "nodes"));
                objects.extend(fields.iter().map(|(field, value)| (named(field), value)));
            }
            _ => {}
        }
    }
    if let Some((id, of_row)) = newest {
        variables.insert("id".into(), id.clone());
        version = of_row.or(version);
    }
    if let Some(version) = version {
        variables.insert("version".into(), version.clone());
    }
}

/// The variables that a page begins with.
async fn prepared(gateway: &Gateway, page: &Page) -> Map<String, Value> {
    let mut variables = Map::new();
    for sql in sql(&page.name) {
        let row = by_sql(gateway, "", &sql.replace("IN_WORKSPACE", IN_WORKSPACE).replace("IN_HOME", IN_HOME)).await;
        variables.extend(row.as_object().expect("a row").clone());
    }
    if let Some(csv) = page.first("csv") {
        variables.insert("csv".into(), json!(csv));
    }
    variables
}

/// What the reader looks up or chooses before, as the columns of rows.
fn sql(page: &str) -> &'static [&'static str] {
    const COLLEAGUE: &str =
        "SELECT id AS owner, id AS \"user\", id AS colleague FROM users WHERE email = 'analyst@aether-demo.com'";
    const WORKSPACE: &str = "SELECT IN_WORKSPACE AS workspace";
    match page {
        "compliance.md" | "deals-and-pipeline.md" | "scenarios-and-assistant.md" => &[COLLEAGUE],
        "anomalies.md" => &[
            COLLEAGUE,
            "SELECT ids[1] AS id, ids[2] AS other, to_jsonb(ids) AS ids FROM (SELECT array_agg(id) AS ids FROM anomalies
                WHERE status = 'open' AND organization_id = IN_HOME) AS open",
        ],
        "audit-exports.md" => &[
            WORKSPACE,
            "SELECT id AS entry FROM audit_logs WHERE organization_id = IN_HOME AND requires_review AND NOT reviewed
                AND actor_email <> 'sarah.chen@aether-demo.com' LIMIT 1",
        ],
        "drift.md" => &[
            WORKSPACE,
            "SELECT id AS variable, row_version AS \"variableVersion\" FROM variables
                WHERE workspace_id = IN_WORKSPACE AND label = 'Term Facility margin'",
            "SELECT jsonb_build_array(jsonb_build_object('id', i.id, 'expectedVersion', i.row_version)) AS items
                FROM reconciliation_items i JOIN variables v ON v.id = i.target_variable_id
                WHERE i.workspace_id = IN_WORKSPACE AND decision = 'pending' AND v.label = 'General debt basket'",
        ],
        "golden-record.md" => &[
            golden::READY,
            connectors::FRESH,
            "SELECT id AS connector, row_version AS \"connectorVersion\", 'a-secret-between-the-two' AS secret
                FROM downstream_connectors WHERE name = 'Test'",
        ],
        "metrics-and-budgets.md" => &["SELECT id FROM financial_metrics WHERE organization_id = IN_HOME
                AND row_version = 1 AND forecast_value IS NOT NULL ORDER BY metric_date DESC LIMIT 1"],
        "users-and-access.md" => &["SELECT 'aether-demo' AS current, 'correct horse battery' AS new"],
        "vendors-and-departments.md" => {
            &["SELECT id AS \"to\", id AS department FROM departments WHERE organization_id = IN_HOME LIMIT 1"]
        }
        _ => &[],
    }
}
