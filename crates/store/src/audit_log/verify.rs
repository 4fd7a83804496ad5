//! All logs, recomputed: every row hashed anew, every node, root and signature checked, and nothing left unsealed.
//!
//! One tree follows another. Leaves are read in order, a batch at a time, in one snapshot. A row that does not hash to its leaf is only suspected
//! until the next signed head: if the leaves up to there have the head's root, the leaf is genuine and the row was
//! altered; otherwise the leaf was.

mod finding;
mod rest;

use std::collections::VecDeque;

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};
use uuid::Uuid;

pub use self::finding::{AuditRow, Finding, Problem};
use super::{
    bigint, entry,
    head::{self, Keys, TreeHead},
    node::Nodes,
    tree::{Frontier, Hash, Subtree},
};
use crate::{Store, database::Transaction, error::Result};

/// Leaves read at once; their rows may hold whole documents.
const BATCH: u32 = 1_000;

/// A head as somebody remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownHead {
    /// The tree.
    pub tree: Uuid,
    /// How many leaves it had.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The newest head of each tree, to be remembered.
    pub newest: Vec<KnownHead>,
    /// Sealed rows.
    pub rows: u64,
    /// Signed heads.
    pub heads: u64,
    /// Rows that wait to be sealed, and so are not protected yet.
    pub pending: u64,
}

/// A leaf with what is hashed of its row now.
#[derive(FromQueryResult)]
struct Leaf {
    leaf_index: i64,
    source: String,
    row_id: Uuid,
    leaf_hash: Vec<u8>,
    entry: Option<String>,
}

/// The verification on its way.
struct Verification<'a> {
    transaction: &'a Transaction,
    keys: &'a Keys,
    tree: Uuid,
    /// What is remembered of this tree.
    known: Vec<KnownHead>,
    log: Frontier,
    /// Heads to come.
    heads: VecDeque<TreeHead>,
    /// How many heads were sound.
    signed: u64,
    /// The size of the last head that was sound.
    sound: u64,
    /// The first row since then that does not hash to its leaf.
    suspect: Option<Suspect>,
    /// The inner nodes since then.
    nodes: Vec<(Subtree, Hash)>,
}

struct Suspect {
    leaf: u64,
    row: AuditRow,
    gone: bool,
}

