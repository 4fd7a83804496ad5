//! Under fault: gateway and database are killed in the middle of a stream of mutations, again and again. Every change that
//! was acknowledged is there, with its audit row and its event, and none is half there.

mod program;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, sleep},
    time::Duration,
};

use aether_embedded::{Cluster, Settings};
use program::{Folder, Gateway, nexus, run, signal};

/// How often each is killed.
const ROUNDS: u32 = 6;
/// How many clients send mutations meanwhile.
const CLIENTS: u32 = 4;

/// What the clients have been told, from all rounds.
#[derive(Default)]
struct Acknowledged {
    /// The budgets whose creation was acknowledged, by name.
    created: Mutex<HashMap<String, String>>,
    /// How many requests were sent.
    sent: AtomicU32,
}

/// Creates budgets of two lines each until told to stop or until the gateway is gone.
fn create_budgets(gateway: &Gateway, token: &str, client: u32, round: u32, told: &Acknowledged, stop: &AtomicBool) {
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("Fault {round}/{client}/{number}");
        let query = format!(
            "mutation {{ createBudget(input: {{ name: \"{name}\", fiscalYear: 2040, version: \"{name}\", lines: [\
             {{ category: \"Payroll\", q1Amount: \"70\" }}, {{ category: \"Travel\", q2Amount: \"30.50\" }}] }}) {{ id }} }}"
        );
        told.sent.fetch_add(1, Ordering::Relaxed);
        match gateway.try_query(&query, Some(token)) {
            // Acknowledged: from now on it must be there.
            Some(answer) if answer["data"]["createBudget"]["id"].is_string() => {
                let id = answer["data"]["createBudget"]["id"].as_str().unwrap().to_owned();
                told.created.lock().unwrap().insert(name, id);
            }
            // The database is gone and the gateway says so; in a while it is back.
            Some(answer) => {
                let extensions = &answer["errors"][0]["extensions"];
                let code = extensions["code"].as_str().unwrap_or_default();
                // Committed, and gone before it could be read: acknowledged all the same.
                if code == "CHANGE_COMMITTED" {
                    let id = extensions["id"].as_str().expect("it says which").to_owned();
                    told.created.lock().unwrap().insert(name, id);
                    continue;
                }
                assert!(["UNAVAILABLE", "INTERNAL", "TIMEOUT"].contains(&code), "{answer}");
                assert_ne!(code, "INTERNAL", "an outage is no defect: {answer}");
                sleep(Duration::from_millis(20));
            }
            None => return,
        }
    }
}

/// Compares what is there with what was told.
fn check(cluster: &Cluster, database: &str, told: &Acknowledged) {
    let ask = |sql: &str| cluster.query(database, sql).unwrap();
    let created = told.created.lock().unwrap();
    let there: Vec<String> = ask("SELECT id::text FROM budgets WHERE name LIKE 'Fault %'");
    let lost: Vec<_> = created.iter().filter(|(_, id)| !there.contains(id)).collect();
    assert!(lost.is_empty(), "acknowledged, but gone: {lost:?}");
    // Whatever is there is whole, acknowledged or not.
    let halves = ask("SELECT b.name FROM budgets b WHERE b.name LIKE 'Fault %' AND (b.total_amount <> 100.50
            OR (SELECT count(*) FROM budget_line_items l WHERE l.budget_id = b.id) <> 2
            OR (SELECT count(*) FROM audit_logs a WHERE a.resource_id = b.id AND a.action = 'BUDGET_CREATE') <> 1
            OR (SELECT count(*) FROM event_outbox o WHERE o.aggregate_id = b.id AND o.topic = 'budget') <> 3)");
    assert_eq!(halves, [""; 0], "half there");
    // And nothing is told of what is not there.
    let rumours = ask(
        "SELECT a.resource_id::text FROM audit_logs a WHERE a.action = 'BUDGET_CREATE' AND a.timestamp > now() - interval '1 hour'
            AND a.details -> 'after' ->> 'name' LIKE 'Fault %' AND NOT EXISTS (SELECT FROM budgets b WHERE b.id = a.resource_id)",
    );
    assert_eq!(rumours, [""; 0], "audited, but not there");
    let events = ask(
        "SELECT o.aggregate_id::text FROM event_outbox o WHERE o.topic = 'audit' AND NOT EXISTS
            (SELECT FROM audit_logs a WHERE a.id = o.aggregate_id) AND NOT EXISTS (SELECT FROM audit_events e WHERE e.id = o.aggregate_id)",
    );
    assert_eq!(events, [""; 0], "told, but not audited");
}

