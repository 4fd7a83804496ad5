//! Everybody is told what they may see, as they are now.

use serde_json::json;

use super::Socket;
use crate::{loan::terms::SharedWorkspace, support::Gateway};

const DRIFT: &str = "subscription($w: UUID!) { driftChanged(workspaceId: $w) {
    kind driftItem { id status approvalReason } } }";

#[tokio::test]
async fn investors_hear_of_drift_once_it_is_settled_and_not_why() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let clause = workspace.clause("financial", false, "The margin.").await;
    let variable = workspace.bind(&clause, "Margin", "FINANCIAL", "3.00%").await;
    let (mut investor, mut risk) =
        (Socket::of(&workspace.investor, &gateway).await, Socket::of(&workspace.risk, &gateway).await);
    investor.subscribe("d", DRIFT, json!({ "w": workspace.id })).await;
    risk.subscribe("d", DRIFT, json!({ "w": workspace.id })).await;
    risk.settle().await;
    workspace.edit(&workspace.legal, &variable, "3.20%").await.ok();
    assert_eq!(risk.message("d").await["kind"], "CREATED");
    investor.quiet().await;
    let item = workspace.open(&variable).await;
    workspace.settle(&workspace.risk, "approveDrift", &item, "Within appetite").await.ok();
    assert_eq!(risk.message("d").await["driftItem"]["approvalReason"], "Within appetite");
    let told = investor.message("d").await;
    assert_eq!(told["driftItem"], json!({ "id": item, "status": "APPROVED", "approvalReason": null }));
}

#[tokio::test]
async fn investors_hear_nothing_of_what_only_unsettled_drift_changes() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    workspace.rule("riskApprovalRequiredForOverride", false).await;
    let clause = workspace.clause("financial", false, "The margin.").await;
    let variable = workspace.bind(&clause, "Margin", "FINANCIAL", "3.00%").await;
    let (mut investor, mut risk) =
        (Socket::of(&workspace.investor, &gateway).await, Socket::of(&workspace.risk, &gateway).await);
    let cursor = workspace.risk.data("{ eventCursor }").await["eventCursor"].clone();
    let events = "subscription($after: String) { events(topics: [VARIABLE, DRIFT], after: $after) {
        topic kind changedFields node { ... on Variable { value baselineValue } ... on DriftItem { status } } } }";
    for socket in [&mut investor, &mut risk] {
        socket.subscribe("e", events, json!({ "after": cursor })).await;
    }
    risk.settle().await;

    workspace.edit(&workspace.agent, &variable, "3.20%").await.ok();
    let edited = json!({ "topic": "VARIABLE", "kind": "UPDATED", "changedFields": ["value", "lastModifiedAt", "lastModifiedBy"],
        "node": { "value": "3.20%", "baselineValue": "3.00%" } });
    let mut heard = [risk.message("e").await, risk.message("e").await];
    heard.sort_by_key(|message| message["topic"] != "VARIABLE");
    let sorted = |mut message: serde_json::Value| {
        message["changedFields"].as_array_mut().expect("names").sort_by_key(ToString::to_string);
        message
    };
    assert_eq!(sorted(heard[0].clone()), sorted(edited));
    assert_eq!((&heard[1]["topic"], &heard[1]["kind"]), (&json!("DRIFT"), &json!("CREATED")));
    let told = json!({ "topic": "VARIABLE", "kind": "UPDATED", "changedFields": ["lastModifiedAt", "value"],
        "node": { "value": "3.20%", "baselineValue": null } });
    assert_eq!(sorted(investor.message("e").await), told);
    investor.quiet().await;

    // The baseline takes the drafted value: a settled item for all, a changed variable only for those who see baselines.
    let item = workspace.open(&variable).await;
    workspace.settle(&workspace.agent, "overrideDrift", &item, "Agreed").await.ok();
    let mut heard = [risk.message("e").await, risk.message("e").await];
    heard.sort_by_key(|message| message["topic"] != "VARIABLE");
    assert_eq!(heard[0]["changedFields"], json!(["baselineValue"]));
    let told = investor.message("e").await;
    assert_eq!((&told["topic"], &told["node"]), (&json!("DRIFT"), &json!({ "status": "OVERRIDDEN" })));
    assert!(!told["changedFields"].to_string().to_lowercase().contains("reason"), "{told}");
    investor.quiet().await;
}

#[tokio::test]
async fn who_may_not_subscribes_in_vain() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let outsider = gateway.sign_in("cfo@meridian-capital.example", "meridian-capital").await;
    let mut socket = Socket::of(&outsider, &gateway).await;
    socket.subscribe("d", DRIFT, json!({ "w": workspace.id })).await;
    assert_eq!(socket.refusal("d").await, "NOT_FOUND");
    let viewer = gateway.sign_in("viewer@aether-demo.com", "aether-demo").await;
    let mut socket = Socket::of(&viewer, &gateway).await;
    socket.subscribe("a", "subscription { auditAppended { kind } }", json!({})).await;
    assert_eq!(socket.refusal("a").await, "FORBIDDEN");
}

