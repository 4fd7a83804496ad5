//! Who sees which row: `permissions.md` said a second time, as SQL that the owner runs, and compared with the answers.

use std::collections::{BTreeMap, HashMap, HashSet};

use aether_entity::catalog::Kind;
use aether_store::model::{Figure, Model, Relation, Type};
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
        let in_department = |column: &str, of: &str| {
            match department {
            Some(name) => format!(
                "{column} IN (WITH RECURSIVE tree AS (SELECT d.id, d.name FROM departments d
                     WHERE d.organization_id = '{}' AND d.name = '{name}'
                     UNION SELECT c.id, c.name FROM departments c JOIN tree ON c.parent_id = tree.id) SELECT {of} FROM tree)",
                self.organization
            ),
            None => "true".into(),
        }
        };
        let via =
            |column: &str, parent: &str| format!("{column} IN (SELECT id FROM {parent} WHERE {})", self.sees(parent));
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
            "mv_kpi_summary" | "pipeline_snapshots" | "metric_imports" => only(region.is_none()),
            "budgets" => format!("{} AND {}", in_region("region"), in_department("department_id", "id")),
            "departments" => format!("{home} AND {}", in_department("id", "id")),
            "department_costs" => format!("{home} AND {}", in_department("department_id", "id")),
            "anomalies" => {
                format!("{} AND {}", in_region("affected_region"), in_department("affected_department", "name"))
            }
            "budget_line_items" => via("budget_id", "budgets"),
            "deal_history" => via("deal_id", "deals"),
            "ai_conversations" => format!("{home} AND user_id = '{me}'"),
            "row_exports" => format!("{home} AND requested_by = '{me}'"),
            "ai_messages" => via("conversation_id", "ai_conversations"),
            "ai_models" => format!("({home} OR organization_id IS NULL)"),
            "ai_model_metrics" => via("model_id", "ai_models"),
            "scenarios" if self.may(&["CFO"], "scenarios:delete") => home,
            "scenarios" => format!("{home} AND (created_by = '{me}' OR is_template OR '{me}' = ANY (shared_with))"),
            "scenario_results" => via("scenario_id", "scenarios"),
            "audit_logs" => only(self.may(&["CFO", "FINANCE_MANAGER", "ADMIN"], "audit:read")),
            "integration_syncs" | "integration_logs" => via("integration_id", "integrations"),
            "vendors"
            | "vendor_spend"
            | "ai_actions"
            | "compliance_controls"
            | "compliance_issues"
            | "integrations"
            | "data_lineage_nodes"
            | "data_lineage_edges" => home,
            "workspaces" => format!("id IN {}", self.workspaces(ALL)),
            "drift_items" => format!(
                "(workspace_id IN {} OR workspace_id IN {} AND status <> 'unresolved')",
                self.workspaces(FULL),
                self.workspaces("'investor'")
            ),
            "graph_warnings" => format!(
                "(workspace_id IN {} OR workspace_id IN {} AND kind <> 'SENSITIVE_DRIFT')",
                self.workspaces(FULL),
                self.workspaces("'investor'")
            ),
            "audit_events" => format!(
                "(workspace_id IN {} OR workspace_id IN {} AND (actor_id = '{me}' OR event_type = 'PUBLISH')
                   OR workspace_id IS NULL AND actor_id = '{me}')",
                self.workspaces(FULL),
                self.workspaces("'investor'")
            ),
            "workspace_members"
            | "clauses"
            | "variables"
            | "covenants"
            | "graph_nodes"
            | "graph_edges"
            | "graph_state"
            | "reconciliation_sessions"
            | "reconciliation_items"
            | "golden_records"
            | "golden_record_versions"
            | "downstream_connectors"
            | "connector_deliveries"
            | "delivery_attempts" => format!("workspace_id IN {}", self.workspaces(ALL)),
            table => panic!("Who sees the rows of {table}? Say it here, from permissions.md."),
        }
    }
}

/// Foreign keys that investors see no value of.
const UNSEEN_BY_INVESTORS: [(&str, &str); 2] =
    [("drift_items", "override_requested_by"), ("variables", "last_modified_by")];

/// Rows of the database: of each type, by id, the foreign keys.
struct Rows(Vec<HashMap<String, Value>>);

impl Rows {
    async fn all(gateway: &Gateway) -> Self {
        Self::that(gateway, |_| "true".into(), |_, key| key.into()).await
    }

    async fn seen_by(gateway: &Gateway, who: &Who) -> Self {
        let key = |table: &str, key: &str| match UNSEEN_BY_INVESTORS.contains(&(table, key)) {
            true => format!(
                "CASE WHEN workspace_id IN {} THEN {key} END AS {key}",
                who.workspaces("'agent', 'legal', 'risk'")
            ),
            false => key.into(),
        };
        Self::that(gateway, |table| who.sees(table), key).await
    }

    async fn that(gateway: &Gateway, condition: impl Fn(&str) -> String, shown: impl Fn(&str, &str) -> String) -> Self {
        let mut types = Vec::new();
        for ty in &Model::get().types {
            let keys: HashSet<_> = ty.table.foreign_keys.iter().map(|key| key.column).chain(["id"]).collect();
            let keys: Vec<_> = keys.into_iter().map(|key| shown(ty.table.name, key)).collect();
            let keys = keys.join(", ");
            let rows =
                gateway.rows(&format!("SELECT {keys} FROM {} WHERE {}", ty.table.name, condition(ty.table.name))).await;
            types.push(rows.into_iter().map(|row| (row["id"].as_str().expect("an id").to_owned(), row)).collect());
        }
        Self(types)
    }

    fn of(&self, ty: &Type) -> &HashMap<String, Value> {
        &self.0[ty.id]
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

/// The columns that a relation joins.
fn columns(ty: &Type, relation: &Relation) -> (&'static str, &'static str) {
    let to = &Model::get().types[relation.to];
    (ty.table.columns[relation.from_column].name, to.table.columns[relation.to_column].name)
}

fn list(values: &[String]) -> String {
    serde_json::to_string(values).expect("JSON")
}

fn ids(nodes: &Value) -> Vec<&str> {
    nodes.as_array().expect("nodes").iter().map(|node| node["id"].as_str().expect("an id")).collect()
}

/// Holds what somebody can come to against what SQL says that they see: everything there is, and lists at least.
struct Check<'g> {
    gateway: &'g Gateway,
    all: Rows,
}

impl<'g> Check<'g> {
    async fn on(gateway: &'g Gateway) -> Self {
        Self { gateway, all: Rows::all(gateway).await }
    }

