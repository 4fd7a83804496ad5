//! The baseline under the gateway's speed: for its queries, each of the benchmark's queries as one statement written by hand, whose JSON is
//! passed through as bytes. No GraphQL, no authentication; user and organization are told at the start. Statements are prepared once on
//! each of a few connections, which take turns and are never checked out: what the fastest hand-written service would do.
//!
//! For its live updates, see [`broadcast`].
//!
//! The statements keep the gateway's promises: its order, its page sizes and its conditions on what a user may see.

mod broadcast;

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::NaiveDate;
use clap::Parser;
use tokio::net::TcpListener;
use tokio_postgres::{
    Client, NoTls, Row, Statement,
    types::{FromSql, ToSql, Type},
};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The baseline under the gateway.
#[derive(Parser)]
enum Baseline {
    /// The benchmark's queries, each as one statement written by hand.
    Queries(Box<Config>),
    /// Messages passed on to all WebSockets of a channel.
    Broadcast {
        /// Where to serve.
        #[arg(long, env = "BASELINE_LISTEN")]
        listen: SocketAddr,
    },
}

#[derive(clap::Args, Clone)]
struct Config {
    /// The database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: tokio_postgres::Config,
    /// Where to serve.
    #[arg(long, env = "BASELINE_LISTEN")]
    listen: SocketAddr,
    /// How many connections to the database.
    #[arg(long, env = "BASELINE_MAX_CONNECTIONS")]
    max_connections: u32,
    /// Who asks.
    #[arg(long, env = "BASELINE_USER")]
    user: Uuid,
    /// That user's organization.
    #[arg(long, env = "BASELINE_ORGANIZATION")]
    organization: Uuid,
    /// The workspace that is asked for.
    #[arg(long, env = "BASELINE_WORKSPACE")]
    workspace: Uuid,
    /// The kinds of metrics that are asked for.
    #[arg(long, env = "BASELINE_METRIC_TYPES", value_delimiter = ',')]
    metric_types: Vec<String>,
    /// The first day of the metrics.
    #[arg(long, env = "BASELINE_METRICS_SINCE")]
    metrics_since: NaiveDate,
}

#[derive(Clone)]
struct App {
    config: &'static Config,
    connections: &'static [Connection],
    next: &'static AtomicUsize,
}

/// A connection with its statements.
struct Connection {
    client: Client,
    document: Statement,
    deals: Statement,
    workspace: Statement,
    metrics: Statement,
    groups: Statement,
}

/// The workspaces of the user `$1`.
macro_rules! own_workspaces {
    () => {
        "ARRAY(SELECT m.workspace_id FROM workspace_members m JOIN workspaces a ON a.id = m.workspace_id \
         WHERE m.user_id = $1 AND m.status = 'active' AND a.deleted_at IS NULL)"
    };
}

