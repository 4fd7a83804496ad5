//! Live updates under load: so many subscribers over WebSocket of one gateway, while clauses are edited over HTTP at a steady
//! pace, spread over workspaces; and the same messages through a server that only passes them on.
//!
//! Every subscriber notes what it is told. Afterwards each change that was acknowledged must be in the outbox, and each of
//! those with each subscriber of its workspace: once, and in order.

mod account;
mod audience;
mod changes;
mod progress;
mod socket;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicI64},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use futures::{StreamExt, TryStreamExt, stream};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::json;

use self::{
    account::{Account, Due, Times},
    audience::Audience,
    changes::{Change, Clause, NUMBERS, Source},
    progress::Progress,
};
use super::{
    fill, login, postmaster,
    programs::{Binaries, Server, gateway},
    sign_in, text,
    usage::{self, Processes},
};

/// How many subscribers a workspace has, if there are enough of them.
const PER_WORKSPACE: u64 = 50;
/// How many workspaces there are at most.
const WORKSPACES: u64 = 200;
/// How many different users subscribe in a workspace.
const USERS: usize = 10;
/// How often is tried to have every subscriber hear of a first change.
const WARM_UPS: usize = 5;
const SECONDS: u64 = 60;
const PASSWORD: &str = "aether-demo";
const SUBSCRIPTION: &str = "subscription Watch($workspace: UUID!) { clauseChanged(workspaceId: $workspace) {
    cursor kind changedFields at actor { id name } clause { id title type rowVersion lastModifiedAt isLocked } } }";

/// How large a load.
#[derive(Args)]
pub struct Load {
    /// With `--live`: how many subscribers.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=50_000))]
    subscribers: u64,
    /// With `--live`: changes per second, over all workspaces together.
    #[arg(long, default_value_t = 100, value_name = "RATE", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    changes: u64,
}

/// The workspaces and who subscribes in them.
struct Facility {
    id: String,
    clause: String,
    /// What each of its users shows.
    authorizations: Vec<String>,
}

/// What was measured of one program.
struct Measured {
    account: Account,
    /// Changes per second, from the first one sent to the last one answered.
    rate: f64,
    changes: u64,
    /// Bytes per connection: with all connected, and after the load.
    memory: [f64; 2],
    /// Processor seconds per second: of the program, of PostgreSQL, of the load.
    processor: [f64; 3],
    /// Seconds that it took to connect all.
    connecting: f64,
}

/// Measures both and writes a table.
pub async fn run(
    options: &Load,
    seconds: Option<u64>,
    debug: bool,
    binaries: &Binaries,
    url: &str,
) -> Result<(String, Vec<String>)> {
    let seconds = seconds.unwrap_or(SECONDS);
    let subscribers = usize::try_from(options.subscribers)?;
    let workspaces = (options.subscribers / PER_WORKSPACE).clamp(1, WORKSPACES);
    // Every workspace is changed as often as every other.
    let times = (seconds * options.changes / workspaces).max(1);
    usage::allow_files(options.subscribers + 1_000)?;
    let database = fill(binaries, url).await?;
    eprintln!("Adding {workspaces} workspaces with their members …");
    database.execute_unprepared(&format!("SET bench.workspaces = '{workspaces}'")).await?;
    database.execute_unprepared(include_str!("rows.sql")).await?;
    database.execute_unprepared("VACUUM (ANALYZE)").await?;
    let postgres = postmaster(&database).await?;

    let secret = text(&database, "SELECT gen_random_uuid()::text || gen_random_uuid()::text").await?;
    let start = async || {
        let mut command = gateway(binaries, url);
        command.env("AETHER_JWT_SECRET", secret.clone());
        // Tokens must outlive the benchmark, and stay good in the next gateway.
        command.envs([("AETHER_ACCESS_TOKEN_MINUTES", "1440"), ("AETHER_LOGINS_PER_MINUTE", "0")]);
        // All subscribers come from one address, and are as many as the run says.
        command.envs([("AETHER_MAX_CLIENT_CONNECTIONS", "0"), ("AETHER_MAX_CLIENT_CONNECTIONS_PER_ADDRESS", "0")]);
        Server::start("gateway", command, "AETHER_LISTEN").await
    };
    // Hashing thousands of passwords takes memory that must not count as that of connections: another gateway does it.
    let gateway = start().await?;
    let editor = sign_in(&gateway).await?;
    let facilities = facilities(&database, &gateway, workspaces).await?;
    drop(gateway);
    let server = start().await?;
    let mut clauses = Vec::new();
    for facility in &facilities {
        let version = format!("SELECT row_version::text FROM clauses WHERE id = '{}'", facility.clause);
        let version = AtomicI64::new(text(&database, &version).await?.parse()?);
        clauses.push(Clause { id: facility.clause.clone(), version });
    }
    let source = Arc::new(Source::gateway(&server, &editor, clauses));
    let sample = sample(&server, &facilities[0], &source).await?;
    let ours = measure_gateway(options, times, &facilities, &database, &server, postgres, source).await?;
    drop(server);
    eprintln!("The gateway: {}", ours.account.fault().unwrap_or("everything once and in order".into()));

    let mut command = tokio::process::Command::new(&binaries.baseline);
    command.arg("broadcast");
    let baseline = Server::start("baseline", command, "BASELINE_LISTEN").await?;
    let source = Arc::new(Source::baseline(&baseline, &sample, facilities.len()));
    let theirs = measure_baseline(options, times, facilities.len(), &baseline, postgres, source).await?;
    eprintln!("The baseline: {}", theirs.account.fault().unwrap_or("everything once and in order".into()));

    let about = format!(
        "{subscribers} subscribers over WebSocket in {workspaces} workspaces ({USERS} users of 5 kinds in each) on one \
         gateway; editClause at {}/s for {seconds} s; messages of {} bytes{}; {} processors, shared by load, gateway and \
         PostgreSQL {}",
        options.changes,
        sample.len(),
        if debug { "; debug build" } else { "" },
        std::thread::available_parallelism()?,
        text(&database, "SELECT split_part(current_setting('server_version'), ' ', 1)").await?,
    );
    database.close().await?;
    let faults = [("gateway", &ours), ("baseline", &theirs)];
    let faults = faults.iter().filter_map(|(name, measured)| Some(format!("{name}: {}", measured.account.fault()?)));
    Ok((table(&ours, &theirs, &about), faults.collect()))
}

