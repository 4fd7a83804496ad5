//! The rows that describe the planted anomalies, with the numbers those really made.

use chrono::{Days, Duration, Months};
use uuid::Uuid;

use crate::copy::{Rows, row};
use crate::dice::{cents, places};
use crate::plants::Plant;
use crate::tenant::{Tenant, midnight};

/// The model that is named as the finder; `assistant` registers it.
pub(crate) const DETECTOR: &str = "aether-sentinel 2.1.0";

/// Fills `anomalies` from plants that have been measured.
pub(crate) fn anomalies(tenant: &Tenant, plants: &[Plant]) -> (Rows, Vec<Uuid>) {
    let mut rows = Rows::new(
        "anomalies",
        &[
            "id",
            "organization_id",
            "metric_type",
            "detected_at",
            "detection_model",
            "severity",
            "description",
            "primary_driver",
            "impact_value",
            "impact_percentage",
            "affected_period_start",
            "affected_period_end",
            "affected_region",
            "affected_department",
            "ai_analysis",
            "ai_analysis_at",
            "ai_confidence",
            "action_plan",
            "action_plan_at",
            "status",
            "assigned_to",
            "assigned_at",
            "resolved_at",
            "resolved_by",
            "resolution_notes",
            "related_anomaly_ids",
            "created_at",
            "updated_at",
        ],
    );
    let (mut dice, mut ids) = (tenant.dice("anomalies"), tenant.ids("anomalies"));
    let found: Vec<_> = plants
        .iter()
        .map(|plant| {
            let closed = midnight(tenant.month(plant.month) + Months::new(1)) + Duration::hours(76);
            let at = closed.min(tenant.ago(30.0));
            (at, ids.at(at))
        })
        .collect();
    let analysts = tenant.staff(&["ANALYST", "FINANCE_MANAGER"]);
    let manager = tenant.role("FINANCE_MANAGER").id;
    for (index, plant) in plants.iter().enumerate() {
        let (at, id) = found[index];
        let story = plant.story;
        let start = tenant.month(plant.month);
        let end = start + Months::new(1) - Days::new(1);
        let worked = story.status != "open";
        let settled = matches!(story.status, "resolved" | "dismissed");
        let assigned = worked.then(|| at + Duration::hours(6));
        let analyzed = story.analysis.map(|_| at + Duration::minutes(2));
        let planned = story.plan.map(|_| at + Duration::minutes(9));
        let resolved = settled.then(|| (at + Duration::days(dice.whole(4, 19))).min(tenant.ago(5.0)));
        let updated = resolved.or(assigned).or(planned).or(analyzed).unwrap_or(at);
        // What points here counts as related too.
        let related: Vec<Uuid> = (0..plants.len())
            .filter(|other| story.related == Some(*other) || plants[*other].story.related == Some(index))
            .map(|other| found[other].1)
            .collect();
        let direction = if plant.change() < 0.0 { "below" } else { "above" };
        rows.push(row![
            id,
            tenant.id(),
            plant.metric,
            at,
            DETECTOR,
            story.severity,
            format!(
                "{} in {} ({:.0} % {direction} expectation in {}).",
                story.what,
                plant.region,
                plant.change().abs(),
                start.format("%B %Y"),
            ),
            story.driver,
            cents(plant.actual - plant.expected),
            places(plant.change(), 2),
            start,
            end,
            plant.region,
            story.department,
            story.analysis,
            analyzed,
            analyzed.map(|_| places(dice.between(71.0, 96.0), 2)),
            story.plan,
            planned,
            story.status,
            assigned.map(|_| dice.pick(&analysts).id),
            assigned,
            resolved,
            resolved.map(|_| manager),
            story.resolution,
            (!related.is_empty()).then_some(related),
            at,
            updated,
        ]);
    }
    (rows, found.into_iter().map(|(_, id)| id).collect())
}
