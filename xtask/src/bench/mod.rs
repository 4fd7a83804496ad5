//! `cargo xtask bench`: the gateway against its baseline, side by side.
//!
//! Both programs are release builds on one database. The gateway has the settings that it has unless told, of whose connections one
//! user has a quarter; the baseline has as many as serve it best. For each query both must give the same
//! answer; then a load generator asks the one and the other in turn, so that what else the machine does hits both. A
//! ratio is taken between neighbours, and what is reported is the median.

mod edits;
mod live;
mod load;
mod programs;
mod queries;
mod usage;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use aether_embedded::{Cluster, Settings};
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};

use self::{
    load::{CONNECTIONS, Generator, Request, Sample},
    programs::{Binaries, Server, gateway},
    queries::{METRIC_TYPES, QUERIES, Query, difference, rows},
    usage::Processes,
};

/// The baseline's connections: with twice as many it answers fewer requests, with half as many no more.
const BASELINE_CONNECTIONS: u32 = 8;
const WARM_UP_SECONDS: u64 = 2;
/// How many times the usual volume of demo data surrounds what is read.
const SCALE: &str = "4";

/// How to measure.
#[derive(Args)]
pub struct Options {
    /// Seconds of each measurement; 4 unless said, 60 of live updates.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: Option<u64>,
    /// Measurements of each program and query.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: u64,
    /// Only this query.
    #[arg(long, value_name = "NAME", value_parser = QUERIES.map(|query| query.name))]
    query: Option<String>,
    /// A database to use, which is migrated and given demo data and more; a private one unless said.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Fails when a query is slower than this share of the baseline.
    #[arg(long, value_name = "RATIO")]
    bar: Option<f64>,
    /// Measures `editVariable` instead of the queries; it has no baseline.
    #[arg(long, conflicts_with_all = ["query", "bar"])]
    edits: bool,
    /// Measures how the cost of the deepest query grows with its rows; it has no baseline.
    #[arg(long, conflicts_with_all = ["query", "bar", "edits"])]
    growth: bool,
    /// Measures live updates instead of the queries: subscribers over WebSocket of one gateway, against a plain WebSocket server.
    #[arg(long, conflicts_with_all = ["query", "bar", "edits", "growth", "rounds"])]
    live: bool,
    #[command(flatten)]
    audience: live::Load,
    /// Measures debug builds: to try the benchmark itself, not for figures.
    #[arg(long)]
    debug: bool,
    /// Measures the builds in this folder, instead of building.
    #[arg(long, value_name = "FOLDER")]
    binaries: Option<PathBuf>,
}

impl Options {
    fn seconds(&self) -> u64 {
        self.seconds.unwrap_or(4)
    }
}

/// Who asks, and for what: as text, from the database.
struct Subject {
    user: String,
    organization: String,
    workspace: String,
    metrics_since: String,
    postgres: String,
    /// The process that PostgreSQL's others come from, where it is on this machine.
    postmaster: Option<u32>,
}

/// What a request used on average: processor time of the server and of PostgreSQL, milliseconds; and the most memory that the server had,
/// bytes.
#[derive(Clone, Copy)]
struct Used {
    server: f64,
    postgres: f64,
    memory: u64,
}

/// How often the memory is looked at.
const LOOK: Duration = Duration::from_millis(50);

impl Subject {
    /// A measurement of this server for so many seconds, with what was used meanwhile.
    async fn watched(
        &self,
        server: &Server,
        measuring: impl Future<Output = Result<Sample>>,
        seconds: u64,
    ) -> Result<(Sample, Used)> {
        let processors = || -> Result<[f64; 2]> {
            let postgres = self.postmaster.map(|pid| Processes::Family(pid).processor()).transpose()?;
            Ok([Processes::One(server.pid).processor()?, postgres.unwrap_or_default()])
        };
        let before = processors()?;
        let mut most = 0;
        let watching = async {
            loop {
                most = most.max(usage::memory(server.pid).unwrap_or_default());
                tokio::time::sleep(LOOK).await;
            }
        };
        let sample = tokio::select! {
            sample = measuring => sample?,
            () = watching => bail!("watched without end"),
        };
        let after = processors()?;
        let requests = sample.rate * seconds as f64;
        let each = |place: usize| (after[place] - before[place]) * 1e3 / requests;
        Ok((sample, Used { server: each(0), postgres: each(1), memory: most }))
    }
}

