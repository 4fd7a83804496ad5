//! From an operation to the rows of a file and its columns.

use aether_application::exports::{Column, ColumnKind, Question};
use aether_entity::sea_orm_active_enums::RowFormat;
use aether_operation::{Compiler, Json, OperationType, Problem, Selected};
use aether_store::{Error, Result, model::Model, read::plan::Fetch};
use chrono::{DateTime, FixedOffset, Utc};

use crate::{
    Limits,
    plan::{Planner, Sets},
    root_fields,
};

/// How deep the JSON of variables may nest.
const DEEPEST: usize = 128;

/// What a file of this format is called, and its media type.
pub(super) fn named(name: &str, requested_at: DateTime<FixedOffset>, format: &RowFormat) -> (String, &'static str) {
    let (ending, media_type) = match format {
        RowFormat::Csv => ("csv", "text/csv; charset=utf-8; header=present"),
        RowFormat::JsonLines => ("jsonl", "application/jsonl"),
        RowFormat::Parquet => ("parquet", "application/vnd.apache.parquet"),
    };
    (format!("{name}-{}.{ending}", requested_at.with_timezone(&Utc).format("%Y%m%dT%H%M%SZ")), media_type)
}

/// What a file is made of.
pub(super) struct Planned {
    /// Its rows.
    pub(super) fetch: Fetch,
    /// Its columns.
    pub(super) columns: Vec<Column>,
    /// What it is called after: the field of the root.
    pub(super) name: String,
}

impl Planned {
    /// Plans the file of an operation: all rows, or groups, of its one list.
    pub(super) fn new(compiler: &Compiler, limits: &Limits, question: &Question) -> Result<Self> {
        let refused = |problems: Vec<Problem>| refused(problems.first());
        let variables = match Json::read(&question.variables.to_string(), DEEPEST) {
            Ok(variables @ Json::Object(_)) => variables,
            Ok(_) => return Err(Error::invalid("variables", "The variables are an object: {\"name\": value, …}.")),
            Err(why) => return Err(Error::invalid("variables", why)),
        };
        let (document, _) = compiler.compile(&question.query, true).map_err(refused)?;
        let operation = document.operation(question.operation_name.as_deref());
        let operation = operation.map_err(|problem| refused(vec![problem]))?;
        let bound = compiler.bind(&operation, Some(&variables), true).map_err(refused)?;
        if bound.kind() != OperationType::Query {
            return Err(Error::invalid("query", "What is exported is what a query reads: send a query."));
        }
        let planner = Planner::new(&bound, limits);
        let mut fields = planner.collect(&[bound.root()], "Query")?.into_iter();
        let (Some(list), None) = (fields.next(), fields.next()) else { return Err(one_list()) };
        let Some(planned) = root_fields::planned(&bound, &planner, &list) else { return Err(one_list()) };
        let (fetch, None) = planned? else { return Err(one_list()) };
        let node = node(&planner, &list)?.ok_or_else(one_list)?;
        let mut columns = Vec::new();
        add_columns(&planner, &node.sets, node.ty(), &mut Vec::new(), &mut columns)?;
        if columns.is_empty() {
            return Err(Error::invalid("query", "A file has a column at least: nothing is selected of the rows."));
        }
        let fetch = fetch.unpaged().ok_or_else(one_list)?;
        Ok(Self { fetch, columns, name: list.name().to_owned() })
    }
}

fn one_list() -> Error {
    Error::invalid(
        "query",
        "A file has the rows of one list: select one connection of the root, and of it either nodes or groups with their nodes, as in \
         { deals { nodes { name value } } }.",
    )
}

/// What is wrong with an operation.
fn refused(problem: Option<&Problem>) -> Error {
    let said = problem.map(|problem| match problem.location {
        Some(place) => format!("{} (line {}, column {})", problem.message, place.line, place.column),
        None => problem.message.clone(),
    });
    Error::invalid("query", said.unwrap_or_else(|| "This is no operation.".into()))
}

/// What is selected of each row of a connection, or of each group of its rows: of one of them, not of both.
fn node<'a>(planner: &Planner<'a>, connection: &Selected<'a>) -> Result<Option<Selected<'a>>> {
    let mut found = Vec::new();
    for field in planner.collect(&connection.sets, connection.ty())? {
        match field.name() {
            "nodes" => found.push(field),
            "edges" => {
                for inner in planner.collect(&field.sets, field.ty())? {
                    match inner.name() {
                        "node" => found.push(inner),
                        "cursor" | "__typename" => {}
                        other => {
                            let message = format!("`{other}` of an edge is no column of a file: leave it out.");
                            return Err(Error::invalid("query", message));
                        }
                    }
                }
            }
            "groups" => found.extend(node(planner, &field)?),
            _ => {}
        }
    }
    let one = found.pop();
    if found.is_empty() { Ok(one) } else { Err(one_list()) }
}

/// Adds the columns of an object: each of its leaves, by the keys that lead to it.
fn add_columns<'a>(
    planner: &Planner<'a>,
    sets: Sets<'a, '_>,
    ty: &str,
    path: &mut Vec<String>,
    columns: &mut Vec<Column>,
) -> Result<()> {
    for field in planner.collect(sets, ty)? {
        path.push(field.key.to_owned());
        let is_many =
            field.ty().ends_with("Connection") || field.is_list() && Model::get().by_name(field.ty()).is_some();
        if is_many {
            return Err(Error::invalid(
                "query",
                format!(
                    "`{}` is a list, and a row of a file has no room for another list: leave it out, and export it by itself.",
                    path.join(".")
                ),
            ));
        }
        if field.has_fields() && !field.is_list() {
            add_columns(planner, &field.sets, field.ty(), path, columns)?;
        } else {
            columns.push(Column { path: path.clone(), kind: kind(&field) });
        }
        path.pop();
    }
    Ok(())
}

/// What the values of a leaf are.
fn kind(field: &Selected<'_>) -> ColumnKind {
    match field.ty() {
        _ if field.is_list() => ColumnKind::Json,
        "Boolean" => ColumnKind::Boolean,
        "Int" => ColumnKind::Int,
        "Float" => ColumnKind::Float,
        "BigInt" => ColumnKind::BigInt,
        "Decimal" => ColumnKind::Decimal,
        "Date" => ColumnKind::Date,
        "DateTime" => ColumnKind::DateTime,
        "JSON" => ColumnKind::Json,
        // Texts and ids, and the names of enums.
        _ => ColumnKind::Text,
    }
}
