//! The database to use: the one that is configured, or a private one that is brought up here.

use std::time::Duration;

use aether_demo::{Bar, Options};
use aether_embedded::{Cluster, Settings};
use aether_migration::{Migrator, MigratorTrait, Unknown};
use aether_store::identity::hash_password;
use anyhow::{Context, Result, bail, ensure};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::config::Config;

/// A database that can be reached; the private one is stopped by [`Postgres::stop`] or when this is dropped.
pub struct Postgres {
    /// How to reach it, as its owner.
    pub url: String,
    cluster: Option<Cluster>,
}

impl Postgres {
    /// Finds or starts the database.
    pub async fn start(config: &Config) -> Result<Self> {
        if let Some(url) = &config.database_url {
            return Ok(Self { url: url.clone(), cluster: None });
        }
        let mut settings = Settings::persistent(&config.data_dir);
        settings.bin_dir = config.pg_bin.clone();
        settings.max_connections = u16::try_from(config.max_connections * 2 + 16).unwrap_or(u16::MAX);
        let cluster =
            tokio::task::spawn_blocking(move || Cluster::start(settings, &mut |line| eprintln!("{line}"))).await??;
        Ok(Self { url: cluster.url(aether_embedded::DATABASE), cluster: Some(cluster) })
    }

    /// Whether it is the private one.
    pub fn is_private(&self) -> bool {
        self.cluster.is_some()
    }

    /// Connects as the owner, to migrate and to seed.
    pub async fn owner(&self) -> Result<DatabaseConnection> {
        let mut options = ConnectOptions::new(&self.url);
        options.max_connections(2).sqlx_logging(false).acquire_timeout(Duration::from_secs(10));
        #[expect(clippy::disallowed_methods, reason = "migrating and seeding need the owner, whom the store never is")]
        let database = sea_orm::Database::connect(options).await.context(
            "The database cannot be reached. Check DATABASE_URL, and that PostgreSQL runs and lets this user in.",
        )?;
        let version = "SELECT current_setting('server_version_num')::int";
        let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, version)).await?;
        let version = row.map(|row| row.try_get_by_index::<i32>(0)).transpose()?.unwrap_or_default();
        ensure!(
            version >= 150_000,
            "The database is PostgreSQL {}, and 15 or newer is needed: point DATABASE_URL at a newer server.",
            version / 10_000
        );
        Ok(database)
    }

    /// Stops the private one.
    pub async fn stop(self) -> Result<()> {
        if let Some(cluster) = self.cluster {
            tokio::task::spawn_blocking(move || cluster.stop()).await??;
        }
        Ok(())
    }
}

/// Brings the database to the newest schema, or takes back some changes.
pub async fn migrate(database: &DatabaseConnection, down: Option<u32>) -> Result<()> {
    if let Some(steps) = down {
        Migrator::down(database, Some(steps)).await.context("The changes could not be taken back.")?;
        eprintln!("Took back {steps} change(s).");
        return Ok(());
    }
    recognize(database).await?;
    let pending = Migrator::get_pending_migrations(database).await.context("The database's state cannot be read.")?;
    if !pending.is_empty() {
        eprintln!("Migrating the database: {} change(s) …", pending.len());
        Migrator::up(database, None).await.context(
            "The database could not be migrated. The user in DATABASE_URL must own the database and may need CREATEROLE.",
        )?;
    }
    let rebuilt = aether_migration::follow_collation(database).await;
    if let Some(indexes) = rebuilt.context("The indexes of sorted text could not be built anew.")? {
        eprintln!("PostgreSQL sorts text by a newer ICU: {indexes} indexes were built anew.");
    }
    Ok(())
}

/// Whether every change has been made.
pub async fn is_migrated(database: &DatabaseConnection) -> Result<bool> {
    let made = "SELECT to_regclass('seaql_migrations') IS NOT NULL";
    let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, made)).await?;
    if !row.map(|row| row.try_get_by_index::<bool>(0)).transpose()?.unwrap_or_default() {
        return Ok(false);
    }
    recognize(database).await?;
    Ok(Migrator::get_pending_migrations(database).await?.is_empty())
}

/// Refuses a database that another version has made and this one cannot bring to the newest schema.
async fn recognize(database: &DatabaseConnection) -> Result<()> {
    match aether_migration::unknown(database).await.context("The database's state cannot be read.")? {
        None => Ok(()),
        Some(Unknown::Earlier) => bail!(
            "This database was made by a version under development, from before 27 November 2026, and its data is not carried over. \
             Nothing was changed. Remove the folder of the private database (the setting --data-dir), or point DATABASE_URL at an \
             empty database."
        ),
        Some(Unknown::Newer) => bail!(
            "This database was made by a newer version of the gateway. Nothing was changed. Update the gateway, or restore a backup \
             from before the database was migrated."
        ),
    }
}

/// Whether anybody can enter.
pub async fn has_organizations(database: &DatabaseConnection) -> Result<bool> {
    let some = "SELECT EXISTS (SELECT FROM organizations)";
    let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, some)).await?;
    Ok(row.map(|row| row.try_get_by_index::<bool>(0)).transpose()?.unwrap_or_default())
}

/// Loads the demo data, unless it is there.
pub async fn seed(database: &DatabaseConnection, config: &Config, scale: u32) -> Result<bool> {
    #[expect(clippy::disallowed_methods, reason = "the demo data ends today")]
    let today = || chrono::Utc::now().date_naive();
    seed_as_of(database, config, scale, config.demo_date.unwrap_or_else(today)).await
}

/// Loads the demo data as it was on this day, unless there is some.
pub async fn seed_as_of(
    database: &DatabaseConnection,
    config: &Config,
    scale: u32,
    today: chrono::NaiveDate,
) -> Result<bool> {
    let pool = database.get_postgres_connection_pool();
    if aether_demo::is_loaded(pool).await? {
        return Ok(false);
    }
    let encryption = config.encryption()?;
    let options = Options {
        today,
        seed: 42,
        scale,
        password_hash: hash_password(aether_demo::PASSWORD)
            .map_err(|_| anyhow::anyhow!("The demo password cannot be hashed."))?,
        encrypt: std::sync::Arc::new(move |plain| encryption.encrypt(plain).unwrap_or_default()),
    };
    aether_demo::load(pool, &options, &Bar::new()).await.context("The demo data could not be loaded.")?;
    Ok(true)
}