/// A query measured.
struct Row {
    query: &'static str,
    rows: usize,
    statements: u64,
    bytes: [usize; 2],
    ratios: Vec<f64>,
    gateway: Vec<Sample>,
    baseline: Vec<Sample>,
    used: Vec<Used>,
    baseline_used: Vec<Used>,
}

pub async fn run(options: Options) -> Result<()> {
    // Edits and subscriptions are not a load generator's.
    let generator = if options.edits || options.live { None } else { Some(Generator::find().await?) };
    let binaries = match &options.binaries {
        Some(folder) => Binaries::in_folder(folder),
        None => {
            eprintln!("Building the gateway and the baseline …");
            Binaries::build(!options.debug).await?
        }
    };
    let cluster = match options.database_url {
        Some(_) => None,
        None => {
            let start = || Cluster::start(Settings::ephemeral(), &mut |line| eprintln!("{line}"));
            Some(tokio::task::spawn_blocking(start).await??)
        }
    };
    let url = match (&options.database_url, &cluster) {
        (None, Some(cluster)) => cluster.url(aether_embedded::DATABASE),
        (url, _) => url.clone().context("a database")?,
    };
    let measured = match generator {
        Some(generator) => match options.growth {
            true => measure_growth(&options, generator, &binaries, &url).await.map(|table| (table, Vec::new())),
            false => {
                let measured = measure(&options, generator, &binaries, &url).await;
                measured.map(|(rows, about)| (table(&rows, &about), below(&rows, options.bar)))
            }
        },
        None if options.live => live::run(&options.audience, options.seconds, options.debug, &binaries, &url).await,
        None => measure_edits(&options, &binaries, &url).await.map(|table| (table, Vec::new())),
    };
    if let Some(cluster) = cluster {
        tokio::task::spawn_blocking(move || cluster.stop()).await??;
    }
    let (table, slow) = measured?;
    println!("{table}");
    ensure!(slow.is_empty(), "{}", slow.join(", "));
    Ok(())
}

async fn measure(
    options: &Options,
    generator: Generator,
    binaries: &Binaries,
    url: &str,
) -> Result<(Vec<Row>, String)> {
    let with_groups = options.query.as_deref().is_none_or(|name| name == "groups");
    let subject = prepare(binaries, url, with_groups).await?;
    let mut command = gateway(binaries, url);
    // The token must outlive the benchmark. Counting statements costs an answer some 30 bytes.
    command.envs([("AETHER_ACCESS_TOKEN_MINUTES", "1440"), ("AETHER_EXPOSE_STATEMENTS", "true")]);
    let gateway = Server::start("gateway", command, "AETHER_LISTEN").await?;
    let mut command = tokio::process::Command::new(&binaries.baseline);
    command.arg("queries");
    command.envs([("DATABASE_URL", url), ("BASELINE_MAX_CONNECTIONS", &BASELINE_CONNECTIONS.to_string())]);
    command.envs([("BASELINE_USER", &subject.user), ("BASELINE_ORGANIZATION", &subject.organization)]);
    command.envs([("BASELINE_WORKSPACE", &subject.workspace), ("BASELINE_METRICS_SINCE", &subject.metrics_since)]);
    command.env("BASELINE_METRIC_TYPES", METRIC_TYPES.join(","));
    let baseline = Server::start("baseline", command, "BASELINE_LISTEN").await?;
    let (at_rest, program) = (usage::memory(gateway.pid)?, usage::program(gateway.pid)?);
    let authorization = sign_in(&gateway).await?;

    let chosen = || QUERIES.iter().filter(|query| options.query.as_deref().is_none_or(|name| name == query.name));
    let mut pairs = Vec::new();
    for query in chosen() {
        pairs.push(check(query, &subject, &gateway, &baseline, &authorization).await?);
    }
    let seconds = 2 * (WARM_UP_SECONDS + options.rounds * options.seconds()) * pairs.len() as u64;
    eprintln!("Measuring with {}, {CONNECTIONS} connections: about {seconds} seconds.", generator.name());
    let begin = Instant::now();
    for (row, [ours, theirs]) in &mut pairs {
        let name = row.query;
        eprintln!("[{:>3} of ~{seconds} s] {name}: warming up", begin.elapsed().as_secs());
        generator.run(ours, WARM_UP_SECONDS).await?;
        generator.run(theirs, WARM_UP_SECONDS).await?;
        for round in 1..=options.rounds {
            let (ours, used) =
                subject.watched(&gateway, generator.run(ours, options.seconds()), options.seconds()).await?;
            let (theirs, theirs_used) =
                subject.watched(&baseline, generator.run(theirs, options.seconds()), options.seconds()).await?;
            let ratio = ours.rate / theirs.rate;
            eprintln!(
                "[{:>3} of ~{seconds} s] {name}, round {round} of {}: gateway {:.1}/s, baseline {:.1}/s, ratio {ratio:.2}",
                begin.elapsed().as_secs(),
                options.rounds,
                ours.rate,
                theirs.rate,
            );
            row.ratios.push(ratio);
            row.gateway.push(ours);
            row.baseline.push(theirs);
            row.used.push(used);
            row.baseline_used.push(theirs_used);
        }
    }
    let about = format!(
        "{}, {CONNECTIONS} connections (groups: one), median of {} × {} s in turn; PostgreSQL {}; {} processors; the gateway's memory at rest: {} MB, {} of them the program",
        generator.name(),
        options.rounds,
        options.seconds(),
        subject.postgres,
        std::thread::available_parallelism()?,
        at_rest / 1_000_000,
        program / 1_000_000,
    );
    Ok((pairs.into_iter().map(|(row, _)| row).collect(), about))
}

