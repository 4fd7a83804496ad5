//! Organizations, users, their sessions and the tokens of those.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::copy::{Rows, row};
use crate::ids::Ids;
use crate::people::{Organization, People, User};
use crate::random::{Random, stream};

/// What the rows need to know besides the people.
pub(crate) struct Setting<'a> {
    pub(crate) now: DateTime<Utc>,
    pub(crate) seed: u64,
    pub(crate) password_hash: &'a str,
    pub(crate) encrypt: &'a dyn Fn(&[u8]) -> Vec<u8>,
}

/// Fills `organizations` and `users`.
pub(crate) fn people(setting: &Setting, people: &People) -> Vec<Rows> {
    let mut organizations = Rows::new(
        "organizations",
        &[
            "id",
            "name",
            "slug",
            "logo_url",
            "settings",
            "subscription_tier",
            "subscription_status",
            "created_at",
            "updated_at",
            "deleted_at",
        ],
    );
    let mut users = Rows::new(
        "users",
        &[
            "id",
            "organization_id",
            "email",
            "name",
            "avatar_url",
            "password_hash",
            "mfa_secret",
            "mfa_enabled",
            "role",
            "permissions",
            "region",
            "department",
            "preferences",
            "status",
            "last_login_at",
            "failed_login_attempts",
            "locked_until",
            "external_id",
            "identity_provider",
            "created_at",
            "updated_at",
            "deleted_at",
        ],
    );
    let since = setting.now - Duration::days(4 * 365);
    let left = setting.now - Duration::days(300);
    for organization in &people.organizations {
        let deleted = organization.slug == "aether-sandbox";
        let gone = deleted.then_some(left);
        organizations.push(row![
            organization.id,
            organization.name.as_str(),
            organization.slug.as_str(),
            (!organization.slug.starts_with("load-"))
                .then(|| format!("https://assets.aether.example/{}.svg", organization.slug)),
            settings(organization),
            organization.tier,
            match organization.slug.as_str() {
                "aether-sandbox" => "cancelled",
                "dormant-holdings" => "suspended",
                _ => "active",
            },
            since,
            gone.unwrap_or(since + Duration::days(20)),
            gone,
        ]);
    }
    let mut random = Random(stream(setting.seed, "users", ""));
    for user in &people.users {
        let hours = random.between(2.0, 24.0 * 20.0);
        let seen = setting.now - Duration::minutes((hours * 60.0) as i64);
        let gone = (user.email == "theo.marsh@aether-demo.com").then_some(left);
        let seen = gone.map_or(seen, |left| seen.min(left - Duration::days(2)));
        let locked = user.status == "locked";
        let pending = user.status == "pending";
        // Single sign-on: no password, so nobody of the printed logins.
        let provider = match user.email {
            "rafael.duarte@aether-demo.com" => Some("okta"),
            "mei.tanaka@aether-demo.com" => Some("azure_ad"),
            "olivia.grant@aether-demo.com" => Some("google"),
            _ => None,
        };
        // The only one with a second factor.
        let mfa = user.email == "grace.abernathy@aether-demo.com";
        users.push(row![
            user.id,
            user.organization_id,
            user.email,
            user.name,
            user.email
                .split_once('@')
                .filter(|_| !pending)
                .map(|(local, _)| format!("https://assets.aether.example/people/{local}.png")),
            (!pending && provider.is_none()).then_some(setting.password_hash),
            mfa.then(|| (setting.encrypt)(b"JBSWY3DPEHPK3PXP")),
            mfa,
            user.role,
            permissions(user),
            user.region,
            user.department,
            preferences(&mut random, user),
            user.status,
            (!pending).then_some(seen),
            if locked { 5 } else { 0 },
            locked.then(|| setting.now + Duration::days(30)),
            provider.map(|provider| format!("{provider}|{}", user.id.simple())),
            provider,
            since,
            gone.unwrap_or(seen),
            gone,
        ]);
    }
    vec![organizations, users]
}

