//! The anomalies injected in the metrics: what is wrong where, and what became of it.

use crate::metrics::{Base, Point, is_ratio};

/// What is wrong in one region and month, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct InjectedAnomaly {
    /// Months from the current one.
    pub(crate) month: i32,
    pub(crate) region: &'static str,
    pub(crate) metric: &'static str,
    /// Index of the product or line of business.
    line: usize,
    /// What the value is multiplied with; 1 where it follows from another anomaly.
    factor: f64,
    pub(crate) outcome: Outcome,
    /// Expected and actual value of the region.
    pub(crate) expected: f64,
    pub(crate) actual: f64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) severity: &'static str,
    pub(crate) status: &'static str,
    pub(crate) department: Option<&'static str>,
    /// Index of the anomaly that this one belongs with.
    pub(crate) related: Option<usize>,
    pub(crate) what: &'static str,
    pub(crate) driver: &'static str,
    pub(crate) analysis: Option<&'static str>,
    pub(crate) plan: Option<&'static str>,
    pub(crate) resolution: Option<&'static str>,
}

impl InjectedAnomaly {
    /// Changes what the region did.
    pub(crate) fn apply(&self, base: &mut Base) {
        let (line, factor) = (self.line, self.factor);
        match self.metric {
            "REVENUE" => base.revenue[line] *= factor,
            "MRR" => base.recurring[line] *= factor,
            "OPERATING_EXPENSE" => base.spending[line] *= factor,
            "GROSS_MARGIN" => base.margin[line] *= factor,
            "CASH_FLOW" => base.collection[line] *= factor,
            "CAC" => base.acquisition[line] *= factor,
            "CHURN_RATE" => base.churn[line] *= factor,
            // The rest follows from these.
            _ => {}
        }
    }

    /// Takes the numbers: of the whole region, or of the one line where a sum would mean nothing.
    pub(crate) fn measure(&mut self, plain: &[Point], actual: &[Point]) {
        let pairs = plain.iter().zip(actual).filter(|(plain, _)| plain.metric == self.metric);
        for (line, (plain, actual)) in pairs.enumerate() {
            if !is_ratio(self.metric) || line == self.line {
                self.expected += plain.value;
                self.actual += actual.value;
            }
        }
    }

    /// Percent of what was expected.
    pub(crate) fn change(&self) -> f64 {
        (self.actual - self.expected) / self.expected.abs() * 100.0
    }
}