/// How many workspaces are asked for in turn, to see how the cost grows with the rows.
const WORKSPACES: [usize; 3] = [5, 20, 80];

/// Asks for a document's four levels of more and more workspaces, and tells what a row costs.
async fn measure_growth(options: &Options, generator: Generator, binaries: &Binaries, url: &str) -> Result<String> {
    let subject = prepare(binaries, url, false).await?;
    let mut command = gateway(binaries, url);
    command.env("AETHER_ACCESS_TOKEN_MINUTES", "1440");
    let gateway = Server::start("gateway", command, "AETHER_LISTEN").await?;
    let authorization = sign_in(&gateway).await?;
    let mut table = format!(
        "{}, {CONNECTIONS} connections, median of {} × {} s; PostgreSQL {}\n\n\
         | workspaces | innermost rows | req/s | processor µs per row, gateway + PostgreSQL | gateway's memory, MB |\n|--:|--:|--:|--:|--:|\n",
        generator.name(),
        options.rounds,
        options.seconds(),
        subject.postgres,
    );
    for workspaces in WORKSPACES {
        let body = queries::document(workspaces);
        let answer = gateway.post("/graphql", &authorization, &body).await?;
        let (length, answer) = (answer.len(), serde_json::from_str::<Value>(&answer)?);
        let rows = rows(&answer);
        ensure!(rows == workspaces * 1_000, "{rows} rows of {workspaces} workspaces");
        let request = Request {
            url: format!("http://{}/graphql", gateway.address),
            answer_bytes: length,
            connections: CONNECTIONS,
            authorization: authorization.clone(),
            body,
        };
        generator.run(&request, WARM_UP_SECONDS).await?;
        let (mut samples, mut all) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            let (sample, used) =
                subject.watched(&gateway, generator.run(&request, options.seconds()), options.seconds()).await?;
            samples.push(sample);
            all.push(used);
        }
        let each = |figure: fn(&Used) -> f64| median(all.iter().map(figure)) * 1e3 / rows as f64;
        table += &format!(
            "| {workspaces} | {rows} | {:.2} | {:.2} + {:.2} | {} |\n",
            median(samples.iter().map(|sample| sample.rate)),
            each(|used| used.server),
            each(|used| used.postgres),
            all.iter().map(|used| used.memory).max().unwrap_or_default() / 1_000_000,
        );
    }
    Ok(table)
}

