//! Rows written straight into the answer's JSON, without a tree of values in between.

use std::{
    fmt::Write as _,
    ops::{Deref, DerefMut},
};

use aether_entity::catalog::Kind;
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use chrono::{DateTime, Days, NaiveDate, SecondsFormat};
use sea_orm::sqlx::{Row as _, postgres::PgValueRef};
use uuid::Uuid;

use super::{
    cursor::{Cursor, Position},
    fetch::{Group, Loaded},
    one::Row,
    plan::{
        Body, Child, EdgePart, Fetch, Key, Page, PageInfoPart, Part, Pick, Picked, Slot, Template, Value, Which, Writer,
    },
    statement::FIRST_SLOT,
};
use crate::{
    error::{Error, Result},
    model::{Leaf, Shape},
};

/// JSON that is being written.
struct Out {
    json: Vec<u8>,
    /// How large it may become.
    room: usize,
    /// How many items its lists have so far.
    items: usize,
}

impl Deref for Out {
    type Target = Vec<u8>;
    fn deref(&self) -> &Vec<u8> {
        &self.json
    }
}

impl DerefMut for Out {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.json
    }
}

impl Out {
    /// Notes an item of a list, and refuses to go on where there is no room any more.
    fn item(&mut self) -> Result<()> {
        self.items += 1;
        if self.json.len() <= self.room {
            return Ok(());
        }
        Err(Error::invalid(
            "first",
            format!(
                "The answer is too large: it had {} bytes after {} rows, and {} may still be answered. Ask for smaller pages \
                 with first, or for fewer fields at once.",
                self.json.len(),
                self.items,
                self.room
            ),
        ))
    }
}

/// The answer of a root, of at most so many bytes.
pub(super) fn root(fetch: &Fetch, loaded: &Loaded, group: &Group, room: usize) -> Result<String> {
    let json = Vec::with_capacity(room.min(256 + 96 * loaded.rows.len()));
    let mut out = Out { json, room, items: 0 };
    body(&mut out, fetch, loaded, Some(group))?;
    String::from_utf8(out.json).map_err(|_| Error::internal("an answer that is not UTF-8"))
}

fn body(out: &mut Out, fetch: &Fetch, loaded: &Loaded, group: Option<&Group>) -> Result<()> {
    match (&fetch.body, &fetch.which) {
        (Body::One(template), _) => match group.and_then(|group| loaded.rows[group.range.clone()].first()) {
            Some(row) => object(out, template, fetch, loaded, row),
            None => literal(out, "null"),
        },
        (Body::Connection(parts), Which::Page(page) | Which::Pages(_, page)) => {
            let nothing = Group::default();
            connection(out, parts, page, fetch, loaded, group.unwrap_or(&nothing))
        }
        (Body::Connection(_), Which::Id(_) | Which::One(_)) => Err(Error::internal("a connection of one")),
    }
}

fn boolean(out: &mut Out, value: bool) -> Result<()> {
    literal(out, if value { "true" } else { "false" })
}

fn literal(out: &mut Out, json: &str) -> Result<()> {
    out.extend_from_slice(json.as_bytes());
    Ok(())
}

/// `{"key":…,"key":…}`
fn keyed<T>(out: &mut Out, parts: &[(Key, T)], mut each: impl FnMut(&mut Out, &T) -> Result<()>) -> Result<()> {
    out.push(b'{');
    for (i, (key, part)) in parts.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(key.0.as_bytes());
        each(out, part)?;
    }
    out.push(b'}');
    Ok(())
}

/// `[…,…]`
fn listed<T>(
    out: &mut Out,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut Out, T) -> Result<()>,
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
    out: &mut Out,
    parts: &[(Key, Part)],
    page: &Page,
    fetch: &Fetch,
    loaded: &Loaded,
    group: &Group,
) -> Result<()> {
    let rows = &loaded.rows[group.range.clone()];
    keyed(out, parts, |out, part| match part {
        Part::Nodes(template) => listed(out, rows, |out, row| object(out, template, fetch, loaded, row)),
        Part::Edges(parts) => listed(out, rows, |out, row| {
            keyed(out, parts, |out, part| match part {
                EdgePart::Node(template) => object(out, template, fetch, loaded, row),
                EdgePart::Cursor => cursor(out, page, fetch, Some(row)),
                EdgePart::Rank(slot) => match text(row, *slot, Kind::Decimal)? {
                    Some(rank) => literal(out, &rank),
                    None => literal(out, "null"),
                },
                EdgePart::Snippet(slot) => value(out, row, *slot, Writer::Plain(Kind::Text)),
                EdgePart::Literal(json) => literal(out, json),
            })
        }),
        Part::PageInfo(parts) => keyed(out, parts, |out, part| match part {
            PageInfoPart::HasNextPage => boolean(out, if page.backward { page.before.is_some() } else { group.more }),
            PageInfoPart::HasPreviousPage => {
                boolean(out, if page.backward { group.more } else { page.after.is_some() })
            }
            PageInfoPart::StartCursor => cursor(out, page, fetch, rows.first()),
            PageInfoPart::EndCursor => cursor(out, page, fetch, rows.last()),
            PageInfoPart::Literal(json) => literal(out, json),
        }),
        Part::TotalCount => literal(out, &group.total.unwrap_or_default().to_string()),
        Part::Literal(json) => literal(out, json),
    })
}