/// The workspaces, whose users are signed in.
async fn facilities(database: &DatabaseConnection, gateway: &Server, count: u64) -> Result<Vec<Facility>> {
    let rows = format!(
        "SELECT w.id::text, min(c.id::text), string_agg(u.email || ' ' || o.slug, ',' ORDER BY u.email)
           FROM workspaces w JOIN clauses c ON c.workspace_id = w.id JOIN workspace_members m ON m.workspace_id = w.id
           JOIN users u ON u.id = m.user_id AND u.email LIKE 'live-%' JOIN organizations o ON o.id = u.organization_id
          WHERE w.name LIKE 'Live facility %' GROUP BY w.id, w.name ORDER BY w.name LIMIT {count}"
    );
    let mut facilities = Vec::new();
    for row in database.query_all_raw(Statement::from_string(DbBackend::Postgres, rows)).await? {
        let members: String = row.try_get_by_index(2)?;
        let members: Vec<String> = members.split(',').map(str::to_owned).collect();
        ensure!(members.len() == USERS, "{} members instead of {USERS}", members.len());
        facilities.push((row.try_get_by_index(0)?, row.try_get_by_index(1)?, members));
    }
    ensure!(facilities.len() as u64 == count, "{} workspaces instead of {count}", facilities.len());
    let progress = Progress::new("users signed in", count * USERS as u64);
    stream::iter(facilities)
        .map(|(id, clause, members)| {
            let progress = &progress;
            async move {
                let mut authorizations = Vec::with_capacity(USERS);
                for member in members {
                    let (email, organization) = member.split_once(' ').context("a member without an organization")?;
                    authorizations.push(login(gateway, email, PASSWORD, organization).await?);
                    progress.step();
                }
                Ok::<_, anyhow::Error>(Facility { id, clause, authorizations })
            }
        })
        .buffered(4)
        .try_collect()
        .await
}

/// The message by which a subscriber says what it wants to be told.
fn subscribing(facility: &Facility) -> String {
    let payload = json!({ "query": SUBSCRIPTION, "variables": { "workspace": facility.id } });
    json!({ "id": "1", "type": "subscribe", "payload": payload }).to_string()
}

