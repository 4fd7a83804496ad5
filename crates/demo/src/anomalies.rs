//! The rows that describe the injected anomalies, with the numbers those really made.

use chrono::{Days, Duration, Months};
use uuid::Uuid;

use crate::copy::{Rows, row};
use crate::injected::InjectedAnomaly;
use crate::random::{cents, places};
use crate::tenant::{Tenant, midnight};

/// The model that is named as the finder; `assistant` registers it.
pub(crate) const DETECTOR: &str = "aether-sentinel 2.1.0";

/// Fills `anomalies` from those injected that have been measured.
pub(crate) fn anomalies(tenant: &Tenant, injected: &[InjectedAnomaly]) -> (Rows, Vec<Uuid>) {
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
    let (mut random, mut ids) = (tenant.random("anomalies"), tenant.ids("anomalies"));
    let found: Vec<_> = injected
        .iter()
        .map(|one| {
            let closed = midnight(tenant.month(one.month) + Months::new(1)) + Duration::hours(76);
            let at = closed.min(tenant.ago(30.0));
            (at, ids.at(at))
        })
        .collect();
    let analysts = tenant.staff(&["ANALYST", "FINANCE_MANAGER"]);
    let manager = tenant.role("FINANCE_MANAGER").id;
    for (index, one) in injected.iter().enumerate() {
        let (at, id) = found[index];
        let outcome = one.outcome;
        let start = tenant.month(one.month);
        let end = start + Months::new(1) - Days::new(1);
        let worked = outcome.status != "open";
        let settled = matches!(outcome.status, "resolved" | "dismissed");
        let assigned = worked.then(|| at + Duration::hours(6));
        let analyzed = outcome.analysis.map(|_| at + Duration::minutes(2));
        let planned = outcome.plan.map(|_| at + Duration::minutes(9));
        let resolved = settled.then(|| (at + Duration::days(random.whole(4, 19))).min(tenant.ago(5.0)));
        let updated = resolved.or(assigned).or(planned).or(analyzed).unwrap_or(at);
        // What points here counts as related too.
        let related: Vec<Uuid> = (0..injected.len())
            .filter(|other| outcome.related == Some(*other) || injected[*other].outcome.related == Some(index))
            .map(|other| found[other].1)
            .collect();
        let direction = if one.change() < 0.0 { "below" } else { "above" };
        rows.push(row![
            id,
            tenant.id(),
            one.metric,
            at,
            DETECTOR,
            outcome.severity,
            format!(
                "{} in {} ({:.0} % {direction} expectation in {}).",
                outcome.what,
                one.region,
                one.change().abs(),
                start.format("%B %Y"),
            ),
            outcome.driver,
            cents(one.actual - one.expected),
            places(one.change(), 2),
            start,
            end,
            one.region,
            outcome.department,
            outcome.analysis,
            analyzed,
            analyzed.map(|_| places(random.between(71.0, 96.0), 2)),
            outcome.plan,
            planned,
            outcome.status,
            assigned.map(|_| random.pick(&analysts).id),
            assigned,
            resolved,
            resolved.map(|_| manager),
            outcome.resolution,
            (!related.is_empty()).then_some(related),
            at,
            updated,
        ]);
    }
    (rows, found.into_iter().map(|(_, id)| id).collect())
}
