//! `verify-audit`: the audit trail, recomputed.

use std::io::{IsTerminal, stderr};

use aether_store::{Database, Store, merkle::tree::Hash};
use anyhow::{Result, anyhow, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    config::Config,
    postgres::{self, Postgres},
};

/// Verifies the audit trail and says what there is, or fails with the first thing that is wrong.
pub async fn verify(config: &Config, known_head: Option<(u64, Hash)>) -> Result<()> {
    let postgres = Postgres::start(config).await?;
    let verified = verify_on(config, &postgres, known_head).await;
    postgres.stop().await?;
    verified
}

async fn verify_on(config: &Config, postgres: &Postgres, known_head: Option<(u64, Hash)>) -> Result<()> {
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
        .verify_audit(&keys, known_head, |done, total| {
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
            println!("{} rows, {} heads, all sound.", report.rows, report.heads);
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
