//! Members: invited, joined, given another role, removed; and the last admin, who stays.

use serde_json::{Value, json};

use super::{AGENT, AGENT2, COUNSEL, INVESTOR, RISK, accept, extension, id, invite, join, open, sign_in, trail};
use crate::support::{Answer, Gateway, User};

const SEEN: &str = "query($id: UUID!) { workspace(id: $id) { id name } }";

async fn sees(user: &User<'_>, workspace: &str) -> bool {
    !user.run(SEEN, json!({ "id": workspace })).await.ok()["workspace"].is_null()
}

async fn members(user: &User<'_>, workspace: &str) -> Vec<Value> {
    let query = "query($id: UUID!) { workspace(id: $id) { members { nodes {
        id rowVersion role isAdmin status user { email } } } } }";
    let found = user.run(query, json!({ "id": workspace })).await.ok();
    found["workspace"]["members"]["nodes"].as_array().expect("members").clone()
}

async fn membership(user: &User<'_>, workspace: &str, email: &str) -> Value {
    let members = members(user, workspace).await;
    members.into_iter().find(|member| member["user"]["email"] == email).unwrap_or_else(|| panic!("no {email}"))
}

async fn change(user: &User<'_>, member: &Value, to: Value) -> Answer {
    let mut variables = json!({ "id": member["id"], "version": member["rowVersion"] });
    variables.as_object_mut().expect("an object").extend(to.as_object().expect("an object").clone());
    user.run(
        "mutation($id: UUID!, $version: Int!, $role: WorkspaceRole, $admin: Boolean) {
            changeMemberRole(id: $id, expectedVersion: $version, role: $role, isAdmin: $admin, reason: \"New desk\") {
                id rowVersion role isAdmin } }",
        variables,
    )
    .await
}

async fn remove(user: &User<'_>, member: &Value) -> Answer {
    let remove = "mutation($id: UUID!, $version: Int!) {
        removeMember(id: $id, expectedVersion: $version, reason: \"Left the deal\") { id status isAdmin rowVersion } }";
    user.run(remove, json!({ "id": member["id"], "version": member["rowVersion"] })).await
}

async fn leave(user: &User<'_>, workspace: &str) -> Answer {
    user.run("mutation($id: UUID!) { leaveWorkspace(workspaceId: $id) }", json!({ "id": workspace })).await
}

#[tokio::test]
async fn an_invitation_to_another_organization_is_accepted_declined_taken_back_and_repeated() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let counsel = sign_in(&gateway, COUNSEL).await;
    let workspace = open(&agent, json!(null)).await;
    assert_eq!(accept(&counsel, &workspace).await.code(), "NOT_FOUND", "nobody has invited them");

    let invited = invite(&agent, &workspace, ("Legal@HARROW-and-lane.example", COUNSEL.1), "LEGAL").await.ok();
    let invited = &invited["inviteMember"];
    assert_eq!((&invited["status"], &invited["user"]["email"]), (&json!("PENDING"), &json!(COUNSEL.0)));
    assert!(!sees(&counsel, &workspace).await, "who is invited sees nothing yet");
    let mine = "{ me { invitations { workspaceId workspaceName organizationName role isAdmin invitedAt } } }";
    let mut offered = counsel.data(mine).await["me"]["invitations"].as_array().expect("a list").clone();
    offered.retain(|invitation| invitation["workspaceId"] == workspace.as_str());
    assert_eq!(offered.len(), 1);
    assert_eq!((&offered[0]["workspaceName"], &offered[0]["role"]), (&json!("Term loan"), &json!("LEGAL")));
    assert!(offered[0]["invitedAt"].is_string() && offered[0]["isAdmin"] == false, "{}", offered[0]);
    let again = invite(&agent, &workspace, COUNSEL, "RISK").await;
    assert_eq!(again.code(), "PRECONDITION_FAILED", "an open invitation is not repeated");

    let joined = accept(&counsel, &workspace).await.ok();
    let joined = &joined["acceptInvitation"];
    assert_eq!((&joined["status"], &joined["id"]), (&json!("ACTIVE"), &invited["id"]));
    assert!(joined["joinedAt"].is_string());
    assert!(sees(&counsel, &workspace).await);
    assert!(!counsel.data(mine).await.to_string().contains(&workspace), "it is answered");
    assert_eq!(accept(&counsel, &workspace).await.code(), "PRECONDITION_FAILED");
    assert_eq!(invite(&agent, &workspace, COUNSEL, "LEGAL").await.code(), "PRECONDITION_FAILED");

    let removed = remove(&agent, joined).await.ok();
    assert_eq!(removed["removeMember"]["status"], "REMOVED");
    assert!(!sees(&counsel, &workspace).await, "from the next request on");
    assert_eq!(remove(&agent, &removed["removeMember"]).await.code(), "PRECONDITION_FAILED");
    assert_eq!(change(&agent, &removed["removeMember"], json!({ "role": "RISK" })).await.code(), "PRECONDITION_FAILED");
    assert_eq!(accept(&counsel, &workspace).await.code(), "NOT_FOUND");

    // Invited again as something else, it is the same membership; it is declined, and at last accepted.
    let invited = invite(&agent, &workspace, COUNSEL, "INVESTOR").await.ok();
    assert_eq!(invited["inviteMember"]["id"], joined["id"]);
    assert_eq!(
        (&invited["inviteMember"]["status"], &invited["inviteMember"]["role"]),
        (&json!("PENDING"), &json!("INVESTOR"))
    );
    leave(&counsel, &workspace).await.ok();
    assert_eq!(leave(&counsel, &workspace).await.code(), "NOT_FOUND");
    invite(&agent, &workspace, COUNSEL, "LEGAL").await.ok();
    accept(&counsel, &workspace).await.ok();
    leave(&counsel, &workspace).await.ok();
    assert!(!sees(&counsel, &workspace).await);

    let events = trail(&gateway, &id(joined)).await;
    let kinds: Vec<_> = events.iter().map(|event| event["event_type"].as_str().expect("a type")).collect();
    assert_eq!(
        kinds,
        [
            "INVITE_SENT",
            "ROLE_CHANGED",
            "MEMBER_REMOVED",
            "INVITE_SENT",
            "MEMBER_REMOVED",
            "INVITE_SENT",
            "ROLE_CHANGED",
            "MEMBER_REMOVED"
        ]
    );
    assert!(events.iter().all(|event| event["workspace_id"] == workspace.as_str()));
    assert_eq!(events[1]["before_state"]["status"], "PENDING");
    assert_eq!(events[1]["after_state"]["status"], "ACTIVE");
    assert_eq!(events[2]["reason"], "Left the deal");
}

