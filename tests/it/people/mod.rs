//! Users, invitations, second factors, profiles and the organization.

mod invitations;
mod limits;
mod memberships;
mod mfa;
mod organization;
mod profile;
pub mod sign_in;
mod users;

use aether_server::config::{Cli, Config};
use clap::Parser;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use totp_rs::{Algorithm, Secret, TOTP};

use crate::{
    case,
    mutations::{Case, May},
    support::{Answer, Gateway, User},
};

const CFO: &str = "sarah.chen@aether-demo.com";
const ADMIN: &str = "admin@aether-demo.com";
const ANALYST: &str = "analyst@aether-demo.com";
const VIEWER: &str = "viewer@aether-demo.com";
const PASSWORD: &str = aether_demo::PASSWORD;
/// A password that is long enough.
const STRONG: &str = "correct horse battery";
const SECRET: &str = "KRSXG5CTMVRXEZLUKN2XAZLSKNSWG4TF";

async fn login(gateway: &Gateway, email: &str, password: &str, totp: Option<&str>) -> Answer {
    let query = "mutation($email: String!, $password: String!, $totp: String) {
        login(email: $email, password: $password, organization: \"aether-demo\", totp: $totp) { accessToken }
    }";
    gateway.stranger().run(query, json!({ "email": email, "password": password, "totp": totp })).await
}

/// Somebody with this access token.
fn bearer<'g>(gateway: &'g Gateway, token: &Value) -> User<'g> {
    let mut user = gateway.stranger();
    user.token = Some(token.as_str().expect("a token").to_owned());
    user
}

/// The id and the version of a user.
async fn user(gateway: &Gateway, email: &str) -> (String, i64) {
    let row = gateway.rows(&format!("SELECT id, row_version FROM users WHERE email = '{email}'")).await.remove(0);
    (row["id"].as_str().expect("an id").to_owned(), row["row_version"].as_i64().expect("a version"))
}

async fn set(gateway: &Gateway, email: &str, columns: &str) {
    gateway.execute(&format!("UPDATE users SET {columns} WHERE email = '{email}'")).await;
}

/// What the audit log has under these actions, oldest first, as of what the test did.
async fn trail(gateway: &Gateway, actions: &[&str]) -> Vec<Value> {
    let actions = actions.join("', '");
    gateway
        .rows(&format!(
            "SELECT action, resource_type, resource_id, details, risk_level, actor_email, session_id FROM audit_logs
              WHERE action IN ('{actions}') AND timestamp > now() - interval '5 minutes' ORDER BY id"
        ))
        .await
}

/// The field that an error is about.
fn field(answer: &Answer) -> (&str, &str) {
    (answer.code(), answer.body["errors"][0]["extensions"]["field"].as_str().unwrap_or_default())
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()
}

/// The code of a device with this secret at this time.
fn code(secret: &str, at: u64) -> String {
    let secret = Secret::Encoded(secret.into()).to_bytes().expect("base32");
    TOTP::new_unchecked(Algorithm::SHA1, 6, 1, 30, secret, None, String::new()).generate(at)
}

/// The encrypted secret as a literal of SQL.
fn encrypted() -> String {
    let config: Config = Cli::parse_from(["aether-nexus"]).config;
    let Ok(encrypted) = config.encryption().expect("a encryption").encrypt(SECRET.as_bytes()) else {
        panic!("it encrypts")
    };
    let hex: String = encrypted.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("'\\x{hex}'")
}

/// Sets a user's columns to the encrypted secret, and gives its current code.
fn with_secret<'a>(gateway: &'a Gateway, user: &'a str, columns: &str) -> BoxFuture<'a, Value> {
    let sql = format!("UPDATE users SET {} WHERE id = '{user}'", columns.replace("$secret", &encrypted()));
    Box::pin(async move {
        gateway.execute(&sql).await;
        json!({ "code": code(SECRET, now()) })
    })
}

const MANAGERS: May = May::Organization(&["CFO", "ADMIN"]);

/// Somebody whom managers change.
const TARGET: &str = "INSERT INTO users (organization_id, email, name, role) SELECT id, md5(random()::text) || '@example.com', 'Target', \
     'VIEWER' FROM organizations WHERE slug = 'aether-demo' RETURNING id, row_version AS \"expectedVersion\"";

