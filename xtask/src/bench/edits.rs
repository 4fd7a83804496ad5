//! How fast terms are edited: `editVariable`, with drift, graph, audit row and events in its transaction.
//!
//! A load generator sends one request over and over; an edit names the version that the one before has left. So the clients
//! are here: each edits a variable of its own, away from the baseline and back, and begins the next edit when it has the
//! answer. Afterwards the database must have an audit row for each edit that was acknowledged.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::future::try_join_all;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};

use super::{load::Sample, programs::Server};

/// How many edit at once.
pub const CLIENTS: usize = 8;
const EDIT: &str = "mutation Edit($id: UUID!, $version: Int!, $value: String!) {
    editVariable(id: $id, expectedVersion: $version, input: { value: $value }, reason: \"Benchmark\") { rowVersion } }";

/// Where the variables are that the clients edit.
#[derive(Clone, Copy)]
pub enum Spread {
    /// Each in a workspace of its own.
    Workspaces,
    /// The same, all of them one user.
    OneUser,
    /// All in one workspace, whose edits follow one another.
    OneWorkspace,
    /// All in one agreement of so many clauses.
    Agreement(u32),
}

impl Spread {
    pub const ALL: [Self; 5] =
        [Self::Workspaces, Self::OneUser, Self::OneWorkspace, Self::Agreement(30), Self::Agreement(1_000)];

    pub fn name(self) -> String {
        match self {
            Self::Workspaces => "8 users, 8 workspaces".into(),
            Self::OneUser => "1 user by 8 clients, 8 workspaces".into(),
            Self::OneWorkspace => "8 users, 1 workspace".into(),
            Self::Agreement(clauses) => format!("8 users, 1 agreement of {clauses} clauses"),
        }
    }

    /// The variables, of clauses that nobody has locked, in workspaces of the demo where the benchmark's user is an agent.
    fn variables(self) -> String {
        let (partition, order) = match self {
            Self::Workspaces | Self::OneUser => ("v.workspace_id", "place, workspace_id"),
            Self::OneWorkspace | Self::Agreement(_) => ("v.id", "workspace_id, id"),
        };
        let name = match self {
            Self::Workspaces | Self::OneUser | Self::OneWorkspace => "NOT LIKE 'Benchmark %'".into(),
            Self::Agreement(clauses) => format!("= 'Benchmark agreement of {clauses} clauses'"),
        };
        format!(
            "SELECT id::text, row_version, baseline_value, label FROM (
                SELECT v.*, row_number() OVER (PARTITION BY {partition} ORDER BY v.id) AS place
                  FROM variables v JOIN clauses c ON c.id = v.clause_id
                 WHERE NOT c.is_locked AND v.type IN ('financial', 'covenant', 'ratio') AND v.baseline_value IS NOT NULL
                   AND EXISTS (SELECT FROM graph_nodes n WHERE n.variable_id = v.id)
                   AND v.workspace_id IN (SELECT m.workspace_id FROM workspace_members m JOIN users u ON u.id = m.user_id
                        JOIN workspaces w ON w.id = m.workspace_id
                       WHERE u.email = 'sarah.chen@aether-demo.com' AND m.role = 'agent' AND m.status = 'active'
                         AND w.name {name})) x
              ORDER BY {order} LIMIT {CLIENTS}"
        )
    }
}

/// A variable under edit.
struct Subject {
    id: String,
    version: i32,
    baseline: String,
}

/// Edits for so many seconds, after a second that is not counted; each client is one of these users.
pub async fn run(
    spread: Spread,
    database: &DatabaseConnection,
    gateway: &Server,
    users: &[String],
    seconds: u64,
) -> Result<Sample> {
    let rows = database.query_all_raw(Statement::from_string(DbBackend::Postgres, spread.variables())).await?;
    ensure!(rows.len() == CLIENTS, "{} variables to edit instead of {CLIENTS}", rows.len());
    let mut subjects = Vec::new();
    for row in rows {
        subjects.push(Subject {
            id: row.try_get_by_index(0)?,
            version: row.try_get_by_index(1)?,
            baseline: row.try_get_by_index(2)?,
        });
    }
    let before = trail(database).await?;
    let http = reqwest::Client::new();
    let url = format!("http://{}/graphql", gateway.address);
    let users = users.iter().take(if matches!(spread, Spread::OneUser) { 1 } else { CLIENTS }).cycle();
    let clients = subjects.into_iter().zip(users).map(|(subject, user)| edit(subject, &http, &url, user, seconds));
    let answers = try_join_all(clients).await?;
    let all: usize = answers.iter().map(|(all, _)| all).sum();
    let told = trail(database).await? - before;
    ensure!(told == i64::try_from(all)?, "{all} edits were acknowledged, and {told} are in the audit trail");
    let mut times: Vec<Duration> = answers.into_iter().flat_map(|(_, times)| times).collect();
    ensure!(!times.is_empty(), "no edit in {seconds} s");
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    Ok(Sample { rate: times.len() as f64 / seconds as f64, p50: at(0.50), p99: at(0.99) })
}

/// One client: how many edits were acknowledged, and how long those took that count.
async fn edit(
    mut subject: Subject,
    http: &reqwest::Client,
    url: &str,
    authorization: &str,
    seconds: u64,
) -> Result<(usize, Vec<Duration>)> {
    let warm = Instant::now() + Duration::from_secs(1);
    let end = warm + Duration::from_secs(seconds);
    let (mut all, mut sent, mut times) = (0, 0, Vec::new());
    loop {
        let begin = Instant::now();
        if begin >= end {
            return Ok((all, times));
        }
        // Each first edit of a pair opens a drift item, each second one takes it back.
        let value = if sent % 2 == 0 { "to be agreed" } else { &subject.baseline };
        let variables = json!({ "id": subject.id, "version": subject.version, "value": value });
        let request = http.post(url).header("Authorization", authorization);
        let request = request.json(&json!({ "query": EDIT, "variables": variables }));
        let answer: Value = request.send().await?.json().await?;
        let Some(version) = answer.pointer("/data/editVariable/rowVersion").and_then(Value::as_i64) else {
            bail!("an edit failed: {answer}");
        };
        let version = i32::try_from(version).context("a version")?;
        // Where the run before ended in mid-pair, the first value is there already: such an edit changes nothing and leaves no row.
        all += usize::from(version != subject.version);
        subject.version = version;
        sent += 1;
        let now = Instant::now();
        if begin >= warm && now <= end {
            times.push(now - begin);
        }
    }
}

/// How many edits of variables the audit trail tells.
async fn trail(database: &DatabaseConnection) -> Result<i64> {
    let count = "SELECT count(*) FROM audit_events WHERE event_type = 'VARIABLE_EDIT'";
    let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, count)).await?;
    Ok(row.context("a count")?.try_get_by_index(0)?)
}
