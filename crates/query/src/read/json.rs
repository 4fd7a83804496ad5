//! Rows written straight into the answer's JSON, without a tree of values in between.

use std::ops::{Deref, DerefMut};

use aether_entity::catalog::{ENUMS, Kind};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use uuid::Uuid;

use super::{
    cursor::{Cursor, Position},
    loaded::{Group, Loaded},
    plan::{
        Child, ConnectionField, EdgeField, Fetch, FieldValue, Key, Page, PageInfoField, ResponseShape, RowSelector,
        SelectedField, Template, Value, Writer,
    },
    written,
};
use crate::{
    error::{Error, Result},
    model::{Leaf, Shape, enum_value_name},
};

/// JSON that is being written.
struct Out<'a> {
    json: &'a mut Vec<u8>,
    /// Where it begins.
    start: usize,
    /// How large it may become.
    room: usize,
    /// How many items its lists have so far.
    items: usize,
    /// Lets others have their turn.
    pause: fn(),
}

/// After how many items others have their turn.
const UNINTERRUPTED: usize = 1_000;

impl Deref for Out<'_> {
    type Target = Vec<u8>;
    fn deref(&self) -> &Vec<u8> {
        self.json
    }
}

impl DerefMut for Out<'_> {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        self.json
    }
}

impl Out<'_> {
    /// Notes an item of a list, and refuses to go on where there is no room any more.
    fn item(&mut self) -> Result<()> {
        self.items += 1;
        if self.items.is_multiple_of(UNINTERRUPTED) {
            (self.pause)();
        }
        self.fits()
    }

    /// Refuses to go on where there is no room any more.
    fn fits(&self) -> Result<()> {
        let written = self.json.len() - self.start;
        if written <= self.room {
            return Ok(());
        }
        Err(Error::invalid(
            "first",
            format!(
                "The answer is too large: it had {} bytes after {} rows, and {} may still be answered. Ask for smaller pages \
                 with first, or for fewer fields at once.",
                written, self.items, self.room
            ),
        ))
    }
}

/// Appends the answer of a root, of at most so many bytes, and tells how many it has. What fails leaves nothing.
pub(super) fn root(
    json: &mut Vec<u8>,
    fetch: &Fetch,
    loaded: &Loaded,
    group: &Group,
    room: usize,
    pause: fn(),
) -> Result<usize> {
    let start = json.len();
    json.reserve(room.min(fetch.last_size().unwrap_or_else(|| 256 + expected(fetch, loaded))));
    let mut out = Out { start, room, items: 0, pause, json };
    let written = shape(&mut out, fetch, loaded, Some(group), None);
    if written.is_err() {
        json.truncate(start);
    }
    written.map(|()| {
        let size = json.len() - start;
        fetch.note_size(size);
        size
    })
}

/// About how many bytes these rows become.
fn expected(fetch: &Fetch, loaded: &Loaded) -> usize {
    // Of each value its name, quotes and a comma; binary, it has half the size.
    let own = 2 * loaded.rows.size() + 16 * fetch.selected.len() * loaded.rows.len();
    own + fetch
        .children
        .iter()
        .zip(&loaded.children)
        .map(|(child, loaded)| expected(&child.fetch, loaded))
        .sum::<usize>()
}

/// Writes what belongs to a row above, which is at this place there, if it is no root.
fn shape(
    out: &mut Out<'_>,
    fetch: &Fetch,
    loaded: &Loaded,
    group: Option<&Group>,
    parent: Option<usize>,
) -> Result<()> {
    match (&fetch.shape, &fetch.selector) {
        (ResponseShape::One(template), _) => match group.and_then(|group| group.edge(false)) {
            Some(row) => object(out, template, fetch, loaded, row),
            None => literal(out, "null"),
        },
        (ResponseShape::List(template), _) => {
            let places = group.into_iter().flat_map(Group::places);
            listed(out, places, |out, row| object(out, template, fetch, loaded, row))
        }
        (ResponseShape::Connection(fields), RowSelector::Page(page) | RowSelector::Pages(_, page)) => {
            let nothing = Group::default();
            connection(out, fields, page, fetch, loaded, group.unwrap_or(&nothing), parent)
        }
        (ResponseShape::Connection(_), RowSelector::Id | RowSelector::One(_) | RowSelector::Listed) => {
            Err(Error::internal("a connection of one"))
        }
    }
}

