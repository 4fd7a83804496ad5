//! The load: everything in one transaction, table by table, with COPY.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use sea_orm::sqlx::{self, PgConnection, PgPool};

use crate::copy::Rows;
use crate::identity::{self, Session, Setting};
use crate::ids::Ids;
use crate::people::{HOME, People, Size};
use crate::progress::Progress;
use crate::random::{Random, stream};
use crate::tenant::{Tenant, midnight};
use crate::{
    actions, anomalies, assistant, audit, compliance, exports, finance, injected, integrations, lineage, metrics,
    models, pipeline, sales, scenarios, vendors,
};

/// How much is sent to the server at once.
const CHUNK: usize = 4 << 20;

/// Encrypts what is stored encrypted.
pub type Encrypt = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// What to load.
#[derive(Clone)]
pub struct Options {
    /// The day the data ends on, in UTC.
    pub today: NaiveDate,
    /// Where chance begins.
    pub seed: u64,
    /// How many times the volume: 1 for a demo, more for load tests.
    pub scale: u32,
    /// The hash of [`PASSWORD`](crate::PASSWORD) as a PHC string.
    pub password_hash: String,
    /// Encrypts what is stored encrypted.
    pub encrypt: Encrypt,
}

/// What was loaded.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Rows by table.
    pub tables: BTreeMap<&'static str, u64>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Summary {
    /// Rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.values().sum()
    }
}

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The demo organization is there.
    #[error("the demo data is loaded already: organization {HOME} exists")]
    AlreadyLoaded,
    /// The database refused.
    #[error("demo data, {step}")]
    Database {
        /// The table, or what else was being done.
        step: &'static str,
        /// What it said.
        source: sqlx::Error,
    },
}

fn at(step: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| Error::Database { step, source }
}

/// Whether the demo organization is there.
///
/// # Errors
/// When the database cannot be asked.
pub async fn is_loaded(pool: &PgPool) -> Result<bool, Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM organizations WHERE slug = $1)")
        .bind(HOME)
        .fetch_one(pool)
        .await
        .map_err(at("looking for the demo organization"))
}

/// Loads everything or, where anything goes wrong, nothing. The pool connects as the owner of the tables.
///
/// # Errors
/// When the data is loaded already, or the database refuses.
pub async fn load(pool: &PgPool, options: &Options, progress: &dyn Progress) -> Result<Summary, Error> {
    let begun = Instant::now();
    if is_loaded(pool).await? {
        return Err(Error::AlreadyLoaded);
    }
    let demo = Demo::new(options);
    let mut transaction = pool.begin().await.map_err(at("beginning"))?;
    let connection = &mut *transaction;
    let (first, last) = demo.months();
    sqlx::query("SELECT ensure_partitions($1, $2)")
        .bind(first)
        .bind(last)
        .execute(&mut *connection)
        .await
        .map_err(at("making partitions"))?;

    keep_versions(connection, "DISABLE").await?;
    let (mut summary, mut done) = (Summary::default(), 0);
    let mut shared = demo.shared();
    let mut tenants = demo.tenants();
    let mut batch = tenants.next().map(|tenant| demo.tenant(&tenant)).unwrap_or_default();
    let total = (shared.len() + batch.len() * demo.size()) as u64;
    // Organizations and users first: everything else belongs to them.
    shared.append(&mut batch);
    let mut batch = shared;
    while !batch.is_empty() {
        for rows in batch {
            copy(connection, &rows).await?;
            *summary.tables.entry(rows.table).or_default() += rows.count;
            done += 1;
            progress.table(rows.table, rows.count, done, total);
        }
        batch = tenants.next().map(|tenant| demo.tenant(&tenant)).unwrap_or_default();
    }
    keep_versions(connection, "ENABLE").await?;
    for (step, statement) in [
        ("refreshing mv_kpi_summary", "REFRESH MATERIALIZED VIEW mv_kpi_summary"),
        ("refreshing mv_pipeline_summary", "REFRESH MATERIALIZED VIEW mv_pipeline_summary"),
    ] {
        sqlx::query(statement).execute(&mut *connection).await.map_err(at(step))?;
    }
    // The planner should know of the rows before autovacuum comes by.
    for &table in summary.tables.keys() {
        let statement = sqlx::AssertSqlSafe(format!("ANALYZE {table}"));
        sqlx::query(statement).execute(&mut *connection).await.map_err(at(table))?;
    }
    transaction.commit().await.map_err(at("committing"))?;
    summary.elapsed = begun.elapsed();
    Ok(summary)
}