/// A migrated and filled database.
fn prepare(cluster: &Cluster) -> String {
    cluster.ensure_database("fault").unwrap();
    let url = cluster.url("fault");
    let mut seed = nexus(&["seed"]);
    seed.env("DATABASE_URL", &url);
    let (done, _, err) = run(seed);
    assert!(done, "{err}");
    url
}

/// Has clients stop when it is dropped.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Different moments in each round, the same in each run.
fn moment(round: u32) -> Duration {
    Duration::from_millis(u64::from(120 + round * 137 % 400))
}

#[test]
fn whatever_kills_the_gateway_no_acknowledged_change_is_lost_and_none_is_half_there() {
    let folder = Folder::new();
    let cluster = Cluster::start(Settings::persistent(folder.join("data")), &mut |_| {}).unwrap();
    let url = prepare(&cluster);
    let told = Arc::new(Acknowledged::default());
    for round in 0..ROUNDS {
        let gateway = Gateway::start(&[], &[("DATABASE_URL", &url)]);
        let (token, _) = gateway.sign_in();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (gateway, token, told, stop) = (&gateway, &token, &told, &stop);
                scope.spawn(move || create_budgets(gateway, token, client, round, told, stop));
            }
            sleep(moment(round));
            gateway.signal("KILL");
        });
        check(&cluster, "fault", &told);
    }
    let (sent, acknowledged) = (told.sent.load(Ordering::Relaxed), told.created.lock().unwrap().len());
    eprintln!("{ROUNDS} kills of the gateway: {sent} sent, {acknowledged} acknowledged, none lost");
    assert!(acknowledged > 20, "only {acknowledged} of {sent} were acknowledged: nothing was tested");
    cluster.stop().unwrap();
}

#[test]
fn whatever_kills_the_database_no_acknowledged_change_is_lost_and_none_is_half_there() {
    let folder = Folder::new();
    let start = || Cluster::start(Settings::persistent(folder.join("data")), &mut |_| {}).unwrap();
    let mut running = Some(start());
    let url = prepare(running.as_ref().unwrap());
    let told = Arc::new(Acknowledged::default());
    // One gateway lives through all of it.
    let gateway = Gateway::start(&[], &[("DATABASE_URL", &url)]);
    let (token, _) = gateway.sign_in();
    for round in 0..ROUNDS {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (gateway, token, told, stop) = (&gateway, &token, &told, &stop);
                scope.spawn(move || create_budgets(gateway, token, client, round, told, stop));
            }
            // However this ends, the clients stop.
            let stop = Stop(&stop);
            sleep(moment(round));
            let killed = running.take().unwrap();
            signal(killed.pid(), "KILL");
            sleep(Duration::from_millis(150));
            // A cluster has one owner at a time; the next one recovers what the write-ahead log has.
            drop(killed);
            running = Some(start());
            // The clients see the database come back.
            sleep(Duration::from_millis(400));
            drop(stop);
        });
        check(running.as_ref().unwrap(), "fault", &told);
    }
    let (sent, acknowledged) = (told.sent.load(Ordering::Relaxed), told.created.lock().unwrap().len());
    eprintln!("{ROUNDS} kills of the database: {sent} sent, {acknowledged} acknowledged, none lost");
    assert!(acknowledged > 20, "only {acknowledged} of {sent} were acknowledged: nothing was tested");
    assert!(!gateway.err().contains("panicked"), "{}", gateway.err());
}
