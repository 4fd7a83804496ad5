//! The tamper-evident audit trail: rows are sealed, proofs convince an auditor, and tampering is found and named.

mod auditor;
mod tampering;
mod trees;

use std::collections::HashMap;

use aether_server::config::Cli;
use aether_store::audit_log::Keys;
use clap::Parser;
use serde_json::{Value, json};

use self::auditor::{Hash, Head, hash, hashes, head, leaf, leaf_of, number, root_of, roots_of};
use crate::{
    database::guarantees::{count, refusal, store, string},
    support::{Gateway, HOME, User},
};

const HEAD: &str = "query($workspace: UUID) { auditTreeHead(workspaceId: $workspace) {
    treeId treeSize rootHash sealedAt signature publicKey } }";
const INCLUSION: &str = "query($id: UUID!, $size: BigInt) {
    auditInclusionProof(id: $id, treeSize: $size) { treeId leafIndex leafHash content treeSize path rootHash } }";
const CONSISTENCY: &str = "query($first: BigInt!, $second: BigInt!) {
    auditConsistencyProof(first: $first, second: $second) { path firstRoot secondRoot } }";

/// The keys of a gateway that is told none.
fn keys() -> Keys {
    Cli::parse_from(["aether-nexus"]).config.audit_keys()
}

/// Seals what is pending and tells how many rows that were.
async fn seal(gateway: &Gateway) -> u64 {
    store(gateway).await.seal_audit(&keys()).await.expect("it seals")
}

/// The newest head of the user's organization.
async fn newest(user: &User<'_>) -> Head {
    head(&user.data(HEAD).await["auditTreeHead"])
}

/// A proof of inclusion, verified.
async fn included(user: &User<'_>, id: &Value, size: Option<u64>) -> (u64, Hash, Hash) {
    let size = size.map(|size| size.to_string());
    let answer = user.run(INCLUSION, json!({ "id": id, "size": size })).await.ok();
    let proof = &answer["auditInclusionProof"];
    let (index, leaf, root) = (number(&proof["leafIndex"]), hash(&proof["leafHash"]), hash(&proof["rootHash"]));
    let path = hashes(&proof["path"]);
    assert_eq!(leaf_of(proof["content"].as_str().expect("text")), leaf, "{proof}");
    assert_eq!(root_of(index, number(&proof["treeSize"]), leaf, &path), Some(root), "{proof}");
    if let Some(size) = size {
        assert_eq!(proof["treeSize"], json!(size));
    }
    (index, leaf, root)
}

/// A proof of consistency, verified against a root that is known.
async fn consistent(user: &User<'_>, first: u64, known: Option<Hash>, second: u64) -> (Hash, Hash) {
    let answer = user.run(CONSISTENCY, json!({ "first": first.to_string(), "second": second.to_string() })).await.ok();
    let proof = &answer["auditConsistencyProof"];
    let roots = (hash(&proof["firstRoot"]), hash(&proof["secondRoot"]));
    let path = hashes(&proof["path"]);
    assert_eq!(roots_of(first, second, Some(known.unwrap_or(roots.0)), &path), Some(roots), "{first} to {second}");
    roots
}