fn boolean(out: &mut Out<'_>, value: bool) -> Result<()> {
    literal(out, if value { "true" } else { "false" })
}

fn literal(out: &mut Out<'_>, json: &str) -> Result<()> {
    out.extend_from_slice(json.as_bytes());
    Ok(())
}

/// `{"key":…,"key":…}`
fn keyed<T>(
    out: &mut Out<'_>,
    fields: &[(Key, T)],
    mut each: impl FnMut(&mut Out<'_>, &T) -> Result<()>,
) -> Result<()> {
    out.push(b'{');
    for (i, (key, field)) in fields.iter().enumerate() {
        out.extend_from_slice(key.written(i == 0).as_bytes());
        each(out, field)?;
    }
    out.push(b'}');
    Ok(())
}

/// `[…,…]`
fn listed<T>(
    out: &mut Out<'_>,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut Out<'_>, T) -> Result<()>,
) -> Result<()> {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        each(out, item)?;
        out.item()?;
    }
    out.push(b']');
    Ok(())
}

fn connection(
    out: &mut Out<'_>,
    fields: &[(Key, ConnectionField)],
    page: &Page,
    fetch: &Fetch,
    loaded: &Loaded,
    group: &Group,
    parent: Option<usize>,
) -> Result<()> {
    keyed(out, fields, |out, field| match field {
        ConnectionField::Nodes(template) => {
            listed(out, group.places(), |out, row| object(out, template, fetch, loaded, row))
        }
        ConnectionField::Edges(fields) => listed(out, group.places(), |out, row| {
            keyed(out, fields, |out, field| match field {
                EdgeField::Node(template) => object(out, template, fetch, loaded, row),
                EdgeField::Cursor => cursor(out, page, fetch, loaded, Some(row)),
                // A number, which a decimal's text is.
                EdgeField::Rank(column) => match raw(loaded, row, *column)? {
                    Some(rank) => written::plain(out.json, rank, Kind::Decimal),
                    None => literal(out, "null"),
                },
                EdgeField::Snippet(column) => value(out, raw(loaded, row, *column)?, Writer::Plain(Kind::Text)),
                EdgeField::Literal(json) => literal(out, json),
            })
        }),
        ConnectionField::PageInfo(fields) => keyed(out, fields, |out, field| match field {
            PageInfoField::HasNextPage => boolean(out, if page.backward { page.before.is_some() } else { group.more }),
            PageInfoField::HasPreviousPage => {
                boolean(out, if page.backward { group.more } else { page.after.is_some() })
            }
            PageInfoField::StartCursor => cursor(out, page, fetch, loaded, group.edge(false)),
            PageInfoField::EndCursor => cursor(out, page, fetch, loaded, group.edge(true)),
            PageInfoField::Literal(json) => literal(out, json),
        }),
        ConnectionField::Beside(place) => {
            let (fetch, loaded) = (&fetch.beside[*place], &loaded.beside[*place]);
            let group = parent.map_or_else(|| loaded.groups.first(), |parent| loaded.group(parent));
            shape(out, fetch, loaded, group, parent)
        }
        ConnectionField::TotalCount => literal(out, &group.total.unwrap_or_default().to_string()),
        ConnectionField::Literal(json) => literal(out, json),
    })
}

fn cursor(out: &mut Out<'_>, page: &Page, fetch: &Fetch, loaded: &Loaded, row: Option<usize>) -> Result<()> {
    let Some(row) = row else { return literal(out, "null") };
    let mut position = Position::with_capacity(page.order.len());
    for term in &page.order {
        let column = fetch.selected.iter().position(|column| *column == term.column);
        let column = column.ok_or_else(|| Error::internal("a cursor without its order's columns"))?;
        let kind = fetch.kind(term.column);
        position.push(raw(loaded, row, column)?.map(|value| written::text(value, kind)).transpose()?);
    }
    string(out, &Cursor::encode(page.fingerprint, position))
}

