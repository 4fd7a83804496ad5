//! Ninety days of the audit log.

use chrono::Duration;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::copy::{Rows, row};
use crate::identity::Session;
use crate::random::Random;
use crate::sales::Life;
use crate::tenant::Tenant;

/// What there is to refer to.
pub(crate) struct Things<'a> {
    pub(crate) sessions: &'a [Session],
    pub(crate) deals: &'a [Life],
    pub(crate) anomalies: &'a [Uuid],
    pub(crate) actions: &'a [Uuid],
}

/// Who does it, action, category, resource, risk, description and the roles that may.
type Deed =
    (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const EDITORS: &[&str] = &["CFO", "FINANCE_MANAGER"];
const OWNERS: &[&str] = &["CFO", "ADMIN"];
const EVERYBODY: &[&str] = &["CFO", "FINANCE_MANAGER", "ANALYST", "VIEWER", "ADMIN"];

#[rustfmt::skip]
pub(crate) const DEEDS: [(Deed, u32); 16] = [
    (("HUMAN", "LOGIN", "AUTH", "session", "low", "Logged in", EVERYBODY), 30),
    (("HUMAN", "LOGIN_FAILED", "AUTH", "user", "medium", "Wrong password", EVERYBODY), 4),
    (("HUMAN", "DEAL_UPDATE", "SALES", "deal", "low", "Edited a deal", EDITORS), 26),
    (("HUMAN", "DEAL_STAGE_CHANGE", "SALES", "deal", "low", "Moved a deal to another stage", EDITORS), 18),
    (("HUMAN", "FORECAST_OVERRIDE", "FINANCIAL", "financial_metric", "high", "Manual forecast override", EDITORS), 8),
    (("HUMAN", "BUDGET_SUBMIT", "FINANCIAL", "budget", "medium", "Submitted a budget", EDITORS), 5),
    (("HUMAN", "BUDGET_APPROVE", "FINANCIAL", "budget", "high", "Approved a budget", EDITORS), 4),
    (("HUMAN", "ANOMALY_RESOLVE", "FINANCIAL", "anomaly", "medium", "Resolved an anomaly", EDITORS), 5),
    (("HUMAN", "AUDIT_EXPORT", "GOVERNANCE", "audit_log", "high", "Exported the audit log", OWNERS), 3),
    (("HUMAN", "PERMISSION_DENIED", "AUTH", "integration", "medium", "Refused: integrations edit", &["ANALYST", "VIEWER"]), 4),
    (("HUMAN", "USER_ROLE_CHANGE", "CONFIG", "user", "critical", "Changed the role of a user", OWNERS), 2),
    (("AI_AGENT", "FORECAST_UPDATE", "FINANCIAL", "forecast", "low", "Renewed the rolling forecast", &[]), 10),
    (("AI_AGENT", "ANOMALY_DETECTION", "FINANCIAL", "anomaly", "low", "Found an anomaly", &[]), 6),
    (("AI_AGENT", "BUDGET_SUGGESTION", "FINANCIAL", "budget", "high", "Suggested to move budget", &[]), 3),
    (("SYSTEM", "INTEGRATION_SYNC", "CONFIG", "integration", "low", "Synchronized an integration", &[]), 16),
    (("SYSTEM", "VIEW_REFRESH", "CONFIG", "materialized_view", "low", "Refreshed the summaries", &[]), 6),
];

/// Fills `audit_logs`.
pub(crate) fn audit(tenant: &Tenant, things: &Things) -> Rows {
    let mut rows = Rows::new(
        "audit_logs",
        &[
            "id",
            "organization_id",
            "timestamp",
            "actor_type",
            "actor_id",
            "actor_name",
            "actor_email",
            "action",
            "action_category",
            "resource_type",
            "resource_id",
            "details",
            "risk_level",
            "ip_address",
            "user_agent",
            "session_id",
            "request_id",
            "requires_review",
            "reviewed",
            "reviewed_by",
            "reviewed_at",
        ],
    );
    let (mut random, mut ids) = (tenant.random("audit"), tenant.ids("audit"));
    let count = 600;
    for number in 0..count {
        let at = tenant
            .ago(24.0 * 90.0 * (1.0 - f64::from(number) / f64::from(count)) - random.between(-1.5, 1.5))
            .min(tenant.now());
        let (who, action, category, resource, risk, description, roles) = random.weighted(&DEEDS);
        let user = (who == "HUMAN").then(|| random.pick(&tenant.staff(roles)));
        let session = user.and_then(|user| things.sessions.iter().rfind(|session| session.user == user.id));
        let (actor, name, email) = match (who, user) {
            (_, Some(user)) => (Some(user.id), user.name, Some(user.email)),
            ("AI_AGENT", _) => (Some(random.pick(things.actions)), "Aether Agent", None),
            _ => (None, "Aether Nexus", None),
        };
        let target = match resource {
            "deal" => Some(things.deals[random.whole(0, things.deals.len() as i64 - 1) as usize].id),
            "anomaly" => Some(random.pick(things.anomalies)),
            "user" => Some(random.pick(&tenant.users).id),
            "session" => session.map(|session| session.id),
            _ => None,
        };
        let review = matches!(risk, "high" | "critical");
        // The newest are still waiting.
        let reviewer = (review && number < count * 4 / 5 && random.chance(0.7))
            .then(|| tenant.staff(OWNERS).into_iter().find(|owner| Some(owner.id) != actor))
            .flatten();
        rows.push(row![
            ids.at(at),
            tenant.id(),
            at,
            who,
            actor,
            name,
            email,
            action,
            category,
            resource,
            target,
            details(&mut random, action, description),
            risk,
            session.map(|session| session.address),
            session.map(|session| session.agent),
            session.filter(|_| action != "LOGIN_FAILED").map(|session| session.id),
            (who != "SYSTEM").then(|| ids.at(at)),
            review,
            reviewer.is_some(),
            reviewer.map(|reviewer| reviewer.id),
            reviewer.map(|_| (at + Duration::hours(random.whole(3, 90))).min(tenant.now())),
        ]);
    }
    rows
}

fn details(random: &mut Random, action: &str, description: &str) -> Value {
    let (before, after, reason) = match action {
        "DEAL_UPDATE" => {
            let value = random.whole(200, 9_000) * 100;
            (json!({ "value": value }), json!({ "value": value + random.whole(10, 400) * 100 }), Some("New quote"))
        }
        "DEAL_STAGE_CHANGE" => (json!({ "stage": "Discovery" }), json!({ "stage": "Proposal" }), None),
        "FORECAST_OVERRIDE" => {
            let value = random.whole(30, 80) * 100_000;
            (
                json!({ "forecast": value }),
                json!({ "forecast": value + 250_000 }),
                Some("Updated based on new contract"),
            )
        }
        "BUDGET_SUBMIT" => (json!({ "status": "draft" }), json!({ "status": "submitted" }), None),
        "BUDGET_APPROVE" => {
            (json!({ "status": "submitted" }), json!({ "status": "approved" }), Some("Within the board's frame"))
        }
        "ANOMALY_RESOLVE" => {
            (json!({ "status": "investigating" }), json!({ "status": "resolved" }), Some("Cause found and corrected"))
        }
        "USER_ROLE_CHANGE" => {
            (json!({ "role": "VIEWER" }), json!({ "role": "ANALYST" }), Some("Moved to the planning team"))
        }
        "BUDGET_SUGGESTION" => {
            (json!({ "software": 310_000 }), json!({ "software": 365_000 }), Some("Overrun expected"))
        }
        "AUDIT_EXPORT" => (Value::Null, json!({ "rows": random.whole(200, 9_000) }), Some("Quarterly review")),
        _ => (Value::Null, Value::Null, None),
    };
    let mut details = json!({ "description": description, "before": before, "after": after, "reason": reason });
    match action {
        "PERMISSION_DENIED" => {
            details["attempted"] = "INTEGRATION_CONFIGURE".into();
            details["permission"] = "integrations:edit".into();
        }
        "DEAL_STAGE_CHANGE" => {
            let step = json!({ "fieldChanged": "stage", "oldValue": "Discovery", "newValue": "Proposal" });
            let id = Uuid::from_u128(0x0199_a75e_5000_7000_8000_0000_0000_0001);
            details["also"] =
                json!([{ "type": "deal_history", "id": id, "what": "created", "before": {}, "after": step }]);
        }
        _ => {}
    }
    details
}