/// Edits terms for each spread in turn, and tells how fast.
async fn measure_edits(options: &Options, binaries: &Binaries, url: &str) -> Result<String> {
    let database = fill(binaries, url).await?;
    database.execute_unprepared(include_str!("rows.sql")).await?;
    database.execute_unprepared(include_str!("editors.sql")).await?;
    database.execute_unprepared("VACUUM (ANALYZE)").await?;
    let mut command = gateway(binaries, url);
    command.env("AETHER_ACCESS_TOKEN_MINUTES", "1440");
    let gateway = Server::start("gateway", command, "AETHER_LISTEN").await?;
    let mut users = Vec::new();
    for number in 1..=edits::CLIENTS {
        let email = format!("editor.{number}@aether-demo.com");
        users.push(login(&gateway, &email, "aether-demo", "aether-demo").await?);
    }
    let mut table = format!(
        "editVariable with drift, graph, audit row and events in its transaction; median of {} × {} s{}; {} processors, shared by \
         clients, gateway and PostgreSQL {}\n\n| edits | edits/s (min–max) | p50 ms | p99 ms |\n|---|--:|--:|--:|\n",
        options.rounds,
        options.seconds(),
        if options.debug { ", debug build" } else { "" },
        std::thread::available_parallelism()?,
        text(&database, "SELECT split_part(current_setting('server_version'), ' ', 1)").await?,
    );
    for spread in edits::Spread::ALL {
        let mut samples = Vec::new();
        for round in 1..=options.rounds {
            let sample = edits::run(spread, &database, &gateway, &users, options.seconds()).await?;
            eprintln!("{}, round {round} of {}: {:.1}/s", spread.name(), options.rounds, sample.rate);
            samples.push(sample);
        }
        let of = |figure: fn(&Sample) -> f64| median(samples.iter().map(figure));
        let least = samples.iter().map(|sample| sample.rate).fold(f64::INFINITY, f64::min);
        let most = samples.iter().map(|sample| sample.rate).fold(0.0, f64::max);
        table += &format!(
            "| {} | {:.1} ({least:.1}–{most:.1}) | {:.1} | {:.1} |\n",
            spread.name(),
            of(|sample| sample.rate),
            of(|sample| sample.p50),
            of(|sample| sample.p99),
        );
    }
    database.close().await?;
    Ok(table)
}

/// Fills the database with demo data.
async fn fill(binaries: &Binaries, url: &str) -> Result<DatabaseConnection> {
    for arguments in [&["migrate"][..], &["seed", "--scale", SCALE]] {
        let status = gateway(binaries, url).args(arguments).status().await?;
        ensure!(status.success(), "`aether-nexus {}` failed", arguments.join(" "));
    }
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).acquire_timeout(Duration::from_secs(10)).sqlx_logging(false);
    Ok(sea_orm::Database::connect(options).await?)
}

/// Fills the database, with a million rows to be grouped if they are wanted, and finds out whom to ask as.
async fn prepare(binaries: &Binaries, url: &str, with_groups: bool) -> Result<Subject> {
    let database = fill(binaries, url).await?;
    eprintln!("Adding the benchmark's own rows …");
    database.execute_unprepared(include_str!("rows.sql")).await?;
    if with_groups {
        database.execute_unprepared(include_str!("groups.sql")).await?;
    }
    database.execute_unprepared("VACUUM (ANALYZE)").await?;
    let subject = Subject {
        user: text(&database, "SELECT id::text FROM bench_user").await?,
        organization: text(&database, "SELECT organization_id::text FROM bench_user").await?,
        workspace: text(&database, "SELECT id::text FROM workspaces WHERE name LIKE 'Benchmark facility 20,%'").await?,
        metrics_since: text(
            &database,
            "SELECT (max(metric_date) - interval '23 months')::date::text \
             FROM financial_metrics JOIN bench_user USING (organization_id)",
        )
        .await?,
        postgres: text(&database, "SELECT split_part(current_setting('server_version'), ' ', 1)").await?,
        postmaster: postmaster(&database).await?,
    };
    database.close().await?;
    Ok(subject)
}

async fn text(database: &DatabaseConnection, sql: &str) -> Result<String> {
    let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    Ok(row.with_context(|| format!("no row: {sql}"))?.try_get_by_index(0)?)
}

async fn sign_in(gateway: &Server) -> Result<String> {
    login(gateway, "sarah.chen@aether-demo.com", "aether-demo", "aether-demo").await
}

/// What a user shows who has signed in.
async fn login(gateway: &Server, email: &str, password: &str, organization: &str) -> Result<String> {
    let login = "mutation Login($email: String!, $password: String!, $organization: String!) {
        login(email: $email, password: $password, organization: $organization) { accessToken } }";
    let variables = json!({ "email": email, "password": password, "organization": organization });
    let client = reqwest::Client::new().post(format!("http://{}/graphql", gateway.address));
    let answer: Value = client.json(&json!({ "query": login, "variables": variables })).send().await?.json().await?;
    let token =
        answer["data"]["login"]["accessToken"].as_str().with_context(|| format!("nobody signed in: {answer}"))?;
    Ok(format!("Bearer {token}"))
}

