//! Drafting in workspaces: who is in them, the rules, the clauses and covenants.

mod clauses;
mod covenants;
mod guards;
mod matrix;
mod members;
mod order;
mod page;
mod races;
mod workspaces;

use serde_json::{Value, json};

pub use self::matrix::cases;
use crate::support::{Answer, Gateway, User};

/// People of the demo, by address and organization.
type Person = (&'static str, &'static str);
const AGENT: Person = ("agent@northgate-bank.example", "northgate-bank");
const AGENT2: Person = ("agent2@northgate-bank.example", "northgate-bank");
const RISK: Person = ("risk@northgate-bank.example", "northgate-bank");
const COUNSEL: Person = ("legal@harrow-and-lane.example", "harrow-and-lane");
const INVESTOR: Person = ("investor@castlebrook-investors.example", "castlebrook-investors");

async fn sign_in(gateway: &Gateway, person: Person) -> User<'_> {
    gateway.sign_in(person.0, person.1).await
}

/// A workspace that this user opens, with these rules: its id.
async fn open(agent: &User<'_>, rules: Value) -> String {
    let opened = agent
        .run(
            "mutation($rules: GovernanceRulesInput) {
                createWorkspace(input: { name: \"Term loan\", governanceRules: $rules }) { id } }",
            json!({ "rules": rules }),
        )
        .await
        .ok();
    id(&opened["createWorkspace"])
}

/// Invites somebody to the workspace, who accepts: signed in, and the id of the membership.
async fn join<'g>(
    gateway: &'g Gateway,
    agent: &User<'_>,
    workspace: &str,
    person: Person,
    role: &str,
) -> (User<'g>, String) {
    invite(agent, workspace, person, role).await.ok();
    let user = sign_in(gateway, person).await;
    let joined = accept(&user, workspace).await.ok();
    (user, id(&joined["acceptInvitation"]))
}

async fn invite(agent: &User<'_>, workspace: &str, person: Person, role: &str) -> Answer {
    agent
        .run(
            "mutation($workspace: UUID!, $email: String, $organization: String, $role: WorkspaceRole!) {
                inviteMember(workspaceId: $workspace, input: { email: $email, organization: $organization, role: $role }) {
                    id status role isAdmin rowVersion user { email } } }",
            json!({ "workspace": workspace, "email": person.0, "organization": person.1, "role": role }),
        )
        .await
}

async fn accept(user: &User<'_>, workspace: &str) -> Answer {
    let accept =
        "mutation($workspace: UUID!) { acceptInvitation(workspaceId: $workspace) { id status joinedAt rowVersion } }";
    user.run(accept, json!({ "workspace": workspace })).await
}

/// Adds a clause: its id and version.
async fn add(user: &User<'_>, workspace: &str, input: Value) -> (String, i64) {
    let added = try_add(user, workspace, input).await.ok();
    (id(&added["addClause"]), version(&added["addClause"]))
}

async fn try_add(user: &User<'_>, workspace: &str, input: Value) -> Answer {
    let mut clause = json!({ "title": "Margin", "body": "The Margin is 3.25%.", "type": "FINANCIAL" });
    clause.as_object_mut().expect("an object").extend(input.as_object().expect("an object").clone());
    user.run(
        "mutation($workspace: UUID!, $clause: ClauseInput!) {
            addClause(workspaceId: $workspace, input: $clause) { id rowVersion orderIndex } }",
        json!({ "workspace": workspace, "clause": clause }),
    )
    .await
}

/// Edits a clause without a reason.
async fn edit(user: &User<'_>, clause: &(String, i64), patch: Value) -> Answer {
    edit_because(user, clause, patch, json!(null)).await
}

async fn edit_because(user: &User<'_>, clause: &(String, i64), patch: Value, reason: Value) -> Answer {
    user.run(
        "mutation($id: UUID!, $version: Int!, $patch: ClausePatch!, $reason: String) {
            editClause(id: $id, expectedVersion: $version, input: $patch, reason: $reason) {
                id rowVersion title body type isSensitive lastModifiedAt lastModifiedByUser { email } } }",
        json!({ "id": clause.0, "version": clause.1, "patch": patch, "reason": reason }),
    )
    .await
}

fn id(row: &Value) -> String {
    row["id"].as_str().unwrap_or_else(|| panic!("no id: {row}")).to_owned()
}

fn version(row: &Value) -> i64 {
    row["rowVersion"].as_i64().unwrap_or_else(|| panic!("no version: {row}"))
}

/// What the first error says besides its message.
fn extension<'a>(answer: &'a Answer, name: &str) -> &'a Value {
    &answer.body["errors"][0]["extensions"][name]
}

/// The audit events of a thing, oldest first.
async fn trail(gateway: &Gateway, target: &str) -> Vec<Value> {
    gateway.rows(&format!("SELECT * FROM audit_events WHERE target_id = '{target}' ORDER BY id")).await
}