fn cursor(out: &mut Out, page: &Page, fetch: &Fetch, row: Option<&Row>) -> Result<()> {
    let Some(row) = row else { return literal(out, "null") };
    let mut position = Position::with_capacity(page.order.len());
    for term in &page.order {
        let slot = fetch.slots.iter().position(|slot| *slot == term.slot);
        let slot = slot.ok_or_else(|| Error::internal("a cursor without its order's columns"))?;
        let kind = match term.slot {
            Slot::Column(index) => fetch.ty.column(index).kind,
            Slot::Rank | Slot::Snippet => Kind::Decimal,
        };
        position.push(text(row, slot, kind)?);
    }
    string(out, &Cursor::encode(page, position))
}

fn object(out: &mut Out, template: &Template, fetch: &Fetch, loaded: &Loaded, row: &Row) -> Result<()> {
    keyed(out, &template.0, |out, part| match part {
        Value::Slot(slot, writer) => value(out, row, *slot, *writer),
        Value::Shaped(slot, shape, picks) => shaped(out, row, *slot, shape, picks),
        Value::Literal(json) => literal(out, json),
        Value::NodeId(slot) => match uuid(row, *slot)? {
            Some(id) => string(out, &node_id(fetch.ty.name, id)),
            None => literal(out, "null"),
        },
        Value::Child(place) => {
            let (Child { key, fetch }, loaded) = (&fetch.children[*place], &loaded.children[*place]);
            let group = uuid(row, *key)?.and_then(|key| loaded.group(key));
            body(out, fetch, loaded, group)
        }
    })
}

/// The global id of a row.
pub fn node_id(ty: &str, id: Uuid) -> String {
    BASE64_STANDARD_NO_PAD.encode(format!("{ty}:{id}"))
}

fn raw(row: &Row, slot: usize) -> Result<Option<PgValueRef<'_>>> {
    use sea_orm::sqlx::ValueRef;
    let row = row.try_as_pg_row().ok_or_else(|| Error::internal("a row that is not PostgreSQL's"))?;
    let value = row.try_get_raw(FIRST_SLOT + slot).map_err(|_| Error::internal("a slot that the statement lacks"))?;
    Ok((!value.is_null()).then_some(value))
}

fn bytes<'r>(value: &PgValueRef<'r>) -> Result<&'r [u8]> {
    value.as_bytes().map_err(|_| Error::internal("a value without bytes"))
}

fn fixed<const N: usize>(value: &PgValueRef<'_>) -> Result<[u8; N]> {
    bytes(value)?.try_into().map_err(|_| Error::internal("a value of another size than its type's"))
}

fn uuid(row: &Row, slot: usize) -> Result<Option<Uuid>> {
    raw(row, slot)?.map(|value| Ok(Uuid::from_bytes(fixed(&value)?))).transpose()
}

fn string(out: &mut Out, text: &str) -> Result<()> {
    serde_json::to_writer(&mut out.json, text).map_err(|_| Error::internal("text that is no JSON string"))
}

/// `jsonb` travels as a version byte and text.
fn json<'r>(value: &PgValueRef<'r>) -> Result<&'r [u8]> {
    match bytes(value)? {
        [1, text @ ..] => Ok(text),
        _ => Err(Error::internal("JSON of an unknown version")),
    }
}

