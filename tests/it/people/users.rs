//! What those who manage users may change, and what stays.

use futures::future::join;
use serde_json::{Value, json};

use super::{ADMIN, ANALYST, CFO, PASSWORD, VIEWER, field, login, set, trail, user};
use crate::support::{Answer, Gateway, HOME, User};

async fn change_role(by: &User<'_>, (id, version): (String, i64), role: &str) -> Answer {
    let query = "mutation($id: UUID!, $v: Int!, $role: UserRole!) {
        changeUserRole(id: $id, expectedVersion: $v, role: $role) { role rowVersion }
    }";
    by.run(query, json!({ "id": id, "v": version, "role": role })).await
}

async fn grant(by: &User<'_>, (id, version): (String, i64), permissions: &[&str]) -> Answer {
    let query = "mutation($id: UUID!, $v: Int!, $permissions: [String!]!) {
        changeUserPermissions(id: $id, expectedVersion: $v, permissions: $permissions) { permissions }
    }";
    by.run(query, json!({ "id": id, "v": version, "permissions": permissions })).await
}

async fn confine(by: &User<'_>, (id, version): (String, i64), input: Value) -> Answer {
    let query = "mutation($id: UUID!, $v: Int!, $input: UserScopePatch!) {
        changeUserScope(id: $id, expectedVersion: $v, input: $input) { region department }
    }";
    by.run(query, json!({ "id": id, "v": version, "input": input })).await
}

async fn deactivate(by: &User<'_>, (id, version): (String, i64)) -> Answer {
    let query = "mutation($id: UUID!, $v: Int!) { deactivateUser(id: $id, expectedVersion: $v, reason: \"Left\") { status rowVersion } }";
    by.run(query, json!({ "id": id, "v": version })).await
}

#[tokio::test]
async fn a_role_counts_from_the_next_request_and_nobody_gives_more_than_they_hold() {
    let gateway = Gateway::demo().await;
    let (cfo, admin) = (gateway.cfo().await, gateway.sign_in(ADMIN, HOME).await);
    let viewer = gateway.sign_in(VIEWER, HOME).await;
    for role in ["CFO", "FINANCE_MANAGER", "ANALYST"] {
        let answer = change_role(&admin, user(&gateway, VIEWER).await, role).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{role}");
        assert_eq!(answer.body["errors"][0]["extensions"]["permission"], "users:manage");
    }
    assert_eq!(change_role(&admin, user(&gateway, ADMIN).await, "CFO").await.code(), "FORBIDDEN");
    let stale = (user(&gateway, VIEWER).await.0, 0);
    assert_eq!(change_role(&cfo, stale, "ANALYST").await.code(), "CONFLICT");

    let held = "{ me { permissions { name } } }";
    assert!(!viewer.data(held).await.to_string().contains("budgets:draft"));
    let (id, _) = user(&gateway, VIEWER).await;
    let changed = change_role(&cfo, user(&gateway, VIEWER).await, "ANALYST").await.ok();
    assert_eq!(changed["changeUserRole"]["role"], "ANALYST");
    assert!(viewer.data(held).await.to_string().contains("budgets:draft"));
    // To take something away takes only the right to manage users.
    change_role(&admin, user(&gateway, VIEWER).await, "VIEWER").await.ok();

    let rows = trail(&gateway, &["USER_ROLE_CHANGE"]).await;
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0]["resource_id"], &rows[0]["risk_level"]), (&json!(id), &json!("high")));
    assert_eq!(rows[0]["details"]["before"], json!({ "role": "VIEWER" }));
    assert_eq!(rows[0]["details"]["after"], json!({ "role": "ANALYST" }));
    let events = gateway
        .rows(&format!(
            "SELECT changed_fields FROM event_outbox WHERE topic = 'user' AND aggregate_id = '{id}' ORDER BY sequence"
        ))
        .await;
    assert_eq!(events, vec![json!({ "changed_fields": ["role"] }); 2]);
}

#[tokio::test]
async fn permissions_are_granted_by_known_names_and_only_those_one_holds() {
    let gateway = Gateway::demo().await;
    let (cfo, admin) = (gateway.cfo().await, gateway.sign_in(ADMIN, HOME).await);
    let unknown = grant(&cfo, user(&gateway, VIEWER).await, &["deals:everything"]).await;
    assert_eq!(field(&unknown), ("VALIDATION_FAILED", "permissions.0"));
    assert!(unknown.message().contains("deals:edit"), "{}", unknown.message());
    assert_eq!(grant(&admin, user(&gateway, VIEWER).await, &["deals:edit"]).await.code(), "FORBIDDEN");
    assert_eq!(grant(&admin, user(&gateway, ADMIN).await, &["deals:edit"]).await.code(), "FORBIDDEN");
    let granted = grant(&cfo, user(&gateway, VIEWER).await, &["deals:edit", "audit:read", "deals:edit"]).await.ok();
    assert_eq!(granted["changeUserPermissions"]["permissions"], json!(["deals:edit", "audit:read"]));
    // What somebody else granted before is not given anew.
    grant(&admin, user(&gateway, VIEWER).await, &["deals:edit", "audit:export"]).await.ok();
    grant(&admin, user(&gateway, VIEWER).await, &[]).await.ok();
    assert_eq!(grant(&admin, user(&gateway, VIEWER).await, &["deals:edit"]).await.code(), "FORBIDDEN");
    let viewer = gateway.sign_in(VIEWER, HOME).await;
    assert_eq!(grant(&viewer, user(&gateway, VIEWER).await, &["audit:read"]).await.code(), "FORBIDDEN");
}

