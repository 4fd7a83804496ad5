//! Who sees which row: `permissions.md` said a second time, as SQL that the owner runs, and compared with the answers.

use std::collections::{BTreeMap, HashMap, HashSet};

use aether_store::model::{Model, Source, Type};
use serde_json::{Value, json};

use crate::support::{Gateway, HOME, User};

/// The other organization with financial data.
const OTHER: &str = "meridian-capital";

const SARAH: (&str, &str) = ("sarah.chen@aether-demo.com", HOME);
const MANAGER: (&str, &str) = ("finance.manager@aether-demo.com", HOME);
const ANALYST: (&str, &str) = ("analyst@aether-demo.com", HOME);
const VIEWER: (&str, &str) = ("viewer@aether-demo.com", HOME);
const ADMIN: (&str, &str) = ("admin@aether-demo.com", HOME);
const EUROPE: (&str, &str) = ("europe.analyst@aether-demo.com", HOME);
const ENGINEERING: (&str, &str) = ("engineering.analyst@aether-demo.com", HOME);
const VICTOR: (&str, &str) = ("cfo@meridian-capital.example", OTHER);
const NOVAK: (&str, &str) = ("analyst@meridian-capital.example", OTHER);
const AGENT: (&str, &str) = ("agent@northgate-bank.example", "northgate-bank");
const AGENT_2: (&str, &str) = ("agent2@northgate-bank.example", "northgate-bank");
const RISK: (&str, &str) = ("risk@northgate-bank.example", "northgate-bank");
const LEGAL: (&str, &str) = ("legal@harrow-and-lane.example", "harrow-and-lane");
const LEGAL_2: (&str, &str) = ("legal2@harrow-and-lane.example", "harrow-and-lane");
const INVESTOR: (&str, &str) = ("investor@castlebrook-investors.example", "castlebrook-investors");
const INVESTOR_2: (&str, &str) = ("investor2@castlebrook-investors.example", "castlebrook-investors");

/// Somebody, as the database knows them.
struct Who {
    id: String,
    organization: String,
    role: String,
    region: Option<String>,
    department: Option<String>,
    permissions: Vec<String>,
}

impl Who {
    async fn is(gateway: &Gateway, (email, slug): (&str, &str)) -> Self {
        let sql = format!(
            "SELECT u.* FROM users u JOIN organizations o ON o.id = u.organization_id WHERE email = '{email}' AND slug = '{slug}'"
        );
        let row = gateway.rows(&sql).await.remove(0);
        let text = |key: &str| row[key].as_str().map(str::to_owned);
        Self {
            id: text("id").expect("an id"),
            organization: text("organization_id").expect("an organization"),
            role: text("role").expect("a role"),
            region: text("region"),
            department: text("department"),
            permissions: serde_json::from_value(row["permissions"].clone()).expect("names"),
        }
    }

    fn may(&self, roles: &[&str], permission: &str) -> bool {
        roles.contains(&self.role.as_str()) || self.permissions.iter().any(|name| name == permission)
    }