fn object(out: &mut Out<'_>, template: &Template, fetch: &Fetch, loaded: &Loaded, place: usize) -> Result<()> {
    let (row, first) = (loaded.row(place), loaded.first_column);
    keyed(out, &template.0, |out, field| match field {
        Value::SelectedColumn(column, writer) => value(out, row.raw(first + column)?, *writer),
        Value::Shaped(column, shape, selected_fields) => shaped(out, row.raw(first + column)?, shape, selected_fields),
        Value::Literal(json) => literal(out, json),
        Value::NodeId(column) => match row.at::<Option<Uuid>>(first + column)? {
            Some(id) => string(out, &node_id(fetch.ty.name, id)),
            None => literal(out, "null"),
        },
        Value::Object(Some(given), _) if row.at::<Option<bool>>(first + given)? != Some(true) => literal(out, "null"),
        Value::Object(_, template) => object(out, template, fetch, loaded, place),
        Value::Child(child) => {
            let (Child { fetch, .. }, loaded) = (&fetch.children[*child], &loaded.children[*child]);
            shape(out, fetch, loaded, loaded.group(place), Some(place))?;
            out.fits()
        }
    })
}

/// The global id of a row.
pub fn node_id(ty: &str, id: Uuid) -> String {
    BASE64_STANDARD_NO_PAD.encode(format!("{ty}:{id}"))
}

fn raw(loaded: &Loaded, row: usize, column: usize) -> Result<Option<&[u8]>> {
    loaded.row(row).raw(loaded.first_column + column)
}

fn string(out: &mut Out<'_>, text: &str) -> Result<()> {
    serde_json::to_writer(&mut *out.json, text).map_err(|_| Error::internal("text that is no JSON string"))
}

/// Whether this is ASCII in which JSON has nothing to escape: most text is. Looks at every byte, for so the compiler looks at many at once.
fn is_plain(text: &[u8]) -> bool {
    text.iter().fold(true, |plain, byte| plain & (*byte >= b' ') & (*byte < 0x7f) & (*byte != b'"') & (*byte != b'\\'))
}

fn value(out: &mut Out<'_>, value: Option<&[u8]>, writer: Writer) -> Result<()> {
    let Some(value) = value else { return literal(out, "null") };
    match writer {
        Writer::Enum(names) => match names.iter().find(|(known, _)| known.as_bytes() == value) {
            Some((_, name)) => literal(out, name),
            None => Err(Error::internal("an enum label that the catalog lacks")),
        },
        Writer::Plain(kind) => match kind {
            Kind::Text | Kind::Inet => match is_plain(value) {
                true => {
                    out.push(b'"');
                    out.extend_from_slice(value);
                    out.push(b'"');
                    Ok(())
                }
                false => string(out, written::utf8(value)?),
            },
            // JSON as it is.
            Kind::Boolean | Kind::Int | Kind::Json | Kind::UuidList | Kind::TextList => {
                written::plain(out.json, value, kind)
            }
            Kind::Uuid | Kind::BigInt | Kind::Decimal | Kind::Date | Kind::Timestamp | Kind::Enum(_) | Kind::Bytes => {
                // None of these has anything to escape.
                out.push(b'"');
                written::plain(out.json, value, kind)?;
                out.push(b'"');
                Ok(())
            }
        },
    }
}