#[tokio::test]
async fn a_scope_names_a_region_and_a_department_that_exist() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let analyst = gateway.sign_in(ANALYST, HOME).await;
    let regions = "{ deals(first: 500) { nodes { region } } }";
    assert!(analyst.data(regions).await.to_string().contains("NORTH_AMERICA"));
    let input = json!({ "region": "Europe", "department": "Engineering" });
    let confined = confine(&cfo, user(&gateway, ANALYST).await, input.clone()).await.ok();
    assert_eq!(confined["changeUserScope"], input);
    let seen = analyst.data(regions).await.to_string();
    assert!(seen.contains("EUROPE") && !seen.contains("NORTH_AMERICA"), "{seen}");
    let opened = confine(&cfo, user(&gateway, ANALYST).await, json!({ "region": null })).await.ok();
    assert_eq!(opened["changeUserScope"], json!({ "region": null, "department": "Engineering" }));
    for (input, path) in [
        (json!({ "region": "Atlantis" }), "input.region"),
        (json!({ "region": "Euro pe" }), "input.region"),
        (json!({ "department": "Alchemy" }), "input.department"),
        // Nothing but null takes a confinement away.
        (json!({ "region": "  " }), "input.region"),
        (json!({ "department": "" }), "input.department"),
    ] {
        let answer = confine(&cfo, user(&gateway, ANALYST).await, input).await;
        assert_eq!(field(&answer), ("VALIDATION_FAILED", path));
    }
    // However it is spelled, it is the region that deals have, and confines to their rows.
    let spelled =
        confine(&cfo, user(&gateway, ANALYST).await, json!({ "region": " EUROPE ", "department": "ENGINEERING" }));
    assert_eq!(spelled.await.ok()["changeUserScope"], json!({ "region": "Europe", "department": "Engineering" }));
    let seen = analyst.data(regions).await.to_string();
    assert!(seen.contains("EUROPE") && !seen.contains("NORTH_AMERICA"), "{seen}");
    // One who manages users and is confined confines others no less.
    set(&gateway, VIEWER, r#"permissions = '["users:manage"]', region = 'Europe'"#).await;
    let viewer = gateway.sign_in(VIEWER, HOME).await;
    for (email, input) in [(ANALYST, json!({ "region": "Asia Pacific" })), (VIEWER, json!({ "region": null }))] {
        assert_eq!(confine(&viewer, user(&gateway, email).await, input).await.code(), "FORBIDDEN");
    }
    confine(&viewer, user(&gateway, ANALYST).await, json!({ "region": "Europe" })).await.ok();
}

#[tokio::test]
async fn deactivation_ends_every_session_at_the_next_request() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let (one, other) = (gateway.sign_in(ANALYST, HOME).await, gateway.sign_in(ANALYST, HOME).await);
    one.data("{ deals(first: 1) { nodes { id } } }").await;
    let (id, _) = user(&gateway, ANALYST).await;
    let gone = deactivate(&cfo, user(&gateway, ANALYST).await).await.ok();
    assert_eq!(gone["deactivateUser"]["status"], "INACTIVE");
    for session in [&one, &other] {
        assert_eq!(session.query("{ deals(first: 1) { nodes { id } } }").await.code(), "UNAUTHENTICATED");
    }
    let refresh = "mutation($token: String!) { refresh(refreshToken: $token) { accessToken } }";
    let refreshed = gateway.stranger().run(refresh, json!({ "token": one.refresh_token })).await;
    assert_eq!(refreshed.code(), "UNAUTHENTICATED");
    assert_eq!(login(&gateway, ANALYST, PASSWORD, None).await.code(), "UNAUTHENTICATED");
    // Revoked and told in one transaction.
    let written = gateway.rows(&format!(
        "SELECT DISTINCT xmin::text FROM user_sessions WHERE user_id = '{id}' AND revoked_at > now() - interval '1 minute'
         UNION SELECT t.xmin::text FROM refresh_tokens t JOIN user_sessions s ON s.id = t.session_id
          WHERE s.user_id = '{id}' AND t.revoked_at > now() - interval '1 minute'
         UNION SELECT xmin::text FROM audit_logs WHERE action = 'USER_DEACTIVATE' AND resource_id = '{id}'"
    )).await;
    assert_eq!(written.len(), 1);
    let row = trail(&gateway, &["USER_DEACTIVATE"]).await.remove(0);
    assert_eq!(row["details"]["reason"], "Left");
    assert!(row["details"]["after"]["sessionsEnded"].as_i64().expect("a number") >= 2, "{row:#}");

    assert_eq!(deactivate(&cfo, user(&gateway, ANALYST).await).await.code(), "PRECONDITION_FAILED");
    let query = "mutation($id: UUID!, $v: Int!) { reactivateUser(id: $id, expectedVersion: $v) { status } }";
    let back = cfo.run(query, json!({ "id": id, "v": gone["deactivateUser"]["rowVersion"] })).await.ok();
    assert_eq!(back["reactivateUser"]["status"], "ACTIVE");
    assert_eq!(one.query("{ me { sessionId } }").await.code(), "UNAUTHENTICATED");
    login(&gateway, ANALYST, PASSWORD, None).await.ok();
    let again = cfo.run(query, json!({ "id": id, "v": user(&gateway, ANALYST).await.1 })).await;
    assert_eq!(again.code(), "PRECONDITION_FAILED");
}

