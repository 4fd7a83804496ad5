//! One change under way: what a mutation reads and writes with.

use std::sync::Arc;

use aether_domain::entry::Lines;
use aether_entity::{
    catalog::Kind,
    sea_orm_active_enums::{ReasonCategory, UserStatus},
    users,
};
use chrono::{DateTime, FixedOffset, SecondsFormat};
use parking_lot::{Mutex, MutexGuard};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable,
    ModelTrait, PaginatorTrait, QueryFilter, QueryResult, QuerySelect, Select, Value, prelude::Expr,
    sea_query::LockType,
};
use serde_json::Map;
use uuid::Uuid;

use super::{
    Action, Membership, Writable, WritableEdit, WritableRow,
    action::{Needs, Trail},
    constraint::{explained, words},
    entries,
    record::{Record, column, int_of, uuid_of},
    table::table_of,
};
use crate::{
    actor::Actor,
    database::{AuditBatch, Database, Transaction},
    encryption::Encryption,
    error::{Error, Result, Stale},
    model::Model,
    scope,
    sql::{Param, Sql},
    write::Client,
};

/// A change under way. A use case is lent it and cannot keep it, so nothing of it outlives its transaction.
pub struct Change {
    /// Private to this folder: it is the one way to write.
    pub(super) transaction: Arc<Transaction>,
    pub(super) actor: Arc<Actor>,
    pub(super) action: &'static Action,
    pub(super) client: Client,
    pub(super) encryption: Encryption,
    pub(super) now: DateTime<FixedOffset>,
    pub(super) log: Mutex<Log>,
}

/// What a change has done so far.
#[derive(Default)]
pub(super) struct Log {
    pub(super) membership: Option<Arc<Membership>>,
    pub(super) entries: Vec<Entry>,
}

/// What becomes one audit row.
pub(super) struct Entry {
    pub(super) action: &'static Action,
    pub(super) records: Vec<Record>,
    pub(super) reason: Option<String>,
    pub(super) category: Option<ReasonCategory>,
    pub(super) notes: Map<String, serde_json::Value>,
    pub(super) target: Option<(&'static str, Uuid)>,
    /// Told even if no row was written.
    pub(super) always: bool,
    /// Events besides those of the rows.
    pub(super) announcements: Vec<Announcement>,
}

/// An event that is about more than one row.
pub(super) struct Announcement {
    pub(super) topic: &'static str,
    pub(super) aggregate_id: Uuid,
    pub(super) kind: &'static str,
    pub(super) payload: serde_json::Value,
}

impl Entry {
    pub(super) fn new(action: &'static Action) -> Self {
        Self {
            action,
            records: Vec::new(),
            reason: None,
            category: None,
            notes: Map::new(),
            target: None,
            always: false,
            announcements: Vec::new(),
        }
    }
}

impl Change {
    /// A change under this action, in a transaction that has begun.
    pub(crate) fn begun(
        transaction: Arc<Transaction>,
        actor: Arc<Actor>,
        action: &'static Action,
        client: Client,
        encryption: Encryption,
        now: DateTime<FixedOffset>,
    ) -> Self {
        Self { transaction, actor, action, client, encryption, now, log: Mutex::default() }
    }

    /// Who changes.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The moment of the change: one for all of it, the database's.
    pub fn now(&self) -> DateTime<FixedOffset> {
        self.now
    }

    /// Under which action.
    pub fn action(&self) -> &'static Action {
        self.action
    }

    /// The request that asks for the change.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What encrypts secrets at rest.
    pub fn encryption(&self) -> &Encryption {
        &self.encryption
    }

    /// The reason that the actor gives, for the audit row.
    pub fn reason(&self, reason: Option<&str>, category: Option<ReasonCategory>) {
        let mut log = self.log();
        let entry = current(&mut log, self.action);
        entry.reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        entry.category = category;
    }

    /// Something that the audit row tells besides the rows, among what came after; it is told even if no row is written.
    pub fn note(&self, name: &str, value: impl Into<serde_json::Value>) {
        let mut log = self.log();
        let entry = current(&mut log, self.action);
        entry.notes.insert(name.to_owned(), value.into());
        entry.always = true;
    }

    /// Tells subscribers of something that is about more than one row.
    pub fn announce(&self, topic: &'static str, aggregate_id: Uuid, kind: &'static str, payload: serde_json::Value) {
        let announcement = Announcement { topic, aggregate_id, kind, payload };
        current(&mut self.log(), self.action).announcements.push(announcement);
    }

