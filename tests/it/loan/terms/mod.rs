//! Terms in the draft: variables, their drift, the graph they stand in, and markups that propose others.

mod concurrency;
mod drift;
mod graph;
mod matrix;
mod model;
mod reconciliation;
mod variables;

use serde_json::{Value, json};

pub use self::matrix::cases;
use crate::{
    mutations::IN_WORKSPACE,
    support::{Answer, Gateway, User},
};

/// The demo workspace in which everybody has a role, and its members, signed in.
pub struct SharedWorkspace<'g> {
    pub gateway: &'g Gateway,
    pub id: String,
    pub agent: User<'g>,
    pub agent2: User<'g>,
    pub legal: User<'g>,
    pub risk: User<'g>,
    pub investor: User<'g>,
}

const BIND: &str = "mutation($clauseId: UUID!, $input: VariableInput!, $reason: String) {
    bindVariable(clauseId: $clauseId, input: $input, reason: $reason) { id rowVersion value } }";
const EDIT: &str =
    "mutation($id: UUID!, $v: Int!, $input: VariablePatch!, $reason: String, $category: ReasonCategory) {
    editVariable(id: $id, expectedVersion: $v, input: $input, reason: $reason, reasonCategory: $category) {
        id rowVersion value label lastModifiedByUser { email } } }";
const DRIFT: &str = "mutation($id: UUID!, $v: Int!, $reason: String!, $category: ReasonCategory) {
    MUTATION(id: $id, expectedVersion: $v, reason: $reason, reasonCategory: $category) {
        id rowVersion status approvalReason reasonCategory overrideRequestedAt approvedByUser { email }
        variable { value baselineValue } } }";

impl<'g> SharedWorkspace<'g> {
    pub async fn of(gateway: &'g Gateway) -> Self {
        let id = gateway.value(&format!("SELECT {IN_WORKSPACE}::text")).await;
        Self {
            gateway,
            id: id.as_str().expect("a workspace").to_owned(),
            agent: gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await,
            agent2: gateway.sign_in("agent2@northgate-bank.example", "northgate-bank").await,
            legal: gateway.sign_in("legal@harrow-and-lane.example", "harrow-and-lane").await,
            risk: gateway.sign_in("risk@northgate-bank.example", "northgate-bank").await,
            investor: gateway.sign_in("investor@castlebrook-investors.example", "castlebrook-investors").await,
        }
    }

    /// A new clause, last edited long ago.
    pub async fn clause(&self, kind: &str, sensitive: bool, body: &str) -> String {
        let id = self
            .gateway
            .value(&format!(
                "INSERT INTO clauses (workspace_id, title, body, type, order_index, is_sensitive, last_modified_by, last_modified_at)
                 SELECT workspace_id, '9' || max(order_index) || '.1 Test Terms', '{body}', '{kind}', max(order_index) + 1, {sensitive},
                        (SELECT id FROM users WHERE email = 'agent@northgate-bank.example'), now() - interval '1 day'
                   FROM clauses WHERE workspace_id = '{}' GROUP BY workspace_id RETURNING id::text",
                self.id
            ))
            .await;
        id.as_str().expect("a clause").to_owned()
    }

    /// Binds a term as counsel; its baseline is its value.
    pub async fn bind(&self, clause: &str, label: &str, kind: &str, value: &str) -> String {
        let input = json!({ "label": label, "type": kind, "value": value, "baselineValue": value });
        let variables = json!({ "clauseId": clause, "input": input, "reason": "Test" });
        let bound = self.legal.run(BIND, variables).await.ok();
        bound["bindVariable"]["id"].as_str().expect("an id").to_owned()
    }

    /// Edits a value, whatever its version is.
    pub async fn edit(&self, user: &User<'_>, id: &str, value: &str) -> Answer {
        let version = self.version("variables", id).await;
        let variables = json!({ "id": id, "v": version, "input": { "value": value }, "reason": "Test" });
        user.run(EDIT, variables).await
    }

    /// Settles a drift item, or asks for it, whatever its version is.
    pub async fn settle(&self, user: &User<'_>, mutation: &str, item: &str, reason: &str) -> Answer {
        let version = self.version("drift_items", item).await;
        self.settle_for(user, mutation, json!({ "id": item, "v": version, "reason": reason })).await
    }

    pub async fn settle_for(&self, user: &User<'_>, mutation: &str, variables: Value) -> Answer {
        user.run(&DRIFT.replace("MUTATION", mutation), variables).await
    }

    pub async fn version(&self, table: &str, id: &str) -> Value {
        self.gateway.value(&format!("SELECT row_version FROM {table} WHERE id = '{id}'")).await
    }

    /// The drift items of a variable, in the order in which they came.
    pub async fn items(&self, variable: &str) -> Vec<Value> {
        let items = format!(
            "SELECT *, severity::text, status::text FROM drift_items WHERE variable_id = '{variable}' ORDER BY created_at, id"
        );
        self.gateway.rows(&items).await
    }

