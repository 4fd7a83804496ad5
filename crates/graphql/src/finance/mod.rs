//! The finance domain: what is measured, planned and spent, and what stands out of it.

mod anomalies;
mod budget_approval;
mod budget_lines;
mod budgets;
mod consumption;
mod costs;
mod departments;
mod kpis;
mod metrics;
mod spend_growth;
mod vendor_spend;
mod vendors;

use async_graphql::MergedObject;

pub(crate) use consumption::ConsumptionQuery;
pub(crate) use kpis::KpiQuery;
pub(crate) use spend_growth::VendorQuery;

/// Planning and recording what is spent.
#[derive(MergedObject, Default)]
pub(crate) struct FinanceMutation(
    anomalies::AnomalyMutation,
    budgets::BudgetMutation,
    budget_approval::BudgetApprovalMutation,
    budget_lines::BudgetLineMutation,
    costs::DepartmentCostMutation,
    departments::DepartmentMutation,
    metrics::MetricMutation,
    vendors::VendorMutation,
    vendor_spend::VendorSpendMutation,
);
