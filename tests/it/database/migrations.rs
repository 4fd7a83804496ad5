//! The database, built up and taken down: each change is taken back whole, and what is built twice is the same.

use std::time::Duration;

use aether_embedded::{Cluster, Settings};
use aether_migration::{Migrator, MigratorTrait, follow_collation};
use aether_store::{Connect, Database, Store};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::support::cluster;

/// Everything that is in the schema, a line each, as the catalogs have it. Partitions by month are left out: they are made
/// by the calendar, and belong to their tables.
const EVERYTHING: &str = r"
WITH kept AS (
    SELECT c.* FROM pg_class c
     WHERE relnamespace = 'public'::regnamespace AND (NOT relispartition OR relname LIKE '%\_default%')
       AND relname NOT LIKE 'seaql%'
)
SELECT concat_ws(' ', 'relation', relname, relkind, relreplident, pg_get_partkeydef(oid), relacl::text, obj_description(oid),
                 pg_get_expr(relpartbound, oid)) AS line
  FROM kept
UNION ALL
SELECT concat_ws(' ', 'column', relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
                 pg_get_expr(adbin, adrelid), attacl::text, col_description(attrelid, attnum))
  FROM pg_attribute a JOIN kept k ON k.oid = a.attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE attnum > 0 AND NOT attisdropped
UNION ALL
SELECT concat_ws(' ', 'constraint', relname, conname, contype, convalidated, pg_get_constraintdef(c.oid))
  FROM pg_constraint c JOIN kept k ON k.oid = c.conrelid
UNION ALL
SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid)) FROM pg_index i JOIN kept k ON k.oid = i.indexrelid
UNION ALL
SELECT concat_ws(' ', 'trigger', tgenabled, pg_get_triggerdef(t.oid)) FROM pg_trigger t JOIN kept k ON k.oid = t.tgrelid
 WHERE NOT tgisinternal