#[tokio::test]
async fn only_who_can_act_is_invited_and_named_in_one_way() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    let risk = gateway.value(&format!("SELECT id FROM users WHERE email = '{}'", RISK.0)).await;
    gateway.execute(&format!("UPDATE users SET status = 'inactive' WHERE email = '{}'", INVESTOR.0)).await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    for (who, field) in [
        (json!({ "email": "nobody@harrow-and-lane.example", "organization": COUNSEL.1 }), "input.email"),
        (json!({ "email": COUNSEL.0, "organization": "northgate-bank" }), "input.email"),
        (json!({ "email": INVESTOR.0, "organization": INVESTOR.1 }), "input.email"),
        (json!({ "userId": nobody }), "input.userId"),
        (json!({ "email": COUNSEL.0 }), "input.organization"),
        (json!({ "organization": COUNSEL.1 }), "input"),
        (json!({ "userId": risk, "email": RISK.0, "organization": RISK.1 }), "input"),
        (json!({}), "input"),
        (json!({ "userId": risk, "isAdmin": true }), "input.isAdmin"),
    ] {
        let mut input = json!({ "role": "LEGAL" });
        input.as_object_mut().expect("an object").extend(who.as_object().expect("an object").clone());
        let invite =
            "mutation($id: UUID!, $input: InviteMemberInput!) { inviteMember(workspaceId: $id, input: $input) { id } }";
        let answer = agent.run(invite, json!({ "id": workspace, "input": input })).await;
        assert_eq!((answer.code(), extension(&answer, "field")), ("VALIDATION_FAILED", &json!(field)), "{who}");
    }
    assert_eq!(members(&agent, &workspace).await.len(), 1);
    let by_id = "mutation($id: UUID!, $user: UUID!) {
        inviteMember(workspaceId: $id, input: { userId: $user, role: RISK }) { user { email } } }";
    let invited = agent.run(by_id, json!({ "id": workspace, "user": risk })).await.ok();
    assert_eq!(invited["inviteMember"]["user"]["email"], RISK.0);
}

