//! Statements under construction: text and bound values side by side.
//!
//! Text is what the gateway's own source code says, identifiers are those of the catalog, and both are `&'static str`: whatever a
//! client sends can only be bound. Values are bound as text with a cast, so that one code path serves every column type; a client's
//! value has been parsed before it comes here, so the cast cannot fail.
//!
//! What a statement knows of who asks is bound, too, and only when it runs ([`Param`]): so a text that was written once serves
//! everybody of the same [`Audience`](crate::actor::Audience).

use std::{
    fmt::{self, Write},
    sync::Arc,
};

use aether_entity::catalog::Kind;
use uuid::Uuid;

use crate::{
    actor::Actor,
    error::{Error, Result},
};

/// Behind text that rows are sorted by, or whose place in that order is compared: letters as people sort them, numbers by their
/// value. The collation is made by the first migration; indexes of sorted text have it.
pub const NATURAL_ORDER: &str = " COLLATE natural_order";

/// A piece of SQL with its bound values, or a whole statement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sql(Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(&'static str),
    Alias(Alias),
    Column(Alias, &'static str),
    Number(u64),
    Param(Param),
}

/// The name of a table within a statement. Tables of inner queries have names of their own, for they look at the outer ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias(&'static str, u16);

impl Alias {
    /// The name of one of several tables of a kind.
    pub fn numbered(name: &'static str, place: usize) -> Self {
        Self(name, u16::try_from(place).unwrap_or(u16::MAX).saturating_add(1))
    }

    /// The name for a query inside.
    pub fn inner(self) -> Self {
        Self(self.0, self.1 + 1)
    }
}

impl From<&'static str> for Alias {
    fn from(name: &'static str) -> Self {
        Self(name, 0)
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            0 => out.write_str(self.0),
            depth => write!(out, "{}{depth}", self.0),
        }
    }
}

/// A bound value, known when the statement is written or only when it runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// A UUID.
    Uuid(Uuid),
    /// A list of UUIDs.
    Uuids(Arc<[Uuid]>),
    /// Text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// An integer.
    Int(i32),
    /// Bytes.
    Bytes(Vec<u8>),
    /// JSON.
    Json(serde_json::Value),
    /// A decimal number.
    Decimal(rust_decimal::Decimal),
    /// Something of who asks.
    Actor(OfActor),
    /// The keys by which rows are looked up.
    Keys,
    /// The one of them, where there is one.
    Key,
}

/// What is bound of who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfActor {
    /// The session.
    Session,
    /// The user.
    User,
    /// The user's organization.
    Organization,
    /// The version of the user's row.
    UserVersion,
    /// The version of the organization's row.
    OrganizationVersion,
    /// The region that the view is confined to.
    Region,
    /// The department that the view is confined to.
    Department,
}

impl Sql {
    /// An empty piece.
    pub fn new() -> Self {
        Self::default()
    }