    /// The workspaces in which it is an active member, in one of these roles.
    fn workspaces(&self, roles: &str) -> String {
        format!(
            "(SELECT m.workspace_id FROM workspace_members m JOIN workspaces w ON w.id = m.workspace_id
               WHERE m.user_id = '{}' AND m.status = 'active' AND m.role::text IN ({roles}) AND w.deleted_at IS NULL)",
            self.id
        )
    }

    /// The rows of a table that it sees, as a condition in SQL.
    fn sees(&self, table: &str) -> String {
        const ALL: &str = "'agent', 'legal', 'risk', 'investor'";
        const FULL: &str = "'agent', 'legal', 'risk'";
        let (me, home) = (&self.id, format!("organization_id = '{}'", self.organization));
        let narrowed = !["CFO", "ADMIN"].contains(&self.role.as_str());
        let region = self.region.as_ref().filter(|_| narrowed);
        let department = self.department.as_ref().filter(|_| narrowed);
        let in_region = |column: &str| match region {
            Some(region) => format!("{home} AND {column}::text = '{region}'"),
            None => home.clone(),
        };
        let in_department = |column: &str, of: &str| match department {
            Some(name) => format!(
                "{column} IN (WITH RECURSIVE tree AS (SELECT d.id, d.name FROM departments d
                     WHERE d.organization_id = '{}' AND d.name = '{name}'
                     UNION SELECT c.id, c.name FROM departments c JOIN tree ON c.parent_id = tree.id) SELECT {of} FROM tree)",
                self.organization
            ),
            None => "true".into(),
        };
        let via = |column: &str, parent: &str| format!("{column} IN (SELECT id FROM {parent} WHERE {})", self.sees(parent));
        let only = |allowed: bool| format!("{home} AND {allowed}");
        match table {
            "organizations" => format!(
                "deleted_at IS NULL AND (id = '{}'
                   OR id IN (SELECT u.organization_id FROM users u JOIN workspace_members m ON m.user_id = u.id
                              WHERE m.workspace_id IN {mine})
                   OR id IN (SELECT w.organization_id FROM workspaces w WHERE w.id IN {mine}))",
                self.organization,
                mine = self.workspaces(ALL)
            ),
            "users" => format!(
                "deleted_at IS NULL AND ({home}
                   OR id IN (SELECT m.user_id FROM workspace_members m WHERE m.workspace_id IN {}))",
                self.workspaces(ALL)
            ),
            "user_sessions" if self.may(&["CFO", "ADMIN"], "users:manage") => {
                format!("user_id IN (SELECT id FROM users WHERE {home})")
            }
            "user_sessions" => format!("user_id = '{me}'"),
            "refresh_tokens" => via("session_id", "user_sessions"),
            "financial_metrics" | "deals" | "mv_pipeline_summary" => in_region("region"),
            // Sums over all regions would tell those of the others.
            "mv_kpi_summary" | "pipeline_snapshots" => only(region.is_none()),
            "budgets" => format!("{} AND {}", in_region("region"), in_department("department_id", "id")),
            "departments" => format!("{home} AND {}", in_department("id", "id")),
            "department_costs" => format!("{home} AND {}", in_department("department_id", "id")),
            "anomalies" => {
                format!("{} AND {}", in_region("affected_region"), in_department("affected_department", "name"))
            }
            "budget_line_items" => via("budget_id", "budgets"),
            "deal_history" => via("deal_id", "deals"),
            "ai_conversations" => format!("{home} AND user_id = '{me}'"),
            "ai_messages" => via("conversation_id", "ai_conversations"),
            "ai_models" => format!("({home} OR organization_id IS NULL)"),
            "ai_model_metrics" => via("model_id", "ai_models"),
            "scenarios" if self.may(&["CFO"], "scenarios:delete") => home,
            "scenarios" => format!("{home} AND (created_by = '{me}' OR is_template OR '{me}' = ANY (shared_with))"),
            "scenario_results" => via("scenario_id", "scenarios"),
            "audit_logs" => only(self.may(&["CFO", "FINANCE_MANAGER", "ADMIN"], "audit:read")),
            "integration_syncs" | "integration_logs" => via("integration_id", "integrations"),
            "vendors" | "vendor_spend" | "ai_actions" | "compliance_controls" | "compliance_issues" | "integrations"
            | "data_lineage_nodes" | "data_lineage_edges" => home,
            "workspaces" => format!("id IN {}", self.workspaces(ALL)),
            "drift_items" => format!(
                "(workspace_id IN {} OR workspace_id IN {} AND status <> 'unresolved')",
                self.workspaces(FULL),
                self.workspaces("'investor'")
            ),
            "audit_events" => format!(
                "(workspace_id IN {} OR workspace_id IN {} AND (actor_id = '{me}' OR event_type = 'PUBLISH')
                   OR workspace_id IS NULL AND actor_id = '{me}')",
                self.workspaces(FULL),
                self.workspaces("'investor'")
            ),
            "workspace_members" | "clauses" | "variables" | "covenants" | "graph_nodes" | "graph_edges" | "graph_state"
            | "reconciliation_sessions" | "reconciliation_items" | "golden_records" | "golden_record_versions"
            | "downstream_connectors" => format!("workspace_id IN {}", self.workspaces(ALL)),
            table => panic!("Who sees the rows of {table}? Say it here, from permissions.md."),
        }
    }
}

/// The rows that somebody sees, as SQL has them: of each type, the ids, each with its foreign keys.
struct Visible(Vec<HashMap<String, Value>>);

impl Visible {
    async fn to(gateway: &Gateway, who: &Who) -> Self {
        let mut types = Vec::new();
        for ty in &Model::get().types {
            let keys: HashSet<_> = ty.table.foreign_keys.iter().map(|key| key.column).chain(["id"]).collect();
            let keys = keys.into_iter().collect::<Vec<_>>().join(", ");
            let rows = gateway.rows(&format!("SELECT {keys} FROM {} WHERE {}", ty.table.name, who.sees(ty.table.name))).await;
            types.push(rows.into_iter().map(|row| (row["id"].as_str().expect("an id").to_owned(), row)).collect());
        }
        Self(types)
    }