fn shaped(out: &mut Out<'_>, value: Option<&[u8]>, shape: &Shape, selected_fields: &[SelectedField]) -> Result<()> {
    let Some(value) = value else { return literal(out, "null") };
    let document: serde_json::Value =
        serde_json::from_slice(written::json(value)?).map_err(|_| Error::internal("a jsonb value that is no JSON"))?;
    match (shape, &document) {
        (Shape::Strings, document) => strings(out, document),
        (Shape::Object(_), serde_json::Value::Object(_)) => picked(out, selected_fields, &document, None),
        (Shape::List(_), serde_json::Value::Array(items)) => {
            listed(out, items, |out, item| picked(out, selected_fields, item, None))
        }
        (Shape::Entries(name, _), serde_json::Value::Object(entries)) => {
            listed(out, entries, |out, (key, entry)| picked(out, selected_fields, entry, Some((name, key))))
        }
        (Shape::List(_) | Shape::Entries(..), _) => literal(out, "[]"),
        (Shape::Object(_), _) => literal(out, "null"),
    }
}

fn picked(
    out: &mut Out<'_>,
    selected_fields: &[SelectedField],
    document: &serde_json::Value,
    entry: Option<(&str, &str)>,
) -> Result<()> {
    out.push(b'{');
    for (i, field) in selected_fields.iter().enumerate() {
        out.extend_from_slice(field.key.written(i == 0).as_bytes());
        match &field.what {
            FieldValue::Literal(json) => literal(out, json)?,
            FieldValue::Field(field, selected_fields) => match entry {
                Some((name, key)) if name == field.name => named(out, field.leaf, key)?,
                _ => leaf(out, field.leaf, &document[field.name], selected_fields)?,
            },
        }
    }
    out.push(b'}');
    Ok(())
}

/// Writes a text as its type says: an enum's label as its name.
fn named(out: &mut Out<'_>, leaf: Leaf, text: &str) -> Result<()> {
    let Leaf::Enum(name) = leaf else { return string(out, text) };
    let known = ENUMS.iter().filter(|known| known.name == name).flat_map(|known| known.values);
    match known.into_iter().find(|value| value.label == text) {
        Some(value) => string(out, &enum_value_name(value.label)),
        None => literal(out, "null"),
    }
}

/// Writes a value as its type says; one of another type, as an old document may have it, is null.
fn leaf(out: &mut Out<'_>, leaf: Leaf, value: &serde_json::Value, selected_fields: &[SelectedField]) -> Result<()> {
    use serde_json::Value as Json;
    match (leaf, value) {
        (Leaf::Json, value) => {
            serde_json::to_writer(&mut *out.json, value).map_err(|_| Error::internal("JSON that cannot be written"))
        }
        (Leaf::Enum(_), Json::String(text)) => named(out, leaf, text),
        (Leaf::String, Json::String(text)) | (Leaf::Decimal, Json::String(text)) => string(out, text),
        (Leaf::String | Leaf::Decimal, Json::Number(number)) => string(out, &number.to_string()),
        (Leaf::Boolean | Leaf::Switch(_), Json::Bool(value)) => boolean(out, *value),
        (Leaf::Switch(default), _) => boolean(out, default),
        (Leaf::Int, Json::Number(number)) => match number.as_i64().and_then(|n| i32::try_from(n).ok()) {
            Some(n) => literal(out, &n.to_string()),
            None => literal(out, "null"),
        },
        (Leaf::Strings, value) => strings(out, value),
        (Leaf::Object(_), Json::Object(_)) => picked(out, selected_fields, value, None),
        _ => literal(out, "null"),
    }
}

fn strings(out: &mut Out<'_>, value: &serde_json::Value) -> Result<()> {
    match value.as_array() {
        Some(items) => listed(out, items.iter().filter_map(|item| item.as_str()), string),
        None => literal(out, "null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against serde_json: whatever is taken for plain is written as it would write it.
    #[test]
    fn plain_text_is_what_json_leaves_as_it_is() {
        for byte in 0..=255_u8 {
            for text in [vec![byte], [b"abcdefgh".repeat(5), vec![byte], b"ij".to_vec()].concat()] {
                let known = std::str::from_utf8(&text)
                    .is_ok_and(|text| serde_json::to_string(text).unwrap() == format!("\"{text}\"") && text.is_ascii());
                // DEL needs no escape, but is none that anybody writes.
                assert_eq!(is_plain(&text), known && byte != 0x7f, "{byte}");
            }
        }
        assert!(is_plain(b""));
    }
}
