//! `verify-audit`: the audit trail, recomputed.

use std::{
    fs,
    io::{IsTerminal, stderr},
    path::{Path, PathBuf},
};

use aether_store::{
    Database, Store,
    audit_log::{tree::Hash, verify::KnownHead},
};
use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use crate::{
    config::Config,
    postgres::{self, Postgres},
};

/// Heads of the audit trail's logs that are remembered outside of the database.
#[derive(Args, Clone)]
pub struct Heads {
    /// A head that was noted elsewhere and that its log must still contain: the `treeId`, `treeSize` and `rootHash` of
    /// `auditTreeHead`. May be repeated.
    #[arg(long, value_name = "TREE:SIZE:ROOT", value_parser = known_head)]
    known_head: Vec<KnownHead>,
    /// A file of such heads, one a line, as --save-heads writes it.
    #[arg(long, value_name = "FILE")]
    known_heads: Option<PathBuf>,
    /// Where to write the newest head of each log when all is sound, to be kept out of the reach of whoever has the database.
    #[arg(long, value_name = "FILE")]
    save_heads: Option<PathBuf>,
}

impl Heads {
    fn known(&self) -> Result<Vec<KnownHead>> {
        let mut known = self.known_head.clone();
        if let Some(file) = &self.known_heads {
            let text = fs::read_to_string(file).with_context(|| format!("{} could not be read", file.display()))?;
            for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let head = known_head(line.trim());
                known.push(head.map_err(|why| anyhow!("{}, line {}: {why}", file.display(), number + 1))?);
            }
        }
        Ok(known)
    }
}

/// A head as the command line and files have it: its tree, its size and its root in hexadecimal, with colons between. Heads from
/// before each organization and workspace had a tree of its own have none.
fn known_head(text: &str) -> Result<KnownHead, String> {
    let parts: Vec<_> = text.split(':').collect();
    let head = match parts[..] {
        [size, root] => head(Some(Uuid::nil()), size, root),
        [tree, size, root] => head(tree.parse().ok(), size, root),
        _ => None,
    };
    head.ok_or_else(|| {
        "a head is its `treeId`, `treeSize` and `rootHash`, as auditTreeHead gave them, with colons between".into()
    })
}

fn head(tree: Option<Uuid>, size: &str, root: &str) -> Option<KnownHead> {
    let mut hash = Hash::default();
    hex::decode_to_slice(root, &mut hash).ok()?;
    Some(KnownHead { tree: tree?, size: size.parse().ok().filter(|size| *size > 0)?, root: hash })
}

fn save(file: &Path, heads: &[KnownHead]) -> Result<()> {
    let line = |head: &KnownHead| format!("{}:{}:{}\n", head.tree, head.size, hex::encode(head.root));
    fs::write(file, heads.iter().map(line).collect::<String>())
        .with_context(|| format!("{} could not be written", file.display()))
}

/// Verifies the audit trail and says what there is, or fails with the first thing that is wrong.
pub async fn verify(config: &Config, heads: &Heads) -> Result<()> {
    let known = heads.known()?;
    let postgres = Postgres::start(config).await?;
    let verified = verify_on(config, &postgres, &known, heads.save_heads.as_deref()).await;
    postgres.stop().await?;
    verified
}

async fn verify_on(config: &Config, postgres: &Postgres, known: &[KnownHead], save_to: Option<&Path>) -> Result<()> {
    let owner = postgres.owner().await?;
    let migrated = postgres::is_migrated(&owner).await?;
    owner.close().await?;
    ensure!(migrated, "The database is not up to date: run `aether-nexus migrate` with the same DATABASE_URL first.");
    let failed = |_| anyhow!("The audit trail could not be read; the lines above say why.");
    let database = Database::connect(&config.connect(postgres.url.clone())).await.map_err(failed)?;
    let keys = config.audit_keys();
    let bar = stderr().is_terminal().then(ProgressBar::no_length);
    if let Some(bar) = &bar {
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} rows, {eta} left")?);
    }
    let mut tenths = 0;
    let verified = Store::new(database.clone())
        .verify_audit(&keys, known, |done, total| {
            if let Some(bar) = &bar {
                bar.set_length(total);
                bar.set_position(done);
            } else if done * 10 / total.max(1) > tenths {
                tenths = done * 10 / total.max(1);
                eprintln!("{done} of {total} rows");
            }
        })
        .await;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    database.close().await;
    match verified.map_err(failed)? {
        Err(finding) => bail!("{finding}"),
        Ok(report) => {
            println!("{} rows in {} logs, {} heads, all sound.", report.rows, report.newest.len(), report.heads);
            if let Some(file) = save_to {
                save(file, &report.newest)?;
                println!("The newest heads are in {}.", file.display());
            }
            if report.pending > 0 {
                println!(
                    "{} more rows wait to be sealed, which a running gateway does within seconds.",
                    report.pending
                );
            }
            for key in keys.public() {
                println!("Trusted key: {}", hex::encode(key));
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_head_is_a_tree_a_size_and_a_root() {
        let (tree, root) = ("019312d0-3c5a-7b6e-8f00-0242ac120002", "ab".repeat(32));
        let head = KnownHead { tree: tree.parse().unwrap(), size: 7, root: [0xab; 32] };
        assert_eq!(known_head(&format!("{tree}:7:{root}")), Ok(head));
        assert_eq!(known_head(&format!("7:{root}")), Ok(KnownHead { tree: Uuid::nil(), ..head }));
        for wrong in [
            "7",
            "7:",
            "7:ab",
            &format!("0:{root}"),
            &format!("-1:{root}"),
            &format!("7:{root}00"),
            &format!("x:7:{root}"),
        ] {
            assert!(known_head(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_saved_is_known_again() {
        let file = std::env::temp_dir().join(format!("heads-{}", Uuid::new_v4()));
        let heads = [1, 2].map(|n| KnownHead { tree: Uuid::from_u128(n), size: n as u64, root: [n as u8; 32] });
        save(&file, &heads).unwrap();
        let read = Heads { known_head: vec![heads[1]], known_heads: Some(file.clone()), save_heads: None }.known();
        fs::remove_file(&file).unwrap();
        assert_eq!(read.unwrap(), [heads[1], heads[0], heads[1]]);
        assert!(Heads { known_head: vec![], known_heads: Some(file), save_heads: None }.known().is_err());
    }
}
