//! The papers at the end of the timeline, as rows: the agreement and its drift.

use aether_domain::term;

use super::simulator::Simulator;
use crate::copy::row;

/// Fills `clauses`, `variables` and `covenants`.
pub(super) fn documents(simulator: &mut Simulator) {
    for (position, (source, state)) in simulator.agreement.clauses.iter().zip(&simulator.clauses).enumerate() {
        simulator.tables.clauses(row![
            state.id,
            simulator.workspace,
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
            simulator.tables.covenants(row![
                *id,
                simulator.workspace,
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
    for state in &simulator.variables {
        let source = &simulator.agreement.clauses[state.at.0].variables[state.at.1];
        debug_assert_eq!(state.value, source.value, "{} ends as the file says", source.label);
        debug_assert!(term::same(&state.baseline, &source.baseline_value), "{}", source.label);
        simulator.tables.variables(row![
            state.id,
            simulator.workspace,
            simulator.clauses[state.at.0].id,
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
pub(super) fn drift(simulator: &mut Simulator) {
    for item in &simulator.drift {
        let variable = &simulator.variables[item.variable];
        let (settled, asked) = (item.settled.as_ref(), item.asked.as_ref());
        simulator.tables.drift_items(row![
            item.id,
            simulator.workspace,
            simulator.clauses[variable.at.0].id,
            variable.id,
            format!("{} differs from the baseline", simulator.label(item.variable)),
            simulator.kind(item.variable).as_str(),
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
            settled.map(|settled| settled.at).or(asked.map(|asked| asked.at)).unwrap_or(item.edited.0),
            if settled.is_some() || asked.is_some() { 2 } else { 1 },
            asked.map(|asked| asked.by),
            asked.map(|asked| asked.at),
            asked.map(|asked| asked.reason.as_str()),
            asked.map(|asked| asked.category.as_str()),
        ]);
    }
}
