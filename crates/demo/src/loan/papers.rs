//! The papers on the desk at the end of the story, as rows: the agreement and its drift.

use aether_domain::term;

use super::desk::Desk;
use crate::copy::row;

/// Fills `clauses`, `variables` and `covenants`.
pub(super) fn documents(desk: &mut Desk) {
    for (position, (source, state)) in desk.agreement.clauses.iter().zip(&desk.clauses).enumerate() {
        desk.tables.clauses(row![
            state.id,
            desk.workspace,
            source.title.as_str(),
            source.body.as_str(),
            source.kind.as_str(),
            position as i64 + 1,
            source.is_sensitive,
            state.locked.is_some(),
            state.locked.map(|(_, by)| by),
            state.locked.map(|(at, _)| at),
            state.edited.0,
            state.edited.1,
            state.created,
            state.touched,
            state.version,
        ]);
        for (covenant, id) in source.covenants.iter().zip(&state.covenants) {
            desk.tables.covenants(row![
                *id,
                desk.workspace,
                state.id,
                covenant.name.as_str(),
                covenant.test_frequency.as_str(),
                covenant.threshold.as_str(),
                covenant.calculation_basis.as_str(),
                state.created,
                state.created,
            ]);
        }
    }
    for state in &desk.variables {
        let source = &desk.agreement.clauses[state.at.0].variables[state.at.1];
        debug_assert_eq!(state.value, source.value, "{} ends as the file says", source.label);
        debug_assert!(term::same(&state.baseline, &source.baseline_value), "{}", source.label);
        desk.tables.variables(row![
            state.id,
            desk.workspace,
            desk.clauses[state.at.0].id,
            source.label.as_str(),
            source.kind.as_str(),
            state.value.as_str(),
            source.unit.as_deref(),
            state.baseline.as_str(),
            state.edited.0,
            state.edited.1,
            state.created,
            state.touched,
            state.version,
        ]);
    }
}

/// Fills `drift_items`.
pub(super) fn drift(desk: &mut Desk) {
    for item in &desk.drift {
        let variable = &desk.variables[item.variable];
        let settled = item.settled.as_ref();
        desk.tables.drift_items(row![
            item.id,
            desk.workspace,
            desk.clauses[variable.at.0].id,
            variable.id,
            format!("{} differs from the baseline", desk.label(item.variable)),
            desk.kind(item.variable).as_str(),
            item.severity,
            item.baseline.as_str(),
            item.agreed,
            item.current.as_str(),
            item.edited.0,
            item.edited.1,
            settled.map_or("unresolved", |settled| settled.status.as_str()),
            settled.map(|settled| settled.by),
            settled.map(|settled| settled.at),
            settled.map(|settled| settled.reason.as_str()),
            settled.map(|settled| settled.category.as_str()),
            item.edited.0,
            settled.map_or(item.edited.0, |settled| settled.at),
            if settled.is_some() { 2 } else { 1 },
        ]);
    }
}
