//! What one user does with the database is not at the expense of others: neither heavy requests, nor abandoned ones, nor many
//! different ones, nor those for what is locked.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures::future::join_all;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::{Gateway, User};

const VENDORS: &str = "{ vendors(first: 1) { nodes { id } } }";
const LOOKUP: &str = "{ workspaces(first: 1) { nodes { id name } } }";

/// Has every statement that reads this table take so long, without working.
async fn slow_down(gateway: &Gateway, table: &str, seconds: f32) {
    let policy = format!(
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
         CREATE POLICY slow ON {table} FOR SELECT TO aether_reader USING ((SELECT pg_sleep({seconds}))::text IS NOT NULL)"
    );
    gateway.execute(&policy).await;
}

/// A request that is on its way; aborting it is going away.
fn send(gateway: &Gateway, user: &User<'_>, query: &str, variables: Value) -> JoinHandle<Option<Value>> {
    let request = gateway
        .http()
        .post(format!("{}/graphql", gateway.url))
        .bearer_auth(user.token.as_deref().expect("a token"))
        .json(&json!({ "query": query, "variables": variables }));
    tokio::spawn(async move { request.send().await.ok()?.json().await.ok() })
}

fn code(answer: &Value) -> Option<&str> {
    answer["errors"][0]["extensions"]["code"].as_str()
}

/// How many of the gateway's statements with this text are at work.
async fn at_work(gateway: &Gateway, text: &str) -> usize {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
            AND application_name = 'aether-nexus' AND query LIKE '%{text}%'"
    );
    gateway.value(&sql).await.as_u64().expect("a count").try_into().expect("a few")
}

