//! One cluster for the run, with a migrated and filled template that each test's database is cloned from.

use std::sync::{
    LazyLock,
    atomic::{AtomicU32, Ordering},
};

use aether_embedded::{Cluster, Settings};
use aether_migration::{Migrator, MigratorTrait};
use aether_server::config::{Cli, Config};
use clap::Parser;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection};
use tokio::sync::{Mutex, OnceCell};

const TEMPLATE: &str = "template_demo";

/// The watchdog stops and deletes it with this process, however that ends.
static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| {
    let mut settings = Settings::ephemeral();
    settings.max_connections = 300;
    Cluster::start(settings, &mut |line| eprintln!("{line}")).unwrap_or_else(|error| panic!("{error}"))
});

/// Databases of tests that have ended.
static ENDED: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

/// How to reach a database of the cluster.
pub fn url(database: &str) -> String {
    CLUSTER.url(database)
}

/// A connection as the cluster's superuser.
pub async fn connect(database: &str) -> DatabaseConnection {
    let url = tokio::task::spawn_blocking({
        let database = database.to_owned();
        move || CLUSTER.url(&database)
    });
    let mut options = ConnectOptions::new(url.await.expect("the cluster starts"));
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await.unwrap_or_else(|error| panic!("{error}"))
}

/// A fresh, empty database.
pub async fn create_empty() -> String {
    create("template0").await
}

/// A database with the demo data.
pub async fn clone_demo() -> String {
    static READY: OnceCell<()> = OnceCell::const_new();
    READY.get_or_init(make_template).await;
    create(TEMPLATE).await
}

/// A database with the demo data as it was on this day.
pub async fn create_demo(today: chrono::NaiveDate) -> String {
    let name = create_empty().await;
    fill(&name, Some(today)).await;
    name
}

async fn create(template: &str) -> String {
    // PostgreSQL clones a template for one at a time.
    static TURN: Mutex<()> = Mutex::const_new(());
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let _turn = TURN.lock().await;
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let admin = connect("postgres").await;
    let ended = std::mem::take(&mut *ENDED.lock().expect("no test panics here"));
    for ended in ended {
        let _ = admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {ended} WITH (FORCE)")).await;
    }
    let sql = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY");
    admin.execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let _ = admin.close().await;
    name
}

/// Has a database dropped when the next one is made.
pub fn drop_later(database: String) {
    ENDED.lock().expect("no test panics here").push(database);
}

async fn make_template() {
    let admin = connect("postgres").await;
    admin.execute_unprepared(&format!("CREATE DATABASE {TEMPLATE}")).await.expect("a template");
    let _ = admin.close().await;
    fill(TEMPLATE, None).await;
}

async fn fill(name: &str, today: Option<chrono::NaiveDate>) {
    let database = connect(name).await;
    Migrator::up(&database, None).await.expect("it migrates");
    let config: Config = Cli::parse_from(["aether-nexus"]).config;
    let filled = match today {
        Some(today) => aether_server::postgres::seed_as_of(&database, &config, 1, today).await,
        None => aether_server::postgres::seed(&database, &config, 1).await,
    };
    filled.expect("it fills");
    database.execute_unprepared("ANALYZE").await.expect("it is analyzed");
    let _ = database.close().await;
}