fn value(out: &mut Out, row: &Row, slot: usize, writer: Writer) -> Result<()> {
    let Some(value) = raw(row, slot)? else { return literal(out, "null") };
    match writer {
        Writer::Enum(names) => {
            let label = bytes(&value)?;
            match names.iter().find(|(known, _)| known.as_bytes() == label) {
                Some((_, name)) => literal(out, name),
                None => Err(Error::internal("an enum label that the catalog lacks")),
            }
        }
        Writer::Plain(kind) => match kind {
            Kind::Text | Kind::Inet => {
                let text =
                    std::str::from_utf8(bytes(&value)?).map_err(|_| Error::internal("text that is not UTF-8"))?;
                string(out, text)
            }
            Kind::Boolean => boolean(out, bytes(&value)? == [1]),
            Kind::Json => {
                out.extend_from_slice(json(&value)?);
                Ok(())
            }
            Kind::UuidList | Kind::TextList => {
                out.extend_from_slice(bytes(&value)?);
                Ok(())
            }
            Kind::Int => literal(out, &plain(&value, kind)?),
            Kind::Uuid | Kind::BigInt | Kind::Decimal | Kind::Date | Kind::Timestamp | Kind::Enum(_) | Kind::Bytes => {
                // None of these has anything to escape.
                out.push(b'"');
                if matches!(kind, Kind::Uuid) {
                    let id = Uuid::from_bytes(fixed(&value)?);
                    out.extend_from_slice(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
                } else {
                    out.extend_from_slice(plain(&value, kind)?.as_bytes());
                }
                out.push(b'"');
                Ok(())
            }
        },
    }
}

/// The canonical text of a slot: what a cursor carries.
fn text(row: &Row, slot: usize, kind: Kind) -> Result<Option<String>> {
    raw(row, slot)?.map(|value| plain(&value, kind)).transpose()
}

/// Microseconds and days from PostgreSQL's epoch, 2000-01-01.
fn plain(value: &PgValueRef<'_>, kind: Kind) -> Result<String> {
    const EPOCH_MICROS: i64 = 946_684_800_000_000;
    let epoch = || NaiveDate::from_ymd_opt(2000, 1, 1);
    let out_of_range = || Error::internal("a time beyond the calendar");
    Ok(match kind {
        Kind::Uuid => Uuid::from_bytes(fixed(value)?).to_string(),
        Kind::Boolean => (bytes(value)? == [1]).to_string(),
        Kind::Int => match bytes(value)?.len() {
            2 => i16::from_be_bytes(fixed(value)?).to_string(),
            _ => i32::from_be_bytes(fixed(value)?).to_string(),
        },
        Kind::BigInt => i64::from_be_bytes(fixed(value)?).to_string(),
        Kind::Date => {
            let days = i32::from_be_bytes(fixed(value)?);
            let shift = Days::new(u64::from(days.unsigned_abs()));
            let date = if days < 0 {
                epoch().and_then(|e| e.checked_sub_days(shift))
            } else {
                epoch().and_then(|e| e.checked_add_days(shift))
            };
            date.ok_or_else(out_of_range)?.to_string()
        }
        Kind::Timestamp => {
            let micros = i64::from_be_bytes(fixed(value)?).checked_add(EPOCH_MICROS).ok_or_else(out_of_range)?;
            let time = DateTime::from_timestamp_micros(micros).ok_or_else(out_of_range)?;
            time.to_rfc3339_opts(SecondsFormat::Micros, true)
        }
        Kind::Decimal => decimal(bytes(value)?)?,
        Kind::Text | Kind::Enum(_) | Kind::Inet | Kind::Json | Kind::Bytes | Kind::UuidList | Kind::TextList => {
            std::str::from_utf8(bytes(value)?).map_err(|_| Error::internal("text that is not UTF-8"))?.to_owned()
        }
    })
}

/// The text of a `numeric` as it travels: how many groups of four digits there are, the place of the first, the sign, how many digits
/// follow the point, and the groups, 16 bits each (PostgreSQL's `numeric_send`, written as `numeric_out` does).
fn decimal(bytes: &[u8]) -> Result<String> {
    let malformed = || Error::internal("a numeric that is none");
    let words: Vec<u16> = bytes
        .chunks(2)
        .map(|pair| pair.try_into().map(u16::from_be_bytes))
        .collect::<Result<_, _>>()
        .map_err(|_| malformed())?;
    let [_, weight, sign, scale, groups @ ..] = &words[..] else { return Err(malformed()) };
    let (weight, scale) = (i32::from(weight.cast_signed()), usize::from(*scale));
    let mut out = String::with_capacity(groups.len() * 4 + scale + 4);
    match sign {
        0 => {}
        0x4000 => out.push('-'),
        // Not a number, and the infinities: JSON has none, and neither has anything that is measured here.
        _ => return Err(Error::internal("a numeric that is no number")),
    }
    let group = |place: i32| usize::try_from(place).ok().and_then(|place| groups.get(place)).copied().unwrap_or(0);
    for place in 0..=weight.max(0) {
        // Nothing is before the point where the first group is behind it.
        let digits = if weight < 0 { 0 } else { group(place) };
        let _ = if place == 0 { write!(out, "{digits}") } else { write!(out, "{digits:04}") };
    }
    if scale > 0 {
        out.push('.');
        let whole = out.len() + scale;
        // Groups between the point and the first one are zeros.
        for _ in weight..-1 {
            out.push_str("0000");
        }
        let mut behind = (weight + 1).max(0);
        while out.len() < whole {
            let _ = write!(out, "{:04}", group(behind));
            behind += 1;
        }
        out.truncate(whole);
    }
    Ok(out)
}

fn shaped(out: &mut Out, row: &Row, slot: usize, shape: &Shape, picks: &[Pick]) -> Result<()> {
    let Some(value) = raw(row, slot)? else { return literal(out, "null") };
    let document: serde_json::Value =
        serde_json::from_slice(json(&value)?).map_err(|_| Error::internal("a jsonb value that is no JSON"))?;
    match (shape, &document) {
        (Shape::Strings, document) => strings(out, document),
        (Shape::Object(_), serde_json::Value::Object(_)) => picked(out, picks, &document, None),
        (Shape::List(_), serde_json::Value::Array(items)) => {
            listed(out, items, |out, item| picked(out, picks, item, None))
        }
        (Shape::Entries(name, _), serde_json::Value::Object(entries)) => {
            listed(out, entries, |out, (key, entry)| picked(out, picks, entry, Some((name, key))))
        }
        (Shape::List(_) | Shape::Entries(..), _) => literal(out, "[]"),
        (Shape::Object(_), _) => literal(out, "null"),
    }
}

fn picked(out: &mut Out, picks: &[Pick], document: &serde_json::Value, entry: Option<(&str, &str)>) -> Result<()> {
    out.push(b'{');
    for (i, pick) in picks.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(pick.key.0.as_bytes());
        match &pick.what {
            Picked::Literal(json) => literal(out, json)?,
            Picked::Field(field, picks) => match entry {
                Some((name, key)) if name == field.name => string(out, key)?,
                _ => leaf(out, field.leaf, &document[field.name], picks)?,
            },
        }
    }
    out.push(b'}');
    Ok(())
}