/// The database sums up lines, counts messages and so on as they come in. For the time of the load this is no edit: the
/// rows keep the versions and times that they are loaded with.
async fn keep_versions(connection: &mut PgConnection, how: &'static str) -> Result<(), Error> {
    const STEP: &str = "switching the row versions";
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT tgrelid::regclass::text FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
          WHERE tgname = 'zz_count_version' AND tgparentid = 0 AND c.relnamespace = current_schema()::regnamespace",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(at(STEP))?;
    for table in tables {
        let statement = sqlx::AssertSqlSafe(format!("ALTER TABLE {table} {how} TRIGGER zz_count_version"));
        sqlx::query(statement).execute(&mut *connection).await.map_err(at(STEP))?;
    }
    Ok(())
}

async fn copy(connection: &mut PgConnection, rows: &Rows) -> Result<(), Error> {
    let mut sink = connection.copy_in_raw(&rows.statement()).await.map_err(at(rows.table))?;
    for chunk in rows.text.as_bytes().chunks(CHUNK) {
        sink.send(chunk).await.map_err(at(rows.table))?;
    }
    sink.finish().await.map_err(at(rows.table))?;
    Ok(())
}

/// Everything that is going to be loaded, made in parts.
pub(crate) struct Demo<'a> {
    options: &'a Options,
    people: People,
    sessions: Vec<Session>,
    identity: Vec<Rows>,
}

impl<'a> Demo<'a> {
    pub(crate) fn new(options: &'a Options) -> Self {
        let now = midnight(options.today);
        let mut ids = Ids::new(stream(options.seed, "people/ids", ""));
        let people = People::new(&mut ids, now, options.scale);
        let setting =
            Setting { now, seed: options.seed, password_hash: &options.password_hash, encrypt: &*options.encrypt };
        let mut identity = identity::people(&setting, &people);
        let (mut rows, sessions) = identity::sessions(&setting, &people);
        identity.append(&mut rows);
        Self { options, people, sessions, identity }
    }

    /// The first and last month of any partitioned table.
    fn months(&self) -> (NaiveDate, NaiveDate) {
        let months = chrono::Months::new;
        (self.options.today - months(metrics::PAST as u32), self.options.today + months(metrics::FUTURE as u32))
    }

    /// How many organizations have FP&A data.
    fn size(&self) -> usize {
        self.tenants().count()
    }

    /// Organizations, users and the loan workspaces, which belong to several organizations.
    pub(crate) fn shared(&self) -> Vec<Rows> {
        let mut rows = self.identity.clone();
        rows.extend(self.loan());
        rows
    }

    fn loan(&self) -> Vec<Rows> {
        let seed = self.options.seed;
        let mut ids = Ids::new(stream(seed, "loan/ids", ""));
        let mut rng = stream(seed, "loan", "");
        let encrypt = &*self.options.encrypt;
        crate::loan::generate(&self.people, (&mut ids, &mut rng), encrypt, self.options.today, self.options.scale)
    }

    /// The organizations with FP&A data, the demo organization first.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = Tenant<'_>> {
        let full = |size| match size {
            Size::Full { deals } => Some(deals),
            Size::Counterparty => None,
        };
        self.people.organizations.iter().filter_map(move |organization| {
            let deals = full(organization.size)?;
            let seed = self.options.seed;
            let users = self.people.users.iter().filter(|user| user.organization_id == organization.id);
            let volume = match organization.slug.as_str() {
                HOME => 1.0,
                "meridian-capital" => 0.38,
                slug => Random(stream(seed, "volume", slug)).between(0.2, 1.6),
            };
            Some(Tenant { organization, users: users.collect(), today: self.options.today, seed, deals, volume })
        })
    }

    /// The FP&A data of an organization, in the order its tables refer to each other.
    pub(crate) fn tenant(&self, tenant: &Tenant) -> Vec<Rows> {
        let mut all = Vec::new();
        let (rows, departments) = finance::departments(tenant);
        all.extend(rows);
        all.extend(finance::budgets(tenant, &departments));
        all.extend(vendors::vendors(tenant));
        let mut injected = injected::anomalies();
        all.push(metrics::metrics(tenant, &mut injected));
        all.push(metrics::imports(tenant));
        all.push(exports::exports(tenant));
        let (rows, anomalies) = anomalies::anomalies(tenant, &injected);
        all.push(rows);
        let (rows, deals) = sales::deals(tenant);
        all.extend(rows);
        all.push(pipeline::snapshots(tenant, &deals));
        let (rows, models) = models::models(tenant);
        all.extend(rows);
        all.extend(assistant::conversations(tenant));
        let things = actions::Things { models: &models, deals: &deals, anomalies: &anomalies };
        let (rows, actions) = actions::actions(tenant, &things);
        all.push(rows);
        all.extend(scenarios::scenarios(tenant));
        all.extend(compliance::compliance(tenant));
        all.extend(lineage::lineage(tenant));
        all.extend(integrations::integrations(tenant, &*self.options.encrypt));
        let sessions = &self.sessions;
        all.push(audit::audit(
            tenant,
            &audit::Things { sessions, deals: &deals, anomalies: &anomalies, actions: &actions },
        ));
        all
    }
}
