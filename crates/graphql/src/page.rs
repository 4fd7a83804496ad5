//! The arguments of a connection: how many, where from, in which order, which of them.

use std::hash::{DefaultHasher, Hash, Hasher};

use aether_entity::catalog::Kind;
use aether_store::{
    Error, Result,
    model::{Relation, Source, Type, orderable},
    read::{
        Cursor, Filter,
        plan::{Page, SelectedColumn, Term},
    },
};
use async_graphql::{Value, indexmap::IndexMap};
use heck::ToLowerCamelCase;

use crate::{Limits, filter, scalar::items};

/// How many terms an order may have.
const MOST_TERMS: usize = 8;

/// The page that these arguments ask for, of the rows that satisfy `base`.
pub(crate) fn parse(
    ty: &'static Type,
    relation: Option<&Relation>,
    base: Option<Filter>,
    arguments: &IndexMap<String, Value>,
    limits: &Limits,
) -> Result<Page> {
    let argument = |name: &str| arguments.get(name).filter(|value| !matches!(value, Value::Null));
    let (first, last) = (size(argument("first"), "first", limits)?, size(argument("last"), "last", limits)?);
    let backward = match (first, last) {
        (Some(_), Some(_)) => {
            return Err(Error::invalid("last", "Ask for first or for last, not for both."));
        }
        (None, Some(_)) => true,
        _ => false,
    };
    let search = text(argument("search"), "search")?;
    if search.as_deref().is_some_and(|search| search.trim().is_empty()) {
        return Err(Error::invalid("search", "A search needs at least one word."));
    }
    let filter = match (filter::parse(ty, argument("filter"))?, base) {
        (filter, Some(base)) => Filter::All(vec![base, filter]),
        (filter, None) => filter,
    };
    let order = order(ty, argument("orderBy"), search.is_some())?;
    let mut hasher = DefaultHasher::new();
    (ty.name, relation.map(|r| (r.from, r.to_column)), &filter, &search).hash(&mut hasher);
    for term in &order {
        (term.column, term.descending, term.nulls_first).hash(&mut hasher);
    }
    let fingerprint = hasher.finish();
    let position = |name: &str| {
        match argument(name) {
            None => Ok(None),
            // As long as the values that it stands for: only the request itself limits it.
            Some(Value::String(cursor)) => {
                let kind = |column| match column {
                    SelectedColumn::Column(index) => ty.column(index).kind,
                    _ => Kind::Decimal,
                };
                Cursor::decode(name, cursor, kind, fingerprint, &order).map(Some)
            }
            Some(_) => Err(Error::invalid(name, "A cursor is a string.")),
        }
    };
    let (after, before) = (position("after")?, position("before")?);
    Ok(Page {
        grouping: None,
        filter,
        search,
        size: first.or(last).unwrap_or(limits.default_page_size),
        backward,
        after,
        before,
        rows: false,
        more: false,
        total: false,
        fingerprint,
        order,
    })
}

fn text(value: Option<&Value>, name: &str) -> Result<Option<String>> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= 4_000 && !text.contains('\0') => Ok(Some(text.clone())),
        Some(_) => Err(Error::invalid(name, "This must be a string of at most 4,000 bytes.")),
    }
}

fn size(value: Option<&Value>, name: &str, limits: &Limits) -> Result<Option<u64>> {
    let Some(value) = value else { return Ok(None) };
    let size = match value {
        Value::Number(number) => number.as_u64(),
        _ => None,
    };
    match size {
        Some(size) if size <= limits.max_page_size => Ok(Some(size)),
        Some(_) => Err(Error::invalid(
            name,
            format!("A page has at most {} rows. Ask for that many and page on with after.", limits.max_page_size),
        )),
        None => Err(Error::invalid(name, format!("`{name}` must be a whole number from 0."))),
    }
}

fn order(ty: &'static Type, value: Option<&Value>, searching: bool) -> Result<Vec<Term>> {
    let mut terms = Vec::new();
    match value {
        None if searching => {
            terms.push(Term { column: SelectedColumn::Rank, descending: true, nulls_first: false, nullable: false });
        }
        None => {
            for &(index, descending) in &ty.order {
                terms.push(term(ty, index, descending, None));
            }
        }
        Some(value) => {
            let items = items(value);
            if items.len() > MOST_TERMS {
                return Err(Error::invalid("orderBy", format!("An order has at most {MOST_TERMS} terms.")));
            }
            for (i, item) in items.iter().enumerate() {
                terms.push(written(ty, item, &format!("orderBy.{i}"))?);
            }
        }
    }
    // Without a last word that is unique, rows that tie could fall between two pages.
    let (id, _) = ty.table.column("id").ok_or_else(|| Error::invalid("orderBy", "This type has no id."))?;
    if !terms.iter().any(|term| term.column == SelectedColumn::Column(id)) {
        let descending = terms.last().is_some_and(|term| term.descending);
        terms.push(Term { column: SelectedColumn::Column(id), descending, nulls_first: false, nullable: false });
    }
    Ok(terms)
}

fn written(ty: &'static Type, item: &Value, path: &str) -> Result<Term> {
    let Value::Object(entries) = item else { return Err(Error::invalid(path, "A term is an object with a field.")) };
    let name = |key: &str| match entries.get(key) {
        Some(Value::Enum(name)) => Some(name.to_string()),
        Some(Value::String(name)) => Some(name.clone()),
        _ => None,
    };
    let field = name("field").unwrap_or_default();
    let index = ty
        .field(&field.to_lower_camel_case())
        .and_then(|field| match field.source {
            Source::Column(column) if orderable(column.kind) => Some(column.index),
            _ => None,
        })
        .ok_or_else(|| Error::invalid(format!("{path}.field"), format!("{} cannot be ordered by {field}.", ty.name)))?;
    let descending = name("direction").as_deref() == Some("DESC");
    let nulls_first = name("nulls").map(|nulls| nulls == "FIRST");
    Ok(term(ty, index, descending, nulls_first))
}

/// Nulls come last unless asked for first, whatever the direction.
fn term(ty: &Type, index: usize, descending: bool, nulls_first: Option<bool>) -> Term {
    let nullable = ty.columns().any(|(_, column)| column.index == index && column.nullable);
    Term { column: SelectedColumn::Column(index), descending, nulls_first: nulls_first.unwrap_or(false), nullable }
}