    /// What the audit row is about, where that is not the row that was written first.
    pub fn about<E: EntityTrait>(&self, id: Uuid) {
        current(&mut self.log(), self.action).target = Some((table_of::<E>(), id));
    }

    /// Tells of a row that SQL of one's own has written.
    pub fn record(&self, record: Record) {
        current(&mut self.log(), self.action).records.push(record);
    }

    /// Begins another audit row: what follows is told under this action.
    pub fn under(&self, action: &'static Action) {
        self.log().entries.push(Entry::new(action));
    }

    /// The row as the actor sees it, locked until the change ends.
    pub async fn find<E: Writable>(&self, id: Uuid) -> Result<E::Model> {
        let key = column::<E>("id").ok_or_else(|| Error::internal("a table without id"))?;
        let row = self.one(E::find().filter(key.eq(id)).lock(LockType::NoKeyUpdate)).await?;
        let row = row.filter(|row| self.is_ours::<E>(row));
        row.ok_or_else(|| Error::NotFound(format!("There is no {} with this id.", words(E::default().table_name()))))
    }

    /// The row, locked, in the version that the client saw.
    pub async fn edit<E: Writable>(&self, id: Uuid, expected: i32) -> Result<E::Model> {
        let row = self.find::<E>(id).await?;
        self.expect::<E>(&row, expected).await?;
        Ok(row)
    }