/// Asks both programs once each and compares.
async fn check(
    query: &'static Query,
    subject: &Subject,
    gateway: &Server,
    baseline: &Server,
    authorization: &str,
) -> Result<(Row, [Request; 2])> {
    let name = query.name;
    let body = query.body(&subject.workspace, &subject.metrics_since);
    let paths = ["/graphql".to_owned(), format!("/{name}")];
    // The second answer counts: the first one also reads who is asking.
    gateway.post(&paths[0], authorization, &body).await?;
    let ours = gateway.post(&paths[0], authorization, &body).await?;
    let theirs = baseline.post(&paths[1], authorization, &body).await?;
    let bytes = [ours.len(), theirs.len()];
    let (ours, theirs): (Value, Value) = (serde_json::from_str(&ours)?, serde_json::from_str(&theirs)?);
    if let Some(errors) = ours.get("errors") {
        bail!("{name}: the gateway answers with errors: {errors}");
    }
    if let Some(difference) = difference(&ours["data"], &theirs["data"], "data") {
        bail!("{name}: the answers differ at {difference}");
    }
    let rows = rows(&ours["data"]);
    ensure!(
        rows == query.rows,
        "{name}: {rows} rows instead of {}; the database lacks the benchmark's data",
        query.rows
    );
    let statements = ours["extensions"]["statements"].as_u64().context("the gateway does not tell its statements")?;
    eprintln!("{name}: same answer, {rows} rows, {statements} statement(s), {} and {} bytes", bytes[0], bytes[1]);
    let request = |server: &Server, which: usize| Request {
        url: format!("http://{}{}", server.address, paths[which]),
        body: body.clone(),
        authorization: authorization.to_owned(),
        answer_bytes: bytes[which],
        connections: query.connections,
    };
    let requests = [request(gateway, 0), request(baseline, 1)];
    let row = Row {
        query: name,
        rows,
        statements,
        bytes,
        ratios: vec![],
        gateway: vec![],
        baseline: vec![],
        used: vec![],
        baseline_used: vec![],
    };
    Ok((row, requests))
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values = Vec::from_iter(values);
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

fn table(rows: &[Row], about: &str) -> String {
    let mut table = format!(
        "{about}\n\n\
         | query | rows | statements, gateway / baseline | gateway, req/s | baseline, req/s | ratio (min–max) \
         | gateway, p50 / p99 ms | baseline, p50 / p99 ms | bytes, gateway / baseline \
         | processor ms per request, gateway + PostgreSQL | baseline + PostgreSQL | gateway's memory, MB |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for row in rows {
        let of = |samples: &[Sample], figure: fn(&Sample) -> f64| median(samples.iter().map(figure));
        let times = |samples| format!("{:.1} / {:.1}", of(samples, |s| s.p50), of(samples, |s| s.p99));
        let used = |all: &[Used]| {
            let of = |figure: fn(&Used) -> f64| median(all.iter().map(figure));
            format!("{:.2} + {:.2}", of(|used| used.server), of(|used| used.postgres))
        };
        let least = row.ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = row.ratios.iter().copied().fold(0.0, f64::max);
        table += &format!(
            "| {} | {} | {} / 1 | {:.1} | {:.1} | {:.2} ({least:.2}–{most:.2}) | {} | {} | {} / {} | {} | {} | {} |\n",
            row.query,
            row.rows,
            row.statements,
            of(&row.gateway, |s| s.rate),
            of(&row.baseline, |s| s.rate),
            median(row.ratios.iter().copied()),
            times(&row.gateway),
            times(&row.baseline),
            row.bytes[0],
            row.bytes[1],
            used(&row.used),
            used(&row.baseline_used),
            row.used.iter().map(|used| used.memory).max().unwrap_or_default() / 1_000_000,
        );
    }
    table
}

/// The queries that miss the bar.
fn below(rows: &[Row], bar: Option<f64>) -> Vec<String> {
    let Some(bar) = bar else { return Vec::new() };
    let ratios = rows.iter().map(|row| (row.query, median(row.ratios.iter().copied())));
    ratios
        .filter(|(_, ratio)| *ratio < bar)
        .map(|(query, ratio)| format!("below the bar: {query} at {ratio:.3}"))
        .collect()
}

/// The process that PostgreSQL's others come from, if it is on this machine.
async fn postmaster(database: &DatabaseConnection) -> Result<Option<u32>> {
    let pid = "SELECT (pg_read_file('postmaster.pid', 0, 20))";
    let Ok(first) = text(database, pid).await else { return Ok(None) };
    let pid = first.lines().next().context("a postmaster without a number")?.trim().parse()?;
    let is_postgres = std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres");
    Ok(is_postgres.then_some(pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
