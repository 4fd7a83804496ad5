//! Every mutation, called as everybody.

use serde_json::{Value, json};

use super::{Caller, Case, May, ORGANIZATION, WORKSPACE, cases};
use crate::support::{Gateway, Sdl, User};

/// Tables that change by themselves: sessions are used, the audit log is sealed.
const BY_ITSELF: &str =
    "^(user_sessions|audit_pending|audit_leaves|audit_nodes|audit_tree_heads|event_outbox.*|audit_logs.*)$";

/// How the tables are: their rows, and the newest transaction that wrote one.
async fn state(gateway: &Gateway) -> Value {
    let tables = gateway
        .rows(&format!(
            "SELECT format('SELECT %L::text AS t, count(*) AS n, coalesce(max(xmin::text::bigint), 0) AS x FROM %I', relname, relname) AS q
               FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r') AND relname !~ '{BY_ITSELF}' ORDER BY relname"
        ))
        .await;
    let selects: Vec<&str> = tables.iter().filter_map(|row| row["q"].as_str()).collect();
    Value::Array(gateway.rows(&selects.join(" UNION ALL ")).await)
}

/// How many audit rows there are of this user.
async fn trail(gateway: &Gateway, user: &str) -> i64 {
    let count = gateway
        .value(&format!(
            "SELECT (SELECT count(*) FROM audit_logs WHERE actor_id = '{user}') + (SELECT count(*) FROM audit_events WHERE actor_id = '{user}')"
        ))
        .await;
    count.as_i64().expect("a count")
}

/// Mutations that change nothing but the audit trail.
const ONLY_TOLD: [&str; 2] = ["exportAuditLog", "reviewAuditLog"];

struct Signed<'g> {
    role: &'static str,
    id: String,
    user: User<'g>,
}

async fn sign_in<'g>(gateway: &'g Gateway, callers: &[Caller]) -> Vec<Signed<'g>> {
    let mut signed = Vec::new();
    for (role, email, organization) in callers {
        let user = gateway.sign_in(email, organization).await;
        let id = user.data("{ me { user { id } } }").await["me"]["user"]["id"].as_str().expect("an id").to_owned();
        signed.push(Signed { role, id, user });
    }
    signed
}

/// Gives a caller back what it signs in with, whatever it has made of it.
async fn signs_in_again(gateway: &Gateway, user: &str) {
    let sql = format!(
        "UPDATE users u SET password_hash = d.password_hash, mfa_enabled = false, mfa_secret = NULL, mfa_pending_secret = NULL,
                mfa_last_step = NULL FROM users d WHERE d.email = 'europe.analyst@aether-demo.com' AND u.id = '{user}'"
    );
    gateway.execute(&sql).await;
}

/// Calls a mutation that must be refused: with this code, an audit row (of those who have an account), and no other change.
async fn refused(gateway: &Gateway, case: &Case, caller: &Signed<'_>, code: &str) {
    let who = format!("{} as {}", case.mutation, caller.role);
    let variables = (case.prepare)(gateway, &caller.id).await;
    let (before, trail_before) = (state(gateway).await, trail(gateway, &caller.id).await);
    let answer = caller.user.run(case.operation, variables).await;
    assert_eq!(answer.code(), code, "{who}: {:#}", answer.body);
    if code == "FORBIDDEN" {
        let permission = &answer.body["errors"][0]["extensions"]["permission"];
        assert!(permission.is_string(), "{who} is not told which permission is missing: {:#}", answer.body);
    }
    assert_eq!(state(gateway).await, before, "{who} was refused, but changed something");
    assert_eq!(trail(gateway, &caller.id).await, trail_before + 1, "{who} was refused without an audit row");
}