UNION ALL
SELECT concat_ws(' ', 'view', relname, pg_get_viewdef(oid)) FROM kept WHERE relkind IN ('m', 'v')
UNION ALL
SELECT concat_ws(' ', 'function', proacl::text, proconfig::text, pg_get_functiondef(oid))
  FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', 'type', typname, typtype, obj_description(t.oid, 'pg_type'),
                 (SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
  FROM pg_type t WHERE typnamespace = 'public'::regnamespace AND typrelid = 0 AND typelem = 0
UNION ALL
SELECT concat_ws(' ', 'collation', collname, collprovider, collisdeterministic)
  FROM pg_collation WHERE collnamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', 'schema', nspname, nspacl::text) FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'
ORDER BY 1";

async fn lines(database: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = database.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.iter().map(|row| row.try_get_by_index(0).expect("text")).collect()
}

/// Says in what two lists differ, which two thousand lines side by side would not.
fn same(left: &[String], right: &[String], when: &str) {
    let only = |a: &[String], b: &[String]| a.iter().filter(|line| !b.contains(line)).cloned().collect::<Vec<_>>();
    let (gone, new) = (only(left, right), only(right, left));
    assert!(gone.is_empty() && new.is_empty(), "{when}\ngone: {gone:#?}\nnew: {new:#?}");
}

#[tokio::test]
async fn every_change_is_taken_back_whole_and_made_again_the_same() {
    let name = cluster::create_empty().await;
    let database = cluster::connect(&name).await;
    let mut states = vec![lines(&database, EVERYTHING).await];
    let changes = Migrator::migrations().len();
    for _ in 0..changes {
        Migrator::up(&database, Some(1)).await.expect("up");
        states.push(lines(&database, EVERYTHING).await);
    }
    let full = states.last().expect("a state").clone();
    assert!(full.iter().filter(|line| line.starts_with("relation ")).count() > 150);
    for (done, state) in states.iter().enumerate().take(changes).rev() {
        Migrator::down(&database, Some(1)).await.expect("down");
        // What a schema grants is the cluster's roles' business, and PostgreSQL writes out the default once it was changed.
        let but_schema =
            |state: &[String]| state.iter().filter(|line| !line.starts_with("schema ")).cloned().collect::<Vec<_>>();
        same(&but_schema(state), &but_schema(&lines(&database, EVERYTHING).await), &format!("down to {done}"));
    }
    let left =
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'seaql%'
        UNION ALL SELECT typname::text FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typname !~ 'seaql'
        UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT collname::text FROM pg_collation WHERE collnamespace = 'public'::regnamespace
        UNION ALL SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public' AND nspacl::text LIKE '%aether\\_%'";
    assert_eq!(lines(&database, left).await, Vec::<String>::new());
    Migrator::up(&database, None).await.expect("up again");
    same(&full, &lines(&database, EVERYTHING).await, "up again");
    Migrator::up(&database, None).await.expect("nothing left to do");
    let _ = database.close().await;
    cluster::drop_later(name);
}

/// Whether a gateway can use the database at this address: reads under one role, keeps house under the other.
async fn works(url: String) {
    let connect = Connect { url, max_connections: 2, statement_timeout: Duration::from_secs(30) };
    let Ok(database) = Database::connect(&connect).await else { panic!("the roles cannot connect") };
    let store = Store::new(database);
    assert!(store.database().ping().await.is_ok());
    assert_eq!(store.maintain(std::time::Duration::from_secs(7 * 24 * 3_600)).await, Ok(true));
    store.database().clone().close().await;
}

#[tokio::test]
async fn databases_of_a_cluster_share_the_roles_and_nothing_else() {
    let (one, other) = tokio::join!(cluster::create_empty(), cluster::create_empty());
    let (first, second) = tokio::join!(cluster::connect(&one), cluster::connect(&other));
    let (up, up_too) = tokio::join!(Migrator::up(&first, None), Migrator::up(&second, None));
    up.expect("up");
    up_too.expect("up at the same time");
    Migrator::down(&first, None).await.expect("down");
    works(cluster::url(&other)).await;
    let read = "SET LOCAL ROLE aether_reader; SELECT count(*) FROM organizations";
    second.execute_unprepared(read).await.expect("the roles are there");
    let hidden = "SET LOCAL ROLE aether_reader; SELECT password_hash FROM users";
    let error = second.execute_unprepared(hidden).await.expect_err("it is hidden").to_string();
    assert!(error.contains("permission denied"), "{error}");
    let _ = tokio::join!(first.close(), second.close());
    [one, other].into_iter().for_each(cluster::drop_later);
}

/// On a cluster of its own, for it takes the roles away, and as an ordinary user, as a hosted PostgreSQL has it.
#[tokio::test]
async fn the_owner_of_the_database_need_be_no_superuser_and_the_last_one_takes_the_roles_along() {
    let cluster = tokio::task::spawn_blocking(|| {
        let cluster = Cluster::start(Settings::ephemeral(), &mut |_| ()).unwrap_or_else(|error| panic!("{error}"));
        for sql in ["CREATE ROLE hosted LOGIN CREATEROLE", "CREATE DATABASE hosted OWNER hosted"] {
            cluster.query("postgres", sql).expect("it is made");
        }
        cluster
    });
    let cluster = cluster.await.expect("a cluster");
    let url = cluster.url("hosted").replacen("aether@", "hosted@", 1);
    let mut options = ConnectOptions::new(&url);
    options.max_connections(1).sqlx_logging(false);
    #[expect(clippy::disallowed_methods, reason = "an owner who is nobody's gateway")]
    let owner = sea_orm::Database::connect(options).await.expect("it connects");
    Migrator::up(&owner, None).await.expect("up");
    works(url).await;
    let roles = "SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'aether\\_%'";
    assert_eq!(lines(&owner, roles).await.len(), 2);
    Migrator::down(&owner, None).await.expect("down");
    assert_eq!(lines(&owner, roles).await, Vec::<String>::new());
    let _ = owner.close().await;
    tokio::task::spawn_blocking(move || cluster.stop()).await.expect("it runs").expect("it stops");
}

/// As after an upgrade of the operating system: the catalog is told that the indexes were built by another ICU.
#[tokio::test]
async fn indexes_of_sorted_text_are_built_anew_where_the_sorting_has_changed() {
    let name = cluster::clone_demo().await;
    let database = cluster::connect(&name).await;
    assert_eq!(follow_collation(&database).await.expect("it is looked at"), None);
    let files = "SELECT indexname || ' ' || pg_relation_filenode(indexname::regclass) FROM pg_indexes
         WHERE schemaname = 'public' AND indexdef LIKE '%natural_order%' ORDER BY indexname";
    let before = lines(&database, files).await;
    assert!(before.iter().any(|line| line.starts_with("idx_vendors_organization ")), "{before:?}");
    let older = "UPDATE pg_collation SET collversion = '1' WHERE collname = 'natural_order'";
    database.execute_unprepared(older).await.expect("a superuser may");
    let rebuilt = follow_collation(&database).await.expect("they are built anew");
    assert_eq!(rebuilt, Some(before.len()));
    let after = lines(&database, files).await;
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?}\n{after:?}");
    assert_eq!(follow_collation(&database).await.expect("it is looked at"), None);
    let _ = database.close().await;
    cluster::drop_later(name);
}