    fn of(&self, ty: &Type) -> &HashMap<String, Value> {
        &self.0[ty.id]
    }

    fn has(&self, ty: &Type, id: &Value) -> bool {
        id.as_str().is_some_and(|id| self.of(ty).contains_key(id))
    }

    /// The ids of a type's rows by the value of a column.
    fn by(&self, ty: &Type, column: &str) -> HashMap<&str, HashSet<&str>> {
        let mut by: HashMap<_, HashSet<_>> = HashMap::new();
        for (id, row) in self.of(ty) {
            if let Some(key) = row[column].as_str() {
                by.entry(key).or_default().insert(id.as_str());
            }
        }
        by
    }
}

fn list(values: &[String]) -> String {
    serde_json::to_string(values).expect("JSON")
}

fn ids(nodes: &Value) -> Vec<&str> {
    nodes.as_array().expect("nodes").iter().map(|node| node["id"].as_str().expect("an id")).collect()
}

/// Holds every way in which somebody can come to a row against what SQL says that they see.
async fn sees_exactly_its_own(gateway: &Gateway, person: (&str, &str)) {
    let user = gateway.sign_in(person.0, person.1).await;
    holds_for(gateway, &user, person).await;
}

async fn holds_for(gateway: &Gateway, user: &User<'_>, person: (&str, &str)) {
    let who = Who::is(gateway, person).await;
    let visible = Visible::to(gateway, &who).await;
    lists_hold(user, &visible, person).await;
    hidden_rows_look_absent(gateway, user, &who, person).await;
    relations_hold(user, &visible, person).await;
    relation_filters_hold(gateway, user, &who, &visible, person).await;
}

/// Lists and counts.
async fn lists_hold(user: &User<'_>, visible: &Visible, (email, _): (&str, &str)) {
    let fields = Model::get().types.iter().map(|ty| format!("{}(first: 500) {{ totalCount nodes {{ id }} }} ", ty.plural));
    let data = user.data(&format!("{{ {} }}", fields.collect::<String>())).await;
    for ty in &Model::get().types {
        let (page, expected) = (&data[ty.plural], visible.of(ty));
        assert_eq!(page["totalCount"], expected.len(), "{email}: {}", ty.plural);
        let ids = ids(&page["nodes"]);
        assert_eq!(ids.len(), expected.len().min(500), "{email}: {}", ty.plural);
        for id in ids {
            assert!(expected.contains_key(id), "{email} sees the {} {id}", ty.name);
        }
    }
}

/// By id, by global id and by filter: null and nothing, without an error.
async fn hidden_rows_look_absent(gateway: &Gateway, user: &User<'_>, who: &Who, (email, _): (&str, &str)) {
    let mut fields = String::new();
    for ty in &Model::get().types {
        let sql = format!(
            "SELECT id::text, replace(rtrim(encode(convert_to('{name}:' || id, 'UTF8'), 'base64'), '='), E'\\n', '') AS node
               FROM {table} WHERE ({sees}) IS NOT TRUE ORDER BY md5(id::text) LIMIT 3",
            name = ty.name,
            table = ty.table.name,
            sees = who.sees(ty.table.name)
        );
        let hidden = gateway.rows(&sql).await;
        let ids: Vec<_> = hidden.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect();
        fields += &format!("{0}: {0}(filter: {{ id: {{ in: {1} }} }}) {{ totalCount nodes {{ id }} }} ", ty.plural, list(&ids));
        for (i, row) in hidden.iter().enumerate() {
            fields += &format!("{0}{i}: {0}(id: {1}) {{ id }} ", ty.singular, row["id"]);
            fields += &format!("{}Node{i}: node(nodeId: {}) {{ nodeId }} ", ty.singular, row["node"]);
        }
    }
    let data = user.data(&format!("{{ {fields} }}")).await;
    for (field, answer) in data.as_object().expect("data") {
        if answer.get("nodes").is_some() {
            assert_eq!(*answer, json!({ "totalCount": 0, "nodes": [] }), "{email}: {field}");
        } else {
            assert_eq!(*answer, Value::Null, "{email}: {field}");
        }
    }
}