fn settings(organization: &Organization) -> Value {
    let (currency, timezone, year) = match organization.slug.as_str() {
        "meridian-capital" => ("USD", "America/Chicago", "April"),
        "northgate-bank" | "harrow-and-lane" => ("GBP", "Europe/London", "January"),
        "castlebrook-investors" => ("EUR", "Europe/Luxembourg", "January"),
        _ => ("USD", "America/New_York", "January"),
    };
    let full = organization.tier == "enterprise";
    json!({
        "fiscalYearStart": year,
        "currency": currency,
        "timezone": timezone,
        "features": { "aiAgent": full, "scenarios": true, "governance": true },
        "integrations": { "sap": { "enabled": true }, "salesforce": { "enabled": full } },
    })
}

fn permissions(user: &User) -> Value {
    match user.email {
        // An analyst who may also read the audit log.
        "mei.tanaka@aether-demo.com" => json!(["audit:read"]),
        _ => json!([]),
    }
}

fn preferences(random: &mut Random, user: &User) -> Value {
    json!({
        "theme": random.pick(&["dark", "light"]),
        "dashboardLayout": random.pick(&["default", "compact"]),
        "notifications": { "email": random.chance(0.7), "inApp": true, "anomalyAlerts": user.role != "VIEWER" },
        "defaultFilters": {
            "region": user.region.unwrap_or("North America"),
            "dateRange": random.pick(&["last_30_days", "last_90_days", "last_12_months"]),
        },
    })
}

/// What the audit log repeats of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) user: Uuid,
    pub(crate) address: &'static str,
    pub(crate) agent: &'static str,
}

/// Browser, system, device and place, address and what the browser calls itself.
#[rustfmt::skip]
const DEVICES: [(&str, &str, &str, &str, &str, &str); 4] = [
    ("Chrome 142", "Windows 11", "Desktop", "New York, US", "203.0.113.24", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"),
    ("Safari 26", "macOS 26", "Laptop", "London, GB", "198.51.100.77", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15"),
    ("Firefox 145", "Ubuntu 24.04", "Desktop", "Berlin, DE", "2001:db8:4f::12", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    ("Safari 26", "iOS 26", "Phone", "New York, US", "192.0.2.140", "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"),
];

/// Fills `user_sessions` and `refresh_tokens`: sessions that live, that ran out and that were revoked. The hashes
/// are of nothing, so no token in the world opens them.
pub(crate) fn sessions(setting: &Setting, people: &People) -> (Vec<Rows>, Vec<Session>) {
    let mut sessions = Rows::new(
        "user_sessions",
        &[
            "id",
            "user_id",
            "device_info",
            "ip_address",
            "user_agent",
            "expires_at",
            "last_activity_at",
            "created_at",
            "revoked_at",
        ],
    );
    let mut tokens = Rows::new(
        "refresh_tokens",
        &["id", "session_id", "token_hash", "expires_at", "created_at", "spent_at", "revoked_at", "replaced_by_id"],
    );
    let mut random = Random(stream(setting.seed, "sessions", ""));
    let mut ids = Ids::new(stream(setting.seed, "sessions/ids", ""));
    let mut known = Vec::new();
    let active = people.users.iter().filter(|user| user.status == "active");
    for (index, user) in active.enumerate() {
        for number in 0..1 + index % 3 {
            let days = random.between(0.2, 20.0) + 25.0 * number as f64;
            let made = setting.now - Duration::minutes((days * 1440.0) as i64);
            let (browser, os, device, location, address, agent) = random.pick(&DEVICES);
            let expires = made + Duration::days(30);
            let chain = random.whole(1, 4);
            let last = made + Duration::hours(5 * (chain - 1));
            let revoked = (number == 1).then(|| last + Duration::hours(2));
            let id = ids.at(made);
            sessions.push(row![
                id,
                user.id,
                json!({ "browser": browser, "os": os, "device": device, "location": location }),
                address,
                agent,
                expires,
                last.min(setting.now),
                made,
                revoked,
            ]);
            known.push(Session { id, user: user.id, address, agent });
            // One chain, newest first, since each spent token names the one it was exchanged for.
            let mut next = None;
            for step in (0..chain).rev() {
                let at = (made + Duration::hours(5 * step)).min(setting.now);
                let hash: Vec<u8> = (0..32).map(|_| random.whole(0, 255) as u8).collect();
                let token = ids.at(at);
                let spent = next.map(|_| (at + Duration::hours(5)).min(setting.now));
                tokens.push(row![token, id, hash, expires, at, spent, revoked, next]);
                next = Some(token);
            }
        }
    }
    (vec![sessions, tokens], known)
}