#[tokio::test]
async fn every_row_is_sealed_once_in_its_order_and_what_is_hashed_is_documented() {
    let gateway = Gateway::demo().await;
    let rows = "(SELECT count(*) FROM audit_logs) + (SELECT count(*) FROM audit_events)";
    let total = count(&gateway, &format!("SELECT {rows}")).await;
    assert!(total > 1_500, "{total}");
    let pending = "SELECT count(*) FROM audit_pending";
    assert_eq!(count(&gateway, pending).await, total, "the demo data is loaded by COPY, and waits");
    // Two gateways at once: nothing is sealed twice.
    let (one, other) = tokio::join!(seal(&gateway), seal(&gateway));
    assert_eq!(one + other + seal(&gateway).await, total as u64);
    assert_eq!(count(&gateway, pending).await, 0);
    let heads = "SELECT count(*) FROM audit_tree_heads";
    let sealed = count(&gateway, heads).await;
    assert!(sealed >= total / 500, "{sealed}");
    let own = format!(
        "SELECT count(*) FROM audit_leaves WHERE tree_id = (SELECT id FROM organizations WHERE slug = '{HOME}')"
    );
    let own_total = count(&gateway, &own).await as u64;
    assert_eq!(seal(&gateway).await, 0);
    assert_eq!(count(&gateway, heads).await, sealed, "nothing new, no new head");

    // Whoever writes an audit row leaves it to be sealed; a refused login writes one, a login one of each.
    let cfo = gateway.cfo().await;
    assert_eq!(count(&gateway, pending).await, 2);
    assert_eq!(seal(&gateway).await, 2);
    let wrong = "mutation { login(email: \"viewer@aether-demo.com\", password: \"no\", organization: \"aether-demo\") { expiresIn } }";
    assert_eq!(gateway.stranger().query(wrong).await.code(), "UNAUTHENTICATED");
    assert_eq!(seal(&gateway).await, 1);
    assert_eq!(newest(&cfo).await.size, own_total + 3);

    // In the tree of its workspace or organization, without gaps, and each leaf is what the documentation says of its row.
    let leaves = gateway
        .rows("SELECT tree_id, leaf_index, source, row_id, leaf_hash FROM audit_leaves ORDER BY tree_id, leaf_index")
        .await;
    assert_eq!(leaves.len() as i64, total + 3);
    let organizations: HashMap<_, _> = gateway
        .rows("SELECT id, organization_id FROM users")
        .await
        .into_iter()
        .map(|user| (user["id"].to_string(), user["organization_id"].clone()))
        .collect();
    for table in ["audit_logs", "audit_events"] {
        for row in gateway.rows(&format!("SELECT * FROM {table}")).await {
            let mut of_row = leaves.iter().filter(|leaf| leaf["row_id"] == row["id"] && leaf["source"] == table);
            let sealed = of_row.next().unwrap_or_else(|| panic!("{table} {} is not sealed", row["id"]));
            assert_eq!(sealed["leaf_hash"], format!("\\x{}", hex::encode(leaf(table, &row))), "{row:#}");
            let tree = match table {
                "audit_logs" => &row["organization_id"],
                _ if !row["workspace_id"].is_null() => &row["workspace_id"],
                _ => &organizations[&row["actor_id"].to_string()],
            };
            assert_eq!(&sealed["tree_id"], tree, "{row:#}");
            assert!(of_row.next().is_none(), "{}", row["id"]);
        }
    }
    for tree in leaves.chunk_by(|one, other| one["tree_id"] == other["tree_id"]) {
        for (number, leaf) in tree.iter().enumerate() {
            assert_eq!(leaf["leaf_index"], number);
        }
    }
}

#[tokio::test]
async fn proofs_convince_an_auditor() {
    let gateway = Gateway::demo().await;
    seal(&gateway).await;
    let cfo = gateway.cfo().await;
    let first = newest(&cfo).await;
    let total = first.size;
    // A few more heads, each a row or two further.
    let mut heads = vec![first];
    for _ in 0..3 {
        gateway.cfo().await;
        seal(&gateway).await;
        heads.push(newest(&cfo).await);
    }
    for (at, old) in heads.iter().enumerate() {
        for new in &heads[at..] {
            let roots = consistent(&cfo, old.size, Some(old.root), new.size).await;
            assert_eq!(roots, (old.root, new.root));
        }
    }
    let last = heads.last().expect("a head");
    for first in [1, 2, 3, 255, 256, 257, 500, last.size - 1, last.size] {
        let (_, root) = consistent(&cfo, first, None, last.size).await;
        assert_eq!(root, last.root, "{first}");
        consistent(&cfo, first, None, first.max(last.size - 1)).await;
    }

    let rows = gateway
        .rows(&format!(
            "SELECT l.row_id, l.leaf_index, l.leaf_hash, s.* FROM audit_leaves l JOIN audit_logs a ON a.id = l.row_id
               JOIN organizations o ON o.id = l.tree_id AND o.slug = '{HOME}', LATERAL (SELECT to_jsonb(a) AS row) s
              WHERE l.leaf_index < {total} ORDER BY md5(l.row_id::text) LIMIT 25"
        ))
        .await;
    assert_eq!(rows.len(), 25);
    for row in &rows {
        let (index, hashed, root) = included(&cfo, &row["row_id"], None).await;
        assert_eq!(row["leaf_index"], index);
        assert_eq!((hashed, root), (leaf("audit_logs", &row["row"]), last.root));
        for head in &heads {
            assert_eq!(included(&cfo, &row["row_id"], Some(head.size)).await.2, head.root);
        }
        included(&cfo, &row["row_id"], Some(index + 1)).await;
    }
    let statements = cfo.run(INCLUSION, json!({ "id": rows[0]["row_id"] })).await.statements();
    assert!(statements <= 4, "{statements}");
    let statements = cfo.run(CONSISTENCY, json!({ "first": 1, "second": last.size })).await.statements();
    assert!(statements <= 3, "{statements}");
}