    /// A whole statement, in whose text `$1`, `$2` and so on stand for these values.
    pub fn of(text: &'static str, values: &[Param]) -> Self {
        let mut parts = text.split('$');
        let mut sql = Self::new();
        sql.push(parts.next().unwrap_or_default());
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let value = part[..digits].parse::<usize>().ok().and_then(|number| values.get(number.checked_sub(1)?));
            sql.param(value.unwrap_or_else(|| panic!("{text}: there is no ${part}")).clone());
            sql.push(&part[digits..]);
        }
        sql
    }

    /// Appends text: keywords, identifiers of the catalog.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.piece(Piece::Text(text))
    }

    /// Appends the name of a table within the statement.
    pub fn alias(&mut self, alias: impl Into<Alias>) -> &mut Self {
        self.piece(Piece::Alias(alias.into()))
    }

    /// Appends `alias.column`.
    pub fn column(&mut self, alias: impl Into<Alias>, column: &'static str) -> &mut Self {
        self.piece(Piece::Column(alias.into(), column))
    }

    /// Appends a number that the gateway itself chose (a limit); such numbers shape the plan, so they stay in the text.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.piece(Piece::Number(number))
    }

    fn piece(&mut self, piece: Piece) -> &mut Self {
        self.0.push(piece);
        self
    }

    fn param(&mut self, param: Param) -> &mut Self {
        self.piece(Piece::Param(param))
    }

    /// Binds a UUID.
    pub fn uuid(&mut self, value: Uuid) -> &mut Self {
        self.param(Param::Uuid(value))
    }

    /// Binds a list of UUIDs.
    pub fn uuids(&mut self, values: impl Into<Arc<[Uuid]>>) -> &mut Self {
        self.param(Param::Uuids(values.into()))
    }

    /// Binds something of who asks.
    pub fn actor(&mut self, what: OfActor) -> &mut Self {
        self.param(Param::Actor(what))
    }

    /// Binds the keys by which rows are looked up.
    pub fn keys(&mut self) -> &mut Self {
        self.param(Param::Keys)
    }

    /// Binds the key by which one row is looked up.
    pub fn key(&mut self) -> &mut Self {
        self.param(Param::Key)
    }

    /// Binds bytes.
    pub fn bytes(&mut self, value: Vec<u8>) -> &mut Self {
        self.param(Param::Bytes(value))
    }

    /// Binds JSON.
    pub fn json(&mut self, value: serde_json::Value) -> &mut Self {
        self.param(Param::Json(value))
    }

    /// Binds an integer.
    pub fn int(&mut self, value: i32) -> &mut Self {
        self.param(Param::Int(value))
    }

    /// Binds a decimal number.
    pub fn decimal(&mut self, value: rust_decimal::Decimal) -> &mut Self {
        self.param(Param::Decimal(value))
    }

    /// Binds text.
    pub fn text(&mut self, value: impl Into<String>) -> &mut Self {
        self.param(Param::Text(value.into())).push("::text")
    }

    /// Binds the canonical text of a value of this kind.
    pub fn value(&mut self, kind: Kind, value: impl Into<String>) -> &mut Self {
        self.text(value);
        self.cast(kind)
    }

    /// Binds canonical texts as an array of this kind.
    pub fn values(&mut self, kind: Kind, values: Vec<String>) -> &mut Self {
        self.param(Param::Texts(values)).push("::text[]");
        if !matches!(kind, Kind::Text) {
            self.push("::").push(sql_type(kind)).push("[]");
        }
        self
    }

    /// Casts what came before to this kind's type.
    pub fn cast(&mut self, kind: Kind) -> &mut Self {
        if matches!(kind, Kind::Text) {
            return self;
        }
        self.push("::").push(sql_type(kind))
    }

    /// Appends another piece.
    pub fn append(&mut self, other: &Sql) -> &mut Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// The same for this actor: nothing of who asks is left to be bound.
    pub fn for_actor(mut self, actor: &Actor) -> Self {
        for piece in &mut self.0 {
            if let Piece::Param(param) = piece
                && let Param::Actor(what) = *param
            {
                *param = what.of(actor);
            }
        }
        self
    }

    /// The text, and what is bound to its `$1`, `$2` and so on.
    pub fn finish(&self) -> (String, Vec<Param>) {
        let (mut text, mut params) = (String::with_capacity(16 * self.0.len()), Vec::<Param>::new());
        for piece in &self.0 {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Alias(alias) => _ = write!(text, "{alias}"),
                Piece::Column(alias, column) => _ = write!(text, "{alias}.\"{column}\""),
                Piece::Number(number) => _ = write!(text, "{number}"),
                Piece::Param(param) => {
                    // What is known of who asks is bound once. Values are not compared: whether two happen to be equal must not
                    // make two texts of one statement.
                    let known = params.iter().position(|known| {
                        known == param && matches!(param, Param::Actor(_) | Param::Keys | Param::Key)
                    });
                    let place = known.unwrap_or_else(|| {
                        params.push(param.clone());
                        params.len() - 1
                    });
                    _ = write!(text, "${}", place + 1);
                }
            }
        }
        (text, params)
    }

    /// The same for SeaORM, which writes.
    ///
    /// # Errors
    /// When something is left that is known only when it runs.
    pub fn statement(&self) -> Result<sea_orm::Statement> {
        let (text, params) = self.finish();
        let values = params.iter().map(Param::to_value).collect::<Result<Vec<_>>>()?;
        Ok(sea_orm::Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, text, values))
    }
}

