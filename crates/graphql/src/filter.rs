//! Filters as clients write them, checked and turned into the store's.

use aether_entity::catalog::Kind;
use aether_store::{
    Error, Result,
    model::{Model, Relation, Source, Type},
    read::{Condition, Filter, Operator},
};
use async_graphql::Value;

use crate::scalar::{self, items};

/// How many conditions one filter may have, relations and lists included.
const MOST_CONDITIONS: usize = 200;
/// How many relations a filter may reach through in all: each is a join, and planning takes longer with each by far. Of
/// partitioned tables five side by side took PostgreSQL 0.17 s, six 0.35 s, eight 1.4 s, twenty 5 s.
const MOST_RELATIONS: usize = 5;
/// How deep relations may nest in a filter: PostgreSQL plans what is alternative (`or`) at each level twice, so that planning
/// takes twice as long with each (eight took it 10 s).
const MOST_DEPTH: usize = 4;
/// How many bytes a text may have that is looked for within others.
const LONGEST_PART: usize = 4_000;
/// How many values a list of a filter may have.
const MOST_VALUES: usize = 1_000;

/// The operators on a kind of column: name, type of its value, description.
pub(crate) fn operators(kind: Kind) -> Vec<(&'static str, String, &'static str)> {
    let one = scalar::type_name(kind);
    let many = format!("[{one}!]");
    let mut operators: Vec<(&str, String, &str)> = Vec::new();
    match kind {
        Kind::Json => {
            operators.push(("contains", one, "Contains this JSON: every key and element of it."));
            operators.push(("hasKey", "String".into(), "Has this key at the top (or, for a list, this string)."));
        }
        Kind::UuidList | Kind::TextList => {
            operators.push(("containsAll", one.clone(), "Has all of these."));
            operators.push(("containsAny", one, "Has at least one of these."));
        }
        _ => {
            operators.push(("eq", one.clone(), "Equals this."));
            operators.push(("ne", one.clone(), "Does not equal this; null does not."));
            operators.push(("in", many.clone(), "Is one of these."));
            operators.push(("notIn", many, "Is none of these; null is not."));
            if !matches!(kind, Kind::Uuid | Kind::Boolean | Kind::Enum(_) | Kind::Inet) {
                operators.push(("gt", one.clone(), "Is greater than this."));
                operators.push(("gte", one.clone(), "Is this or greater."));
                operators.push(("lt", one.clone(), "Is less than this."));
                operators.push(("lte", one.clone(), "Is this or less."));
            }
            if matches!(kind, Kind::Text) {
                operators.push(("contains", one.clone(), "Contains this, in any case."));
                operators.push(("startsWith", one.clone(), "Starts with this, in any case."));
                operators.push(("endsWith", one, "Ends with this, in any case."));
            }
        }
    }
    operators.push(("isNull", "Boolean".into(), "Is null (or, for false, is not)."));
    operators
}

/// The filter that a client wrote for a type.
pub(crate) fn parse(ty: &Type, value: Option<&Value>) -> Result<Filter> {
    let mut left = Left { conditions: MOST_CONDITIONS, relations: MOST_RELATIONS, depth: MOST_DEPTH };
    match value {
        None | Some(Value::Null) => Ok(Filter::everything()),
        Some(value) => type_filter(ty, value, "filter", &mut left),
    }
}

/// What a filter may still ask for.
struct Left {
    conditions: usize,
    relations: usize,
    depth: usize,
}

impl Left {
    fn condition(&mut self, path: &str) -> Result<()> {
        self.conditions = self.conditions.checked_sub(1).ok_or_else(|| {
            Error::invalid(path, format!("A filter may have {MOST_CONDITIONS} conditions. Ask for less at once."))
        })?;
        Ok(())
    }

    /// What the far side of a relation must satisfy.
    fn beyond(&mut self, to: &Type, value: &Value, path: &str) -> Result<Filter> {
        self.relations = self.relations.checked_sub(1).ok_or_else(|| {
            Error::invalid(
                path,
                format!("A filter may reach through {MOST_RELATIONS} relations. Ask for less at once."),
            )
        })?;
        self.depth = self.depth.checked_sub(1).ok_or_else(|| {
            Error::invalid(
                path,
                format!("Relations may nest {MOST_DEPTH} deep in a filter. Ask from nearer to what you want to know."),
            )
        })?;
        let filter = type_filter(to, value, path, self);
        self.depth += 1;
        filter
    }
}