/// A message as the gateway sends it; it has then done all that it does at the first time.
async fn sample(server: &Server, facility: &Facility, source: &Source) -> Result<String> {
    use tokio_tungstenite::tungstenite::Message;
    let mut socket = socket::subscribe(server.address, &facility.authorizations[0], &subscribing(facility)).await?;
    for _ in 0..WARM_UPS {
        // Nothing says when the subscription has begun.
        tokio::time::sleep(Duration::from_secs(1)).await;
        source.change(0).await?;
        if let Ok(message) = tokio::time::timeout(Duration::from_secs(5), socket.next()).await {
            match message {
                Some(Ok(Message::Text(text))) if text.contains("\"next\"") => return Ok(text.to_string()),
                other => bail!("the gateway tells no change: {other:?}"),
            }
        }
    }
    bail!("no subscriber is told of a change")
}

async fn measure_gateway(
    options: &Load,
    times: u64,
    facilities: &[Facility],
    database: &DatabaseConnection,
    server: &Server,
    postgres: Option<u32>,
    source: Arc<Source>,
) -> Result<Measured> {
    let subscribing: Vec<String> = facilities.iter().map(subscribing).collect();
    let connect = |place: usize, nth: usize| {
        socket::subscribe(server.address, &facilities[place].authorizations[nth % USERS], &subscribing[place])
    };
    let last = async || {
        let last = text(database, "SELECT coalesce(max(sequence), 0)::text FROM event_outbox").await?;
        Ok::<i64, anyhow::Error>(last.parse()?)
    };
    let mut after = 0;
    let (mut measured, told, changes) =
        load(options, times, facilities.len(), server, postgres, &source, connect, async || {
            after = last().await?;
            Ok(())
        })
        .await?;
    let mut due = Vec::new();
    let places: HashMap<&str, usize> = facilities.iter().enumerate().map(|(place, f)| (f.id.as_str(), place)).collect();
    let events = format!(
        "SELECT workspace_id::text, sequence, (extract(epoch FROM at) * 1000000)::bigint FROM event_outbox
          WHERE topic = 'clause' AND sequence > {after} ORDER BY sequence"
    );
    due.resize_with(facilities.len(), Vec::new);
    for row in database.query_all_raw(Statement::from_string(DbBackend::Postgres, events)).await? {
        let Some(place) = places.get(row.try_get_by_index::<String>(0)?.as_str()) else { continue };
        let change =
            changes[*place].get(due[*place].len()).context("an event without a change that was acknowledged")?;
        let begun = Some(u64::try_from(row.try_get_by_index::<i64>(2)?)?);
        due[*place].push(Due {
            sequence: row.try_get_by_index(1)?,
            sent: change.sent,
            begun,
            answered: change.answered,
        });
    }
    for (changes, due) in changes.iter().zip(&due) {
        ensure!(
            changes.len() == due.len(),
            "{} changes were acknowledged, {} are in the outbox",
            changes.len(),
            due.len()
        );
    }
    measured.account = Account::of(&due, &told, &vec![after; facilities.len()]);
    Ok(measured)
}

async fn measure_baseline(
    options: &Load,
    times: u64,
    places: usize,
    server: &Server,
    postgres: Option<u32>,
    source: Arc<Source>,
) -> Result<Measured> {
    let paths: Vec<String> = (0..places).map(|place| format!("/broadcast/{place}")).collect();
    let connect = |place: usize, _| socket::connect(server.address, &paths[place], None);
    let mut after = Vec::new();
    let (mut measured, told, changes) = load(options, times, places, server, postgres, &source, connect, async || {
        after = source.last();
        Ok(())
    })
    .await?;
    let due: Vec<Vec<Due>> = changes
        .iter()
        .zip(&after)
        .map(|(changes, after)| {
            let numbered = changes.iter().zip(after + 1..);
            numbered.map(|(c, sequence)| Due { sequence, sent: c.sent, begun: None, answered: c.answered }).collect()
        })
        .collect();
    ensure!(
        changes.iter().all(|changes| (changes.len() as i64) < NUMBERS / 2),
        "more changes than a channel has numbers"
    );
    measured.account = Account::of(&due, &told, &after);
    Ok(measured)
}