/// Writes a value as its type says; one of another type, as an old document may have it, is null.
fn leaf(out: &mut Out, leaf: Leaf, value: &serde_json::Value, picks: &[Pick]) -> Result<()> {
    use serde_json::Value as Json;
    match (leaf, value) {
        (Leaf::Json, value) => {
            serde_json::to_writer(&mut out.json, value).map_err(|_| Error::internal("JSON that cannot be written"))
        }
        (Leaf::String, Json::String(text)) | (Leaf::Decimal, Json::String(text)) => string(out, text),
        (Leaf::String | Leaf::Decimal, Json::Number(number)) => string(out, &number.to_string()),
        (Leaf::Boolean | Leaf::Switch(_), Json::Bool(value)) => boolean(out, *value),
        (Leaf::Switch(default), _) => boolean(out, default),
        (Leaf::Int, Json::Number(number)) => match number.as_i64().and_then(|n| i32::try_from(n).ok()) {
            Some(n) => literal(out, &n.to_string()),
            None => literal(out, "null"),
        },
        (Leaf::Strings, value) => strings(out, value),
        (Leaf::Object(_), Json::Object(_)) => picked(out, picks, value, None),
        _ => literal(out, "null"),
    }
}

fn strings(out: &mut Out, value: &serde_json::Value) -> Result<()> {
    match value.as_array() {
        Some(items) => listed(out, items.iter().filter_map(|item| item.as_str()), string),
        None => literal(out, "null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL sends them: `SELECT encode(numeric_send('…'), 'hex')`.
    #[test]
    fn a_numeric_is_written_as_postgresql_writes_it() {
        for (sent, text) in [
            ("0000000000000000", "0"),
            ("0000000000000002", "0.00"),
            ("00010000000000000001", "1"),
            ("00010000400000000001", "-1"),
            ("00010001000000000001", "10000"),
            ("0001000000000000270f", "9999"),
            ("0003000100000001000100001388", "10000.5"),
            ("0001ffff4000000201f4", "-0.05"),
            ("0001ffff000000040001", "0.0001"),
            ("0001fffe0000000503e8", "0.00001"),
            ("0002ffff0000000800010929", "0.00012345"),
            ("0001fffd0000000903e8", "0.000000001"),
            ("0006000200000009000109291a8504d2162e2328", "123456789.123456789"),
            ("000500030000000204d2162e23340d801e78", "1234567890123456.78"),
            ("00080006400000040063270f270f270f270f270f270f270f", "-99999999999999999999999999.9999"),
            ("00010002000000000001", "100000000"),
            ("0001ffff000000041388", "0.5000"),
            ("00010005000000000001", "100000000000000000000"),
            ("00080007000000000007240c0659059210f1172f112b014f", "79228162514264337593543950335"),
            ("0001fff90000001b000a", "0.000000000000000000000000001"),
            ("000200010000000202fd1770", "7656000.00"),
            ("0004000100000007000109291a850078", "12345.6789012"),
        ] {
            assert_eq!(decimal(&hex::decode(sent).unwrap()).as_deref(), Ok(text));
        }
        for none in ["0000", "00000000c0000000", "00000000d0000000", "000000000000"] {
            assert!(decimal(&hex::decode(none).unwrap()).is_err(), "{none}");
        }
    }
}