fn type_filter(ty: &Type, value: &Value, path: &str, left: &mut Left) -> Result<Filter> {
    let Value::Object(entries) = value else { return Err(Error::invalid(path, "A filter is an object.")) };
    let mut all = Vec::new();
    for (name, value) in entries {
        let path = format!("{path}.{name}");
        left.condition(&path)?;
        if matches!(value, Value::Null) {
            return Err(Error::invalid(
                &path,
                "A condition must not be null: leave it out, or ask for nulls with isNull.",
            ));
        }
        all.push(match (name.as_str(), ty.field(name).map(|field| &field.source)) {
            ("and", None) => Filter::All(filters(ty, value, &path, left)?),
            ("or", None) => Filter::Any(filters(ty, value, &path, left)?),
            ("not", None) => Filter::Not(Box::new(type_filter(ty, value, &path, left)?)),
            (_, Some(Source::Column(column))) => {
                let conditions = conditions(column.kind, value, &path)?;
                Filter::All(conditions.into_iter().map(|condition| Filter::Column(column.index, condition)).collect())
            }
            (_, Some(Source::Relation(relation))) => related(*relation, value, &path, left)?,
            (_, None) => return Err(Error::invalid(&path, format!("{} has no field {name}.", ty.name))),
        });
    }
    Ok(Filter::All(all))
}

fn filters(ty: &Type, value: &Value, path: &str, left: &mut Left) -> Result<Vec<Filter>> {
    match value {
        Value::List(items) => items
            .iter()
            .enumerate()
            .map(|(i, item)| {
                let path = format!("{path}.{i}");
                left.condition(&path)?;
                type_filter(ty, item, &path, left)
            })
            .collect(),
        // As GraphQL coerces: one is a list of one.
        single => Ok(vec![type_filter(ty, single, path, left)?]),
    }
}

fn related(relation: Relation, value: &Value, path: &str, left: &mut Left) -> Result<Filter> {
    let to = &Model::get().types[relation.to];
    if !relation.many {
        return Ok(Filter::Related(relation, true, Box::new(left.beyond(to, value, path)?)));
    }
    let Value::Object(entries) = value else { return Err(Error::invalid(path, "A filter is an object.")) };
    let mut all = Vec::new();
    for (name, value) in entries {
        let path = format!("{path}.{name}");
        if matches!(value, Value::Null) {
            return Err(Error::invalid(&path, "A condition must not be null: leave it out."));
        }
        all.push(Filter::Related(relation, name == "some", Box::new(left.beyond(to, value, &path)?)));
    }
    Ok(Filter::All(all))
}

/// The conditions that operators say.
pub(crate) fn conditions(kind: Kind, value: &Value, path: &str) -> Result<Vec<Condition>> {
    let Value::Object(entries) = value else {
        return Err(Error::invalid(path, "A condition is an object of operators, such as { eq: … }."));
    };
    let mut all = Vec::new();
    for (operator, value) in entries {
        let path = format!("{path}.{operator}");
        if matches!(value, Value::Null) {
            return Err(Error::invalid(
                &path,
                "An operator's value must not be null: leave it out, or ask with isNull.",
            ));
        }
        let scalar = |kind| scalar::parse(kind, value).map_err(|message| Error::invalid(&path, message));
        let list = |kind| values(kind, value, &path);
        let compare = |operator| Ok::<_, Error>(Condition::Compare(operator, scalar(kind)?));
        let element = if matches!(kind, Kind::UuidList) { Kind::Uuid } else { Kind::Text };
        all.push(match operator.as_str() {
            "eq" => compare(Operator::Eq)?,
            "ne" => compare(Operator::Ne)?,
            "gt" => compare(Operator::Gt)?,
            "gte" => compare(Operator::Gte)?,
            "lt" => compare(Operator::Lt)?,
            "lte" => compare(Operator::Lte)?,
            "in" => Condition::In(true, list(kind)?),
            "notIn" => Condition::In(false, list(kind)?),
            "isNull" => Condition::IsNull(matches!(value, Value::Boolean(true))),
            "contains" if matches!(kind, Kind::Json) => Condition::JsonContains(scalar(kind)?),
            "contains" => Condition::Contains(part(scalar(kind)?, &path)?),
            "startsWith" => Condition::StartsWith(part(scalar(kind)?, &path)?),
            "endsWith" => Condition::EndsWith(part(scalar(kind)?, &path)?),
            "hasKey" => Condition::HasKey(scalar(Kind::Text)?),
            "containsAll" => Condition::HasAll(list(element)?),
            "containsAny" => Condition::HasAny(list(element)?),
            other => return Err(Error::invalid(&path, format!("There is no operator {other}."))),
        });
    }
    Ok(all)
}

/// A part of a text that is looked for, which takes the longer the longer it is.
fn part(text: String, path: &str) -> Result<String> {
    if text.len() > LONGEST_PART {
        return Err(Error::invalid(path, format!("A text to look for has at most {LONGEST_PART} bytes.")));
    }
    Ok(text)
}

fn values(kind: Kind, value: &Value, path: &str) -> Result<Vec<String>> {
    let items = items(value);
    if items.len() > MOST_VALUES {
        return Err(Error::invalid(path, format!("A list in a filter may have {MOST_VALUES} values.")));
    }
    items
        .iter()
        .enumerate()
        .map(|(i, item)| scalar::parse(kind, item).map_err(|message| Error::invalid(format!("{path}.{i}"), message)))
        .collect()
}
