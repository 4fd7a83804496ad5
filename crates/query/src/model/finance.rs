//! Metrics, budgets, vendors, departments, costs and anomalies.

use super::{Entity, entity};
use crate::model::{Restriction, Scope};

pub(super) fn entities() -> Vec<Entity> {
    vec![
        entity("financial_metrics", "FinancialMetric", "financialMetrics", Scope::Organization)
            .order(&["-metric_date"])
            .restrict(Restriction::Region("region"))
            .refers("organization_id", "organization", "financialMetrics"),
        entity("mv_kpi_summary", "KpiSummary", "kpiSummaries", Scope::Organization)
            .order(&["-period", "metric_type"])
            .restrict(Restriction::AllRegions),
        entity("budgets", "Budget", "budgets", Scope::Organization)
            .order(&["-fiscal_year", "name"])
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
            .refers("department_id", "department", "costs")
            .refers("organization_id", "organization", "departmentCosts"),
        entity("anomalies", "Anomaly", "anomalies", Scope::Organization)
            .order(&["-detected_at"])
            .restrict(Restriction::Region("affected_region"))
            .restrict(Restriction::DepartmentName("affected_department"))
            .refers("organization_id", "organization", "anomalies")
            .refers("assigned_to", "assignedToUser", "anomaliesAssigned")
            .refers("resolved_by", "resolvedByUser", "anomaliesResolved"),
    ]
}