/// Waits until this many statements with this text are at work, and tells how long that took.
async fn until(gateway: &Gateway, text: &str, right: impl Fn(usize) -> bool) -> Duration {
    let begun = Instant::now();
    while !right(at_work(gateway, text).await) {
        assert!(begun.elapsed() < Duration::from_secs(8), "{text}: {}", at_work(gateway, text).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

/// The middle, and the worst but one in a hundred, of so many lookups; each must succeed.
async fn lookups(user: &User<'_>, count: usize) -> (Duration, Duration) {
    let mut took = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        let data = user.query(LOOKUP).await.ok();
        assert!(data["workspaces"]["nodes"][0]["id"].is_string(), "{data:#}");
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    (took[count / 2], took[count * 99 / 100])
}

/// Sends this as often and as fast as three clients can, for as long as it is not told to stop.
async fn attack(gateway: &Gateway, user: &User<'_>, query: &str, stop: &AtomicBool) -> (usize, usize) {
    let (answered, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    join_all((0..3).map(|_| async {
        while !stop.load(Ordering::Relaxed) {
            match send(gateway, user, query, json!({})).await {
                Ok(Some(answer)) if answer.get("errors").is_none() => answered.fetch_add(1, Ordering::Relaxed),
                Ok(Some(answer)) => {
                    // Only this user is refused anything, and told why.
                    assert!(matches!(code(&answer), Some("RATE_LIMITED" | "TIMEOUT")), "{answer:#}");
                    refused.fetch_add(1, Ordering::Relaxed)
                }
                other => panic!("no answer: {other:?}"),
            };
        }
    }))
    .await;
    (answered.into_inner(), refused.into_inner())
}

/// Lookups of one user while another attacks with this: how long they took, and how many attacks were answered and refused.
async fn lookups_beside(
    gateway: &Gateway,
    user: &User<'_>,
    attacker: &User<'_>,
    query: &str,
) -> ((Duration, Duration), (usize, usize)) {
    let stop = AtomicBool::new(false);
    tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let took = lookups(user, 200).await;
            stop.store(true, Ordering::Relaxed);
            took
        },
        attack(gateway, attacker, query, &stop)
    )
}

/// As many root fields as a request that is this heavy may have.
fn many(field: &str) -> String {
    let fields: Vec<_> = (0..12).map(|number| format!("a{number}: {field}")).collect();
    format!("{{ {} }}", fields.join(" "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_users_heavy_requests_leave_others_what_they_need() {
    let gateway = Gateway::demo().await;
    let (cfo, agent) = (gateway.cfo().await, gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await);
    lookups(&agent, 100).await;
    let (usual, alone) = lookups(&agent, 200).await;
    println!("alone: p50 {usual:?}, p99 {alone:?}");

    // Statements that hold a connection and do nothing: only the queue matters.
    slow_down(&gateway, "vendors", 0.4).await;
    let sleeping = many("vendors(first: 1) { nodes { id } }");
    let stop = AtomicBool::new(false);
    let ((median, beside), sent) = tokio::join!(
        async {
            until(&gateway, "FROM vendors", |count| count > 0).await;
            let beside = lookups(&agent, 200).await;
            let held = at_work(&gateway, "FROM vendors").await;
            assert!((1..=2).contains(&held), "of the six connections of a test one user has a quarter, and has {held}");
            stop.store(true, Ordering::Relaxed);
            beside
        },
        attack(&gateway, &cfo, &sleeping, &stop)
    );
    println!("beside sleeping statements: p50 {median:?}, p99 {beside:?}; answered and refused {sent:?}");
    assert!(beside < alone * 3 + Duration::from_millis(100), "{beside:?} instead of {alone:?}");

    // Statements that take long to plan, and a processor each while they are.
    let mut filter = r#"{ id: { ne: "00000000-0000-0000-0000-000000000001" } }"#.to_owned();
    for relation in ["auditLogs: { some:", "organization: {", "auditLogs: { some:", "organization: {"] {
        let close = if relation.ends_with("some:") { "}" } else { "" };
        let inner = if close.is_empty() { filter.trim_start_matches('{').to_owned() } else { filter };
        filter = format!(
            r#"{{ or: [{{ id: {{ eq: "00000000-0000-0000-0000-000000000001" }} }}, {{ {relation} {inner} {close} }}] }}"#
        );
    }
    let heavy = many(&format!("auditLogs(first: 1, filter: {filter}) {{ nodes {{ id }} }}"));
    let ((median, beside), sent) = lookups_beside(&gateway, &agent, &cfo, &heavy).await;
    println!("beside busy statements: p50 {median:?}, p99 {beside:?}; answered and refused {sent:?}");
    // Here processors are shared, too, with whatever else the machine does; nobody waits for a connection, which would be seconds.
    assert!(median < usual * 5 + Duration::from_millis(150), "{median:?} instead of {usual:?}");

    // Answers of thousands of rows, which take the gateway as long as PostgreSQL, and pause for others.
    let rows = "nodes { id title variables(first: 10) { nodes { id label value graphNodes(first: 5) { nodes { id label } } } } }";
    let large = many(&format!("workspaces(first: 10) {{ nodes {{ id name clauses(first: 30) {{ {rows} }} }} }}"));
    let ((median, beside), sent) = lookups_beside(&gateway, &agent, &cfo, &large).await;
    println!("beside large answers: p50 {median:?}, p99 {beside:?}; answered and refused {sent:?}");
    assert!(sent.0 > 0, "they are answered nevertheless: {sent:?}");
    assert!(median < usual * 5 + Duration::from_millis(150), "{median:?} instead of {usual:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_users_changes_leave_others_what_they_need() {
    let gateway = Gateway::demo().await;
    let (cfo, manager) = (gateway.cfo().await, gateway.sign_in("finance.manager@aether-demo.com", "aether-demo").await);
    gateway
        .execute(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;
             CREATE TRIGGER dawdle BEFORE INSERT ON budgets FOR EACH ROW WHEN (NEW.name LIKE 'Slow%') EXECUTE FUNCTION dawdle()",
        )
        .await;
    let create =
        "mutation($name: String!) { createBudget(input: { name: $name, fiscalYear: 2050, version: $name }) { id } }";
    let slow: Vec<_> = (0..12).map(|n| send(&gateway, &cfo, create, json!({ "name": format!("Slow {n}") }))).collect();
    until(&gateway, "INSERT INTO \"budgets\"", |count| count > 0).await;
    for number in 0..5 {
        let begun = Instant::now();
        manager.run(create, json!({ "name": format!("Quick {number}") })).await.ok();
        println!("a change beside twelve slow ones took {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
    }
    // All of the offender's are done, or refused and not done.
    let mut done = 0;
    for answer in join_all(slow).await {
        let answer = answer.expect("no panic").expect("an answer");
        match code(&answer) {
            None => done += 1,
            Some(code) => assert_eq!(code, "RATE_LIMITED", "{answer:#}"),
        }
    }
    let found = gateway.value("SELECT count(*) FROM budgets WHERE name LIKE 'Slow%'").await;
    assert_eq!(found, json!(done));
    assert!(done >= 4, "{done}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_waits_for_any_more_is_stopped() {
    let gateway = Gateway::demo().await;
    let (cfo, agent) = (gateway.cfo().await, gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await);
    slow_down(&gateway, "vendors", 9.0).await;
    let busy = AtomicBool::new(true);
    tokio::join!(
        async {
            let mut worst = Duration::ZERO;
            for _ in 0..5 {
                let requests: Vec<_> = (0..8).map(|_| send(&gateway, &cfo, VENDORS, json!({}))).collect();
                until(&gateway, "FROM vendors", |count| count == 2).await;
                requests.iter().for_each(JoinHandle::abort);
                worst = worst.max(until(&gateway, "FROM vendors", |count| count == 0).await);
            }
            println!("the statements of those who went away ended after {worst:?} at most");
            assert!(worst < Duration::from_secs(1), "{worst:?}");
            busy.store(false, Ordering::Relaxed);
        },
        // Nobody else's statement is stopped, whichever connection it has.
        async {
            while busy.load(Ordering::Relaxed) {
                join_all((0..3).map(|_| lookups(&agent, 5))).await;
                cfo.query("{ budgets(first: 1) { nodes { id } } }").await.ok();
            }
        }
    );
    // The connections were given back, all of them; once the other has gone, too.
    tokio::time::sleep(Duration::from_secs(1)).await;
    slow_down(&gateway, "deals", 0.5).await;
    let begun = Instant::now();
    cfo.query(&many("deals(first: 1) { nodes { id } }")).await.ok();
    println!("twelve statements of half a second, two at a time, took {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_client_goes_away_is_taken_back() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    gateway
        .execute(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(8); RETURN NEW; END $$;
             CREATE TRIGGER dawdle AFTER INSERT ON budgets FOR EACH ROW WHEN (NEW.name = 'Slow') EXECUTE FUNCTION dawdle()",
        )
        .await;
    let create = |name: &str| {
        format!("createBudget(input: {{ name: \"{name}\", fiscalYear: 2050, version: \"{name}\" }}) {{ id }}")
    };
    let together = format!("mutation @transaction {{ a: {} b: {} }}", create("First"), create("Slow"));
    let begun = Instant::now();
    for alone in [format!("mutation {{ {} }}", create("Slow")), together] {
        let request = send(&gateway, &cfo, &alone, json!({}));
        until(&gateway, "INSERT INTO \"budgets\"", |count| count == 1).await;
        request.abort();
        let took = until(&gateway, "INSERT INTO \"budgets\"", |count| count == 0).await;
        println!("the change of who went away ended after {took:?}");
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    let left = "SELECT (SELECT count(*) FROM budgets WHERE name IN ('First', 'Slow'))
        + (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'
            AND application_name = 'aether-nexus')";
    while gateway.value(left).await != json!(0) {
        assert!(begun.elapsed() < Duration::from_secs(6), "something is left");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The connection serves others.
    for number in 0..6 {
        cfo.query(&format!("mutation {{ {} }}", create(&format!("Quick {number}")))).await.ok();
    }
}

/// The memory of the gateway's own processes of PostgreSQL, in MiB: the largest.
async fn largest(gateway: &Gateway) -> u64 {
    let pids = gateway
        .rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'aether-nexus'",
        )
        .await;
    let of = |pid: &Value| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid["pid"])).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
    };
    pids.iter().map(of).max().expect("a process")
}

#[tokio::test]
async fn many_different_statements_do_not_pile_up() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    cfo.data(LOOKUP).await;
    let before = largest(&gateway).await;
    let conditions = [
        "messages: { some: { content: { contains: \"a\" } } }",
        "user: { name: { contains: \"a\" } }",
        "organization: { users: { some: { name: { contains: \"b\" } } } }",
        "title: { contains: \"a\" }",
        "messageCount: { gt: 1 }",
        "totalTokensUsed: { gt: 1 }",
        "createdAt: { gt: \"2020-01-01T00:00:00Z\" }",
        "updatedAt: { gt: \"2020-01-01T00:00:00Z\" }",
        "id: { ne: \"00000000-0000-0000-0000-000000000001\" }",
    ];
    let shapes = 506;
    for shape in 1..=shapes {
        let chosen: Vec<_> =
            conditions.iter().enumerate().filter(|(bit, _)| shape >> bit & 1 == 1).map(|(_, c)| *c).collect();
        let query =
            format!("{{ aiConversations(first: 1, filter: {{ {} }}) {{ nodes {{ id }} }} }}", chosen.join(", "));
        // What comes twice is worth being kept, as far as there is room.
        for _ in 0..3 {
            cfo.data(&query).await;
        }
    }
    let after = largest(&gateway).await;
    println!("{shapes} shapes, each three times: the largest process had {before} MiB and has {after} MiB");
    assert!(after < before + 64, "{after} MiB");
}

#[tokio::test]
async fn a_table_that_changes_is_read_on() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let query = "{ deals(first: 3) { nodes { name owner { name } history(first: 2) { nodes { newValue } } } }
        open: deals(first: 2, filter: { name: { contains: \"a\" } }) { totalCount nodes { name } } }";
    // Often enough that several connections have the statements prepared.
    let before = cfo.data(query).await;
    for answer in join_all((0..40).map(|_| cfo.data(query))).await {
        assert_eq!(answer, before);
    }
    for change in [
        "ALTER TABLE deals ALTER COLUMN name TYPE varchar(499)",
        "ALTER TABLE deals ALTER COLUMN name TYPE text",
        "ALTER TABLE users ALTER COLUMN name TYPE varchar(254)",
        "ALTER TABLE deals ALTER COLUMN name TYPE varchar(500); ALTER TABLE deal_history ALTER COLUMN new_value TYPE varchar(4000)",
    ] {
        gateway.execute(change).await;
        for _ in 0..3 {
            for answer in join_all((0..8).map(|_| cfo.data(query))).await {
                assert_eq!(answer, before, "{change}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_table_holds_up_only_those_who_ask_for_it() {
    let gateway = Gateway::demo().await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let mut users = Vec::new();
    for name in ["sarah.chen", "finance.manager", "analyst", "europe.analyst", "engineering.analyst", "viewer", "admin"]
    {
        users.push(gateway.sign_in(&format!("{name}@aether-demo.com"), "aether-demo").await);
    }
    let lock = gateway.owner.begin().await.expect("a transaction");
    lock.execute_unprepared("LOCK TABLE vendors IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
    let asking = AtomicBool::new(true);
    let ready = async || {
        let begun = Instant::now();
        let answer = gateway.http().get(format!("{}/readyz", gateway.url)).send().await.expect("an answer");
        (answer.status().as_u16(), begun.elapsed())
    };
    // Ten requests at a time of one user, and one at a time of each of the others: of them all there are more than connections.
    let ask = async |user: &User<'_>| {
        while asking.load(Ordering::Relaxed) {
            let answer = user.query(VENDORS).await;
            assert!(matches!(answer.code(), "UNAVAILABLE" | "RATE_LIMITED"), "{:#}", answer.body);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let many = join_all((0..10).map(|_| ask(&users[0])));
    let each = join_all(users[1..].iter().map(ask));
    let others = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let begun = Instant::now();
        let mut took = Vec::new();
        while begun.elapsed() < Duration::from_secs(6) {
            let one = Instant::now();
            agent.query(LOOKUP).await.ok();
            took.push(one.elapsed());
            let (status, after) = ready().await;
            assert_eq!(status, 200);
            assert!(after < Duration::from_millis(500), "{after:?}");
        }
        took.sort_unstable();
        println!(
            "beside a locked table: {} lookups, p50 {:?}, p99 {:?}, max {:?}",
            took.len(),
            took[took.len() / 2],
            took[took.len() * 99 / 100],
            took[took.len() - 1]
        );
        asking.store(false, Ordering::Relaxed);
        took[took.len() - 1]
    };
    let (_, _, worst) = tokio::join!(many, each, others);
    assert!(worst < Duration::from_millis(1_500), "{worst:?}");
    // Whoever waits a moment gets what was locked.
    lock.rollback().await.expect("the end");
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    users[0].query(VENDORS).await.ok();
}
