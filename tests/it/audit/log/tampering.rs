//! What a superuser does to the log behind the triggers' back is found, and the first of it is named.

use aether_store::{
    Error,
    audit_log::{
        Keys,
        verify::{Finding, KnownHead, Problem, Report},
    },
};
use serde_json::{Value, json};

use super::{
    INCLUSION,
    auditor::{hash, leaf_of},
    keys, newest, seal,
};
use crate::{
    database::guarantees::{count, store},
    support::Gateway,
};

const TABLES: [&str; 6] =
    ["audit_logs", "audit_events", "audit_pending", "audit_leaves", "audit_nodes", "audit_tree_heads"];

/// Runs SQL with all triggers off, as only a superuser can.
async fn tamper(gateway: &Gateway, sql: &str) {
    gateway
        .execute(&format!("SET session_replication_role = replica; {sql}; SET session_replication_role = DEFAULT"))
        .await;
}

async fn verify(gateway: &Gateway, known: &[KnownHead]) -> Result<Report, Finding> {
    store(gateway).await.verify_audit(&keys(), known, |_, _| ()).await.expect("the log can be read")
}

/// The tree that most of this happens in.
const TREE: &str = "tree_id = (SELECT id FROM organizations WHERE slug = 'aether-demo')";

/// A log of several heads with two rows that wait, kept to be put back.
async fn prepared() -> Gateway {
    let gateway = Gateway::demo().await;
    seal(&gateway).await;
    for _ in 0..3 {
        gateway.cfo().await;
        seal(&gateway).await;
    }
    gateway.cfo().await;
    gateway.execute("CREATE SCHEMA kept").await;
    for table in TABLES {
        gateway.execute(&format!("CREATE TABLE kept.{table} AS TABLE {table}")).await;
    }
    gateway
}

async fn put_back(gateway: &Gateway) {
    for table in TABLES {
        tamper(
            gateway,
            &format!(
                "DELETE FROM {table} t WHERE t::text NOT IN (SELECT k::text FROM kept.{table} k);
                 INSERT INTO {table} SELECT * FROM kept.{table} k WHERE k::text NOT IN (SELECT t::text FROM {table} t)"
            ),
        )
        .await;
    }
}

/// A sealed row: the first of this table whose leaf is at this place or behind it.
struct Sealed {
    table: &'static str,
    leaf: i64,
    id: String,
}

impl Sealed {
    async fn find(gateway: &Gateway, table: &'static str, condition: &str) -> Self {
        let sql = format!(
            "SELECT l.leaf_index, l.row_id FROM audit_leaves l JOIN {table} r ON r.id = l.row_id
              WHERE l.source = '{table}' AND {condition} ORDER BY l.leaf_index LIMIT 1"
        );
        let row: Value = gateway.rows(&sql).await.into_iter().next().unwrap_or_else(|| panic!("{sql}: no row"));
        let (leaf, id) = (row["leaf_index"].as_i64(), row["row_id"].as_str());
        Self { table, leaf: leaf.expect("a place"), id: id.expect("an id").to_owned() }
    }

    fn update(&self, set: &str) -> String {
        format!("UPDATE {} SET {set} WHERE id = '{}'", self.table, self.id)
    }

    fn delete(&self) -> String {
        format!("DELETE FROM {} WHERE id = '{}'", self.table, self.id)
    }

    /// Makes the leaf that of the row as it is now.
    fn forge_leaf(&self) -> String {
        let Self { table, id, .. } = self;
        format!(
            "UPDATE audit_leaves l SET leaf_hash = sha256('\\x00' || convert_to('{table}' || E'\\n' || (
                 SELECT jsonb_object_agg(key, value)::text FROM {table} r, jsonb_each(to_jsonb(r))
                  WHERE r.id = l.row_id AND value <> 'null' AND key NOT LIKE 'reviewed%'), 'UTF8'))
              WHERE row_id = '{id}'"
        )
    }

    fn altered(&self) -> String {
        format!("The row {} of {} was altered: it is not what was sealed as leaf {}.", self.id, self.table, self.leaf)
    }

    fn gone(&self) -> String {
        format!("The row {} of {}, sealed as leaf {}, is gone.", self.id, self.table, self.leaf)
    }
}

