//! Random sequences of what several people do with anomalies, compared with a model after every step.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::support::{Gateway, HOME, User, sequences};

/// CFO, analyst, viewer.
const PEOPLE: [&str; 3] = ["sarah.chen@aether-demo.com", "analyst@aether-demo.com", "viewer@aether-demo.com"];
/// So many anomalies are worked on at a time.
const COUNT: usize = 4;

#[derive(Debug, Clone)]
enum Doing {
    Assign(Option<usize>),
    Start,
    Resolve,
    Dismiss,
    Link([usize; 2]),
    Unlink([usize; 2]),
}

#[derive(Debug, Clone)]
struct Step {
    who: usize,
    which: usize,
    stale: bool,
    doing: Doing,
}

fn step() -> impl Strategy<Value = Step> {
    let doing = prop_oneof![
        2 => proptest::option::of(0..PEOPLE.len()).prop_map(Doing::Assign),
        2 => Just(Doing::Start),
        1 => Just(Doing::Resolve),
        1 => Just(Doing::Dismiss),
        3 => [0..COUNT, 0..COUNT].prop_map(Doing::Link),
        2 => [0..COUNT, 0..COUNT].prop_map(Doing::Unlink),
    ];
    (prop_oneof![4 => 0..2_usize, 1 => Just(2)], 0..COUNT, prop_oneof![9 => Just(false), 1 => Just(true)], doing)
        .prop_map(|(who, which, stale, doing)| Step { who, which, stale, doing })
}

#[derive(Debug, Clone, Default)]
struct Anomaly {
    investigating: bool,
    /// Who settled it, and how.
    settled: Option<(usize, &'static str)>,
    assigned: Option<usize>,
    related: BTreeSet<usize>,
}

impl Anomaly {
    /// What a step must be answered.
    fn answer(&self, Step { who, stale, doing, .. }: &Step) -> &'static str {
        if *who == 2 || *who == 1 && matches!(doing, Doing::Dismiss) {
            return "FORBIDDEN";
        }
        match doing {
            Doing::Link([one, other]) | Doing::Unlink([one, other]) if one == other => "VALIDATION_FAILED",
            Doing::Link(_) | Doing::Unlink(_) => "",
            _ if *stale => "CONFLICT",
            _ if self.settled.is_some() => "PRECONDITION_FAILED",
            Doing::Start if self.investigating => "PRECONDITION_FAILED",
            // The viewer cannot work on anomalies.
            Doing::Assign(Some(2)) => "VALIDATION_FAILED",
            _ => "",
        }
    }

    fn shown(&self, ids: &[Value]) -> Value {
        let status = match self.settled {
            Some((_, status)) => status,
            None if self.investigating => "INVESTIGATING",
            None => "OPEN",
        };
        let mut related: Vec<_> = self.related.iter().map(|at| ids[*at].as_str().expect("an id")).collect();
        related.sort_unstable();
        json!({
            "status": status, "assigned": self.assigned.map(|who| PEOPLE[who]), "assignedAt": self.assigned.is_some(),
            "resolved": self.settled.map(|(who, _)| PEOPLE[who]), "resolvedAt": self.settled.is_some(), "related": related,
        })
    }
}

/// An anomaly as the gateway shows it, and its version.
async fn read(user: &User<'_>, id: &Value) -> (Value, i64) {
    let read = "query($id: UUID!) { anomaly(id: $id) { status assignedToUser { email } assignedAt resolvedByUser { email } resolvedAt
        relatedAnomalyIds rowVersion } }";
    let anomaly = user.run(read, json!({ "id": id })).await.ok()["anomaly"].clone();
    let mut related: Vec<_> =
        anomaly["relatedAnomalyIds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    related.sort_unstable();
    let shown = json!({
        "status": anomaly["status"], "assigned": anomaly["assignedToUser"]["email"], "assignedAt": anomaly["assignedAt"].is_string(),
        "resolved": anomaly["resolvedByUser"]["email"], "resolvedAt": anomaly["resolvedAt"].is_string(), "related": related,
    });
    (shown, anomaly["rowVersion"].as_i64().expect("a version"))
}

