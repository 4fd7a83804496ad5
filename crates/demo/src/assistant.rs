//! Conversations with the assistant.

use chrono::Duration;
use serde_json::{Value, json};

use crate::copy::{Rows, row};
use crate::random::Random;
use crate::tenant::Tenant;

/// Question, answer and the tables the answer cites.
type Turn = (&'static str, &'static str, &'static [&'static str]);

struct Script {
    title: &'static str,
    summary: &'static str,
    turns: &'static [Turn],
}

const SCRIPTS: [Script; 6] = [
    Script {
        title: "Why did Europe miss its software revenue?",
        summary: "Late renewals of Aether Platform explain the miss; new business is in line with the season.",
        turns: &[
            (
                "Why is software revenue in Europe so far below forecast two months ago?",
                "Aether Platform alone is below its expected band [1]; Nexus Analytics and Implementation are within \
                 theirs [1]. Three renewals that were due in that month were signed in the month after [2]. The \
                 detector has the deviation as critical, and Finance is investigating it [3].",
                &["financial_metrics", "deals", "anomalies"],
            ),
            (
                "Does that change our forecast for the quarter?",
                "Not for the quarter: the renewals fall into the same one [1]. EBITDA of the month stays low, since \
                 operating expense did not follow [2].",
                &["financial_metrics", "anomalies"],
            ),
        ],
    },
    Script {
        title: "Cloud spend above budget",
        summary: "A load-test cluster without shutdown schedule caused the overrun.",
        turns: &[
            (
                "Which vendor drives last month's operating expense in North America?",
                "Nimbus Cloud: compute rose by about a third over the month before [1]. Site Reliability carries the \
                 cost [2], and the anomaly names a load-test cluster [3].",
                &["vendor_spend", "department_costs", "anomalies"],
            ),
            (
                "What would it cost us if nobody switched it off?",
                "At last month's rate the overrun equals roughly a tenth of Engineering's yearly software budget [1].",
                &["budget_line_items"],
            ),
            (
                "Draft a note to the head of Engineering.",
                "Compute spend of the load-test environment is three times its usual level since the 6th. Please \
                 confirm by Friday whether it can be shut down; Finance will hold the accrual until then [1].",
                &["department_costs"],
            ),
        ],
    },
    Script {
        title: "Pipeline coverage next quarter",
        summary: "Coverage is healthy in North America and thin in the Middle East.",
        turns: &[(
            "Is the pipeline large enough for next quarter's target?",
            "The weighted pipeline for next quarter is in the latest snapshot [1]. North America and Europe hold most \
             of it; the Middle East depends on few deals, two of which have not moved for more than 90 days [2].",
            &["pipeline_snapshots", "deals"],
        )],
    },
    Script {
        title: "Board deck: gross margin bridge",
        summary: "Margin is stable in Software and recovering in Services.",
        turns: &[
            (
                "Give me a bridge of gross margin against last year for the board deck.",
                "Software gained about half a point and Services about as much [1]. One month of Services in Asia \
                 Pacific was distorted by subcontractor accruals and has been corrected [2].",
                &["financial_metrics", "anomalies"],
            ),
            (
                "Thanks. Keep it in one sentence.",
                "Margin improved in both lines; one accrual was corrected [1].",
                &["financial_metrics"],
            ),
        ],
    },
    Script {
        title: "Headcount freeze, what if",
        summary: "A freeze saves salaries and costs more business than that, most of it in Asia Pacific.",
        turns: &[(
            "What happens to EBITDA if we freeze hiring for two quarters?",
            "The median of 'Hiring freeze' is a loss: the business that is not won outweighs the salaries saved [1]. Asia \
             Pacific Sales is where the freeze costs most [2].",
            &["scenario_results", "department_costs"],
        )],
    },
    Script {
        title: "Open SOX issues before the audit",
        summary: "Two controls need attention before fieldwork starts.",
        turns: &[(
            "Which SOX controls would fail if the auditors came tomorrow?",
            "One control fails and one is in warning [1]; the open issues have owners and due dates [2].",
            &["compliance_controls", "compliance_issues"],
        )],
    },
];

/// Fills `ai_conversations` and `ai_messages`; counts and tokens are the database's to keep.
pub(crate) fn conversations(tenant: &Tenant) -> Vec<Rows> {
    let mut conversations = Rows::new(
        "ai_conversations",
        &["id", "organization_id", "user_id", "title", "summary", "status", "created_at", "updated_at", "archived_at"],
    );
    let mut messages = Rows::new(
        "ai_messages",
        &[
            "id",
            "conversation_id",
            "role",
            "content",
            "model_version",
            "tokens_used",
            "latency_ms",
            "citations",
            "context_used",
            "created_at",
        ],
    );
    let (mut random, mut ids) = (tenant.random("assistant"), tenant.ids("assistant"));
    let users = tenant.staff(&["CFO", "FINANCE_MANAGER", "ANALYST"]);
    for (index, user) in users.iter().cycle().take(users.len() * 3).enumerate() {
        let script = &SCRIPTS[(index * 5 + index / users.len()) % SCRIPTS.len()];
        let made = tenant.ago(24.0 * random.between(0.5, 85.0));
        let archived = (index % 4 == 3).then(|| (made + Duration::days(6)).min(tenant.ago(1.0)));
        let id = ids.at(made);
        let mut at = made;
        let mut say = |random: &mut Random, role: &str, text: &str, cited: &[&str]| {
            let answer = role == "assistant";
            let tokens = text.len() as i64 / 4 + if answer { random.whole(350, 900) } else { 6 };
            let latency = answer.then(|| random.whole(640, 4_800));
            at += Duration::milliseconds(latency.unwrap_or_else(|| random.whole(4_000, 90_000)));
            at = at.min(tenant.now());
            messages.push(row![
                ids.at(at),
                id,
                role,
                text,
                answer.then_some("aether-assistant 4.0.1"),
                tokens,
                latency,
                answer.then(|| citations(cited, at)),
                answer.then(|| json!({ "tables": cited, "filters": { "dateRange": "last_12_months" }, "rows": 24 * cited.len() })),
                at,
            ]);
        };
        let rules = "You answer questions about this organization's finances. Cite every number.";
        say(&mut random, "system", rules, &[]);
        for (question, answer, cited) in script.turns {
            say(&mut random, "user", question, &[]);
            say(&mut random, "assistant", answer, cited);
        }
        conversations.push(row![
            id,
            tenant.id(),
            user.id,
            script.title,
            // The newest ones have not been summed up yet.
            (index % 5 != 0).then_some(script.summary),
            if archived.is_some() { "archived" } else { "active" },
            made,
            archived.unwrap_or(at),
            archived,
        ]);
    }
    vec![conversations, messages]
}

fn citations(tables: &[&str], at: chrono::DateTime<chrono::Utc>) -> Value {
    let cited = tables.iter().enumerate().map(|(index, table)| {
        let timestamp = (at - Duration::minutes(4)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        json!({ "id": index + 1, "sourceType": "database", "sourceName": table, "timestamp": timestamp })
    });
    Value::Array(cited.collect())
}
