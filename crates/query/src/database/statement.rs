//! Statements as they run: a text that connections keep prepared, and the values bound to it.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut};
use uuid::Uuid;

use crate::{
    actor::Actor,
    error::{Error, Result},
    rows::Size,
    sql::{OfActor, Param, Sql},
};

/// A statement whose text is written, once for all who may run it.
#[derive(Debug)]
pub struct Statement {
    text: Text,
    params: Vec<Param>,
    planning: Planning,
    /// How large its last answer was: the next is likely to be as large.
    last: Mutex<Size>,
}

/// How PostgreSQL plans a statement that is kept prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planning {
    /// As it sees fit: for each execution, where it takes the values to matter.
    Auto,
    /// Once for all executions. Planning a statement over partitions takes longer than carrying it out, and PostgreSQL, which
    /// estimates that a plan for all of them costs more, would do it each time; but those that are not needed are left out of such a
    /// plan when it is carried out, too.
    Once,
    /// For each execution: it looks at so many rows that the best way to them is worth more than planning. So it is not kept.
    Each,
}

impl Planning {
    /// What PostgreSQL calls it (`plan_cache_mode`).
    pub(super) fn mode(self) -> &'static str {
        match self {
            Self::Auto | Self::Each => "auto",
            Self::Once => "force_generic_plan",
        }
    }
}

/// A statement's text. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Text(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sql: String,
    types: Vec<Type>,
    hash: u64,
    /// Whether it is known to have come before.
    came: AtomicBool,
}

/// A statement with all that is needed to run it.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    statement: &'a Statement,
    actor: Option<&'a Actor>,
    keys: &'a Arc<[Uuid]>,
}

/// A value as it is bound.
pub(super) struct Bound<'a> {
    param: &'a Param,
    call: Call<'a>,
}

impl Statement {
    /// A statement of this text.
    pub fn new(sql: &Sql) -> Self {
        Self::planned(sql, Planning::Auto)
    }

    /// The same, to be planned like this.
    pub fn planned(sql: &Sql, planning: Planning) -> Self {
        let (sql, params) = sql.finish();
        let mut hasher = DefaultHasher::new();
        sql.hash(&mut hasher);
        let types = params.iter().map(Param::ty).collect();
        Self {
            text: Text(Arc::new(Inner { sql, types, hash: hasher.finish(), came: AtomicBool::new(false) })),
            params,
            planning,
            last: Mutex::default(),
        }
    }

    /// To be run for this actor, with these keys.
    pub fn call<'a>(&'a self, actor: Option<&'a Actor>, keys: &'a Arc<[Uuid]>) -> Call<'a> {
        Call { statement: self, actor, keys }
    }
}

impl PartialEq for Statement {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.params == other.params
    }
}

impl Text {
    pub(super) fn sql(&self) -> &str {
        &self.0.sql
    }

    pub(super) fn types(&self) -> &[Type] {
        &self.0.types
    }

    /// The same for texts that are equal.
    pub(super) fn fingerprint(&self) -> u64 {
        self.0.hash
    }

    /// Whether this came before: once it did, nobody needs to be asked again.
    pub(super) fn came_before(&self, ask: impl FnOnce() -> bool) -> bool {
        self.0.came.load(Ordering::Relaxed) || {
            let came = ask();
            self.0.came.store(came, Ordering::Relaxed);
            came
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.hash == other.0.hash && self.0.sql == other.0.sql)
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl<'a> Call<'a> {
    pub(super) fn text(self) -> &'a Text {
        &self.statement.text
    }

    pub(super) fn planning(self) -> Planning {
        self.statement.planning
    }

    /// How large the last answer to it was.
    pub(super) fn last_size(self) -> Size {
        *self.statement.last.lock()
    }

    pub(super) fn note_size(self, size: Size) {
        *self.statement.last.lock() = size;
    }

    pub(super) fn values(self) -> impl Iterator<Item = Bound<'a>> {
        self.statement.params.iter().map(move |param| Bound { param, call: self })
    }

    /// The same for SeaORM, in whose transactions it runs, too.
    pub fn to_sea_orm(self) -> Result<sea_orm::Statement> {
        let values = self.statement.params.iter().map(|param| param.resolved(self.actor, self.keys)?.to_value());
        let values = values.collect::<Result<Vec<_>>>()?;
        Ok(sea_orm::Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, self.text().sql(), values))
    }

    /// Refuses what cannot be bound.
    pub(super) fn check(self) -> Result<()> {
        match self.actor.is_none() && self.statement.params.iter().any(|param| matches!(param, Param::Actor(_))) {
            true => Err(Error::internal("a statement without who asks")),
            false => Ok(()),
        }
    }
}

impl Param {
    fn ty(&self) -> Type {
        match self {
            Self::Uuid(_) | Self::Key => Type::UUID,
            Self::Uuids(_) | Self::Keys => Type::UUID_ARRAY,
            Self::Text(_) => Type::TEXT,
            Self::Texts(_) => Type::TEXT_ARRAY,
            Self::Int(_) => Type::INT4,
            Self::Bytes(_) => Type::BYTEA,
            Self::Json(_) => Type::JSONB,
            Self::Decimal(_) => Type::NUMERIC,
            Self::Actor(OfActor::Session | OfActor::User | OfActor::Organization) => Type::UUID,
            Self::Actor(OfActor::UserVersion | OfActor::OrganizationVersion) => Type::INT4,
            Self::Actor(OfActor::Region | OfActor::Department) => Type::TEXT,
        }
    }
}

type Written = Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl Bound<'_> {
    /// Writes the value as one of this type, which the statement was prepared with.
    pub(super) fn write(&self, ty: &Type, out: &mut BytesMut) -> Written {
        match self.param {
            Param::Uuid(value) => value.to_sql(ty, out),
            Param::Uuids(values) => (&**values).to_sql(ty, out),
            Param::Key => self.call.keys.first().to_sql(ty, out),
            Param::Keys => (&**self.call.keys).to_sql(ty, out),
            Param::Text(value) => value.to_sql(ty, out),
            Param::Texts(values) => values.to_sql(ty, out),
            Param::Int(value) => value.to_sql(ty, out),
            Param::Bytes(value) => value.to_sql(ty, out),
            Param::Json(value) => value.to_sql(ty, out),
            Param::Decimal(value) => value.to_sql(ty, out),
            Param::Actor(what) => {
                let actor = self.call.actor.ok_or("a statement without who asks")?;
                match what {
                    OfActor::Session => actor.session_id.to_sql(ty, out),
                    OfActor::User => actor.user_id.to_sql(ty, out),
                    OfActor::Organization => actor.organization_id.to_sql(ty, out),
                    OfActor::UserVersion => actor.versions.0.to_sql(ty, out),
                    OfActor::OrganizationVersion => actor.versions.1.to_sql(ty, out),
                    OfActor::Region => actor.confining_region().to_sql(ty, out),
                    OfActor::Department => actor.confining_department().to_sql(ty, out),
                }
            }
        }
    }
}