#[tokio::test]
async fn a_proof_is_for_those_who_see_the_row() {
    let gateway = Gateway::demo().await;
    seal(&gateway).await;
    let proven = async |user: &User<'_>, id: &str| {
        let answer = user.run(INCLUSION, json!({ "id": id })).await.ok();
        !answer["auditInclusionProof"].is_null()
    };
    let log = string(
        &gateway,
        &format!("SELECT l.id::text FROM audit_logs l JOIN organizations o ON o.id = organization_id AND slug = '{HOME}' LIMIT 1"),
    )
    .await;
    assert!(proven(&gateway.cfo().await, &log).await);
    assert!(proven(&gateway.sign_in("admin@aether-demo.com", HOME).await, &log).await);
    assert!(!proven(&gateway.sign_in("analyst@aether-demo.com", HOME).await, &log).await, "no audit:read");
    let others = gateway.sign_in("cfo@meridian-capital.example", "meridian-capital").await;
    assert!(!proven(&others, &log).await, "another organization");

    let event = |kind: &str, by: &str| {
        format!(
            "SELECT e.id::text FROM audit_events e JOIN users u ON u.id = e.actor_id
               JOIN workspace_members m ON m.workspace_id = e.workspace_id AND m.status = 'active'
               JOIN users i ON i.id = m.user_id AND i.email = 'investor@castlebrook-investors.example'
              WHERE e.event_type {kind} 'PUBLISH' AND u.email {by} i.email LIMIT 1"
        )
    };
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let investor = gateway.sign_in("investor@castlebrook-investors.example", "castlebrook-investors").await;
    let others_edit = string(&gateway, &event("<>", "<>")).await;
    assert!(proven(&agent, &others_edit).await);
    assert!(!proven(&investor, &others_edit).await, "what others did is not for investors");
    assert!(!proven(&gateway.sign_in("viewer@aether-demo.com", HOME).await, &others_edit).await, "no member");
    assert!(proven(&investor, &string(&gateway, &event("=", "<>")).await).await, "but what they published is");

    let nothing = "00000000-0000-4000-8000-000000000000";
    assert!(!proven(&agent, nothing).await);
    for query in [
        "{ auditTreeHead { treeSize } }",
        &INCLUSION
            .replace("query($id: UUID!, $size: BigInt)", "")
            .replace("$id, treeSize: $size", &format!("\"{nothing}\"")),
        &CONSISTENCY
            .replace("query($first: BigInt!, $second: BigInt!)", "")
            .replace("$first", "1")
            .replace("$second", "1"),
    ] {
        assert_eq!(gateway.stranger().query(query).await.code(), "UNAUTHENTICATED", "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_proven_is_said() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let refused = async |query: &str, variables: Value, field: &str| {
        let answer = cfo.run(query, variables).await;
        assert_eq!(answer.code(), "VALIDATION_FAILED");
        assert!(answer.body["data"].is_object(), "other root fields keep their answers: {:#}", answer.body);
        assert_eq!(answer.body["errors"][0]["extensions"]["field"], field, "{:#}", answer.body);
        answer.message().to_owned()
    };
    let row = "SELECT id::text FROM audit_logs WHERE action = 'LOGIN' ORDER BY timestamp DESC, id DESC LIMIT 1";
    let mine = string(&gateway, row).await;
    assert_eq!(cfo.data(HEAD).await["auditTreeHead"], Value::Null, "nothing is sealed yet");
    assert_eq!(cfo.run(INCLUSION, json!({ "id": mine })).await.ok()["auditInclusionProof"], Value::Null);
    let message = refused(CONSISTENCY, json!({ "first": 1, "second": 1 }), "second").await;
    assert!(message.contains("Nothing is sealed"), "{message}");
    seal(&gateway).await;
    let size = newest(&cfo).await.size;
    let (index, ..) = included(&cfo, &json!(mine), None).await;

    for (first, second, field) in [
        (0, size as i64, "first"),
        (-1, 1, "first"),
        (2, 1, "first"),
        (1, size as i64 + 1, "second"),
        (1, 0, "second"),
        (1, i64::MAX, "second"),
    ] {
        refused(CONSISTENCY, json!({ "first": first, "second": second }), field).await;
    }
    for wrong in [0, -1, size as i64 + 1, i64::MIN] {
        refused(INCLUSION, json!({ "id": mine, "size": wrong }), "treeSize").await;
    }
    assert!(index > 0);
    let message = refused(INCLUSION, json!({ "id": mine, "size": index }), "treeSize").await;
    assert!(message.contains(&index.to_string()), "{message}");
    // What is no number at all does not fit the schema.
    let answer = cfo.run(CONSISTENCY, json!({ "first": "many", "second": 1 })).await;
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn the_log_is_append_only_and_nobody_takes_a_row_from_the_queue_unsealed() {
    let gateway = Gateway::demo().await;
    seal(&gateway).await;
    gateway.cfo().await;
    for writer in ["", "SET LOCAL ROLE aether_writer; "] {
        for change in [
            "UPDATE audit_leaves SET leaf_hash = leaf_hash WHERE leaf_index = 0",
            "DELETE FROM audit_leaves WHERE leaf_index = 0",
            "UPDATE audit_nodes SET hash = hash WHERE level = 1",
            "DELETE FROM audit_nodes",
            "UPDATE audit_tree_heads SET sealed_at = now()",
            "DELETE FROM audit_tree_heads",
            "UPDATE audit_pending SET source = 'audit_logs'",
            "DELETE FROM audit_pending",
            "TRUNCATE audit_leaves",
            "TRUNCATE audit_nodes",
            "TRUNCATE audit_tree_heads",
            "TRUNCATE audit_pending",
        ] {
            let why = refusal(&gateway, &format!("{writer}{change}")).await;
            assert!(why.contains("is refused") || why.contains("permission denied"), "{writer}{change}: {why}");
        }
    }
    // The writer queues by writing, and in no other way.
    let forged =
        "INSERT INTO audit_pending (source, row_id, row_timestamp) VALUES ('audit_logs', gen_random_uuid(), now())";
    let why = refusal(&gateway, &format!("SET LOCAL ROLE aether_writer; {forged}")).await;
    assert!(why.contains("permission denied"), "{why}");
    for read in ["SELECT count(*) FROM audit_pending", "INSERT INTO audit_leaves SELECT * FROM audit_leaves"] {
        let why = refusal(&gateway, &format!("SET LOCAL ROLE aether_reader; {read}")).await;
        assert!(why.contains("permission denied"), "{why}");
    }
    gateway
        .execute(
            "SET LOCAL ROLE aether_writer;
             INSERT INTO audit_logs (organization_id, timestamp, actor_type, actor_name, action, details)
             SELECT id, now() + n * interval '40 days', 'SYSTEM', 'test', 'TEST', '{}'
               FROM organizations, generate_series(0, 9) n WHERE slug = 'aether-demo'",
        )
        .await;
    assert_eq!(count(&gateway, "SELECT count(*) FROM audit_pending").await, 12);
    assert_eq!(seal(&gateway).await, 12);
    // Moving rows to a partition of their own is no new row.
    gateway.execute("SELECT ensure_partitions(now()::date, (now() + interval '2 years')::date)").await;
    assert_eq!(count(&gateway, "SELECT count(*) FROM audit_pending").await, 0);
    assert_eq!(seal(&gateway).await, 0);
    let report = store(&gateway).await.verify_audit(&keys(), &[], |_, _| ()).await.expect("it reads");
    assert!(report.is_ok(), "{report:?}");
}