pub fn cases() -> Vec<Case> {
    vec![
        case!("inviteUser", MANAGERS, "SELECT md5(random()::text) || '@example.com' AS email",
            "mutation($email: String!) { inviteUser(input: { email: $email, name: \"New\", role: VIEWER }) { expiresAt user { status } } }"),
        case!("acceptUserInvitation", May::Anybody,
            "INSERT INTO users (organization_id, email, name, status) SELECT id, 'invited@example.com', 'Invited', 'pending'
               FROM organizations WHERE slug = 'aether-demo';
             INSERT INTO user_invitations (user_id, token_hash, invited_by, expires_at)
               SELECT u.id, sha256('a token'), b.id, now() + interval '1 day' FROM users u, users b
                WHERE u.email = 'invited@example.com' AND b.email = 'sarah.chen@aether-demo.com' RETURNING 'a token' AS token",
            "mutation($token: String!) { acceptUserInvitation(token: $token, password: \"correct horse battery\") { expiresIn } }"),
        case!("changeUserRole", MANAGERS, TARGET,
            "mutation($id: UUID!, $expectedVersion: Int!) { changeUserRole(id: $id, expectedVersion: $expectedVersion, role: ADMIN) { role } }"),
        case!("changeUserPermissions", MANAGERS, TARGET,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                changeUserPermissions(id: $id, expectedVersion: $expectedVersion, permissions: [\"audit:read\"]) { permissions } }"),
        case!("changeUserScope", MANAGERS, TARGET,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                changeUserScope(id: $id, expectedVersion: $expectedVersion, input: { region: \"Europe\" }) { region } }"),
        case!("deactivateUser", MANAGERS, TARGET,
            "mutation($id: UUID!, $expectedVersion: Int!) { deactivateUser(id: $id, expectedVersion: $expectedVersion) { status } }"),
        case!("reactivateUser", MANAGERS,
            "INSERT INTO users (organization_id, email, name, status) SELECT id, md5(random()::text) || '@example.com', 'Target', 'inactive'
               FROM organizations WHERE slug = 'aether-demo' RETURNING id, row_version AS \"expectedVersion\"",
            "mutation($id: UUID!, $expectedVersion: Int!) { reactivateUser(id: $id, expectedVersion: $expectedVersion) { status } }"),
        case!("editOrganization", MANAGERS,
            "SELECT md5(random()::text) AS name, row_version AS \"expectedVersion\" FROM organizations WHERE slug = 'aether-demo'",
            "mutation($name: String!, $expectedVersion: Int!) {
                editOrganization(expectedVersion: $expectedVersion, input: { name: $name }) { name } }"),
        case!("editOrganizationSettings", MANAGERS,
            "SELECT CASE settings ->> 'timezone' WHEN 'Europe/Oslo' THEN 'UTC' ELSE 'Europe/Oslo' END AS timezone,
                    row_version AS \"expectedVersion\" FROM organizations WHERE slug = 'aether-demo'",
            "mutation($timezone: String!, $expectedVersion: Int!) {
                editOrganizationSettings(expectedVersion: $expectedVersion, input: { timezone: $timezone }) { settings { timezone } } }"),
        case!("editProfile", May::SignedIn,
            "SELECT md5(random()::text) AS name, row_version AS \"expectedVersion\" FROM users WHERE id = '$user'",
            "mutation($name: String!, $expectedVersion: Int!) { editProfile(expectedVersion: $expectedVersion, input: { name: $name }) { name } }"),
        case!("changePassword", May::SignedIn, "SELECT 1 AS nothing",
            "mutation { changePassword(current: \"aether-demo\", new: \"correct horse battery\") { id } }"),
        case!("revokeSession", May::SignedIn,
            "INSERT INTO user_sessions (user_id, expires_at) VALUES ('$user', now() + interval '1 day');
             INSERT INTO refresh_tokens (session_id, token_hash, expires_at) SELECT id, sha256(id::text::bytea), expires_at
               FROM user_sessions WHERE user_id = '$user' ORDER BY created_at DESC LIMIT 1 RETURNING session_id AS id",
            "mutation($id: UUID!) { revokeSession(id: $id) { revokedAt } }"),
        case!("enrolMfa", May::SignedIn, "SELECT 1 AS nothing", "mutation { enrolMfa(password: \"aether-demo\") { otpauthUri } }"),
        Case {
            mutation: "confirmMfa",
            operation: "mutation($code: String!) { confirmMfa(code: $code) { user { mfaEnabled } } }",
            may: May::SignedIn,
            prepare: |gateway, user| with_secret(gateway, user, "mfa_pending_secret = $secret"),
        },
        Case {
            mutation: "disableMfa",
            operation: "mutation($code: String!) { disableMfa(password: \"aether-demo\", code: $code) { mfaEnabled } }",
            may: May::SignedIn,
            prepare: |gateway, user| with_secret(gateway, user, "mfa_enabled = true, mfa_secret = $secret"),
        },
        Case {
            mutation: "regenerateRecoveryCodes",
            operation: "mutation($code: String!) { regenerateRecoveryCodes(password: \"aether-demo\", code: $code) { user { id } } }",
            may: May::SignedIn,
            prepare: |gateway, user| with_secret(gateway, user, "mfa_enabled = true, mfa_secret = $secret"),
        },
    ]
}