#[tokio::test]
async fn a_workspace_never_loses_its_last_admin() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    let me = membership(&agent, &workspace, AGENT.0).await;
    for to in [json!({ "admin": false }), json!({ "role": "RISK" }), json!({ "role": "LEGAL", "admin": false })] {
        let answer = change(&agent, &me, to.clone()).await;
        assert_eq!(answer.code(), "PRECONDITION_FAILED", "{to}: {:#}", answer.body);
        assert!(answer.message().contains("last admin"), "{}", answer.message());
    }
    assert_eq!(leave(&agent, &workspace).await.code(), "PRECONDITION_FAILED");
    assert_eq!(extension(&remove(&agent, &me).await, "field"), "id");

    let (other, _) = join(&gateway, &agent, &workspace, AGENT2, "AGENT").await;
    let (risk, _) = join(&gateway, &agent, &workspace, RISK, "RISK").await;
    assert_eq!(change(&risk, &me, json!({ "role": "RISK" })).await.code(), "FORBIDDEN");
    let second = membership(&agent, &workspace, AGENT2.0).await;
    // An agent who is no admin manages members, but makes and unmakes no admins.
    for answer in [
        change(&other, &second, json!({ "admin": true })).await,
        change(&other, &me, json!({ "admin": false })).await,
        change(&other, &me, json!({ "role": "INVESTOR" })).await,
        remove(&other, &me).await,
    ] {
        assert_eq!((answer.code(), extension(&answer, "permission")), ("FORBIDDEN", &json!("workspace:govern")));
    }
    let third = membership(&agent, &workspace, RISK.0).await;
    let answer = change(&agent, &third, json!({ "admin": true })).await;
    assert_eq!((answer.code(), extension(&answer, "field")), ("VALIDATION_FAILED", &json!("isAdmin")));
    let third = change(&other, &third, json!({ "role": "INVESTOR" })).await.ok();
    assert_eq!(third["changeMemberRole"]["role"], "INVESTOR");
    assert_eq!(change(&other, &third["changeMemberRole"], json!({ "version": 1 })).await.code(), "CONFLICT");

    // With another admin the first one may go; an admin whose account is off is none.
    change(&agent, &second, json!({ "admin": true })).await.ok();
    let account = |status: &str| format!("UPDATE users SET status = '{status}' WHERE email = '{}'", AGENT2.0);
    gateway.execute(&account("inactive")).await;
    assert_eq!(leave(&agent, &workspace).await.code(), "PRECONDITION_FAILED");
    gateway.execute(&account("active")).await;
    let me = change(&agent, &me, json!({ "role": "LEGAL" })).await.ok();
    assert_eq!(me["changeMemberRole"]["isAdmin"], false, "whoever is no agent any more is no admin");
    leave(&agent, &workspace).await.ok();
    let other = sign_in(&gateway, AGENT2).await;
    assert_eq!(leave(&other, &workspace).await.code(), "PRECONDITION_FAILED");

    let events = trail(&gateway, &id(&second)).await;
    let promoted = events.last().expect("an event");
    assert_eq!(promoted["event_type"], "ROLE_CHANGED");
    assert_eq!(promoted["reason"], "New desk");
    assert_eq!(
        (&promoted["before_state"], &promoted["after_state"]),
        (&json!({ "isAdmin": false }), &json!({ "isAdmin": true }))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_admins_who_remove_each_other_at_once_leave_one() {
    let gateway = Gateway::demo().await;
    let (one, two) = (sign_in(&gateway, AGENT).await, sign_in(&gateway, AGENT2).await);
    for round in 0..6 {
        let workspace = open(&one, json!(null)).await;
        invite(&one, &workspace, AGENT2, "AGENT").await.ok();
        accept(&two, &workspace).await.ok();
        let second = membership(&one, &workspace, AGENT2.0).await;
        let second = change(&one, &second, json!({ "admin": true })).await.ok()["changeMemberRole"].clone();
        let first = membership(&one, &workspace, AGENT.0).await;
        let (left, right) = if round % 2 == 0 {
            tokio::join!(remove(&one, &second), remove(&two, &first))
        } else {
            tokio::join!(change(&one, &first, json!({ "admin": false })), leave(&two, &workspace))
        };
        let refused: Vec<&Answer> = [&left, &right].into_iter().filter(|a| a.body.get("errors").is_some()).collect();
        assert_eq!(refused.len(), 1, "{:#} {:#}", left.body, right.body);
        assert!(
            ["NOT_FOUND", "FORBIDDEN", "PRECONDITION_FAILED"].contains(&refused[0].code()),
            "{:#}",
            refused[0].body
        );
        let admins = gateway
            .value(&format!(
                "SELECT count(*) FROM workspace_members WHERE workspace_id = '{workspace}' AND is_admin AND status = 'active'"
            ))
            .await;
        assert_eq!(admins, 1);
    }
}