    /// Refuses an edit of a row that has been edited since the client saw it.
    pub async fn expect<E: Writable>(&self, row: &E::Model, expected: i32) -> Result<()> {
        let current = int_of::<E>(row, "row_version").ok_or_else(|| Error::internal("a table without versions"))?;
        if current == expected {
            return Ok(());
        }
        let id = uuid_of::<E>(row, "id").unwrap_or_default();
        let aggregate = uuid_of::<E>(row, E::AGGREGATE).unwrap_or(id);
        if self.transaction.announces(aggregate) {
            // By an earlier mutation of the same transaction.
            let (changed_by, changed_at) = (
                Some((self.actor().user_id, self.actor().name.clone())),
                Some(self.now.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true)),
            );
            return Err(Error::Stale(Box::new(Stale { expected, current, changed_by, changed_at })));
        }
        let mut sql = Sql::new();
        sql.push(
            "SELECT e.actor_id, u.name, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') \
             FROM event_outbox e LEFT JOIN users u ON u.id = e.actor_id WHERE e.topic <> 'audit' AND e.aggregate_id = ",
        )
        .uuid(aggregate);
        match column::<E>("updated_at").map(|edited| row.get(edited)) {
            // The edit and its event have the same moment, that of their transaction. An edit without an event of its own
            // (a line that changes its budget's total, a row among many of an import) is not taken for an older one.
            Some(Value::ChronoDateTimeWithTimeZone(Some(at))) => {
                sql.push(" AND e.at = ").value(Kind::Timestamp, at.to_rfc3339()).push(" ORDER BY e.sequence LIMIT 1");
            }
            _ => {
                sql.push(" AND e.payload ->> 'id' = ").text(id.to_string()).push(" ORDER BY e.sequence DESC LIMIT 1");
            }
        }
        #[expect(clippy::disallowed_methods, reason = "subscribers' events are of no type that is edited")]
        let last = self.run_sql(&sql).await?;
        let (mut changed_by, mut changed_at) = (None, None);
        if let Some(last) = last.first() {
            let user: (Option<Uuid>, Option<String>) = (last.try_get_by_index(0)?, last.try_get_by_index(1)?);
            changed_by = user.0.zip(user.1);
            changed_at = last.try_get_by_index(2)?;
        }
        Err(Error::Stale(Box::new(Stale { expected, current, changed_by, changed_at })))
    }

    /// The first row of this query that the actor sees.
    pub async fn one<E: Writable>(&self, select: Select<E>) -> Result<Option<E::Model>> {
        Ok(self.scoped(select)?.one(self.transaction()).await?)
    }

    /// The rows of this query that the actor sees.
    pub async fn all<E: Writable>(&self, select: Select<E>) -> Result<Vec<E::Model>> {
        Ok(self.scoped(select)?.all(self.transaction()).await?)
    }

    /// How many rows of this query the actor sees.
    pub async fn count<E: Writable>(&self, select: Select<E>) -> Result<u64> {
        Ok(self.scoped(select)?.count(self.transaction()).await?)
    }

    /// Inserts a row; its id is made here unless it is given.
    pub async fn insert<A: WritableEdit>(&self, row: A) -> Result<<A::Table as EntityTrait>::Model> {
        let mut row = row.into_active();
        self.check_entries::<A::Table>(&row)?;
        name_row::<A::Table>(&mut row);
        let table = table_of::<A::Table>();
        let row = explained(A::Table::insert(row).exec_with_returning(self.transaction()).await, table)?;
        self.wrote::<A::Table>(None, Some(&row))?;
        Ok(row)
    }

    /// Inserts rows, in few statements.
    pub async fn insert_all<A: WritableEdit>(&self, rows: Vec<A>) -> Result<Vec<<A::Table as EntityTrait>::Model>> {
        // A statement takes 65,535 values at most.
        let at_once = 60_000 / <A::Table as EntityTrait>::Column::iter().count().max(1);
        let mut inserted = Vec::with_capacity(rows.len());
        let rows: Vec<_> = rows.into_iter().map(WritableEdit::into_active).collect();
        rows.iter().try_for_each(|row| self.check_entries::<A::Table>(row))?;
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let some = rows.by_ref().take(at_once).map(|mut row| {
                name_row::<A::Table>(&mut row);
                row
            });
            let answer = A::Table::insert_many(some).exec_with_returning(self.transaction()).await;
            for row in explained(answer, table_of::<A::Table>())? {
                self.wrote::<A::Table>(None, Some(&row))?;
                inserted.push(row);
            }
        }
        Ok(inserted)
    }

    /// Reads a row again of which the database has computed something since, as a budget's total from its lines, and tells of it as it is
    /// now. `before` is how it was when the change found it; `None` where the change has made it.
    pub async fn recompute<E: Writable>(&self, before: Option<&E::Model>, id: Uuid) -> Result<()> {
        let after = self.find::<E>(id).await?;
        let Some(record) = Record::new::<E>(before, Some(&after)) else { return Ok(()) };
        let mut log = self.log();
        let records = &mut current(&mut log, self.action).records;
        match records.iter_mut().find(|known| known.table == record.table && known.id == id) {
            Some(known) => *known = record,
            None => records.push(record),
        }
        Ok(())
    }

    /// Updates a row that was read in this change; where nothing is set to another value, nothing is written.
    pub async fn update<R: WritableRow>(
        &self,
        before: R,
        edit: impl FnOnce(&mut <R::Table as EntityTrait>::ActiveModel),
    ) -> Result<R> {
        let before = before.into_model();
        let mut row = before.clone().into_active_model();
        edit(&mut row);
        let mut changes = false;
        for column in <R::Table as EntityTrait>::Column::iter() {
            if let ActiveValue::Set(value) = row.get(column) {
                if value == before.get(column) {
                    row.not_set(column);
                } else {
                    changes = true;
                }
            }
        }
        if !changes {
            return Ok(R::from_model(before));
        }
        self.check_entries::<R::Table>(&row)?;
        let after = R::Table::update(row).exec(self.transaction()).await;
        let after = explained(after, table_of::<R::Table>())?;
        self.wrote::<R::Table>(Some(&before), Some(&after))?;
        Ok(R::from_model(after))
    }

    /// Deletes a row that was read in this change.
    pub async fn delete<R: WritableRow>(&self, row: R) -> Result<()> {
        let row = row.into_model();
        let gone = R::Table::delete(row.clone().into_active_model()).exec(self.transaction()).await;
        explained(gone, table_of::<R::Table>())?;
        self.wrote::<R::Table>(Some(&row), None)
    }

    /// An active user of the actor's organization, for a field that names one.
    pub async fn colleague(&self, id: Uuid, field: &str) -> Result<users::Model> {
        let user = users::Entity::find_by_id(id)
            .filter(users::Column::OrganizationId.eq(self.actor().organization_id))
            .filter(users::Column::Status.eq(UserStatus::Active));
        self.one(user)
            .await?
            .ok_or_else(|| Error::invalid(field, "There is no active user of your organization with this id."))
    }

    /// Runs SQL of one's own in the transaction: what concerns many rows at once. Neither scope nor audit know of it, so whoever
    /// writes by it names the organization or the workspace, and [`note`](Self::note)s or [`record`](Self::record)s what was done.
    /// `clippy.toml` bans it, so each who uses it says why.
    pub async fn run_sql(&self, sql: &Sql) -> Result<Vec<QueryResult>> {
        Ok(self.transaction().query_all_raw(sql.clone().for_actor(self.actor()).statement()?).await?)
    }

    pub(crate) fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// Refuses what nobody may enter, whichever mutation brings it; what the gateway itself writes, it has not entered.
    fn check_entries<E: Writable>(&self, row: &E::ActiveModel) -> Result<()> {
        if self.actor().is_system() { Ok(()) } else { entries::check::<E>(row) }
    }

    /// Writes audit rows and events of all that was done; whether there were any.
    pub(super) fn flush(&self) -> Result<bool> {
        if matches!(self.action.needs, Needs::Workspace(_)) && self.membership().is_none() {
            // Nobody has asked whether the actor may.
            return Err(Error::internal("an action of a workspace that has entered none"));
        }
        for reason in self.log().entries.iter().filter_map(|entry| entry.reason.as_deref()) {
            entries::check_text("reason", reason, Lines::Many)?;
        }
        let batch = AuditBatch::of(self);
        let any = !batch.is_empty();
        self.transaction.leave(batch);
        Ok(any)
    }

    /// Ends a change that is a transaction of its own.
    pub(crate) async fn finish(self, database: &Database) -> Result<()> {
        self.flush()?;
        database.commit_shared(self.end()).await
    }

    /// The transaction, now that the change is over.
    pub(super) fn end(self) -> Arc<Transaction> {
        self.transaction
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock()
    }

    pub(super) fn membership(&self) -> Option<Arc<Membership>> {
        self.log().membership.clone()
    }

    /// Makes this workspace the one that the change is of.
    pub(super) fn enter(&self, membership: Arc<Membership>) {
        self.log().membership = Some(membership);
    }

    fn scoped<E: Writable>(&self, select: Select<E>) -> Result<Select<E>> {
        let table = table_of::<E>();
        match Model::get().by_table(table) {
            Some(ty) => {
                let condition = scope::condition(ty, table.into(), self.actor().audience()).for_actor(self.actor());
                let (text, params) = condition.finish();
                let values = params.iter().map(Param::to_value).collect::<Result<Vec<Value>>>()?;
                Ok(select.filter(Condition::all().add(Expr::cust_with_values(format!("({text})"), values))))
            }
            None => Ok(select),
        }
    }

    /// Whether a row is of the organization or the workspace that the change is of.
    fn is_ours<E: Writable>(&self, row: &E::Model) -> bool {
        if matches!(current(&mut self.log(), self.action).action.trail, Trail::Organization(..)) {
            let organization = match table_of::<E>() {
                "organizations" => "id",
                _ => "organization_id",
            };
            return column::<E>(organization).is_none()
                || uuid_of::<E>(row, organization) == Some(self.actor().organization_id);
        }
        let workspace = match table_of::<E>() {
            "workspaces" => "id",
            _ => "workspace_id",
        };
        // A membership that is being accepted is read before the workspace is entered.
        column::<E>(workspace).is_none()
            || self.membership().is_none_or(|of| uuid_of::<E>(row, workspace) == Some(of.workspace.id))
    }

    /// Notes what became of a row. What is of another tenant is not written, whatever the mutation's code says.
    fn wrote<E: Writable>(&self, before: Option<&E::Model>, after: Option<&E::Model>) -> Result<()> {
        if !before.into_iter().chain(after).all(|row| self.is_ours::<E>(row)) {
            return Err(Error::internal("a change of a row of another tenant"));
        }
        if let Some(record) = Record::new::<E>(before, after) {
            current(&mut self.log(), self.action).records.push(record);
        }
        Ok(())
    }
}

/// Gives a new row its id, time-ordered.
fn name_row<E: Writable>(row: &mut E::ActiveModel) {
    if let Some(id) = column::<E>("id")
        && row.get(id).is_not_set()
    {
        row.set(id, Uuid::now_v7().into());
    }
}

/// The audit row that is being collected.
pub(super) fn current<'a>(log: &'a mut Log, action: &'static Action) -> &'a mut Entry {
    if log.entries.is_empty() {
        log.entries.push(Entry::new(action));
    }
    let last = log.entries.len() - 1;
    &mut log.entries[last]
}
