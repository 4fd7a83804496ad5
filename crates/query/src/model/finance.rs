//! Metrics, budgets, vendors, departments, costs and anomalies.

use super::{Entity, entity};
use crate::model::{Restriction, Scope};

/// What is recorded of a metric, each in the unit and currency of the row.
const METRIC_VALUES: &[&str] =
    &["actual_value", "forecast_value", "budget_value", "confidence_lower", "confidence_upper"];

/// What a summary tells of a metric.
const SUMMARIES: &[&str] =
    &["actual_total", "forecast_total", "budget_total", "actual_avg", "forecast_avg", "budget_avg"];

pub(super) fn entities() -> Vec<Entity> {
    vec![
        entity("financial_metrics", "FinancialMetric", "financialMetrics", Scope::Organization)
            .order(&["-metric_date"])
            .restrict(Restriction::Region("region"))
            .apart("metric_type", METRIC_VALUES)
            .apart("currency", METRIC_VALUES)
            .kinds("metric_type", "metric_date", METRIC_VALUES)
            .refers("organization_id", "organization", "financialMetrics"),
        entity("metric_imports", "MetricImport", "metricImports", Scope::Organization)
            .order(&["-imported_at"])
            .restrict(Restriction::AllRegions)
            .refers("organization_id", "organization", "metricImports")
            .refers("imported_by", "importedByUser", "metricsImported")
            .refers("undone_by", "undoneByUser", "metricImportsUndone"),
        entity("mv_kpi_summary", "KpiSummary", "kpiSummaries", Scope::Organization)
            .order(&["-period", "metric_type", "currency"])
            .apart("metric_type", SUMMARIES)
            .apart("currency", SUMMARIES)
            .kinds("metric_type", "period", &["actual_total", "forecast_total", "budget_total"])
            .ratios(&["actual_avg", "forecast_avg", "budget_avg"])
            .restrict(Restriction::AllRegions),
        entity("budgets", "Budget", "budgets", Scope::Organization)
            .order(&["-fiscal_year", "name"])
            .ordinals(&["fiscal_year"])
            .restrict(Restriction::Region("region"))
            .restrict(Restriction::Department("department_id"))
            .refers("organization_id", "organization", "budgets")
            .refers("department_id", "department", "budgets")
            .refers("submitted_by", "submittedByUser", "budgetsSubmitted")
            .refers("approved_by", "approvedByUser", "budgetsApproved")
            .refers("created_by", "createdByUser", "budgetsCreated"),
        entity("budget_line_items", "BudgetLineItem", "budgetLineItems", Scope::Via("budget_id"))
            .order(&["category"])
            .refers("budget_id", "budget", "lineItems"),
        entity("vendors", "Vendor", "vendors", Scope::Organization).order(&["name"]).refers(
            "organization_id",
            "organization",
            "vendors",
        ),
        entity("vendor_spend", "VendorSpend", "vendorSpends", Scope::Organization)
            .order(&["-period_date"])
            .ratios(&["yoy_change"])
            .refers("vendor_id", "vendor", "spends")
            .refers("organization_id", "organization", "vendorSpends"),
        entity("departments", "Department", "departments", Scope::Organization)
            .order(&["name"])
            .restrict(Restriction::Department("id"))
            .refers("organization_id", "organization", "departments")
            .refers("parent_id", "parent", "children")
            .refers("head_user_id", "headUser", "departmentsHeaded"),
        entity("department_costs", "DepartmentCost", "departmentCosts", Scope::Organization)
            .order(&["-period_date"])
            .restrict(Restriction::Department("department_id"))
            .ratios(&["cost_per_employee"])
            .refers("department_id", "department", "costs")
            .refers("organization_id", "organization", "departmentCosts"),
        entity("anomalies", "Anomaly", "anomalies", Scope::Organization)
            .order(&["-detected_at"])
            .ratios(&["impact_percentage", "ai_confidence"])
            .restrict(Restriction::Region("affected_region"))
            .restrict(Restriction::DepartmentName("affected_department"))
            .refers("organization_id", "organization", "anomalies")
            .refers("assigned_to", "assignedToUser", "anomaliesAssigned")
            .refers("resolved_by", "resolvedByUser", "anomaliesResolved"),
    ]
}