/// Calls a mutation that must succeed and leave its audit row.
async fn allowed(gateway: &Gateway, case: &Case, caller: &Signed<'_>) {
    let who = format!("{} as {}", case.mutation, caller.role);
    let variables = (case.prepare)(gateway, &caller.id).await;
    let (before, trail_before) = (state(gateway).await, trail(gateway, &caller.id).await);
    let answer = caller.user.run(case.operation, variables).await;
    assert!(answer.body.get("errors").is_none(), "{who}: {:#}", answer.body);
    assert!(trail(gateway, &caller.id).await > trail_before, "{who} left no audit row");
    assert!(ONLY_TOLD.contains(&case.mutation) || state(gateway).await != before, "{who} changed nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_may_what_the_matrix_says_and_nothing_else() {
    let gateway = Gateway::demo().await;
    let began = gateway.value("SELECT now()::text").await;
    let began = began.as_str().expect("a time").to_owned();
    let cases = cases();
    let sdl = Sdl::of(&gateway).await;
    let mutations: Vec<&str> = sdl.fields("Mutation").iter().map(|field| field.name).collect();
    let missing: Vec<_> = mutations.iter().filter(|name| !cases.contains_key(*name)).collect();
    assert!(missing.is_empty(), "mutations without a case: {missing:?}");
    let gone: Vec<_> = cases.keys().filter(|name| !mutations.contains(name)).collect();
    assert!(gone.is_empty(), "cases without a mutation: {gone:?}");

    let (organization, workspace) = (sign_in(&gateway, &ORGANIZATION).await, sign_in(&gateway, &WORKSPACE).await);
    let mut calls = 0;
    // Last of all what may end the sessions of those who call.
    let (about_oneself, others): (Vec<_>, Vec<_>) =
        cases.values().flatten().partition(|case| matches!(case.may, May::SignedIn));
    for case in others.into_iter().chain(about_oneself) {
        let stranger = gateway.stranger();
        if !matches!(case.may, May::Anybody) {
            let variables = (case.prepare)(&gateway, &organization[0].id).await;
            let before = state(&gateway).await;
            let answer = stranger.run(case.operation, variables).await;
            assert_eq!(answer.code(), "UNAUTHENTICATED", "{} as a stranger: {:#}", case.mutation, answer.body);
            assert_eq!(state(&gateway).await, before, "{} as a stranger changed something", case.mutation);
            if matches!(case.may, May::SignedIn) {
                // What was prepared is about somebody who signs in next.
                signs_in_again(&gateway, &organization[0].id).await;
            }
            calls += 1;
        }
        let (callers, roles, elsewhere) = match case.may {
            May::Organization(roles) => (&organization, roles, ""),
            May::Workspace(roles) => (&workspace, roles, "outsider"),
            May::SignedIn => {
                // In a session of their own, which the mutation may end.
                for caller in ORGANIZATION.iter().chain(&WORKSPACE) {
                    let caller = sign_in(&gateway, &[*caller]).await.remove(0);
                    allowed(&gateway, case, &caller).await;
                    signs_in_again(&gateway, &caller.id).await;
                    calls += 1;
                }
                continue;
            }
            May::Anybody => {
                let variables = (case.prepare)(&gateway, &organization[0].id).await;
                let answer = stranger.run(case.operation, variables).await;
                assert!(answer.body.get("errors").is_none(), "{}: {:#}", case.mutation, answer.body);
                calls += 1;
                continue;
            }
        };
        for caller in callers {
            if roles.contains(&caller.role) {
                allowed(&gateway, case, caller).await;
            } else {
                // To an investor drift that nobody has settled is not there.
                let is_hidden = caller.role == "investor" && case.mutation.ends_with("Drift");
                let code = if caller.role == elsewhere || is_hidden { "NOT_FOUND" } else { "FORBIDDEN" };
                refused(&gateway, case, caller, code).await;
            }
            calls += 1;
        }
    }
    eprintln!("{} mutations, {} cases of role × mutation", mutations.len(), calls);
    assert!(calls > mutations.len());
    // Every type of event of the workspaces' trail has been reached.
    let unreached = gateway
        .value(&format!(
            "SELECT coalesce(array_agg(t), '{{}}') FROM unnest(enum_range(NULL::audit_event_type)) t
              WHERE t NOT IN (SELECT event_type FROM audit_events WHERE \"timestamp\" > '{began}')"
        ))
        .await;
    assert_eq!(unreached, json!([]), "types of audit events that no mutation leaves");
    // The last look: no two calls wrote half of what they should.
    let orphans = gateway.value("SELECT count(*) FROM event_outbox o WHERE o.topic = 'audit' AND NOT EXISTS
        (SELECT FROM audit_logs l WHERE l.id = o.aggregate_id) AND NOT EXISTS (SELECT FROM audit_events e WHERE e.id = o.aggregate_id)");
    assert_eq!(orphans.await, json!(0));
}