#[tokio::test]
async fn the_last_who_manages_users_stays() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    assert_eq!(deactivate(&cfo, user(&gateway, CFO).await).await.code(), "PRECONDITION_FAILED");
    deactivate(&cfo, user(&gateway, ADMIN).await).await.ok();
    let last = change_role(&cfo, user(&gateway, CFO).await, "VIEWER").await;
    assert_eq!(last.code(), "PRECONDITION_FAILED", "{:#}", last.body);
    // A grant lets somebody manage users, but does not make up for the last one whose role it is.
    set(&gateway, VIEWER, r#"permissions = '["users:manage"]'"#).await;
    let viewer = gateway.sign_in(VIEWER, HOME).await;
    assert_eq!(deactivate(&viewer, user(&gateway, CFO).await).await.code(), "PRECONDITION_FAILED");
    change_role(&cfo, user(&gateway, CFO).await, "ADMIN").await.ok();
}

/// An administrator, who may invite the first CFO, does not make room for one.
#[tokio::test]
async fn nobody_but_a_cfo_takes_the_role_from_a_cfo() {
    let gateway = Gateway::demo().await;
    let (cfo, admin) = (gateway.cfo().await, gateway.sign_in(ADMIN, HOME).await);
    let invite =
        "mutation { inviteUser(input: { email: \"new.cfo@aether-demo.com\", name: \"New\", role: CFO }) { token } }";
    for status in ["active", "inactive", "pending"] {
        set(&gateway, CFO, &format!("status = '{status}'")).await;
        let taken = change_role(&admin, user(&gateway, CFO).await, "VIEWER").await;
        assert_eq!(taken.code(), "FORBIDDEN", "{status}");
        assert!(taken.message().contains("Ask one"), "{}", taken.message());
    }
    set(&gateway, CFO, "status = 'active'").await;
    assert_eq!(admin.query(invite).await.code(), "FORBIDDEN");
    // A CFO may, and may come down by itself.
    set(&gateway, VIEWER, "role = 'CFO'").await;
    change_role(&cfo, user(&gateway, VIEWER).await, "VIEWER").await.ok();
    change_role(&cfo, user(&gateway, CFO).await, "ADMIN").await.ok();
}

#[tokio::test]
async fn two_who_deactivate_each_other_do_not_both_succeed() {
    let gateway = Gateway::demo().await;
    let (cfo, admin) = (gateway.cfo().await, gateway.sign_in(ADMIN, HOME).await);
    let (one, other) = (user(&gateway, ADMIN).await, user(&gateway, CFO).await);
    let (one, other) = join(deactivate(&cfo, one), deactivate(&admin, other)).await;
    let done = [&one, &other].into_iter().filter(|answer| answer.body.get("errors").is_none()).count();
    assert_eq!(done, 1, "{:#} {:#}", one.body, other.body);
    let left = "SELECT count(*) FROM users u JOIN organizations o ON o.id = u.organization_id
        WHERE o.slug = 'aether-demo' AND u.status = 'active' AND u.role IN ('CFO', 'ADMIN')";
    assert_eq!(gateway.value(left).await, 1);
}

#[tokio::test]
async fn a_user_of_another_organization_is_not_there() {
    let gateway = Gateway::demo().await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let legal = user(&gateway, "legal@harrow-and-lane.example").await;
    let seen = agent.run("query($id: UUID!) { user(id: $id) { name } }", json!({ "id": legal.0 })).await.ok();
    assert!(seen["user"]["name"].is_string(), "met in a workspace: {seen}");
    for answer in [
        change_role(&agent, legal.clone(), "VIEWER").await,
        grant(&agent, legal.clone(), &[]).await,
        confine(&agent, legal.clone(), json!({ "region": null })).await,
        deactivate(&agent, legal.clone()).await,
    ] {
        assert_eq!(answer.code(), "NOT_FOUND", "{:#}", answer.body);
    }
    assert_eq!(user(&gateway, "legal@harrow-and-lane.example").await, legal);
}
