//! Scenarios and the results of their runs.

use super::{Entity, entity, shapes};
use crate::model::{Restriction, Scope};

pub(super) fn entities() -> Vec<Entity> {
    vec![
        entity("scenarios", "Scenario", "scenarios", Scope::Organization)
            .order(&["-created_at"])
            .restrict(Restriction::SharedScenarios)
            .shape("parameters", &shapes::SCENARIO_PARAMETERS)
            .shape("ai_analysis", &shapes::SCENARIO_ANALYSIS)
            .refers("organization_id", "organization", "scenarios")
            .refers("created_by", "createdByUser", "scenarios"),
        entity("scenario_results", "ScenarioResult", "scenarioResults", Scope::Via("scenario_id"))
            .order(&["-run_number"])
            .ratios(&["mean", "standard_deviation", "probability_of_loss"])
            .ordinals(&["run_number", "seed"])
            .shape("parameters", &shapes::SCENARIO_PARAMETERS)
            .shape("percentiles", &shapes::PERCENTILES)
            .shape("histogram", &shapes::HISTOGRAM)
            .refers("scenario_id", "scenario", "runs")
            .refers("created_by", "createdByUser", "scenarioRuns"),
    ]
}