/// A relation leads to the rows that are seen, to all of them, and to no other.
async fn relations_hold(user: &User<'_>, visible: &Visible, (email, _): (&str, &str)) {
    let model = Model::get();
    for ty in &model.types {
        let mut fields = String::from("id ");
        for (field, relation) in ty.relations() {
            let page = if relation.many { "(first: 5) { totalCount nodes { id } } " } else { "{ id } " };
            fields += &format!("{} {page}", field.name);
        }
        let data = user.data(&format!("{{ {}(first: 30) {{ nodes {{ {fields} }} }} }}", ty.plural)).await;
        let nodes = data[ty.plural]["nodes"].as_array().expect("nodes");
        for (field, relation) in ty.relations() {
            let to = &model.types[relation.to];
            let (from_column, to_column) =
                (ty.table.columns[relation.from_column].name, to.table.columns[relation.to_column].name);
            let by = visible.by(to, to_column);
            for node in nodes {
                let row = &visible.of(ty)[node["id"].as_str().expect("an id")];
                let expected = row[from_column].as_str().and_then(|key| by.get(key));
                let (answer, what) = (&node[&field.name], format!("{email}: {}.{} of {}", ty.name, field.name, node["id"]));
                if relation.many {
                    assert_eq!(answer["totalCount"], expected.map_or(0, HashSet::len), "{what}");
                    for id in ids(&answer["nodes"]) {
                        assert!(expected.is_some_and(|all| all.contains(id)), "{what} leads to {id}");
                    }
                } else {
                    let id = answer["id"].as_str();
                    assert_eq!(id.is_some(), expected.is_some(), "{what}");
                    assert!(id.is_none_or(|id| expected.is_some_and(|all| all.contains(id))), "{what} leads to {id:?}");
                }
            }
        }
    }
}

/// A filter through a relation knows of the rows that are seen, and of no other.
async fn relation_filters_hold(gateway: &Gateway, user: &User<'_>, who: &Who, visible: &Visible, (email, _): (&str, &str)) {
    let model = Model::get();
    for ty in &model.types {
        let (mut fields, mut expected) = (String::new(), BTreeMap::new());
        let mut ask = |key: String, filter: String, count: usize| {
            fields += &format!("{key}: {}(filter: {{ {filter} }}) {{ totalCount }} ", ty.plural);
            expected.insert(key, count);
        };
        for (field, relation) in ty.relations() {
            let (name, to) = (&field.name, &model.types[relation.to]);
            let (from_column, to_column) =
                (ty.table.columns[relation.from_column].name, to.table.columns[relation.to_column].name);
            let by = visible.by(to, to_column);
            let related = visible.of(ty).values().filter(|row| row[from_column].as_str().is_some_and(|key| by.contains_key(key)));
            let related = related.count();
            let sql = format!(
                "SELECT id::text FROM {to} WHERE ({to_sees}) IS NOT TRUE
                    AND {to_column} IN (SELECT {from_column} FROM {from} WHERE {from_sees}) ORDER BY md5(id::text) LIMIT 20",
                to = to.table.name,
                to_sees = who.sees(to.table.name),
                from = ty.table.name,
                from_sees = who.sees(ty.table.name)
            );
            let hidden: Vec<_> =
                gateway.rows(&sql).await.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect();
            let hidden = format!("id: {{ in: {} }}", list(&hidden));
            if relation.many {
                ask(format!("{name}_some"), format!("{name}: {{ some: {{}} }}"), related);
                ask(format!("{name}_none"), format!("{name}: {{ none: {{}} }}"), visible.of(ty).len() - related);
                ask(format!("{name}_hidden"), format!("{name}: {{ some: {{ {hidden} }} }}"), 0);
            } else {
                ask(format!("{name}_some"), format!("{name}: {{ id: {{ isNull: false }} }}"), related);
                ask(format!("{name}_hidden"), format!("{name}: {{ {hidden} }}"), 0);
            }
        }
        if fields.is_empty() {
            continue;
        }
        let data = user.data(&format!("{{ {fields} }}")).await;
        for (key, count) in expected {
            assert_eq!(data[&key]["totalCount"], count, "{email}: {} filtered by {key}", ty.plural);
        }
    }
}

#[tokio::test]
async fn managers_of_an_organization_see_exactly_its_rows() {
    let gateway = Gateway::demo().await;
    for person in [SARAH, MANAGER, ADMIN] {
        sees_exactly_its_own(&gateway, person).await;
    }
}

#[tokio::test]
async fn analysts_and_viewers_see_exactly_their_rows() {
    let gateway = Gateway::demo().await;
    for person in [ANALYST, VIEWER, EUROPE, ENGINEERING] {
        sees_exactly_its_own(&gateway, person).await;
    }
}