fn apply(anomalies: &mut [Anomaly], Step { who, which, doing, .. }: &Step) {
    let anomaly = &mut anomalies[*which];
    match doing {
        Doing::Assign(to) => anomaly.assigned = *to,
        Doing::Start => {
            anomaly.investigating = true;
            anomaly.assigned = anomaly.assigned.or(Some(*who));
        }
        Doing::Resolve => anomaly.settled = Some((*who, "RESOLVED")),
        Doing::Dismiss => anomaly.settled = Some((*who, "DISMISSED")),
        Doing::Link([one, other]) => {
            anomalies[*one].related.insert(*other);
            anomalies[*other].related.insert(*one);
        }
        Doing::Unlink([one, other]) => {
            anomalies[*one].related.remove(other);
            anomalies[*other].related.remove(one);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_and_links_are_right_whatever_is_done() {
    let gateway = Gateway::demo().await;
    let (mut people, users) = (Vec::new(), gateway.value("SELECT jsonb_object_agg(email, id) FROM users").await);
    for email in PEOPLE {
        people.push(gateway.sign_in(email, HOME).await);
    }
    let (people, gateway) = (&people, &gateway);
    sequences::each(24, vec(step(), 1..24), async |steps: Vec<Step>| {
        let mut ids = Vec::new();
        for _ in 0..COUNT {
            let made = gateway
                .rows(
                    "INSERT INTO anomalies (organization_id, metric_type, severity, description)
                SELECT id, 'ARR', 'low', 'Model' FROM organizations WHERE slug = 'aether-demo' RETURNING id",
                )
                .await;
            ids.push(made[0]["id"].clone());
        }
        let mut anomalies = vec![Anomaly::default(); COUNT];
        for step in &steps {
            let id = &ids[step.which];
            let version = read(&people[0], id).await.1 + if step.stale { 7 } else { 0 };
            let edit = |name: &str, more: &str| {
                format!("mutation($id: UUID!, $v: Int!) {{ {name}(id: $id, expectedVersion: $v{more}) {{ id }} }}")
            };
            let (operation, variables) = match &step.doing {
                Doing::Assign(to) => (
                    "mutation($id: UUID!, $v: Int!, $to: UUID) { assignAnomaly(id: $id, expectedVersion: $v, userId: $to) { id } }".into(),
                    json!({ "id": id, "v": version, "to": to.map(|to| &users[PEOPLE[to]]) }),
                ),
                Doing::Start => (edit("startInvestigation", ""), json!({ "id": id, "v": version })),
                Doing::Resolve => (edit("resolveAnomaly", ", notes: \"Done\""), json!({ "id": id, "v": version })),
                Doing::Dismiss => (edit("dismissAnomaly", ", notes: \"Nothing\""), json!({ "id": id, "v": version })),
                Doing::Link(pair) | Doing::Unlink(pair) => {
                    let name = if matches!(step.doing, Doing::Link(_)) { "linkAnomalies" } else { "unlinkAnomalies" };
                    let pair = pair.map(|at| &ids[at]);
                    (format!("mutation($ids: [UUID!]!) {{ {name}(ids: $ids) {{ id }} }}"), json!({ "ids": pair }))
                }
            };
            let expected = anomalies[step.which].answer(step);
            let answer = people[step.who].run(&operation, variables).await;
            let code = if answer.body.get("errors").is_some() { answer.code() } else { "" };
            assert_eq!(code, expected, "{step:?}: {:#}", answer.body);
            if expected.is_empty() {
                apply(&mut anomalies, step);
            }
            for (id, anomaly) in ids.iter().zip(&anomalies) {
                assert_eq!(read(&people[0], id).await.0, anomaly.shown(&ids), "after {step:?}");
            }
        }
    });
}
