//! Terms in the draft: the one place where a value or a wording is set, with the drift that comes of it.

use aether_domain::{
    drift::{self, TermKind},
    term,
};
use aether_entity::{
    clauses, drift_items,
    sea_orm_active_enums::{ClauseType, DriftSeverity, DriftStatus, VariableType},
    variables,
};
use aether_store::{Error, Result, write::Change};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

use super::dependency_graph::{self, GraphStanding};

/// Edits a variable, and keeps its drift: opened, followed or taken back as the value says. The graph is to be refreshed after.
pub(super) async fn edit(
    c: &Change,
    variable: variables::Model,
    edit: impl FnOnce(&mut variables::ActiveModel),
) -> Result<variables::Model> {
    let before = variable.clone();
    let after = c
        .update(variable, |row| {
            edit(row);
            // Only another value is an edit of the value.
            if row.value.is_set() && *row.value.as_ref() != before.value {
                row.last_modified_at = Set(c.now());
                row.last_modified_by = Set(Some(c.actor().user_id));
            }
        })
        .await?;
    if after.value != before.value || after.label != before.label {
        follow(c, Some(&before), &after).await?;
    }
    Ok(after)
}

/// Opens, updates or deletes the open drift item of a variable that has been bound or edited.
pub(super) async fn follow(c: &Change, before: Option<&variables::Model>, after: &variables::Model) -> Result<()> {
    // Who only spells a value anew has not drafted it.
    let moved = before.is_none_or(|before| !term::same(&before.value, &after.value));
    let kind = kind_of(&after.r#type);
    let severity = after.baseline_value.as_deref().and_then(|baseline| drift::severity(kind, baseline, &after.value));
    let items = match before {
        None => Vec::new(),
        Some(_) => {
            let told = [DriftStatus::Unresolved, DriftStatus::Overridden];
            let items = drift_items::Entity::find()
                .filter(drift_items::Column::VariableId.eq(after.id))
                .filter(drift_items::Column::Status.is_in(told));
            c.all(items).await?
        }
    };
    let open = items.iter().find(|item| item.status == DriftStatus::Unresolved);
    match (open.cloned(), severity) {
        // Nobody has settled it, and there is nothing left to settle.
        (Some(item), None) => c.delete(item).await,
        (Some(item), Some(severity)) => {
            c.update(item, |item| {
                item.title = Set(title(&after.label));
                item.current_value = Set(after.value.clone());
                if moved {
                    item.severity = Set(stored(severity));
                    item.current_modified_at = Set(c.now());
                    item.current_modified_by = Set(c.actor().user_id);
                    // What was asked for was another value.
                    no_override(item);
                }
            })
            .await?;
            Ok(())
        }
        (None, Some(severity)) => {
            // An accepted deviation that is only spelled anew stays accepted.
            if !moved {
                return Ok(());
            }
            let agreed = items.iter().filter_map(|item| item.approved_at).max();
            c.insert(drift_items::ActiveModel {
                workspace_id: Set(after.workspace_id),
                clause_id: Set(after.clause_id),
                variable_id: Set(Some(after.id)),
                title: Set(title(&after.label)),
                r#type: Set(clause_type(kind)),
                severity: Set(stored(severity)),
                baseline_value: Set(after.baseline_value.clone().unwrap_or_default()),
                baseline_approved_at: Set(agreed.unwrap_or(after.created_at)),
                current_value: Set(after.value.clone()),
                current_modified_at: Set(c.now()),
                current_modified_by: Set(c.actor().user_id),
                ..Default::default()
            })
            .await?;
            Ok(())
        }
        (None, None) => Ok(()),
    }
}

/// Withdraws an override that waits.
pub(super) fn no_override(item: &mut drift_items::ActiveModel) {
    item.override_requested_by = Set(None);
    item.override_requested_at = Set(None);
    item.override_reason = Set(None);
    item.override_category = Set(None);
}

/// Rewords a clause: the one place where these words stand takes others.
pub(super) async fn reword(c: &Change, clause: clauses::Model, from: &str, to: &str) -> Result<()> {
    let body = replaced(&clause.body, from, to).ok_or_else(|| {
        Error::Precondition(format!(
            "The text of the clause \u{201c}{}\u{201d} does not have these words exactly once: \u{201c}{from}\u{201d}. Edit the \
             clause by hand instead.",
            clause.title
        ))
    })?;
    c.update(clause, |clause| {
        clause.body = Set(body);
        clause.last_modified_at = Set(c.now());
        clause.last_modified_by = Set(c.actor().user_id);
    })
    .await?;
    Ok(())
}

/// Brings the graph up to date with what has become of terms in these clauses.
pub(super) async fn refresh(c: &Change, clause: uuid::Uuid) -> Result<GraphStanding> {
    dependency_graph::refresh(c, Some(&[clause])).await
}

/// The text with the one place where `from` stands changed; `None` where it stands nowhere or more than once. What is only a
/// part of a longer word or number is no such place: `5%` does not stand in `15%`, nor `25%` in `3.25%`.
fn replaced(text: &str, from: &str, to: &str) -> Option<String> {
    let (first, last) = (from.chars().next()?, from.chars().next_back()?);
    let mut places = text.char_indices().map(|(at, _)| at).filter(|&at| {
        let Some(rest) = text[at..].strip_prefix(from) else { return false };
        let before: Vec<char> = text[..at].chars().rev().take(2).collect();
        let after: Vec<char> = rest.chars().take(2).collect();
        !(goes_on(first, &before) || goes_on(last, &after))
    });
    let place = places.next()?;
    match places.next() {
        None => Some(format!("{}{to}{}", &text[..place], &text[place + from.len()..])),
        Some(_) => None,
    }
}

/// Whether what stands beside an end of a passage belongs to the same word or number.
fn goes_on(end: char, beside: &[char]) -> bool {
    match beside {
        [next, ..] if next.is_alphanumeric() => end.is_alphanumeric(),
        ['.' | ',', digit] if digit.is_ascii_digit() => end.is_ascii_digit(),
        _ => false,
    }
}

fn title(label: &str) -> String {
    const REST: &str = " differs from the baseline";
    // The title has 255 characters at most.
    let label: String = label.chars().take(255 - REST.len()).collect();
    label + REST
}

fn kind_of(kind: &VariableType) -> TermKind {
    match kind {
        VariableType::Financial => TermKind::Financial,
        VariableType::Definition => TermKind::Definition,
        // A ratio is one of a covenant.
        VariableType::Covenant | VariableType::Ratio => TermKind::Covenant,
    }
}

fn clause_type(kind: TermKind) -> ClauseType {
    match kind {
        TermKind::Financial => ClauseType::Financial,
        TermKind::Covenant | TermKind::Ratio => ClauseType::Covenant,
        TermKind::Definition => ClauseType::Definition,
        TermKind::Xref => ClauseType::Xref,
        TermKind::General => ClauseType::General,
    }
}

fn stored(severity: drift::Severity) -> DriftSeverity {
    match severity {
        drift::Severity::High => DriftSeverity::High,
        drift::Severity::Medium => DriftSeverity::Medium,
        drift::Severity::Low => DriftSeverity::Low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_stand_once_are_replaced() {
        assert_eq!(replaced("a margin of 3.25% per annum", "3.25%", "3.50%").unwrap(), "a margin of 3.50% per annum");
        assert_eq!(replaced("Café, 5%.", "5%", "6%").unwrap(), "Café, 6%.");
        assert_eq!(replaced("5% or 15%", "5%", "6%").unwrap(), "6% or 15%");
        assert_eq!(replaced("3.25% or 25%", "25%", "30%").unwrap(), "3.25% or 30%");
        assert_eq!(replaced("GBP 5 and GBP 5,000", "GBP 5", "GBP 6").unwrap(), "GBP 6 and GBP 5,000");
        assert_eq!(replaced("It is five. Five it is.", "five", "six").unwrap(), "It is six. Five it is.");
    }

    #[test]
    fn what_is_not_there_or_twice_is_left() {
        for (text, from) in [("aaa", "aa"), ("5% and 5%", "5%"), ("15%", "5%"), ("x", ""), ("3.25%", "3.2"), ("", "x")]
        {
            assert_eq!(replaced(text, from, "y"), None, "{from} in {text}");
        }
    }

    #[test]
    fn titles_fit_their_column() {
        assert_eq!(title("Margin"), "Margin differs from the baseline");
        assert_eq!(title(&"ä".repeat(255)).chars().count(), 255);
    }
}