// Each level cuts its page before it looks at the next. Keys that carry the workspace keep a clause, a variable and a node
// in the workspace of what they hang off, so that the first level's condition is that of all.
const DOCUMENT: &str = concat!(
    r#"
SELECT json_build_object('data', json_build_object('workspaces', json_build_object('nodes', coalesce(json_agg(w), '[]'))))::text
FROM (
    SELECT w.id, w.name, w.currency, w.amount::text AS amount, c.clauses
    FROM (SELECT * FROM workspaces w WHERE w.id = ANY("#,
    own_workspaces!(),
    r#") ORDER BY w.created_at DESC, w.id DESC LIMIT 5) w
    CROSS JOIN LATERAL (
        SELECT json_build_object('nodes', coalesce(json_agg(c), '[]')) AS clauses
        FROM (
            SELECT c.id, c.title, c.order_index AS "orderIndex", upper(c.type::text COLLATE "C") AS type, v.variables
            FROM (SELECT * FROM clauses c WHERE c.workspace_id = w.id ORDER BY c.order_index, c.id LIMIT 20) c
            CROSS JOIN LATERAL (
                SELECT json_build_object('nodes', coalesce(json_agg(v), '[]')) AS variables
                FROM (
                    SELECT v.id, v.label, v.value, v.baseline_value AS "baselineValue", g."graphNodes"
                    FROM (SELECT * FROM variables v WHERE v.clause_id = c.id ORDER BY v.label COLLATE natural_order, v.id LIMIT 10) v
                    CROSS JOIN LATERAL (
                        SELECT json_build_object('nodes', coalesce(json_agg(g), '[]')) AS "graphNodes"
                        FROM (
                            SELECT g.id, g.label, upper(g.type::text COLLATE "C") AS type, g.has_drift AS "hasDrift"
                            FROM graph_nodes g WHERE g.variable_id = v.id ORDER BY g.label COLLATE natural_order, g.id LIMIT 5
                        ) g
                    ) g
                ) v
            ) v
        ) c
    ) c
) w"#
);

const DEALS: &str = concat!(
    r#"
SELECT json_build_object('data', json_build_object('deals', json_build_object('nodes', coalesce(json_agg(d), '[]'))))::text
FROM (
    SELECT d.id, d.name, upper(replace(d.stage::text, ' ', '_') COLLATE "C") AS stage, d.value::text AS value,
           d.probability::text AS probability, d.expected_close_date AS "expectedCloseDate", u.owner, h.history
    FROM (SELECT * FROM deals d WHERE d.organization_id = $2 ORDER BY d.created_at DESC, d.id DESC LIMIT 50) d
    LEFT JOIN LATERAL (
        SELECT json_build_object('id', u.id, 'name', u.name) AS owner
        FROM users u
        WHERE u.id = d.owner_id AND u.deleted_at IS NULL AND (u.organization_id = $2 OR u.id = ANY(ARRAY(
            SELECT n.user_id FROM workspace_members n WHERE n.workspace_id = ANY("#,
    own_workspaces!(),
    r#"))))
    ) u ON true
    CROSS JOIN LATERAL (
        SELECT json_build_object('nodes', coalesce(json_agg(h), '[]')) AS history
        FROM (
            SELECT h.field_changed AS "fieldChanged", h.old_value AS "oldValue", h.new_value AS "newValue",
                   h.changed_at AS "changedAt"
            FROM deal_history h WHERE h.deal_id = d.id ORDER BY h.changed_at DESC, h.id DESC LIMIT 5
        ) h
    ) h
) d"#
);

const WORKSPACE: &str = concat!(
    r#"
SELECT json_build_object('data', json_build_object('workspace', (
    SELECT json_build_object('id', w.id, 'name', w.name, 'currency', w.currency, 'amount', w.amount::text,
                             'standard', w.standard, 'createdAt', w.created_at)
    FROM workspaces w WHERE w.id = $2 AND w.id = ANY("#,
    own_workspaces!(),
    r#")
)))::text"#
);

const METRICS: &str = r#"
SELECT json_build_object('data', json_build_object('financialMetrics', json_build_object('nodes',
    coalesce(json_agg(m), '[]'))))::text
FROM (
    SELECT m.id, m.metric_date AS "metricDate", m.metric_type AS "metricType", m.region,
           m.actual_value::text AS "actualValue", m.forecast_value::text AS "forecastValue",
           m.budget_value::text AS "budgetValue"
    FROM financial_metrics m
    WHERE m.organization_id = $1 AND m.metric_type = ANY($2::text[]::metric_type[]) AND m.metric_date >= $3
    ORDER BY m.metric_date DESC, m.id DESC LIMIT 288
) m"#;

const GROUPS: &str = r#"
SELECT json_build_object('data', json_build_object('financialMetrics', json_build_object('groups', json_build_object('nodes',
    coalesce(json_agg(json_build_object('key', json_build_object('metricDate', g.month, 'region', g.region), 'count', g.count,
        'actualValue', json_build_object('sum', g.sum::text))), '[]')))))::text
FROM (
    SELECT date_trunc('month', m.metric_date::timestamp)::date AS month, m.region, count(*) AS count, sum(m.actual_value) AS sum
    FROM financial_metrics m
    WHERE m.organization_id = $1 AND m.metric_type = 'CASH_FLOW' AND m.currency = 'USD'
    GROUP BY 1, 2 ORDER BY 1, m.region COLLATE natural_order LIMIT 500
) g"#;

#[tokio::main]
async fn main() -> Result<()> {
    let (listen, router) = match Baseline::parse() {
        Baseline::Queries(config) => (config.listen, queries(config).await?),
        Baseline::Broadcast { listen } => (listen, broadcast::router()),
    };
    let router = router.route("/readyz", get(|| async { "ready" }));
    axum::serve(TcpListener::bind(listen).await?, router).await?;
    Ok(())
}

async fn queries(config: Box<Config>) -> Result<Router> {
    let config: &'static Config = Box::leak(config);
    let mut connections = Vec::new();
    for _ in 0..config.max_connections {
        connections.push(Connection::open(config).await?);
    }
    let (connections, next) = (connections.leak(), Box::leak(Box::default()));
    Ok(Router::new()
        .route("/document", post(document))
        .route("/deals", post(deals))
        .route("/workspace", post(workspace))
        .route("/metrics", post(metrics))
        .route("/groups", post(groups))
        .with_state(App { config, connections, next }))
}

impl Connection {
    /// As the gateway connects: the same role, the same settings.
    async fn open(config: &Config) -> Result<Self> {
        let mut options = config.database_url.clone();
        options
            .application_name("aether-baseline")
            .options("-c role=aether_reader -c TimeZone=UTC -c jit=off -c random_page_cost=1.1");
        let (client, connection) = options.connect(NoTls).await.context("no connection to the database")?;
        tokio::spawn(connection);
        Ok(Self {
            document: client.prepare(DOCUMENT).await?,
            deals: client.prepare(DEALS).await?,
            workspace: client.prepare(WORKSPACE).await?,
            metrics: client.prepare(METRICS).await?,
            groups: client.prepare(GROUPS).await?,
            client,
        })
    }
}

impl App {
    fn connection(&self) -> &'static Connection {
        &self.connections[self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len()]
    }
}

async fn document(State(app): State<App>, _: Bytes) -> Response {
    let Connection { client, document, .. } = app.connection();
    answer(client, document, &[&app.config.user]).await
}

async fn deals(State(app): State<App>, _: Bytes) -> Response {
    let Connection { client, deals, .. } = app.connection();
    answer(client, deals, &[&app.config.user, &app.config.organization]).await
}

async fn workspace(State(app): State<App>, _: Bytes) -> Response {
    let Connection { client, workspace, .. } = app.connection();
    answer(client, workspace, &[&app.config.user, &app.config.workspace]).await
}

async fn metrics(State(app): State<App>, _: Bytes) -> Response {
    let Connection { client, metrics, .. } = app.connection();
    answer(client, metrics, &[&app.config.organization, &app.config.metric_types, &app.config.metrics_since]).await
}

async fn groups(State(app): State<App>, _: Bytes) -> Response {
    let Connection { client, groups, .. } = app.connection();
    answer(client, groups, &[&app.config.organization]).await
}

/// The statement's only value, as it came.
async fn answer(client: &Client, statement: &Statement, values: &[&(dyn ToSql + Sync)]) -> Response {
    match client.query_one(statement, values).await.and_then(json) {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Bytes as they came, of whatever type.
struct Raw(Bytes);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Bytes::copy_from_slice(raw)))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn json(row: Row) -> Result<Bytes, tokio_postgres::Error> {
    row.try_get::<_, Raw>(0).map(|raw| raw.0)
}