impl Store {
    /// Verifies all logs and answers what there is, or the first thing that is wrong. `known` are heads remembered elsewhere, which
    /// the logs must still contain. `progress` hears of leaves done and leaves in all.
    pub async fn verify_audit(
        &self,
        keys: &Keys,
        known: &[KnownHead],
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Result<Report, Finding>> {
        let transaction = self.database().begin(crate::write::KEY).await?;
        transaction
            .execute_unprepared(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = 0; \
                 SET LOCAL idle_in_transaction_session_timeout = 0",
            )
            .await?;
        let total = rest::count(&transaction, "SELECT count(*) FROM audit_leaves").await?;
        let mut report = Report::default();
        for tree in trees(&transaction, known).await? {
            let known = known.iter().copied().filter(|head| head.tree == tree).collect();
            let mut verification = Verification::new(&transaction, keys, tree, known);
            let done = report.rows;
            if let Err(problem) = verification.run(|leaves| progress(done + leaves, total)).await? {
                return Ok(Err(Finding { tree: Some(tree), problem }));
            }
            report.rows += verification.log.size();
            report.heads += verification.signed;
            report.newest.push(KnownHead { tree, size: verification.log.size(), root: verification.log.root() });
        }
        report.pending = rest::pending(&transaction).await?;
        let unsealed = rest::unsealed(&transaction).await?;
        Ok(unsealed.map_or(Ok(report), |problem| Err(Finding { tree: None, problem })))
    }
}

/// All trees of which there is anything, or should be.
async fn trees(transaction: &Transaction, known: &[KnownHead]) -> Result<Vec<Uuid>> {
    let sql = "SELECT tree_id FROM audit_leaves UNION SELECT tree_id FROM audit_nodes UNION SELECT tree_id FROM audit_tree_heads \
               UNION SELECT unnest($1::uuid[]) ORDER BY tree_id";
    let known: Vec<_> = known.iter().map(|head| head.tree).collect();
    let rows = transaction.query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [known.into()]));
    Ok(rows.await?.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

impl<'a> Verification<'a> {
    fn new(transaction: &'a Transaction, keys: &'a Keys, tree: Uuid, known: Vec<KnownHead>) -> Self {
        Self {
            transaction,
            keys,
            tree,
            known,
            log: Frontier::default(),
            heads: VecDeque::new(),
            signed: 0,
            sound: 0,
            suspect: None,
            nodes: Vec::new(),
        }
    }

    /// The whole tree.
    async fn run(&mut self, mut progress: impl FnMut(u64)) -> Result<Result<(), Problem>> {
        loop {
            let from = self.log.size();
            match self.batch().await? {
                Err(problem) => return Ok(Err(problem)),
                Ok(()) if self.log.size() == from => return self.end().await,
                Ok(()) => progress(self.log.size()),
            }
        }
    }

    /// The next leaves.
    async fn batch(&mut self) -> Result<Result<(), Problem>> {
        for leaf in self.leaves().await? {
            let place = self.log.size();
            if u64::try_from(leaf.leaf_index) != Ok(place) {
                return Ok(Err(self.suspected().unwrap_or(Problem::LeafMissing { leaf: place })));
            }
            let Ok(hash) = Hash::try_from(leaf.leaf_hash) else {
                return Ok(Err(Problem::NodeAltered { level: 0, index: place }));
            };
            let now = leaf.entry.as_deref().map(|entry| entry::hash(&leaf.source, entry));
            if now != Some(hash) && self.suspect.is_none() {
                let row = AuditRow { source: leaf.source, id: leaf.row_id };
                self.suspect = Some(Suspect { leaf: place, row, gone: now.is_none() });
            }
            self.log.push(hash, |subtree, hash| self.nodes.push((subtree, hash)));
            if let Err(finding) = self.head().await? {
                return Ok(Err(finding));
            }
        }
        self.nodes().await
    }

    async fn leaves(&self) -> Result<Vec<Leaf>> {
        let sql = format!(
            "SELECT l.leaf_index, l.source, l.row_id, l.leaf_hash, {} AS entry \
             FROM audit_leaves l WHERE l.tree_id = $1 AND l.leaf_index >= $2 ORDER BY l.leaf_index LIMIT {BATCH}",
            entry::named_by("l")
        );
        let values = [self.tree.into(), bigint(self.log.size())?.into()];
        let rows = self.transaction.query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values));
        Ok(rows.await?.iter().map(|row| Leaf::from_query_result(row, "")).collect::<Result<_, _>>()?)
    }

    /// Compares the log with the head of its size, if there is one, and with the head that is remembered elsewhere.
    async fn head(&mut self) -> Result<Result<(), Problem>> {
        let (size, root) = (self.log.size(), self.log.root());
        if self.heads.is_empty() {
            self.heads = self.heads_above(size - 1).await?;
        }
        if let Some(head) = self.heads.pop_front_if(|head| head.tree_size == size) {
            if !self.keys.trusts(&head.public_key) {
                return Ok(Err(Problem::HeadByStranger { tree_size: size, public_key: head.public_key }));
            }
            if !head.is_signed()? {
                return Ok(Err(Problem::HeadAltered { tree_size: size }));
            }
            if head.root_hash != root {
                return Ok(Err(match self.suspect.take() {
                    Some(suspect) => Problem::LeafAltered { leaf: suspect.leaf, row: suspect.row, tree_size: size },
                    None => self.narrowed(size).await?,
                }));
            }
            if let Some(finding) = self.suspected() {
                return Ok(Err(finding));
            }
            self.sound = size;
            self.signed += 1;
        }
        if self.known.iter().any(|known| known.size == size && known.root != root) {
            return Ok(Err(self.suspected().unwrap_or(Problem::Rewritten { tree_size: size })));
        }
        Ok(Ok(()))
    }

    async fn heads_above(&self, size: u64) -> Result<VecDeque<TreeHead>> {
        let sql = format!(
            "SELECT {} FROM audit_tree_heads WHERE tree_id = $1 AND tree_size > $2 ORDER BY tree_size LIMIT {BATCH}",
            head::COLUMNS
        );
        let values = [self.tree.into(), bigint(size)?.into()];
        let rows = self.transaction.rows(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
        rows.iter().map(TreeHead::read).collect()
    }

    /// Compares the stored inner nodes with those whose leaves a sound head covers.
    async fn nodes(&mut self) -> Result<Result<(), Problem>> {
        let sound = self.sound;
        let nodes: Vec<_> =
            self.nodes.extract_if(.., |(subtree, _)| (subtree.index + 1) << subtree.level <= sound).collect();
        let altered = self.altered(&nodes).await?;
        Ok(altered.map_or(Ok(()), |Subtree { level, index }| Err(Problem::NodeAltered { level, index })))
    }

    /// The lowest of these nodes that is stored otherwise or not at all.
    async fn altered(&self, nodes: &[(Subtree, Hash)]) -> Result<Option<Subtree>> {
        if nodes.is_empty() {
            return Ok(None);
        }
        let sql = Nodes::find(nodes.iter().map(|(subtree, _)| (self.tree, *subtree))).statement()?;
        let stored = Nodes::found(&self.transaction.rows(sql).await?)?;
        let altered = nodes.iter().filter(|(subtree, hash)| stored.get(self.tree, *subtree) != Some(hash));
        Ok(altered.map(|(subtree, _)| *subtree).min())
    }

    /// The leaves among which one was altered together with its row: those since the last sound head, or fewer where the
    /// inner nodes tell.
    async fn narrowed(&self, size: u64) -> Result<Problem> {
        let altered = self.altered(&self.nodes).await?;
        let (from, to) =
            altered.map_or((self.sound, size), |Subtree { level, index }| (index << level, (index + 1) << level));
        Ok(Problem::LeavesAltered { from, to, tree_size: size })
    }

    /// After the last leaf: nothing may be missing, and nothing left over.
    async fn end(&mut self) -> Result<Result<(), Problem>> {
        let size = self.log.size();
        if self.heads.is_empty() {
            self.heads = self.heads_above(size).await?;
        }
        if !self.heads.is_empty() || self.known.iter().any(|known| known.size > size) {
            return Ok(Err(self.suspected().unwrap_or(Problem::LeafMissing { leaf: size })));
        }
        if self.sound < size {
            return Ok(Err(self.suspected().unwrap_or(Problem::LeafUnsigned { leaf: self.sound })));
        }
        // A node above n complete leaves for each pair of ones below it.
        let expected = size - u64::from(size.count_ones());
        let stored = rest::nodes(self.transaction, self.tree).await?;
        if stored != expected {
            return Ok(Err(Problem::NodesLeftOver { stored, expected }));
        }
        Ok(Ok(()))
    }

    /// What the suspect is accused of, where no head speaks for or against its leaf.
    fn suspected(&self) -> Option<Problem> {
        self.suspect.as_ref().map(|suspect| {
            let (leaf, row) = (suspect.leaf, suspect.row.clone());
            if suspect.gone { Problem::RowMissing { leaf, row } } else { Problem::RowAltered { leaf, row } }
        })
    }
}
