//! What the database refuses, said in the client's words: fields and kinds of things, never constraints.

use heck::ToLowerCamelCase;
use sea_orm::{DbErr, RuntimeErr, sqlx};

use crate::{
    error::{Error, Result},
    model::Model,
};

/// The words for a table's rows.
pub(super) fn words(table: &str) -> String {
    Model::get().by_table(table).map_or_else(|| table.replace('_', " "), |ty| ty.words())
}

/// The name of a table's rows as one word: `budget_line_item`.
pub(super) fn type_name(table: &str) -> String {
    Model::get().by_table(table).map_or_else(|| table.to_owned(), |ty| ty.one_word())
}

/// What a failed write of a row of this table means to whoever sent it.
pub(super) fn explained<T>(answer: Result<T, DbErr>, table: &str) -> Result<T> {
    answer.map_err(|error| explain(error, table))
}

fn explain(error: DbErr, table: &str) -> Error {
    let refusal = match &error {
        DbErr::Query(RuntimeErr::SqlxError(inner)) | DbErr::Exec(RuntimeErr::SqlxError(inner)) => match &**inner {
            sqlx::Error::Database(refusal) => refusal.try_downcast_ref::<sqlx::postgres::PgDatabaseError>(),
            _ => None,
        },
        _ => None,
    };
    let Some(refusal) = refusal else { return error.into() };
    let thing = words(table);
    let columns = refusal.detail().map(key_columns).unwrap_or_default();
    let fields: Vec<String> = columns.iter().map(|column| column.to_lower_camel_case()).collect();
    let first = fields.first().cloned().unwrap_or_default();
    match refusal.code() {
        // unique_violation
        "23505" => Error::Taken {
            field: first,
            message: match fields.as_slice() {
                [] => format!("There is such a {thing} already."),
                _ => format!("There is a {thing} with this {} already. Choose another.", listed(&columns)),
            },
        },
        // foreign_key_violation: from the referring side it names the reference, from the other who still refers.
        "23503" => match refusal.detail().is_some_and(|detail| detail.contains("is still referenced")) {
            true => Error::Precondition(format!("The {thing} is still in use, so it cannot be deleted.")),
            false => Error::invalid(first, "This refers to something that is not there."),
        },
        // not_null_violation
        "23502" => Error::invalid(
            refusal.column().map(|column| column.to_lower_camel_case()).unwrap_or_default(),
            "A value is needed here.",
        ),
        "23514" if refusal.constraint() == Some("ck_departments_cycle") => Error::invalid(
            "parentId",
            "A department cannot lie within itself or within one that lies below it. Choose another parent.",
        ),
        // check_violation, numeric_value_out_of_range, string_data_right_truncation
        "23514" => {
            tracing::warn!(constraint = refusal.constraint(), "only the database refused a value");
            Error::invalid(first, format!("A value is outside of what a {thing} can have."))
        }
        "22003" => Error::invalid("", "A number is too large: amounts have at most 18 digits before the point."),
        "22001" => Error::invalid("", "A text is too long."),
        // restrict_violation: the audit trail holds on to what it refers to.
        "23001" => Error::Precondition(format!("The {thing} cannot be deleted: the audit trail refers to it.")),
        _ => error.into(),
    }
}

/// Columns as one says them: `fiscal year, version and department`.
fn listed(columns: &[&str]) -> String {
    let words: Vec<String> = columns.iter().map(|column| column.trim_end_matches("_id").replace('_', " ")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// The columns in `Key (organization_id, lower(email::text))=(…) already exists.`, without the tenant's.
fn key_columns(detail: &str) -> Vec<&str> {
    let Some((_, rest)) = detail.split_once("Key (") else { return Vec::new() };
    let Some((columns, _)) = rest.split_once(")=") else { return Vec::new() };
    columns
        .split(", ")
        .map(|column| {
            column.trim_start_matches("lower(").split("::").next().unwrap_or(column).trim_matches(['"', ')', '('])
        })
        .filter(|column| !matches!(*column, "organization_id" | "workspace_id" | "id"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_off_the_detail() {
        assert_eq!(key_columns("Key (organization_id, name)=(a, b) already exists."), ["name"]);
        assert_eq!(key_columns("Key (organization_id, lower(email::text))=(a, b) already exists."), ["email"]);
        assert_eq!(listed(&["name"]), "name");
        assert_eq!(listed(&["fiscal_year", "version", "department_id"]), "fiscal year, version and department");
        assert_eq!(key_columns("Failing row contains (1, 2)."), [""; 0]);
    }
}