    /// The one open item of a variable.
    pub async fn open(&self, variable: &str) -> String {
        let items = self.items(variable).await;
        let open = items.iter().find(|item| item["status"] == "unresolved").expect("an open item");
        open["id"].as_str().expect("an id").to_owned()
    }

    /// Sets a governance rule of the workspace.
    pub async fn rule(&self, name: &str, on: bool) {
        self.gateway
            .execute(&format!(
                "UPDATE workspaces SET governance_rules = governance_rules || '{{\"{name}\": {on}}}' WHERE id = '{}'",
                self.id
            ))
            .await;
    }

    /// Gives a member another role, behind the gateway's back.
    pub async fn role(&self, email: &str, role: &str) {
        self.gateway
            .execute(&format!(
                "UPDATE workspace_members SET role = '{role}' WHERE workspace_id = '{}' AND user_id =
                    (SELECT id FROM users WHERE email = '{email}')",
                self.id
            ))
            .await;
    }

    /// The audit rows of one type about one thing, in order.
    pub async fn trail(&self, event: &str, target: &str) -> Vec<Value> {
        let trail =
            format!("SELECT * FROM audit_events WHERE event_type = '{event}' AND target_id = '{target}' ORDER BY id");
        self.gateway.rows(&trail).await
    }

    /// The node of a variable.
    pub async fn node(&self, variable: &str) -> Value {
        let nodes = self.gateway.rows(&format!("SELECT * FROM graph_nodes WHERE variable_id = '{variable}'")).await;
        assert_eq!(nodes.len(), 1, "{nodes:#?}");
        nodes.into_iter().next().expect("a node")
    }

    /// What the rules say of the nodes as they are, against what is stored of the whole.
    pub async fn is_consistent(&self) {
        let w = &self.id;
        let gateway = self.gateway;
        let wrong = gateway
            .rows(&format!(
                "SELECT n.label, n.has_drift, n.has_warning FROM graph_nodes n LEFT JOIN clauses c ON c.id = n.clause_id
                  WHERE n.workspace_id = '{w}' AND (
                    n.has_drift <> EXISTS (SELECT FROM drift_items d WHERE d.status = 'unresolved' AND
                        CASE WHEN n.variable_id IS NULL THEN d.clause_id = n.clause_id ELSE d.variable_id = n.variable_id END)
                    OR n.has_warning <> EXISTS (SELECT FROM graph_warnings w WHERE w.graph_node_id = n.id)
                    OR (n.variable_id IS NULL AND n.has_drift AND c.is_sensitive) <>
                        EXISTS (SELECT FROM graph_warnings w WHERE w.graph_node_id = n.id AND w.kind = 'SENSITIVE_DRIFT'))"
            ))
            .await;
        assert_eq!(wrong, [] as [Value; 0], "nodes against drift and warnings");
        let count = gateway
            .rows(&format!(
                "SELECT count(*) AS nodes, count(*) FILTER (WHERE has_drift) AS drift, count(*) FILTER (WHERE has_warning) AS warnings
                   FROM graph_nodes WHERE workspace_id = '{w}'"
            ))
            .await;
        let count = |field: &str| usize::try_from(count[0][field].as_i64().expect("a number")).expect("a count");
        let integrity = aether_domain::graph::integrity(count("nodes"), count("drift"), count("warnings"));
        let stored = gateway
            .rows(&format!(
                "SELECT s.integrity_score::text AS score, g.integrity_score::text AS record, g.status::text, g.unresolved_high_drift_count AS high,
                        (SELECT count(*) FROM drift_items d WHERE d.workspace_id = s.workspace_id AND d.status = 'unresolved' AND d.severity = 'HIGH') AS counted
                   FROM graph_state s JOIN golden_records g USING (workspace_id) WHERE s.workspace_id = '{w}'"
            ))
            .await;
        let high = stored[0]["counted"].as_u64().expect("a number");
        let ready = aether_domain::golden::is_ready(integrity, high);
        assert_eq!(
            stored[0],
            json!({ "score": format!("{integrity:.4}"), "record": format!("{integrity:.4}"),
                "status": if ready { "READY" } else { "IN_REVIEW" }, "high": high, "counted": high })
        );
    }
}

/// How many events there are of each topic since this one.
async fn topics_since(gateway: &Gateway, sequence: &Value) -> Value {
    gateway
        .value(&format!(
            "SELECT coalesce(jsonb_object_agg(topic, n), '{{}}') FROM (SELECT topic, count(*) AS n FROM event_outbox WHERE sequence > {sequence} GROUP BY topic) x"
        ))
        .await
}

/// The last event so far.
async fn last_event(gateway: &Gateway) -> Value {
    gateway.value("SELECT coalesce(max(sequence), 0) FROM event_outbox").await
}