/// Connects the subscribers, has each hear of a first change, then puts on the load; `ready` is called in between.
#[expect(clippy::too_many_arguments, reason = "it is what both measurements have in common")]
async fn load<F>(
    options: &Load,
    times: u64,
    places: usize,
    server: &Server,
    postgres: Option<u32>,
    source: &Arc<Source>,
    connect: impl Fn(usize, usize) -> F,
    ready: impl AsyncFnOnce() -> Result<()>,
) -> Result<(Measured, Vec<(usize, socket::Told)>, Vec<Vec<Change>>)>
where
    F: Future<Output = Result<socket::Socket>>,
{
    let rate = options.changes as f64;
    let before = usage::memory(server.pid)?;
    let begin = Instant::now();
    let audience =
        Audience::gather(usize::try_from(options.subscribers)?, places, "subscribers connected", connect).await?;
    let connecting = begin.elapsed().as_secs_f64();
    for warm_up in 1.. {
        source.run(rate, 1, "first changes").await?;
        let told = audience.wait_for(audience.len() * warm_up).await;
        if audience.started() == audience.len() && (told || warm_up > 1) {
            break;
        }
        ensure!(
            warm_up < WARM_UPS as u64,
            "only {} of {} subscribers are told of changes",
            audience.started(),
            audience.len()
        );
    }
    ready().await?;
    let per_connection = |now: u64| (now as f64 - before as f64) / audience.len() as f64;
    let connected = per_connection(usage::memory(server.pid)?);
    let programs =
        [Some(Processes::One(server.pid)), postgres.map(Processes::Family), Some(Processes::One(std::process::id()))];
    let spent = || programs.map(|program| program.map_or(Ok(0.0), Processes::processor));
    let (begin, spent_before, received) = (Instant::now(), spent(), audience.received());
    let changes = source.run(rate, times, "changes made").await?;
    let elapsed = begin.elapsed().as_secs_f64();
    let due: u64 = audience.by_place(places).iter().zip(&changes).map(|(count, made)| count * made.len() as u64).sum();
    audience.wait_for(received + due).await;
    let elapsed_all = begin.elapsed().as_secs_f64();
    let mut processor = [0.0; 3];
    for ((share, before), after) in processor.iter_mut().zip(spent_before).zip(spent()) {
        *share = (after? - before?) / elapsed_all;
    }
    let memory = [connected, per_connection(usage::memory(server.pid)?)];
    let count = changes.iter().map(Vec::len).sum::<usize>() as u64;
    let told = audience.part().await?;
    let account = Account::default();
    let measured = Measured { account, rate: count as f64 / elapsed, changes: count, memory, processor, connecting };
    Ok((measured, told, changes))
}

fn table(ours: &Measured, theirs: &Measured, about: &str) -> String {
    let mut table = format!("{about}\n\n| | gateway | baseline | ratio |\n|---|--:|--:|--:|\n");
    let mut line = |what: &str, figure: &dyn Fn(&Measured) -> f64, digits: usize, compared: bool| {
        let (a, b) = (figure(ours), figure(theirs));
        let ratio = if compared && b > 0.0 { format!("{:.2}", a / b) } else { "–".to_owned() };
        table += &format!("| {what} | {a:.digits$} | {b:.digits$} | {ratio} |\n");
    };
    line("changes", &|m| m.changes as f64, 0, false);
    line("changes/s", &|m| m.rate, 1, false);
    line("messages due", &|m| m.account.due as f64, 0, false);
    line("messages lost", &|m| m.account.lost as f64, 0, false);
    line("delivered twice", &|m| m.account.twice as f64, 0, false);
    line("out of order", &|m| m.account.out_of_order as f64, 0, false);
    line("memory per connection, KiB", &|m| m.memory[0] / 1024.0, 1, true);
    line("memory per connection after the load, KiB", &|m| m.memory[1] / 1024.0, 1, true);
    line("processor s/s: server", &|m| m.processor[0], 2, true);
    line("processor s/s: PostgreSQL", &|m| m.processor[1], 2, false);
    line("processor s/s: load", &|m| m.processor[2], 2, true);
    line("connecting all, s", &|m| m.connecting, 1, true);
    let times = |times: &Times| format!("{:.1} / {:.1} / {:.1}", times.p50, times.p99, times.most);
    let ratio = |of: fn(&Account) -> Times| {
        let (a, b) = (of(&ours.account), of(&theirs.account));
        format!("{:.1} / {:.1}", a.p50 / b.p50, a.p99 / b.p99)
    };
    let (a, b) = (&ours.account, &theirs.account);
    let whole = "delivery since the change was sent, p50 / p99 / max ms";
    table +=
        &format!("| {whole} | {} | {} | {} |\n", times(&a.since_sent), times(&b.since_sent), ratio(|a| a.since_sent));
    let begun = "delivery since its transaction began (`at`), p50 / p99 / max ms";
    table += &format!("| {begun} | {} | – | – |\n", times(&a.since_begun));
    let answered = "delivery since the change was answered, p50 / p99 / max ms";
    table + &format!("| {answered} | {} | {} | – |\n", times(&a.since_answered), times(&b.since_answered))
}
