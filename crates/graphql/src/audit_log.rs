//! The tamper-evident logs over the audit trail: their signed heads, and proofs for auditors.

use std::sync::Arc;

use aether_store::{
    Store,
    actor::Actor,
    audit_log::{TreeHead, proof, tree::Hash},
};
use async_graphql::{Context, Object, Result, SimpleObject};
use uuid::Uuid;

use crate::{
    error::Failure,
    run::reader,
    scalar::{BigInt, Moment},
};

/// A signed head of a log that makes the audit trail tamper-evident (RFC 6962): what the trail of an organization or of a
/// workspace was at a moment. Keep one elsewhere, and nobody can rewrite what came before without being found out.
/// All hashes, keys and signatures are in lowercase hexadecimal.
#[derive(SimpleObject)]
struct AuditTreeHead {
    /// Whose trail it is: the identifier of the organization or of the workspace.
    tree_id: Uuid,
    /// How many audit rows are in the log.
    tree_size: BigInt,
    /// The root of the Merkle tree over them: SHA-256, 32 bytes.
    root_hash: String,
    /// When the head was signed, to the millisecond.
    sealed_at: Moment,
    /// The Ed25519 signature of 64 bytes, over 66 bytes: the 50 of the TreeHeadSignature structure of RFC 6962, section 3.5, which
    /// are two bytes `00 01`, the milliseconds since 1970 and the size of the tree in 8 bytes each, high byte first, and the
    /// root; then the 16 bytes of `treeId`.
    signature: String,
    /// The Ed25519 public key of 32 bytes that verifies the signature. Compare it with the one that you were told.
    public_key: String,
}

impl From<TreeHead> for AuditTreeHead {
    fn from(head: TreeHead) -> Self {
        Self {
            tree_id: head.tree,
            tree_size: size(head.tree_size),
            root_hash: hex::encode(head.root_hash),
            sealed_at: Moment(head.sealed_at),
            signature: hex::encode(head.signature),
            public_key: hex::encode(head.public_key),
        }
    }
}

/// The proof that an audit row is in the log of its organization or workspace, to be verified as RFC 9162 says in section 2.1.3.2.
#[derive(SimpleObject)]
struct AuditInclusionProof {
    /// Whose log it is: the identifier of the workspace in which it was done, or else of the organization.
    tree_id: Uuid,
    /// The place of the row's leaf in the tree, counted from 0.
    leaf_index: BigInt,
    /// The hash of the leaf, as it was sealed: SHA-256 of a zero byte and the content of the row.
    leaf_hash: String,
    /// The content of the row as it is now, written as it is hashed: the name of its table, a line feed, and the row in
    /// JSON without its review and without what is null. If it does not give `leafHash`, the row was altered.
    content: String,
    /// The size of the tree that the proof is for.
    tree_size: BigInt,
    /// The hashes that lead from the leaf to the root, from the leaf up.
    path: Vec<String>,
    /// The root that they lead to: the `rootHash` of the head of that size.
    root_hash: String,
}

impl From<proof::InclusionProof> for AuditInclusionProof {
    fn from(proof: proof::InclusionProof) -> Self {
        Self {
            tree_id: proof.tree,
            leaf_index: size(proof.leaf_index),
            leaf_hash: hex::encode(proof.leaf_hash),
            content: proof.content,
            tree_size: size(proof.tree_size),
            path: hashes(&proof.path),
            root_hash: hex::encode(proof.root_hash),
        }
    }
}

/// The proof that a later log begins with all that was in an earlier one, to be verified as RFC 9162 says in section
/// 2.1.4.2.
#[derive(SimpleObject)]
struct AuditConsistencyProof {
    /// The hashes of the proof, from the leaves up; none for two trees of the same size.
    path: Vec<String>,
    /// The root of the first tree: the `rootHash` of the head of that size.
    first_root: String,
    /// The root of the second tree.
    second_root: String,
}

impl From<proof::ConsistencyProof> for AuditConsistencyProof {
    fn from(proof: proof::ConsistencyProof) -> Self {
        Self {
            path: hashes(&proof.path),
            first_root: hex::encode(proof.first_root),
            second_root: hex::encode(proof.second_root),
        }
    }
}

/// The logs over the audit trail.
#[derive(Default)]
pub(crate) struct AuditLogQuery;

// An `Option<Result>` that fails is null and leaves the other root fields' answers whole; a `Result<Option>` would not.
#[Object]
impl AuditLogQuery {
    /// The newest signed head of the log over an audit trail; null while nothing is sealed, or for a workspace that you do not see.
    /// New audit rows are sealed about once a second.
    async fn audit_tree_head(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace whose trail is meant; the trail of your organization unless said.")]
        workspace_id: Option<Uuid>,
    ) -> Option<Result<AuditTreeHead>> {
        let head = async {
            let actor = actor(ctx).await?;
            Ok(store(ctx).audit_tree_head(&actor, workspace_id).await.map_err(Failure)?.map(Into::into))
        };
        head.await.transpose()
    }

    /// The proof that a row of `auditLogs` or `auditEvents` is in its log; null where there is none that you may see, or where
    /// it is not sealed yet, which takes about a second.
    async fn audit_inclusion_proof(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the audit row.")] id: Uuid,
        #[graphql(desc = "The size of the tree to prove it for; that of the newest head unless said.")]
        tree_size: Option<BigInt>,
    ) -> Option<Result<AuditInclusionProof>> {
        let proof = async {
            let actor = actor(ctx).await?;
            let proof = store(ctx).audit_inclusion_proof(&actor, id, tree_size.map(|size| size.0)).await;
            Ok(proof.map_err(Failure)?.map(Into::into))
        };
        proof.await.transpose()
    }

    /// The proof that a log only grew between two sizes, such as those of a head that was kept and of the newest.
    async fn audit_consistency_proof(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace whose trail is meant; the trail of your organization unless said.")]
        workspace_id: Option<Uuid>,
        #[graphql(desc = "The size of the earlier tree, 1 or more.")] first: BigInt,
        #[graphql(desc = "The size of the later tree, at most that of the newest head.")] second: BigInt,
    ) -> Option<Result<AuditConsistencyProof>> {
        let proof = async {
            let actor = actor(ctx).await?;
            let proof = store(ctx).audit_consistency_proof(&actor, workspace_id, first.0, second.0).await;
            Ok(proof.map_err(Failure)?.into())
        };
        Some(proof.await)
    }
}

/// Who is asking; the log is for those who have signed in.
async fn actor(ctx: &Context<'_>) -> Result<Arc<Actor>> {
    Ok(reader(ctx).actor().await.map_err(Failure)?)
}

fn store<'a>(ctx: &Context<'a>) -> &'a Store {
    ctx.data_unchecked::<Store>()
}

fn size(size: u64) -> BigInt {
    BigInt(i64::try_from(size).unwrap_or(i64::MAX))
}

fn hashes(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(hex::encode).collect()
}