    /// Every way to a row.
    async fn whole(&self, user: &User<'_>, person: (&str, &str)) {
        let seen = Rows::seen_by(self.gateway, &Who::is(self.gateway, person).await).await;
        lists_hold(user, &seen, person).await;
        groups_hold(self.gateway, user, person, true).await;
        hidden_rows_look_absent(self.gateway, &self.all, user, &seen, person).await;
        relations_hold(user, &seen, person).await;
        relation_filters_hold(&self.all, user, &seen, person).await;
    }

    /// Lists, counts and rows by id.
    async fn roots(&self, user: &User<'_>, person: (&str, &str)) {
        let seen = Rows::seen_by(self.gateway, &Who::is(self.gateway, person).await).await;
        lists_hold(user, &seen, person).await;
        groups_hold(self.gateway, user, person, false).await;
        hidden_rows_look_absent(self.gateway, &self.all, user, &seen, person).await;
    }
}

/// Lists and counts.
async fn lists_hold(user: &User<'_>, seen: &Rows, (email, _): (&str, &str)) {
    let fields =
        Model::get().types.iter().map(|ty| format!("{}(first: 500) {{ totalCount nodes {{ id }} }} ", ty.plural));
    let data = user.data(&format!("{{ {} }}", fields.collect::<String>())).await;
    for ty in &Model::get().types {
        let (page, expected) = (&data[ty.plural], seen.of(ty));
        assert_eq!(page["totalCount"], expected.len(), "{email}: {}", ty.plural);
        let ids = ids(&page["nodes"]);
        assert_eq!(ids.len(), expected.len().min(500), "{email}: {}", ty.plural);
        for id in ids {
            assert!(expected.contains_key(id), "{email} sees the {} {id}", ty.name);
        }
    }
}

/// Figures and groups are those that the owner's SQL finds of the rows that are seen: of every column that they see whole, or for a
/// quick look of one of them.
async fn groups_hold(gateway: &Gateway, user: &User<'_>, person: (&str, &str), wholly: bool) {
    let who = Who::is(gateway, person).await;
    let zone = format!("(SELECT settings ->> 'timezone' FROM organizations WHERE id = '{}')", who.organization);
    for ty in &Model::get().types {
        let (mut figures, mut groups) = (String::new(), String::new());
        let (mut expected, mut keys) = (vec!["'count', count(*)".to_owned()], Vec::new());
        let told = ty.columns().filter_map(|(field, column)| Some((field, column, ty.figure(&column)?)));
        let mut told: Vec<_> = told.filter(|(_, column, _)| !ty.is_masked(column.index)).collect();
        if !wholly {
            told.truncate(2);
        }
        for (field, column, figure) in told {
            let (name, sql) = (&field.name, ty.table.columns[column.index].name);
            let key = match figure {
                Figure::Moment => format!("({sql} AT TIME ZONE {zone})::date"),
                _ if matches!(column.kind, Kind::Inet) => format!("host({sql})"),
                _ => sql.to_owned(),
            };
            keys.push((name.clone(), key, column.kind));
            groups += &format!(
                "{name}: groups(by: [{{ {name}: {{}} }}], first: 500) {{ totalCount nodes {{ key {{ {name} }} count }} }} "
            );
            let is_apart = ty.apart(column.index).next().is_some() || ty.kinds(column.index).is_some();
            let more = match figure {
                Figure::Quantity if !is_apart => "sum min max",
                Figure::Ratio if !is_apart => "min max",
                Figure::Date => "min max",
                _ => "",
            };
            let distinct = if figure == Figure::Boolean { "" } else { "countDistinct" };
            figures += &format!("{name} {{ count {distinct} {more} }} ");
            let mut of = vec![format!("'count', count({sql})")];
            if !distinct.is_empty() {
                of.push(format!("'countDistinct', count(DISTINCT {sql})"));
            }
            of.extend(more.split_whitespace().map(|how| format!("'{how}', {how}({sql})::text")));
            expected.push(format!("'{name}', json_build_object({})", of.join(", ")));
        }
        let from = format!("FROM {} WHERE {}", ty.table.name, who.sees(ty.table.name));
        let query = format!("{{ it: {} {{ aggregate {{ count {figures} }} {groups} }} }}", ty.plural);
        let data = user.data(&query).await;
        let expected = gateway.value(&format!("SELECT json_build_object({}) {from}", expected.join(", "))).await;
        assert_eq!(data["it"]["aggregate"], expected, "{}: {}", person.0, ty.plural);
        for (name, key, kind) in keys {
            let (what, page) = (format!("{}: {} by {name}", person.0, ty.plural), &data["it"][&name]);
            let rows = gateway.rows(&format!("SELECT ({key})::text AS key, count(*) AS count {from} GROUP BY 1")).await;
            assert_eq!(page["totalCount"], rows.len(), "{what}");
            let nodes = page["nodes"].as_array().expect("nodes");
            assert_eq!(nodes.len(), rows.len().min(500), "{what}");
            let found: HashMap<Option<String>, &Value> =
                nodes.iter().map(|node| (spelled(&node["key"][&name]), &node["count"])).collect();
            assert_eq!(found.len(), nodes.len(), "{what}: a key comes twice");
            let rows: HashMap<Option<String>, &Value> =
                rows.iter().map(|row| (stored(&row["key"], kind), &row["count"])).collect();
            for (key, count) in found {
                assert_eq!(Some(&count), rows.get(&key), "{what}: {key:?}");
            }
        }
    }
}

/// A key as a client sees it, as text.
fn spelled(key: &Value) -> Option<String> {
    match key {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A key of the database, as a client sees it.
fn stored(key: &Value, kind: Kind) -> Option<String> {
    let text = key.as_str()?;
    Some(match kind {
        Kind::Enum(_) => aether_store::model::enum_value_name(text),
        _ => text.to_owned(),
    })
}

/// By id, by global id and by filter: null and nothing, without an error.
async fn hidden_rows_look_absent(
    gateway: &Gateway,
    all: &Rows,
    user: &User<'_>,
    seen: &Rows,
    (email, _): (&str, &str),
) {
    let (mut fields, mut names) = (String::new(), Vec::new());
    for ty in &Model::get().types {
        let hidden: Vec<_> = all.of(ty).keys().filter(|id| !seen.of(ty).contains_key(*id)).take(100).cloned().collect();
        fields += &format!(
            "{0}: {0}(filter: {{ id: {{ in: {1} }} }}) {{ totalCount nodes {{ id }} }} ",
            ty.plural,
            list(&hidden)
        );
        if let Some(id) = hidden.first() {
            fields += &format!("{0}: {0}(id: \"{id}\") {{ id }} ", ty.singular);
            names.push(format!("{}:{id}", ty.name));
        }
    }
    // Global ids as the gateway makes them, which a row of one's own shows.
    let me = user.data("{ me { user { id nodeId } } }").await;
    names.push(format!("User:{}", me["me"]["user"]["id"].as_str().expect("an id")));
    let names = names.iter().map(|name| format!("('{name}')")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT translate(encode(convert_to(name, 'UTF8'), 'base64'), E'=\\n', '') AS id FROM (VALUES {names}) AS v(name)"
    );
    let mut node_ids = gateway.rows(&sql).await;
    assert_eq!(node_ids.pop().map(|row| row["id"].clone()), Some(me["me"]["user"]["nodeId"].clone()));
    for (i, row) in node_ids.iter().enumerate() {
        fields += &format!("node{i}: node(nodeId: {}) {{ nodeId }} ", row["id"]);
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
async fn relations_hold(user: &User<'_>, seen: &Rows, (email, _): (&str, &str)) {
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
            let (from_column, to_column) = columns(ty, &relation);
            let by = seen.by(&model.types[relation.to], to_column);
            for node in nodes {
                let row = &seen.of(ty)[node["id"].as_str().expect("an id")];
                let expected = row[from_column].as_str().and_then(|key| by.get(key));
                let (answer, what) =
                    (&node[&field.name], format!("{email}: {}.{} of {}", ty.name, field.name, node["id"]));
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
async fn relation_filters_hold(all: &Rows, user: &User<'_>, seen: &Rows, (email, _): (&str, &str)) {
    let (model, mut tried) = (Model::get(), 0);
    for ty in &model.types {
        let (mut fields, mut expected) = (String::new(), BTreeMap::new());
        let mut ask = |key: String, filter: String, count: usize| {
            fields += &format!("{key}: {}(filter: {{ {filter} }}) {{ totalCount }} ", ty.plural);
            expected.insert(key, count);
        };
        for (field, relation) in ty.relations() {
            let (name, to) = (&field.name, &model.types[relation.to]);
            let (from_column, to_column) = columns(ty, &relation);
            let by = seen.by(to, to_column);
            let keys: HashSet<_> = seen.of(ty).values().filter_map(|row| row[from_column].as_str()).collect();
            let related =
                seen.of(ty).values().filter(|row| row[from_column].as_str().is_some_and(|key| by.contains_key(key)));
            let related = related.count();
            // Rows that are related but hidden.
            let hidden = all.of(to).iter().filter(|(id, row)| {
                !seen.of(to).contains_key(*id) && row[to_column].as_str().is_some_and(|key| keys.contains(key))
            });
            let hidden: Vec<_> = hidden.map(|(id, _)| id.clone()).take(20).collect();
            tried += hidden.len();
            let hidden = format!("id: {{ in: {} }}", list(&hidden));
            if relation.many {
                ask(format!("{name}_some"), format!("{name}: {{ some: {{}} }}"), related);
                ask(format!("{name}_none"), format!("{name}: {{ none: {{}} }}"), seen.of(ty).len() - related);
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
    assert!(tried > 0, "{email}: no row that is hidden is related to one that is not");
}

/// How many rows SQL counts.
async fn count(gateway: &Gateway, from: &str) -> u64 {
    gateway.value(&format!("SELECT count(*) FROM {from}")).await.as_u64().expect("a number")
}

/// How many rows a root field counts for somebody.
async fn total(user: &User<'_>, field: &str) -> u64 {
    let data = user.data(&format!("{{ it: {field} {{ totalCount }} }}")).await;
    data["it"]["totalCount"].as_u64().expect("a number")
}

/// The id of the workspace that somebody opened.
async fn opened_by(gateway: &Gateway, (email, _): (&str, &str)) -> String {
    let sql = format!("SELECT w.id FROM workspaces w JOIN users u ON u.id = w.created_by_id WHERE u.email = '{email}'");
    gateway.value(&sql).await.as_str().expect("an id").to_owned()
}

/// The types whose rows belong to a workspace.
fn in_workspaces() -> impl Iterator<Item = &'static Type> {
    Model::get().types.iter().filter(|ty| ty.table.column("workspace_id").is_some())
}

/// How many rows of a workspace somebody sees, by type, the workspace itself included.
async fn seen_of(user: &User<'_>, workspace: &str) -> BTreeMap<String, u64> {
    let filter = format!("(filter: {{ workspaceId: {{ eq: \"{workspace}\" }} }})");
    let fields = in_workspaces().map(|ty| format!("{}{filter} {{ totalCount }} ", ty.plural)).collect::<String>();
    let itself = format!("workspaces(filter: {{ id: {{ eq: \"{workspace}\" }} }}) {{ totalCount }}");
    let data = user.data(&format!("{{ {fields} {itself} workspace(id: \"{workspace}\") {{ id }} }}")).await;
    assert_eq!(data["workspace"].is_object(), data["workspaces"]["totalCount"] == 1);
    let counts = data.as_object().expect("data").iter().filter(|(name, _)| *name != "workspace");
    counts.map(|(name, page)| (name.clone(), page["totalCount"].as_u64().expect("a number"))).collect()
}

// The two matrices, whole.

async fn everybody_sees_exactly_their_rows(gateway: &Gateway, wholly: &[(&str, &str)], at_the_roots: &[(&str, &str)]) {
    let check = Check::on(gateway).await;
    for &person in wholly {
        check.whole(&gateway.sign_in(person.0, person.1).await, person).await;
    }
    for &person in at_the_roots {
        check.roots(&gateway.sign_in(person.0, person.1).await, person).await;
    }
}

#[tokio::test]
async fn people_of_an_organization_see_exactly_their_rows() {
    let gateway = Gateway::demo().await;
    everybody_sees_exactly_their_rows(
        &gateway,
        &[SARAH, EUROPE],
        &[ENGINEERING, MANAGER, ADMIN, ANALYST, VIEWER, VICTOR, NOVAK],
    )
    .await;
}

#[tokio::test]
async fn members_of_workspaces_see_exactly_what_their_roles_give() {
    let gateway = Gateway::demo().await;
    everybody_sees_exactly_their_rows(&gateway, &[AGENT, LEGAL_2, INVESTOR], &[AGENT_2, RISK, LEGAL, INVESTOR_2]).await;
}

// Organizations.

#[tokio::test]
async fn organizations_never_see_each_others_rows() {
    let gateway = Gateway::demo().await;
    for (me, other) in [(SARAH, VICTOR), (VICTOR, SARAH)] {
        let user = gateway.sign_in(me.0, me.1).await;
        // Both signed in, so that both have sessions.
        gateway.sign_in(other.0, other.1).await;
        let mine = Rows::seen_by(&gateway, &Who::is(&gateway, me).await).await;
        let theirs = Rows::seen_by(&gateway, &Who::is(&gateway, other).await).await;
        let mut tried = 0;
        for ty in Model::get().types.iter().filter(|ty| ty.table.column("workspace_id").is_none()) {
            let foreign: Vec<_> =
                theirs.of(ty).keys().filter(|id| !mine.of(ty).contains_key(*id)).take(100).cloned().collect();
            let Some(one) = foreign.first() else { continue };
            tried += 1;
            let mut query = format!("one: {}(id: \"{one}\") {{ id }} ", ty.singular);
            query += &format!(
                "list: {}(filter: {{ id: {{ in: {} }} }}) {{ totalCount nodes {{ id }} }} ",
                ty.plural,
                list(&foreign)
            );
            let orders = ty.columns().filter(|(_, column)| aether_store::model::orderable(column.kind));
            for (i, (_, column)) in orders.enumerate() {
                let field = ty.table.columns[column.index].name.to_uppercase();
                for direction in ["ASC", "DESC"] {
                    let order = format!("{{ field: {field}, direction: {direction}, nulls: FIRST }}");
                    query +=
                        &format!("{direction}{i}: {}(first: 20, orderBy: [{order}]) {{ nodes {{ id }} }} ", ty.plural);
                }
            }
            if ty.relations().any(|(field, _)| field.name == "organization") {
                let filter = format!("{{ organization: {{ slug: {{ eq: \"{}\" }} }} }}", other.1);
                query += &format!("related: {}(filter: {filter}) {{ totalCount }} ", ty.plural);
            }
            let data = user.data(&format!("{{ {query} }}")).await;
            assert_eq!(data["one"], Value::Null, "{}", ty.name);
            assert_eq!(data["list"], json!({ "totalCount": 0, "nodes": [] }), "{}", ty.name);
            assert!(data["related"].is_null() || data["related"]["totalCount"] == 0, "{}", ty.name);
            for (key, page) in data.as_object().expect("data").iter().filter(|(key, _)| key.contains("SC")) {
                for id in ids(&page["nodes"]) {
                    assert!(mine.of(ty).contains_key(id), "{} by {key}: {id}", ty.name);
                }
            }
        }
        assert!(tried >= 28, "only {tried} types have rows of {}", other.1);
    }
}

#[tokio::test]
async fn a_regional_analyst_sees_one_region_and_no_sum_over_all() {
    let gateway = Gateway::demo().await;
    let user = gateway.sign_in(EUROPE.0, EUROPE.1).await;
    for (field, table, column, value) in [
        ("deals", "deals", "region", "EUROPE"),
        ("pipelineSummaries", "mv_pipeline_summary", "region", "EUROPE"),
        ("financialMetrics", "financial_metrics", "region", "\"Europe\""),
        ("budgets", "budgets", "region", "\"Europe\""),
        ("anomalies", "anomalies", "affected_region", "\"Europe\""),
    ] {
        let home = format!("{table} JOIN organizations o ON o.id = organization_id AND slug = '{HOME}'");
        let (all, europe) =
            (count(&gateway, &home).await, count(&gateway, &format!("{home} WHERE {column}::text = 'Europe'")).await);
        assert!(europe > 0 && europe < all, "{table}: {europe} of {all}");
        assert_eq!(total(&user, field).await, europe, "{field}");
        let camel = crate::query::model::camel(column);
        assert_eq!(
            total(&user, &format!("{field}(filter: {{ not: {{ {camel}: {{ eq: {value} }} }} }})")).await,
            0,
            "{field}"
        );
        if table != "mv_pipeline_summary" {
            let data =
                user.data(&format!("{{ me {{ user {{ organization {{ {field} {{ totalCount }} }} }} }} }}")).await;
            assert_eq!(data["me"]["user"]["organization"][field]["totalCount"], europe, "{field}");
        }
    }
    for (field, table) in [("kpiSummaries", "mv_kpi_summary"), ("pipelineSnapshots", "pipeline_snapshots")] {
        assert!(count(&gateway, table).await > 0);
        assert_eq!(total(&user, field).await, 0, "{field}");
    }
}

#[tokio::test]
async fn a_department_analyst_sees_one_department_with_all_below_it() {
    let gateway = Gateway::demo().await;
    let user = gateway.sign_in(ENGINEERING.0, ENGINEERING.1).await;
    let tree = [
        "Analytics Product",
        "Core Product",
        "Data and AI",
        "Developer Experience",
        "Engineering",
        "Platform",
        "Product Development",
        "Site Reliability",
    ];
    let query = "{ departments { nodes { name parent { name } } }
        departmentCosts(first: 500) { nodes { department { name } } }
        budgets { nodes { department { name } } }
        anomalies { nodes { affectedDepartment } }
        sales: departments(filter: { name: { contains: \"sales\" } }) { totalCount }
        deals { totalCount } kpiSummaries { totalCount } }";
    let data = user.data(query).await;
    let names = |rows: &Value, name: &dyn Fn(&Value) -> String| -> Vec<String> {
        let mut names: Vec<_> = rows["nodes"].as_array().expect("nodes").iter().map(name).collect();
        names.sort();
        names.dedup();
        names
    };
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    assert_eq!(names(&data["departments"], &|row| text(&row["name"])), tree);
    for (field, name) in
        [("departmentCosts", "/department/name"), ("budgets", "/department/name"), ("anomalies", "/affectedDepartment")]
    {
        let found = names(&data[field], &|row| text(row.pointer(name).expect("a name")));
        assert!(!found.is_empty() && found.iter().all(|name| tree.contains(&name.as_str())), "{field}: {found:?}");
    }
    assert_eq!(data["sales"]["totalCount"], 0);
    // What has no department is whole.
    for (field, table) in [("deals", "deals"), ("kpiSummaries", "mv_kpi_summary")] {
        let home = format!("{table} JOIN organizations o ON o.id = organization_id AND slug = '{HOME}'");
        assert_eq!(data[field]["totalCount"], count(&gateway, &home).await);
    }
}

#[tokio::test]
async fn a_changed_role_region_or_grant_counts_from_the_next_request() {
    let gateway = Gateway::demo().await;
    let check = Check::on(&gateway).await;
    let user = gateway.sign_in(ANALYST.0, ANALYST.1).await;
    let set =
        async |what: &str| gateway.execute(&format!("UPDATE users SET {what} WHERE email = '{}'", ANALYST.0)).await;
    let of_home =
        |table: &str| format!("{table} WHERE organization_id = (SELECT id FROM organizations WHERE slug = '{HOME}')");
    let (logs, deals) = (count(&gateway, &of_home("audit_logs")).await, count(&gateway, &of_home("deals")).await);
    assert!(logs > 0);
    assert_eq!((total(&user, "auditLogs").await, total(&user, "deals").await), (0, deals));
    set("role = 'FINANCE_MANAGER'").await;
    assert_eq!(total(&user, "auditLogs").await, logs);
    set("role = 'VIEWER', region = 'Europe'").await;
    assert_eq!(total(&user, "auditLogs").await, 0);
    assert!((1..deals).contains(&total(&user, "deals").await));
    check.roots(&user, ANALYST).await;
    // The two roles that see all regions see all of them, whatever is set.
    set("role = 'ADMIN', department = 'Engineering'").await;
    assert_eq!((total(&user, "auditLogs").await, total(&user, "deals").await), (logs, deals));
    assert!(total(&user, "kpiSummaries").await > 0);
    set("role = 'CFO'").await;
    check.roots(&user, ANALYST).await;
    // A place that nobody knows shows nothing rather than everything.
    set("role = 'ANALYST', region = 'Atlantis', department = 'Alchemy'").await;
    for field in
        ["deals", "financialMetrics", "budgets", "anomalies", "departments", "departmentCosts", "pipelineSummaries"]
    {
        assert_eq!(total(&user, field).await, 0, "{field}");
    }
}

#[tokio::test]
async fn the_audit_log_is_for_those_with_the_permission() {
    let gateway = Gateway::demo().await;
    let all = async || {
        count(&gateway, &format!("audit_logs JOIN organizations o ON o.id = organization_id AND slug = '{HOME}'")).await
    };
    for person in [SARAH, MANAGER, ADMIN] {
        let user = gateway.sign_in(person.0, person.1).await;
        assert_eq!(total(&user, "auditLogs").await, all().await, "{}", person.0);
    }
    for person in [ANALYST, VIEWER] {
        let user = gateway.sign_in(person.0, person.1).await;
        let grant = async |names: &str| {
            gateway.execute(&format!("UPDATE users SET permissions = '{names}' WHERE email = '{}'", person.0)).await;
        };
        let through = "{ me { user { organization { auditLogs { totalCount } } } } }";
        assert_eq!(total(&user, "auditLogs").await, 0, "{}", person.0);
        assert_eq!(user.data(through).await["me"]["user"]["organization"]["auditLogs"]["totalCount"], 0);
        grant("[\"audit\", \"audit:everything\", \"AUDIT:READ\", \"*\", 7, null]").await;
        assert_eq!(total(&user, "auditLogs").await, 0, "{}", person.0);
        let before = user.data("{ me { permissions { name } } }").await;
        grant("[\"audit:read\"]").await;
        assert_eq!(total(&user, "auditLogs").await, all().await, "{}", person.0);
        let after = user.data("{ me { permissions { name } } }").await;
        let number = |me: &Value| me["me"]["permissions"].as_array().expect("permissions").len();
        assert_eq!(number(&after), number(&before) + 1);
    }
}

#[tokio::test]
async fn conversations_scenarios_and_sessions_are_ones_own_or_shared() {
    let gateway = Gateway::demo().await;
    let (who, user) = (Who::is(&gateway, ANALYST).await, gateway.sign_in(ANALYST.0, ANALYST.1).await);
    let cfo = gateway.cfo().await;
    let me = &who.id;
    // Three kinds that are seen, and one that is not: each occurs.
    let scenarios = format!("scenarios WHERE organization_id = '{}'", who.organization);
    let mut seen = 0;
    for kind in [format!("created_by = '{me}'"), "is_template".to_owned(), format!("'{me}' = ANY (shared_with)")] {
        let number = count(&gateway, &format!("{scenarios} AND {kind}")).await;
        assert!(number > 0, "{kind}");
        seen = seen.max(number);
    }
    assert!(total(&user, "scenarios").await > seen);
    let all = count(&gateway, &scenarios).await;
    assert!(total(&user, "scenarios").await < all);
    assert_eq!(total(&cfo, "scenarios").await, all);
    for (field, table, column) in
        [("aiConversations", "ai_conversations", "user_id"), ("userSessions", "user_sessions", "user_id")]
    {
        let own = count(&gateway, &format!("{table} WHERE {column} = '{me}'")).await;
        assert!(own > 0 && own < count(&gateway, table).await, "{table}");
        assert_eq!(total(&user, field).await, own, "{field}");
    }
    // The CFO sees the sessions of its people, but not what they say to the assistant.
    let of_mine = "{ userId: { eq: \"ME\" } }".replace("ME", me);
    assert!(total(&cfo, &format!("userSessions(filter: {of_mine})")).await > 0);
    assert_eq!(total(&cfo, &format!("aiConversations(filter: {of_mine})")).await, 0);
    let messages = format!("aiMessages(filter: {{ conversation: {of_mine} }})");
    assert!(total(&user, &messages).await > 0);
    assert_eq!(total(&cfo, &messages).await, 0);
}

// Workspaces.

#[tokio::test]
async fn only_active_members_see_anything_of_a_workspace() {
    let gateway = Gateway::demo().await;
    let workspace = opened_by(&gateway, SARAH).await;
    let agent = gateway.sign_in(AGENT.0, AGENT.1).await;
    for (name, number) in seen_of(&agent, &workspace).await {
        assert!(number > 0, "the demo workspace has no {name}");
    }
    let nothing = |seen: BTreeMap<String, u64>| seen.values().all(|number| *number == 0);
    // Pending, removed, of the host but no member, of another organization.
    for person in [LEGAL_2, INVESTOR_2, ADMIN, VICTOR] {
        let user = gateway.sign_in(person.0, person.1).await;
        assert!(nothing(seen_of(&user, &workspace).await), "{}", person.0);
    }
    let late = gateway.sign_in(LEGAL_2.0, LEGAL_2.1).await;
    let set = async |what: &str, (email, _): (&str, &str)| {
        let whose =
            format!("user_id = (SELECT id FROM users WHERE email = '{email}') AND workspace_id = '{workspace}'");
        gateway.execute(&format!("UPDATE workspace_members SET {what} WHERE {whose}")).await;
    };
    set("status = 'active', joined_at = now()", LEGAL_2).await;
    assert_eq!(seen_of(&late, &workspace).await, seen_of(&agent, &workspace).await);
    set("status = 'removed'", LEGAL_2).await;
    assert!(nothing(seen_of(&late, &workspace).await));
    set("role = 'investor'", AGENT).await;
    let before = count(&gateway, &format!("drift_items WHERE workspace_id = '{workspace}'")).await;
    assert!(seen_of(&agent, &workspace).await["driftItems"] < before);
    gateway.execute(&format!("UPDATE workspaces SET deleted_at = now() WHERE id = '{workspace}'")).await;
    assert!(nothing(seen_of(&agent, &workspace).await));
    assert!(nothing(seen_of(&gateway.cfo().await, &workspace).await));
    Check::on(&gateway).await.roots(&agent, AGENT).await;
}

#[tokio::test]
async fn agent_legal_and_risk_see_all_of_drift_and_audit() {
    let gateway = Gateway::demo().await;
    let workspace = opened_by(&gateway, SARAH).await;
    let query = format!(
        "{{ driftItems(first: 500, filter: {{ workspaceId: {{ eq: \"{workspace}\" }} }}) {{ totalCount nodes {{ status approvalReason reasonCategory }} }}
            auditEvents(filter: {{ workspaceId: {{ eq: \"{workspace}\" }} }}) {{ totalCount }} }}"
    );
    for person in [SARAH, AGENT, LEGAL, RISK] {
        let data = gateway.sign_in(person.0, person.1).await.data(&query).await;
        for (field, table) in [("driftItems", "drift_items"), ("auditEvents", "audit_events")] {
            let all = count(&gateway, &format!("{table} WHERE workspace_id = '{workspace}'")).await;
            assert_eq!(data[field]["totalCount"], all, "{}: {field}", person.0);
        }
        let drift = data["driftItems"]["nodes"].as_array().expect("nodes");
        assert!(drift.iter().any(|item| item["status"] == "UNRESOLVED"), "{}", person.0);
        let reasons =
            drift.iter().filter(|item| item["approvalReason"].is_string() && item["reasonCategory"].is_string());
        assert!(reasons.count() > 0, "{}", person.0);
    }
}

#[tokio::test]
async fn investors_see_settled_drift_without_its_reasons_and_cannot_guess_them() {
    let gateway = Gateway::demo().await;
    let workspace = opened_by(&gateway, SARAH).await;
    let (who, user) = (Who::is(&gateway, INVESTOR).await, gateway.sign_in(INVESTOR.0, INVESTOR.1).await);
    let settled =
        count(&gateway, &format!("drift_items WHERE workspace_id = '{workspace}' AND status <> 'unresolved'")).await;
    assert!(settled > 0);
    let of = format!("workspaceId: {{ eq: \"{workspace}\" }}");
    let query = format!(
        "{{ driftItems(first: 500, filter: {{ {of} }}) {{ nodes {{ id status approvalReason reasonCategory }} }}
            auditEvents(first: 500, filter: {{ {of} }}) {{ nodes {{ eventType actorId }} }} }}"
    );
    let data = user.data(&query).await;
    let drift = data["driftItems"]["nodes"].as_array().expect("nodes");
    assert_eq!(drift.len() as u64, settled);
    for item in drift {
        assert!(
            item["status"] != "UNRESOLVED" && item["approvalReason"].is_null() && item["reasonCategory"].is_null(),
            "{item}"
        );
    }
    let events = data["auditEvents"]["nodes"].as_array().expect("nodes");
    assert!(events.iter().any(|event| event["eventType"] == "PUBLISH"), "{events:?}");
    for event in events {
        assert!(event["eventType"] == "PUBLISH" || event["actorId"] == who.id.as_str(), "{event}");
    }
    // Whatever the reasons are, every question about them has the same answer.
    let conditions = [
        "approvalReason: { isNull: true }",
        "approvalReason: { isNull: false }",
        "approvalReason: { contains: \"e\" }",
        "approvalReason: { gt: \"a\" }",
        "approvalReason: { ne: \"x\" }",
        "reasonCategory: { eq: OTHER }",
        "reasonCategory: { notIn: [OTHER] }",
        "not: { reasonCategory: { in: [OTHER, CREDIT_UPDATE] } }",
        "or: [{ reasonCategory: { eq: BORROWER_REQUEST } }, { approvalReason: { startsWith: \"T\" } }]",
    ];
    let mut questions = String::new();
    for (i, condition) in conditions.iter().enumerate() {
        questions +=
            &format!("own{i}: driftItems(first: 500, filter: {{ {condition} }}) {{ totalCount nodes {{ id }} }} ");
        let some = format!("driftItems: {{ some: {{ {condition} }} }}");
        questions += &format!("some{i}: clauses(first: 500, filter: {{ {some} }}) {{ totalCount nodes {{ id }} }} ");
        questions += &format!(
            "one{i}: workspaces(filter: {{ {some} }}) {{ nodes {{ id driftItems(filter: {{ {condition} }}) {{ totalCount }} }} }} "
        );
    }
    for field in ["APPROVAL_REASON", "REASON_CATEGORY"] {
        for order in ["ASC, nulls: FIRST", "ASC", "DESC, nulls: FIRST", "DESC"] {
            let alias = format!("{field}{}", order.replace([' ', ',', ':'], ""));
            questions += &format!(
                "{alias}: driftItems(first: 500, orderBy: [{{ field: {field}, direction: {order} }}]) {{ edges {{ cursor node {{ id }} }} }} "
            );
        }
    }
    let questions = format!("{{ {questions} }}");
    let before = user.data(&questions).await;
    assert_eq!(before["own1"]["totalCount"], 0);
    assert!(before["own0"]["totalCount"].as_u64() >= Some(settled));
    gateway
        .execute(
            "UPDATE drift_items SET approval_reason = md5(id::text || approval_reason),
                reason_category = CASE WHEN id::text < '8' THEN 'credit_update' ELSE 'other' END::reason_category
              WHERE status <> 'unresolved'",
        )
        .await;
    assert_eq!(user.data(&questions).await, before);
    assert_ne!(gateway.sign_in(AGENT.0, AGENT.1).await.data(&questions).await, before);
}

// People.

/// What others than colleagues must not know of a user, as `field`, a condition that could reveal it, and its order field.
const PRIVATE: [(&str, &str, &str); 10] = [
    ("role", "role: { eq: CFO }", "ROLE"),
    ("region", "region: { isNull: false }", "REGION"),
    ("department", "department: { isNull: false }", "DEPARTMENT"),
    ("status", "status: { eq: ACTIVE }", "STATUS"),
    ("mfaEnabled", "mfaEnabled: { eq: false }", "MFA_ENABLED"),
    ("lastLoginAt", "lastLoginAt: { gt: \"2000-01-01T00:00:00Z\" }", "LAST_LOGIN_AT"),
    ("failedLoginAttempts", "failedLoginAttempts: { gte: 0 }", "FAILED_LOGIN_ATTEMPTS"),
    ("lockedUntil", "lockedUntil: { isNull: false }", "LOCKED_UNTIL"),
    ("externalId", "externalId: { isNull: false }", "EXTERNAL_ID"),
    ("identityProvider", "identityProvider: { isNull: false }", "IDENTITY_PROVIDER"),
];

#[tokio::test]
async fn of_members_from_elsewhere_one_knows_the_name_and_nothing_else() {
    let gateway = Gateway::demo().await;
    let sarah = Who::is(&gateway, SARAH).await.id;
    let private: String = PRIVATE.iter().map(|(field, ..)| format!("{field} ")).collect();
    let query = format!(
        "{{ user(id: \"{sarah}\") {{ name email {private} permissions preferences {{ theme }}
            organization {{ name settings {{ currency }} subscriptionTier subscriptionStatus }} }} }}"
    );
    let agent = gateway.sign_in(AGENT.0, AGENT.1).await;
    for person in [AGENT, LEGAL, RISK, INVESTOR] {
        let mut data = gateway.sign_in(person.0, person.1).await.data(&query).await;
        let user = data["user"].as_object_mut().expect("a user");
        assert_eq!(user.remove("name"), Some(json!("Sarah Chen")));
        assert_eq!(user.remove("email"), Some(json!(SARAH.0)));
        let expected = json!({ "name": "Aether Demo Corp", "settings": null, "subscriptionTier": null, "subscriptionStatus": null });
        assert_eq!(user.remove("organization"), Some(expected));
        for (field, value) in user {
            assert_eq!(*value, Value::Null, "{}: {field}", person.0);
        }
    }
    // Colleagues know the role; whoever manages users, and she herself, know the rest too.
    let colleague = gateway.sign_in(ANALYST.0, ANALYST.1).await.data(&query).await;
    assert_eq!(colleague["user"]["role"], "CFO");
    assert_eq!(colleague["user"]["organization"]["settings"]["currency"], "USD");
    assert_eq!(
        (&colleague["user"]["failedLoginAttempts"], &colleague["user"]["permissions"]),
        (&Value::Null, &Value::Null)
    );
    for person in [SARAH, ADMIN] {
        let user = gateway.sign_in(person.0, person.1).await;
        assert_eq!(user.data(&query).await["user"]["failedLoginAttempts"], 0, "{}", person.0);
    }
    // Whatever her row holds, every question about it has the same answer.
    let mut questions = String::new();
    let conditions = PRIVATE.iter().map(|(_, condition, _)| *condition).chain([
        "permissions: { isNull: false }",
        "permissions: { hasKey: \"audit:read\" }",
        "preferences: { contains: { theme: \"dark\" } }",
        "organization: { subscriptionTier: { eq: ENTERPRISE }, id: { isNull: false } }",
        "organization: { subscriptionStatus: { isNull: false } }",
        "organization: { settings: { hasKey: \"currency\" } }",
    ]);
    for (i, condition) in conditions.enumerate() {
        let hers = format!("id: {{ eq: \"{sarah}\" }}, {condition}");
        questions += &format!("is{i}: users(filter: {{ {hers} }}) {{ totalCount }} ");
        questions += &format!(
            "not{i}: users(filter: {{ id: {{ eq: \"{sarah}\" }}, not: {{ {condition} }} }}) {{ totalCount }} "
        );
        questions += &format!("member{i}: workspaceMembers(filter: {{ user: {{ {hers} }} }}) {{ totalCount }} ");
        questions += &format!("opened{i}: workspaces(filter: {{ createdBy: {{ {hers} }} }}) {{ totalCount }} ");
    }
    for (field, _, order) in PRIVATE {
        questions += &format!(
            "{field}Up: users(first: 500, orderBy: [{{ field: {order} }}]) {{ edges {{ cursor node {{ id }} }} }} "
        );
        questions += &format!(
            "{field}Down: users(first: 500, orderBy: [{{ field: {order}, direction: DESC, nulls: FIRST }}]) {{ edges {{ cursor node {{ id }} }} }} "
        );
    }
    let questions = format!("{{ {questions} }}");
    let before = agent.data(&questions).await;
    for (key, answer) in
        before.as_object().expect("data").iter().filter(|(key, _)| !key.ends_with("Up") && !key.ends_with("Down"))
    {
        assert_eq!(answer["totalCount"] == 0, !key.starts_with("not"), "{key}: {answer}");
    }
    gateway
        .execute(&format!(
            "UPDATE users SET role = 'VIEWER', region = 'Europe', department = 'Sales', status = 'locked', mfa_enabled = true,
                last_login_at = now() - interval '9 years', failed_login_attempts = 3, locked_until = now(), external_id = 'x',
                identity_provider = 'okta', permissions = '[\"audit:read\"]', preferences = '{{\"theme\": \"dark\"}}'
              WHERE id = '{sarah}'"
        ))
        .await;
    gateway
        .execute(&format!(
            "UPDATE organizations SET subscription_tier = 'starter', settings = '{{}}' WHERE slug = '{HOME}'"
        ))
        .await;
    assert_eq!(agent.data(&questions).await, before);
}

#[tokio::test]
async fn what_was_deleted_is_invisible_everywhere() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let agent = gateway.sign_in(AGENT.0, AGENT.1).await;
    for table in ["users", "organizations"] {
        assert!(count(&gateway, &format!("{table} WHERE deleted_at IS NOT NULL")).await > 0, "{table}");
    }
    let owner = gateway
        .value(&format!(
            "SELECT owner_id FROM deals JOIN users u ON u.id = owner_id WHERE u.email NOT IN ('{}', '{}') LIMIT 1",
            SARAH.0, VICTOR.0
        ))
        .await;
    let query = format!(
        "{{ user(id: {owner}) {{ id }} users(filter: {{ id: {{ eq: {owner} }} }}) {{ totalCount }}
            deals(first: 1, filter: {{ ownerId: {{ eq: {owner} }} }}) {{ totalCount nodes {{ ownerId owner {{ id }} }} }}
            owned: deals(filter: {{ owner: {{ id: {{ eq: {owner} }} }} }}) {{ totalCount }} }}"
    );
    let before = cfo.data(&query).await;
    assert_eq!((&before["user"]["id"], &before["deals"]["nodes"][0]["owner"]["id"]), (&owner, &owner));
    let workspace = opened_by(&gateway, MANAGER).await;
    gateway
        .execute(&format!("UPDATE users SET deleted_at = now() WHERE id = {}", owner.to_string().replace('"', "'")))
        .await;
    gateway.execute(&format!("UPDATE workspaces SET deleted_at = now() WHERE id = '{workspace}'")).await;
    gateway.execute(&format!("UPDATE organizations SET deleted_at = now() WHERE slug = '{}'", LEGAL.1)).await;
    let after = cfo.data(&query).await;
    assert_eq!(
        (&after["user"], &after["users"]["totalCount"], &after["owned"]["totalCount"]),
        (&Value::Null, &json!(0), &json!(0))
    );
    assert_eq!(after["deals"]["totalCount"], before["deals"]["totalCount"]);
    assert_eq!(after["deals"]["nodes"][0], json!({ "ownerId": owner, "owner": null }));
    let check = Check::on(&gateway).await;
    for user in [&cfo, &agent] {
        assert_eq!(total(user, &format!("organizations(filter: {{ slug: {{ eq: \"{}\" }} }})", LEGAL.1)).await, 0);
        assert!(seen_of(user, &workspace).await.values().all(|number| *number == 0));
    }
    check.whole(&cfo, SARAH).await;
    check.roots(&agent, AGENT).await;
}

#[tokio::test]
async fn who_may_no_longer_act_is_refused_from_the_next_request() {
    let gateway = Gateway::demo().await;
    let user = gateway.sign_in(ANALYST.0, ANALYST.1).await;
    let session = user.data("{ me { sessionId } }").await["me"]["sessionId"].as_str().expect("an id").to_owned();
    let query = "{ deals(first: 1) { nodes { id } } }";
    let refused = async |why: &str| {
        for query in [
            query,
            "{ me { sessionId } }",
            "{ deals { totalCount } }",
            "{ organization(id: \"00000000-0000-0000-0000-000000000000\") { id } }",
        ] {
            let answer = user.query(query).await;
            assert_eq!(answer.code(), "UNAUTHENTICATED", "{why}: {query}");
            let data = answer.body["data"].as_object();
            assert!(data.is_none_or(|data| data.values().all(Value::is_null)), "{why}: {query}");
        }
    };
    let person = format!("users SET WHAT WHERE email = '{}'", ANALYST.0);
    let organization = format!("organizations SET WHAT WHERE slug = '{HOME}'");
    let session = format!("user_sessions SET WHAT WHERE id = '{session}'");
    for (row, what, undo) in [
        (&person, "status = 'inactive'", "status = 'active'"),
        (&person, "status = 'locked'", "status = 'active'"),
        (&person, "status = 'pending'", "status = 'active'"),
        (&person, "deleted_at = now()", "deleted_at = NULL"),
        (&organization, "subscription_status = 'suspended'", "subscription_status = 'active'"),
        (&organization, "subscription_status = 'cancelled'", "subscription_status = 'active'"),
        (&organization, "deleted_at = now()", "deleted_at = NULL"),
        (&session, "expires_at = created_at", "expires_at = now() + interval '1 day'"),
        (&session, "revoked_at = now()", "revoked_at = NULL"),
    ] {
        user.data(query).await;
        gateway.execute(&format!("UPDATE {}", row.replace("WHAT", what))).await;
        refused(what).await;
        gateway.execute(&format!("UPDATE {}", row.replace("WHAT", undo))).await;
    }
    user.data(query).await;
}
