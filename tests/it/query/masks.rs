//! What a mask hides is hidden on every way to it: as a value, as a reference from either side, in filters, orders, cursors,
//! counts and live messages.

use std::collections::BTreeSet;

use aether_entity::catalog::Kind;
use aether_store::model::{ColumnField, Model, Relation, Type, orderable};
use serde_json::{Value, json};

use crate::{
    loan::terms::SharedWorkspace,
    support::{Gateway, User},
};

/// The references that a mask hides, as the types' names and the fields that follow them from either side.
fn masked_references() -> Vec<(&'static Type, &'static str, &'static Type, &'static str)> {
    let model = Model::get();
    let mut found = Vec::new();
    for ty in &model.types {
        for (forward, relation) in
            ty.relations().filter(|(_, r)| !r.many && r.from == ty.id && ty.is_masked(r.from_column))
        {
            let to = &model.types[relation.to];
            let is_back = |back: &Relation| back.to == ty.id && back.to_column == relation.from_column;
            let (back, _) = to.relations().find(|(_, back)| is_back(back)).expect("the other direction");
            found.push((ty, forward.name.as_str(), to, back.name.as_str()));
        }
    }
    found
}

#[tokio::test]
async fn a_masked_reference_leads_nowhere_from_either_side() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    // Somebody whom everybody in the workspace sees has asked for overrides, also of what was settled.
    gateway
        .execute(&format!(
            "UPDATE drift_items SET override_requested_by = u.id, override_requested_at = now(), override_reason = 'Because'
               FROM users u WHERE u.email = 'agent@northgate-bank.example' AND workspace_id = '{0}';
             UPDATE variables SET last_modified_by = u.id FROM users u
              WHERE u.email = 'agent@northgate-bank.example' AND workspace_id = '{0}'",
            workspace.id
        ))
        .await;
    let references = masked_references();
    let names: BTreeSet<_> = references.iter().map(|(ty, forward, ..)| format!("{}.{forward}", ty.name)).collect();
    assert_eq!(
        names,
        BTreeSet::from(["DriftItem.overrideRequestedByUser".into(), "Variable.lastModifiedByUser".into()])
    );
    for (ty, forward, to, back) in references {
        let query = format!(
            "{{ nodes: {many}(first: 500) {{ totalCount nodes {{ id {forward} {{ id name }} }} }}
                led: {many}(filter: {{ {forward}: {{ id: {{ isNull: false }} }} }}) {{ totalCount nodes {{ id }} }}
                named: {many}(filter: {{ {forward}: {{ name: {{ contains: \"a\" }} }} }}) {{ totalCount }}
                unled: {many}(filter: {{ not: {{ {forward}: {{ id: {{ isNull: false }} }} }} }}) {{ totalCount }}
                others: {others}(first: 500) {{ totalCount nodes {{ id {back}(first: 1) {{ totalCount nodes {{ id }} pageInfo {{ hasNextPage }} }} }} }}
                some: {others}(filter: {{ {back}: {{ some: {{}} }} }}) {{ totalCount nodes {{ id }} }}
                none: {others}(filter: {{ {back}: {{ none: {{}} }} }}) {{ totalCount }}
                through: {others}(filter: {{ {back}: {{ some: {{ {forward}: {{ id: {{ isNull: false }} }} }} }} }}) {{ totalCount }} }}",
            many = ty.plural,
            others = to.plural,
        );
        let what = format!("{}.{forward}", ty.name);
        let led = |data: &Value| {
            let some =
                |value: &Value| value.as_array().expect("nodes").iter().filter(|node| !node[forward].is_null()).count();
            let back = |value: &Value| {
                let nodes = value.as_array().expect("nodes").iter();
                nodes.filter(|node| node[back]["totalCount"] != 0 || node[back]["nodes"] != json!([])).count()
            };
            (some(&data["nodes"]["nodes"]), back(&data["others"]["nodes"]))
        };
        let agent = workspace.agent.data(&query).await;
        assert!(led(&agent).0 > 0 && led(&agent).1 > 0, "{what}: nobody sees it, so there is nothing to hide");
        for field in ["led", "named", "some", "through"] {
            assert_ne!(agent[field]["totalCount"], 0, "{what}: {field}");
        }
        let investor = workspace.investor.data(&query).await;
        assert!(investor["nodes"]["totalCount"].as_u64() > Some(0), "{what}: no row to hide it in");
        assert_eq!(led(&investor), (0, 0), "{what}");
        for field in ["led", "named", "some", "through"] {
            assert_eq!(investor[field]["totalCount"], 0, "{what}: {field}");
        }
        assert_eq!(investor["unled"]["totalCount"], investor["nodes"]["totalCount"], "{what}");
        assert_eq!(investor["none"]["totalCount"], investor["others"]["totalCount"], "{what}");
    }
}

/// Everything that can be asked about the rows of a type: values, orders with cursors, relations, conditions on what is masked.
fn questions(ty: &Type) -> String {
    let model = Model::get();
    let columns: String = ty
        .columns()
        .filter(|(_, column)| column.shape.is_none())
        .map(|(field, _)| format!("{} ", field.name))
        .collect();
    let counts = |(field, relation): (&aether_store::model::Field, Relation)| match relation.many {
        true => format!("{}(first: 20) {{ totalCount nodes {{ id }} }} ", field.name),
        false => format!("{} {{ id }} ", field.name),
    };
    // What is outside of workspaces is not what this is about.
    let inside = |relation: &Relation| model.types[relation.to].table.column("workspace_id").is_some();
    let relations: String = ty.relations().filter(|(_, relation)| inside(relation)).map(counts).collect();
    let mut asked = format!("all: {}(first: 500) {{ totalCount nodes {{ {columns} {relations} }} }} ", ty.plural);
    let mut ask = |condition: String| {
        let number = asked.len();
        asked += &format!(
            "q{number}: {}(first: 500, filter: {{ {condition} }}) {{ totalCount nodes {{ id }} }} ",
            ty.plural
        );
    };
    for (field, column) in ty.columns().filter(|(_, column)| ty.is_masked(column.index)) {
        for condition in conditions(column) {
            ask(format!("{}: {{ {condition} }}", field.name));
            ask(format!("not: {{ {}: {{ {condition} }} }}", field.name));
        }
    }
    for (field, _) in ty.relations().filter(|(_, relation)| relation.many && inside(relation)) {
        ask(format!("{}: {{ some: {{}} }}", field.name));
        ask(format!("{}: {{ none: {{}} }}", field.name));
    }
    for (_, column) in ty.columns().filter(|(_, column)| orderable(column.kind)) {
        let field = ty.table.columns[column.index].name.to_uppercase();
        for direction in ["ASC", "DESC"] {
            asked += &format!(
                "{direction}_{field}: {}(first: 500, orderBy: [{{ field: {field}, direction: {direction} }}]) {{ edges {{ cursor node {{ id }} }} }} ",
                ty.plural
            );
        }
    }
    asked
}

fn conditions(column: ColumnField) -> Vec<&'static str> {
    let mut conditions = vec!["isNull: true", "isNull: false"];
    conditions.extend(match column.kind {
        Kind::Text => &["contains: \"e\"", "gt: \"3\"", "ne: \"x\""][..],
        Kind::Boolean => &["eq: true", "ne: true"],
        Kind::Int => &["gte: 1", "in: [0, 1]"],
        Kind::Timestamp => &["gt: \"2026-01-01T00:00:00Z\""],
        Kind::Json => &["hasKey: \"version\"", "contains: {}"],
        Kind::Uuid => &["notIn: []"],
        Kind::Enum(definition) if definition.name == "reason_category" => &["in: [OTHER, CREDIT_UPDATE]"],
        kind => panic!("ask about a masked column of {kind:?}, too"),
    });
    conditions
}

/// All that can be asked about workspaces, as somebody is answered.
async fn answers(user: &User<'_>) -> Vec<(&'static str, Value)> {
    let mut answers = Vec::new();
    for ty in Model::get().types.iter().filter(|ty| ty.table.column("workspace_id").is_some()) {
        answers.push((ty.name, user.data(&format!("{{ {} }}", questions(ty))).await));
    }
    answers
}

#[tokio::test]
async fn investors_are_answered_the_same_whatever_drift_is_unsettled() {
    let gateway = Gateway::with(&["--max-rows", "100000000"]).await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let before = (answers(&workspace.investor).await, answers(&workspace.agent).await);
    // Past the triggers, which count versions: only what tells of unsettled drift changes.
    gateway
        .execute(
            "SET session_replication_role = replica;
             UPDATE variables SET baseline_value = md5(variables.id::text), last_modified_by = created.id
               FROM (SELECT id FROM users WHERE email = 'risk@northgate-bank.example') created;
             UPDATE graph_nodes SET has_drift = NOT has_drift, has_warning = NOT has_warning, updated_at = now();
             UPDATE golden_records SET unresolved_high_drift_count = unresolved_high_drift_count + 7, schema_json = '{\"a\": 1}';
             UPDATE golden_record_versions SET document = document || '{\"unresolvedHighDriftCount\": 7}';
             UPDATE reconciliation_items SET baseline_value = md5(id::text);
             DELETE FROM graph_warnings WHERE kind = 'SENSITIVE_DRIFT';
             INSERT INTO graph_warnings (workspace_id, graph_node_id, kind, subject, message)
             SELECT DISTINCT ON (workspace_id) workspace_id, id, 'SENSITIVE_DRIFT'::graph_warning_kind, 'Test', 'Drift.' FROM graph_nodes;
             DELETE FROM drift_items WHERE status = 'unresolved' AND id::text < '8';
             INSERT INTO drift_items (workspace_id, clause_id, variable_id, title, type, severity, baseline_value, baseline_approved_at,
                    current_value, current_modified_at, current_modified_by)
             SELECT v.workspace_id, v.clause_id, v.id, 'More', 'financial', 'HIGH', '1%', now(), '2%', now(), v.last_modified_by FROM variables v
              WHERE NOT EXISTS (SELECT FROM drift_items d WHERE d.variable_id = v.id AND d.status = 'unresolved');
             SET session_replication_role = DEFAULT",
        )
        .await;
    let after = (answers(&workspace.investor).await, answers(&workspace.agent).await);
    for ((ty, was), (_, is)) in before.0.iter().zip(&after.0) {
        for (question, answer) in was.as_object().expect("data") {
            assert_eq!(is[question], *answer, "{ty}: {question}");
        }
    }
    // Others see the difference, in every type that has something to hide.
    let changed = before.1.iter().zip(&after.1).filter(|(was, is)| was != is).map(|((ty, _), _)| *ty);
    let changed: BTreeSet<_> = changed.collect();
    for ty in [
        "Variable",
        "GraphNode",
        "GraphWarning",
        "GoldenRecord",
        "GoldenRecordVersion",
        "ReconciliationItem",
        "DriftItem",
    ] {
        assert!(changed.contains(ty), "{ty}: {changed:?}");
    }
}

#[tokio::test]
async fn investors_see_what_was_settled_and_that_something_is_open() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let clause = workspace.clause("financial", true, "The margin.").await;
    let variable = workspace.bind(&clause, "Margin", "FINANCIAL", "3.00%").await;
    workspace.edit(&workspace.legal, &variable, "3.20%").await.ok();
    let query = format!(
        "{{ variable(id: \"{variable}\") {{
             value baselineValue lastModifiedByUser {{ name }}
             graphNodes {{ nodes {{ id nodeId value hasDrift hasWarning }} }}
             clause {{ graphNodes {{ nodes {{ warnings {{ nodes {{ kind }} }} }} }} }}
             driftItems {{ totalCount nodes {{ status severity baselineValue currentValue }} }}
             workspace {{ graphState {{ integrityScore }} goldenRecord {{ status integrityScore unresolvedHighDriftCount }} }} }} }}"
    );
    let of = |data: Value| data["variable"].clone();
    let (agent, investor) = (of(workspace.agent.data(&query).await), of(workspace.investor.data(&query).await));
    assert_eq!((&agent["baselineValue"], &investor["baselineValue"]), (&json!("3.00%"), &Value::Null));
    assert_eq!(agent["graphNodes"]["nodes"][0]["hasDrift"], true);
    let node = &investor["graphNodes"]["nodes"][0];
    assert_eq!((&node["hasDrift"], &node["hasWarning"], &node["value"]), (&Value::Null, &Value::Null, &json!("3.20%")));
    assert_eq!(investor["driftItems"], json!({ "totalCount": 0, "nodes": [] }));
    assert_eq!(investor["lastModifiedByUser"], Value::Null);
    // That something is open, they may know.
    assert!(agent["workspace"]["goldenRecord"]["unresolvedHighDriftCount"].is_number());
    assert_eq!(investor["workspace"]["goldenRecord"]["unresolvedHighDriftCount"], Value::Null);
    for field in ["status", "integrityScore"] {
        assert_eq!(investor["workspace"]["goldenRecord"][field], agent["workspace"]["goldenRecord"][field]);
    }
    assert_eq!(investor["workspace"]["graphState"], agent["workspace"]["graphState"]);

    let global = node["nodeId"].as_str().expect("an id");
    let from = format!("SELECT source_id FROM graph_edges WHERE workspace_id = '{}' LIMIT 1", workspace.id);
    let from = gateway.value(&from).await;
    let others = format!(
        "{{ node(nodeId: \"{global}\") {{ ... on GraphNode {{ value hasDrift }} }} impactOf(nodeId: {from}) {{ label hasDrift hasWarning }} }}"
    );
    let (seen, told) = (workspace.agent.data(&others).await, workspace.investor.data(&others).await);
    assert_eq!(seen["node"], json!({ "value": "3.20%", "hasDrift": true }));
    assert_eq!(told["node"], json!({ "value": "3.20%", "hasDrift": null }));
    let impact = |data: &Value| data["impactOf"].as_array().expect("nodes").clone();
    assert_eq!(impact(&told).len(), impact(&seen).len());
    assert!(impact(&seen).iter().all(|node| node["hasDrift"].is_boolean()) && !impact(&seen).is_empty(), "{seen}");
    assert!(impact(&told).iter().all(|node| node["hasDrift"].is_null() && node["hasWarning"].is_null()), "{told}");

    // Once it is settled, it is theirs to see.
    let item = workspace.open(&variable).await;
    workspace.settle(&workspace.risk, "approveDrift", &item, "Within appetite").await.ok();
    let settled = of(workspace.investor.data(&query).await)["driftItems"].clone();
    let expected =
        json!({ "status": "APPROVED", "severity": "MEDIUM", "baselineValue": "3.00%", "currentValue": "3.20%" });
    assert_eq!(settled, json!({ "totalCount": 1, "nodes": [expected] }));
}