#[tokio::test]
async fn the_first_altered_row_leaf_node_or_head_is_named() {
    let gateway = prepared().await;
    let sound = verify(&gateway, &[]).await.expect("nothing was altered");
    let rows = count(&gateway, "SELECT count(*) FROM audit_leaves").await;
    let heads = count(&gateway, "SELECT count(*) FROM audit_tree_heads").await;
    assert_eq!((sound.rows, sound.heads, sound.pending), (rows as u64, heads as u64, 2));
    let trees = count(&gateway, "SELECT count(DISTINCT tree_id) FROM audit_leaves").await;
    assert_eq!(sound.newest.len() as i64, trees);
    let size = count(&gateway, &format!("SELECT count(*) FROM audit_leaves WHERE {TREE}")).await;

    let log = Sealed::find(&gateway, "audit_logs", &format!("{TREE} AND l.leaf_index >= 300")).await;
    let later = Sealed::find(&gateway, "audit_logs", &format!("{TREE} AND l.leaf_index > {}", log.leaf)).await;
    let event = Sealed::find(&gateway, "audit_events", "l.leaf_index > 5").await;
    let whole = Sealed::find(&gateway, "audit_logs", "r.details -> 'before' ->> 'value' ~ '^[0-9]+$'").await;
    let silent = Sealed::find(&gateway, "audit_logs", "r.user_agent IS NULL").await;
    let reviewed = Sealed::find(&gateway, "audit_logs", "r.reviewed").await;
    let last = size - 1;
    let forger = Keys::new(["a key of somebody else, long enough"]).public()[0];
    let pair = log.leaf / 2 * 2;

    let cases = [
        (log.update("actor_name = 'Somebody Else'"), log.altered()),
        (event.update("reason = 'another'"), event.altered()),
        (log.update("organization_id = (SELECT id FROM organizations WHERE id <> organization_id LIMIT 1)"), log.altered()),
        // Not even as little as another scale of a number, or something where there was nothing.
        (whole.update("details = jsonb_set(details, '{before,value}', (details #>> '{before,value}' || '.0')::jsonb)"), whole.altered()),
        (silent.update("user_agent = ''"), silent.altered()),
        (reviewed.update("requires_review = NOT requires_review"), reviewed.altered()),
        (log.update("\"timestamp\" = \"timestamp\" + interval '1 microsecond'"), log.gone()),
        (log.delete(), log.gone()),
        (event.delete(), event.gone()),
        // The first of several.
        (format!("{}; {}", later.delete(), log.update("action = 'NOTHING'")), log.altered()),
        ("DELETE FROM audit_logs; DELETE FROM audit_events".into(), ", sealed as leaf 0, is gone.".into()),
        // Leaves, alone and together with their rows.
        (
            format!("UPDATE audit_leaves SET leaf_hash = sha256(leaf_hash) WHERE {TREE} AND leaf_index = {}", log.leaf),
            format!("Leaf {} of audit_leaves, of the row {} of audit_logs, was altered", log.leaf, log.id),
        ),
        (
            format!("{}; {}", log.update("action = 'NOTHING'"), log.forge_leaf()),
            format!("altered together with its leaf, one of {pair} to {}", pair + 1),
        ),
        (
            format!("{}; {}; DELETE FROM audit_nodes WHERE {TREE}", log.update("action = 'NOTHING'"), log.forge_leaf()),
            "altered together with its leaf, one of ".into(),
        ),
        (format!("DELETE FROM audit_leaves WHERE {TREE} AND leaf_index = {}", log.leaf), format!("Leaf {} of audit_leaves is gone", log.leaf)),
        (format!("DELETE FROM audit_leaves WHERE {TREE} AND leaf_index = {last}"), format!("Leaf {last} of audit_leaves is gone")),
        ("DELETE FROM audit_leaves".into(), "Leaf 0 of audit_leaves is gone".into()),
        (
            format!("INSERT INTO audit_leaves (tree_id, leaf_index, source, row_id, row_timestamp, leaf_hash)
                     SELECT tree_id, leaf_index + 1, source, gen_random_uuid(), row_timestamp, leaf_hash
                       FROM audit_leaves WHERE {TREE} AND leaf_index = {last}"),
            format!("sealed as leaf {size}, is gone."),
        ),
        // Inner nodes.
        (
            format!("UPDATE audit_nodes SET hash = sha256(hash) WHERE {TREE} AND level = 3 AND node_index = 5"),
            "Node 5 of level 3 of audit_nodes was altered".into(),
        ),
        (format!("DELETE FROM audit_nodes WHERE {TREE} AND level = 1 AND node_index = 0"), "Node 0 of level 1 of audit_nodes was altered".into()),
        (
            "INSERT INTO audit_nodes (tree_id, level, node_index, hash) SELECT tree_id, 60, node_index, hash FROM audit_nodes LIMIT 1".into(),
            "audit_nodes has".into(),
        ),
        // Heads.
        (
            format!("UPDATE audit_tree_heads SET root_hash = sha256(root_hash) WHERE {TREE} AND tree_size = {size}"),
            format!("The head of size {size} of audit_tree_heads was altered"),
        ),
        (
            format!("UPDATE audit_tree_heads SET sealed_at = sealed_at + interval '1 ms' WHERE {TREE} AND tree_size = {size}"),
            format!("The head of size {size} of audit_tree_heads was altered"),
        ),
        (
            format!("UPDATE audit_tree_heads SET tree_size = {last} WHERE {TREE} AND tree_size = {size}"),
            format!("The head of size {last} of audit_tree_heads"),
        ),
        (
            format!("UPDATE audit_tree_heads SET public_key = '\\x{}' WHERE {TREE} AND tree_size = {size}", hex::encode(forger)),
            format!("The head of size {size} of audit_tree_heads is signed by the unknown key {}", hex::encode(forger)),
        ),
        (format!("DELETE FROM audit_tree_heads WHERE {TREE} AND tree_size = {size}"), "of audit_leaves is covered by no signed head".into()),
        ("DELETE FROM audit_tree_heads".into(), "Leaf 0 of audit_leaves is covered by no signed head".into()),
        // Trees: one of another name, one hidden with all that it seals but the rows, a row in another's.
        (
            ["leaves", "nodes", "tree_heads"]
                .map(|table| format!("UPDATE audit_{table} SET tree_id = gen_random_uuid() WHERE {TREE}"))
                .join("; ")
                .replace("gen_random_uuid()", "'22222222-2222-4222-8222-222222222222'"),
            "of audit_tree_heads was altered: its signature is not of it".into(),
        ),
        (
            ["leaves", "nodes", "tree_heads"].map(|table| format!("DELETE FROM audit_{table} WHERE {TREE}")).join("; "),
            "of audit_logs was never sealed".into(),
        ),
        (
            format!("UPDATE audit_leaves SET tree_id = (SELECT max(tree_id::text)::uuid FROM audit_leaves), leaf_index = 1000000 WHERE {TREE} AND leaf_index = {last}"),
            "of audit_leaves is gone".into(),
        ),
        // What never came to be sealed.
        (
            "INSERT INTO audit_logs (id, organization_id, actor_type, actor_name, action, details)
             SELECT '11111111-1111-4111-8111-111111111111', id, 'SYSTEM', 'nobody', 'NOTHING', '{}' FROM organizations LIMIT 1".into(),
            "The row 11111111-1111-4111-8111-111111111111 of audit_logs was never sealed".into(),
        ),
        ("DELETE FROM audit_pending WHERE source = 'audit_events'".into(), "of audit_events was never sealed".into()),
        (
            "DELETE FROM audit_logs WHERE id IN (SELECT row_id FROM audit_pending)".into(),
            "of audit_logs was deleted before it was sealed.".into(),
        ),
    ];
    for (sql, expected) in cases {
        tamper(&gateway, &sql).await;
        match verify(&gateway, &[]).await {
            Ok(report) => panic!("{sql}: not found: {report:?}"),
            Err(finding) => assert!(finding.to_string().contains(&expected), "{sql}\nis  {finding}\nnot {expected}"),
        }
        put_back(&gateway).await;
    }
    assert_eq!(verify(&gateway, &[]).await.as_ref(), Ok(&sound), "all put back");
    // A review is no alteration.
    gateway
        .execute(
            "UPDATE audit_logs SET reviewed = true, reviewed_by = (SELECT id FROM users LIMIT 1), reviewed_at = now()
              WHERE requires_review AND NOT reviewed",
        )
        .await;
    assert_eq!(verify(&gateway, &[]).await, Ok(sound));
}

#[tokio::test]
async fn an_auditor_with_a_proof_sees_that_the_row_was_altered() {
    let gateway = prepared().await;
    let cfo = gateway.cfo().await;
    let row = Sealed::find(&gateway, "audit_logs", "r.action = 'LOGIN' AND r.actor_name = 'Sarah Chen'").await;
    let proof = async || cfo.run(INCLUSION, json!({ "id": row.id })).await.ok()["auditInclusionProof"].clone();
    let before = proof().await;
    assert_eq!(hash(&before["leafHash"]), leaf_of(before["content"].as_str().expect("text")));
    tamper(&gateway, &row.update("actor_name = 'Somebody Else'")).await;
    let after = proof().await;
    assert_eq!((&after["leafHash"], &after["path"]), (&before["leafHash"], &before["path"]));
    assert_ne!(hash(&after["leafHash"]), leaf_of(after["content"].as_str().expect("text")));
}

#[tokio::test]
async fn a_log_that_was_altered_is_not_sealed_further() {
    let gateway = prepared().await;
    let last = format!("SELECT max(leaf_index) FROM audit_leaves WHERE {TREE}");
    for altered in [
        // The last subtree of the root, which is a leaf or a node above some.
        format!(
            "UPDATE audit_leaves SET leaf_hash = sha256(leaf_hash) WHERE {TREE} AND leaf_index = ({last});
             UPDATE audit_nodes SET hash = sha256(hash) WHERE {TREE} AND node_index = ({last}) >> level"
        ),
        format!("UPDATE audit_nodes SET hash = sha256(hash) WHERE {TREE} AND level >= 8"),
        format!("UPDATE audit_tree_heads SET root_hash = sha256(root_hash) WHERE {TREE}"),
        format!("DELETE FROM audit_nodes WHERE {TREE}"),
    ] {
        tamper(&gateway, &altered).await;
        // What others did is sealed nevertheless.
        let others = gateway.sign_in("cfo@meridian-capital.example", "meridian-capital").await;
        let before = newest(&others).await.size;
        assert!(matches!(store(&gateway).await.seal_audit(&keys()).await, Err(Error::Internal(_))), "{altered}");
        assert_eq!(newest(&others).await.size, before + 2);
        assert_eq!(count(&gateway, "SELECT count(*) FROM audit_pending").await, 2);
        put_back(&gateway).await;
    }
    // Rows that are gone do not keep the others waiting, however many they are.
    gateway
        .execute(
            "INSERT INTO audit_logs (organization_id, timestamp, actor_type, actor_name, action, details)
             SELECT id, '1960-01-01', 'SYSTEM'::actor_type, 'test', 'LOST', '{}'::jsonb FROM organizations, generate_series(1, 1200)
              WHERE slug = 'aether-demo'
              UNION ALL
             SELECT id, unnest('{-infinity,infinity}'::timestamptz[]), 'SYSTEM', 'test', 'KEPT', '{}' FROM organizations
              WHERE slug = 'aether-demo'",
        )
        .await;
    tamper(&gateway, "DELETE FROM audit_logs WHERE action = 'LOST'").await;
    assert_eq!(seal(&gateway).await, 4);
    assert_eq!(count(&gateway, "SELECT count(*) FROM audit_pending").await, 1_200);
    let found = verify(&gateway, &[]).await.expect_err("rows are gone");
    assert!(matches!(found.problem, Problem::PendingMissing { .. }), "{found}");
}

#[tokio::test]
async fn only_a_head_kept_elsewhere_tells_a_log_that_was_rewritten_with_the_gateways_key() {
    let gateway = prepared().await;
    let head = newest(&gateway.cfo().await).await;
    let known = KnownHead { tree: head.tree, size: head.size, root: head.root };
    let found = |problem| Err(Finding { tree: Some(head.tree), problem });
    assert!(verify(&gateway, &[known]).await.is_ok());
    // The log may grow.
    seal(&gateway).await;
    let all = verify(&gateway, &[known]).await.expect("it grew").newest;
    assert!(verify(&gateway, &all).await.is_ok());
    let rewritten = Problem::Rewritten { tree_size: head.size };
    assert_eq!(verify(&gateway, &[KnownHead { root: [0; 32], ..known }]).await, found(rewritten.clone()));
    let size = count(&gateway, &format!("SELECT count(*) FROM audit_leaves WHERE {TREE}")).await as u64;
    let beyond = KnownHead { size: head.size + 1_000, ..known };
    assert_eq!(verify(&gateway, &[beyond]).await, found(Problem::LeafMissing { leaf: size }));
    // A tree that is gone with all its rows is missed by whoever has kept a head of it, and by nobody else.
    let strange = KnownHead { tree: uuid::Uuid::max(), ..known };
    let missing = Finding { tree: Some(strange.tree), problem: Problem::LeafMissing { leaf: 0 } };
    assert_eq!(verify(&gateway, &[known, strange]).await, Err(missing));

    tamper(
        &gateway,
        "UPDATE audit_logs SET actor_name = 'Somebody Else' WHERE id = (SELECT id FROM audit_logs LIMIT 1);
         INSERT INTO audit_pending SELECT source, row_id, row_timestamp FROM audit_leaves ON CONFLICT DO NOTHING;
         DELETE FROM audit_leaves; DELETE FROM audit_nodes; DELETE FROM audit_tree_heads",
    )
    .await;
    seal(&gateway).await;
    assert!(verify(&gateway, &[]).await.is_ok(), "from inside, there is nothing to see");
    assert_eq!(verify(&gateway, &[known]).await, found(rewritten));
    // And with another key not even that.
    let thief = Keys::new(["a key of somebody else, long enough"]);
    gateway.cfo().await;
    store(&gateway).await.seal_audit(&thief).await.expect("it seals");
    let found = verify(&gateway, &[]).await.expect_err("a key that is not trusted");
    assert!(matches!(found.problem, Problem::HeadByStranger { .. }), "{found}");
    let both = Keys::new(["a key of somebody else, long enough", "development-only-audit-key-that-everybody-knows"]);
    let verified = store(&gateway).await.verify_audit(&both, &[], |_, _| ()).await.expect("the log can be read");
    assert!(verified.is_ok(), "a key that was changed is trusted while its secret is listed");
}