/// What every organization has.
pub(crate) fn anomalies() -> Vec<InjectedAnomaly> {
    let one = |month, region, metric, line, factor, outcome| InjectedAnomaly {
        month,
        region,
        metric,
        line,
        factor,
        outcome,
        expected: 0.0,
        actual: 0.0,
    };
    let outcome = Outcome {
        severity: "medium",
        status: "open",
        department: None,
        related: None,
        what: "",
        driver: "",
        analysis: None,
        plan: None,
        resolution: None,
    };
    vec![
        one(
            -2,
            "Europe",
            "REVENUE",
            0,
            0.58,
            Outcome {
                severity: "critical",
                status: "investigating",
                related: Some(1),
                what: "Software revenue collapsed while the pipeline and headcount stayed level",
                driver: "Aether Platform renewals in Europe slipped out of the period",
                analysis: Some(
                    "Three enterprise renewals of Aether Platform with a combined value close to the shortfall were booked \
                 one month late after a change of the signature workflow in the CRM. New business in Europe is in \
                 line with the season; Nexus Analytics and Implementation show no deviation.",
                ),
                plan: Some(
                    "1. Confirm the three renewals with the account owners. 2. Re-date the bookings where the service \
                 period allows it. 3. Add a control on renewals that stay in Legal Review past their service date.",
                ),
                ..outcome
            },
        ),
        one(
            -2,
            "Europe",
            "EBITDA",
            0,
            1.0,
            Outcome {
                severity: "high",
                related: Some(0),
                what: "EBITDA fell with the missing software revenue; costs did not follow",
                driver: "Missing Aether Platform revenue at unchanged operating expense",
                analysis: Some(
                    "The deviation is explained in full by the revenue anomaly of the same region and month: operating \
                 expense was within its band.",
                ),
                ..outcome
            },
        ),
        one(
            -1,
            "North America",
            "OPERATING_EXPENSE",
            0,
            1.38,
            Outcome {
                severity: "high",
                department: Some("Engineering"),
                what: "Operating expense jumped far above its seasonal band",
                driver: "Cloud compute of Software in North America: a load-test cluster left running",
                analysis: Some(
                    "Compute spend rose on the 6th and stayed at three times its usual level. The tags point to a \
                 load-test environment of Site Reliability that has no shutdown schedule.",
                ),
                plan: Some(
                    "1. Shut the environment down. 2. Give every non-production cluster an expiry. 3. Alert on daily \
                 compute spend above 150 % of its four-week median.",
                ),
                ..outcome
            },
        ),
        one(
            -3,
            "Latin America",
            "CHURN_RATE",
            1,
            2.3,
            Outcome {
                status: "investigating",
                department: Some("Customer Success"),
                what: "Churn more than doubled among Services customers",
                driver: "Services customers in Latin America after the partner contract ended",
                analysis: Some(
                    "Eleven of fourteen churned accounts were served by the partner whose contract ended that month.",
                ),
                ..outcome
            },
        ),
        one(
            -5,
            "Asia Pacific",
            "GROSS_MARGIN",
            1,
            0.76,
            Outcome {
                status: "resolved",
                department: Some("Professional Services"),
                what: "Services margin dropped below its band",
                driver: "Subcontractors on two implementation projects in Asia Pacific",
                analysis: Some(
                    "Subcontractor cost of two projects was booked in one month instead of over the delivery.",
                ),
                plan: Some(
                    "Accrue subcontractor cost over the delivery and correct the affected month at quarter end.",
                ),
                resolution: Some(
                    "Accruals corrected with the quarter-end close; the margin of the quarter is within its band.",
                ),
                ..outcome
            },
        ),
        one(
            -4,
            "Middle East",
            "CASH_FLOW",
            0,
            0.22,
            Outcome {
                severity: "high",
                status: "resolved",
                department: Some("Finance"),
                what: "Cash flow stayed far below what EBITDA suggests",
                driver: "One public-sector customer of Software in the Middle East paid sixty days late",
                analysis: Some(
                    "Receivables older than 60 days rose by the amount that is missing; one debtor holds 92 % of it.",
                ),
                plan: Some("Agree a payment plan with the debtor and lower its credit limit until it is settled."),
                resolution: Some("The debtor paid in full the month after; its credit limit stays lowered."),
                ..outcome
            },
        ),
        one(
            -7,
            "North America",
            "CAC",
            0,
            1.46,
            Outcome {
                severity: "low",
                status: "dismissed",
                department: Some("Marketing"),
                what: "Customer acquisition cost rose above its band",
                driver: "The autumn brand campaign for Software in North America",
                resolution: Some("A planned campaign: the spend was approved in the budget's second version."),
                ..outcome
            },
        ),
        one(
            -8,
            "Asia Pacific",
            "REVENUE",
            2,
            1.7,
            Outcome {
                status: "resolved",
                what: "Implementation revenue rose far above its season",
                driver: "Milestone invoices of one Implementation programme in Asia Pacific",
                analysis: Some("Four milestones of one programme were accepted and invoiced in the same month."),
                resolution: Some("Revenue confirmed; the milestones were due over two quarters and came early."),
                ..outcome
            },
        ),
        one(
            -1,
            "Europe",
            "MRR",
            1,
            0.8,
            Outcome {
                severity: "low",
                related: Some(0),
                what: "Recurring revenue of Nexus Analytics is below its trend",
                driver: "Nexus Analytics downgrades in Europe after the price change",
                ..outcome
            },
        ),
    ]
}