impl OfActor {
    fn of(self, actor: &Actor) -> Param {
        let text = |text: Option<&str>| Param::Text(text.unwrap_or_default().to_owned());
        match self {
            Self::Session => Param::Uuid(actor.session_id),
            Self::User => Param::Uuid(actor.user_id),
            Self::Organization => Param::Uuid(actor.organization_id),
            Self::UserVersion => Param::Int(actor.versions.0),
            Self::OrganizationVersion => Param::Int(actor.versions.1),
            Self::Region => text(actor.confining_region()),
            Self::Department => text(actor.confining_department()),
        }
    }
}

impl Param {
    /// The value to be bound when this actor asks for these keys.
    pub fn resolved(&self, actor: Option<&Actor>, keys: &Arc<[Uuid]>) -> Result<Self> {
        Ok(match self {
            Self::Actor(what) => what.of(actor.ok_or_else(|| Error::internal("a statement without who asks"))?),
            Self::Keys => Self::Uuids(keys.clone()),
            Self::Key => Self::Uuid(*keys.first().ok_or_else(|| Error::internal("a statement without its key"))?),
            known => known.clone(),
        })
    }

    /// As SeaORM has it.
    pub fn to_value(&self) -> Result<sea_orm::Value> {
        Ok(match self {
            Self::Uuid(value) => (*value).into(),
            Self::Uuids(values) => values.to_vec().into(),
            Self::Text(value) => value.clone().into(),
            Self::Texts(values) => values.clone().into(),
            Self::Int(value) => (*value).into(),
            Self::Bytes(value) => value.clone().into(),
            Self::Json(value) => value.clone().into(),
            Self::Decimal(value) => (*value).into(),
            Self::Actor(_) | Self::Keys | Self::Key => {
                return Err(Error::internal("a statement that is not yet complete"));
            }
        })
    }
}

fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Uuid => "uuid",
        Kind::Text => "text",
        Kind::Boolean => "boolean",
        Kind::Int => "integer",
        Kind::BigInt => "bigint",
        Kind::Decimal => "numeric",
        Kind::Date => "date",
        Kind::Timestamp => "timestamptz",
        Kind::Json => "jsonb",
        Kind::Bytes => "bytea",
        Kind::Inet => "inet",
        Kind::Enum(definition) => definition.name,
        Kind::UuidList => "uuid[]",
        Kind::TextList => "text[]",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_together_counts_its_parameters_through() {
        let mut inner = Sql::new();
        inner.push("a = ").text("x").push(" AND u = ").actor(OfActor::User).push(" AND b = ").int(1);
        let mut outer = Sql::new();
        outer.push("id = ").uuid(Uuid::nil()).push(" AND u = ").actor(OfActor::User).push(" AND ").append(&inner);
        let (text, params) = outer.finish();
        assert_eq!(text, "id = $1 AND u = $2 AND a = $3::text AND u = $2 AND b = $4");
        assert_eq!(params.len(), 4);
        assert!(outer.statement().is_err(), "who asks is not known");
    }

    #[test]
    fn equal_values_stay_apart() {
        let mut sql = Sql::new();
        sql.push("a = ").int(1).push(" OR b = ").int(1);
        assert_eq!(sql.finish().0, "a = $1 OR b = $2");
    }
}