#[tokio::test]
async fn a_confined_view_is_confined_live_and_a_change_of_it_counts_at_once() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    gateway.execute("UPDATE users SET region = 'Europe' WHERE email = 'analyst@aether-demo.com'").await;
    let analyst = gateway.sign_in("analyst@aether-demo.com", "aether-demo").await;
    let mut socket = Socket::of(&analyst, &gateway).await;
    socket.subscribe("d", "subscription { dealChanged { deal { id region } } }", json!({})).await;
    socket.settle().await;
    let edit = async |region: &str| {
        let found = gateway
            .rows(&format!(
                "SELECT d.id, d.row_version FROM deals d JOIN organizations o ON o.id = d.organization_id WHERE slug = 'aether-demo'
                  AND d.region = '{region}' AND stage = 'Proposal' ORDER BY d.id LIMIT 1"
            ))
            .await;
        let edit = "mutation($id: UUID!, $v: Int!, $next: String!) { editDeal(id: $id, expectedVersion: $v, input: { channel: $next }) { id } }";
        let next = uuid::Uuid::now_v7().to_string();
        cfo.run(edit, json!({ "id": found[0]["id"], "v": found[0]["row_version"], "next": next })).await.ok();
        found[0]["id"].clone()
    };
    edit("Asia Pacific").await;
    let mine = edit("Europe").await;
    assert_eq!(socket.message("d").await["deal"], json!({ "id": mine, "region": "EUROPE" }));
    // Behind the gateway's back: no event tells of it.
    gateway.execute("UPDATE users SET region = 'Asia Pacific' WHERE email = 'analyst@aether-demo.com'").await;
    edit("Europe").await;
    let other = edit("Asia Pacific").await;
    assert_eq!(socket.message("d").await["deal"], json!({ "id": other, "region": "ASIA_PACIFIC" }));
    socket.quiet().await;
}

#[tokio::test]
async fn who_is_removed_deactivated_or_signed_out_hears_nothing_more() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let mut risk = Socket::of(&workspace.risk, &gateway).await;
    risk.subscribe("d", DRIFT, json!({ "w": workspace.id })).await;
    risk.subscribe("all", "subscription { events(topics: [CLAUSE]) { topic } }", json!({})).await;
    let mut legal = Socket::of(&workspace.legal, &gateway).await;
    legal.subscribe("d", DRIFT, json!({ "w": workspace.id })).await;
    let mut investor = Socket::of(&workspace.investor, &gateway).await;
    investor.subscribe("d", DRIFT, json!({ "w": workspace.id })).await;
    legal.settle().await;

    let member = gateway
        .rows(&format!(
            "SELECT m.id, m.row_version FROM workspace_members m JOIN users u ON u.id = m.user_id
              WHERE u.email = 'risk@northgate-bank.example' AND m.workspace_id = '{}'",
            workspace.id
        ))
        .await;
    let remove =
        "mutation($id: UUID!, $v: Int!) { removeMember(id: $id, expectedVersion: $v, reason: \"Left\") { id } }";
    workspace.agent.run(remove, json!({ "id": member[0]["id"], "v": member[0]["row_version"] })).await.ok();
    assert_eq!(risk.refusal("d").await, "NOT_FOUND");
    let clause = workspace.clause("financial", false, "The margin.").await;
    let edit = "mutation($id: UUID!) { editClause(id: $id, expectedVersion: 1, input: { title: \"9.9 Other\" }, reason: \"Test\") { id } }";
    workspace.agent.run(edit, json!({ "id": clause })).await.ok();
    risk.quiet().await;

    legal.subscribe("own", "{ me { sessionId } }", json!({})).await;
    legal.message("own").await;
    assert_eq!(legal.receive().await["type"], "complete");
    workspace.legal.query("mutation { logout }").await.ok();
    assert_eq!(legal.refusal("d").await, "UNAUTHENTICATED");

    // Behind the gateway's back it is found out a little later.
    gateway
        .execute("UPDATE users SET status = 'inactive' WHERE email = 'investor@castlebrook-investors.example'")
        .await;
    assert_eq!(investor.refusal("d").await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn who_joins_a_workspace_hears_of_it_in_all_events() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let outsider = gateway.sign_in("cfo@meridian-capital.example", "meridian-capital").await;
    let mut socket = Socket::of(&outsider, &gateway).await;
    socket
        .subscribe("all", "subscription { events(topics: [CLAUSE]) { kind node { ... on Clause { id } } } }", json!({}))
        .await;
    socket.settle().await;
    let invite = "mutation($w: UUID!) { inviteMember(workspaceId: $w, input: {
        email: \"cfo@meridian-capital.example\", organization: \"meridian-capital\", role: INVESTOR }) { id rowVersion } }";
    let invited = workspace.agent.run(invite, json!({ "w": workspace.id })).await.ok();
    let accept = "mutation($w: UUID!) { acceptInvitation(workspaceId: $w) { id } }";
    outsider.run(accept, json!({ "w": workspace.id })).await.ok();
    assert!(invited["inviteMember"]["id"].is_string());
    let clause = workspace.clause("financial", false, "The margin.").await;
    let edit = "mutation($id: UUID!) { editClause(id: $id, expectedVersion: 1, input: { title: \"9.9 Other\" }, reason: \"Test\") { id } }";
    workspace.agent.run(edit, json!({ "id": clause })).await.ok();
    assert_eq!(socket.message("all").await, json!({ "kind": "UPDATED", "node": { "id": clause } }));
}
