//! Metrics, budgets, vendors, departments, costs and anomalies.

use super::{Entity, entity};
use crate::model::{Narrow, Scope};

pub(super) fn entities() -> Vec<Entity> {
    vec![
        entity("financial_metrics", "FinancialMetric", "financialMetrics", Scope::Organization)
            .order(&["-metric_date"])
            .narrow(Narrow::Region("region"))
            .refers("organization_id", "organization", "financialMetrics"),
        entity("mv_kpi_summary", "KpiSummary", "kpiSummaries", Scope::Organization)
            .order(&["-period", "metric_type"])
            .narrow(Narrow::AllRegions),
        entity("budgets", "Budget", "budgets", Scope::Organization)
            .order(&["-fiscal_year", "name"])
            .narrow(Narrow::Region("region"))
            .narrow(Narrow::Department("department_id"))
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
            .narrow(Narrow::Department("id"))
            .refers("organization_id", "organization", "departments")
            .refers("parent_id", "parent", "children")
            .refers("head_user_id", "headUser", "departmentsHeaded"),
        entity("department_costs", "DepartmentCost", "departmentCosts", Scope::Organization)
            .order(&["-period_date"])
            .narrow(Narrow::Department("department_id"))
            .refers("department_id", "department", "costs")
            .refers("organization_id", "organization", "departmentCosts"),
        entity("anomalies", "Anomaly", "anomalies", Scope::Organization)
            .order(&["-detected_at"])
            .narrow(Narrow::Region("affected_region"))
            .narrow(Narrow::DepartmentName("affected_department"))
            .refers("organization_id", "organization", "anomalies")
            .refers("assigned_to", "assignedToUser", "anomaliesAssigned")
            .refers("resolved_by", "resolvedByUser", "anomaliesResolved"),
    ]
}
