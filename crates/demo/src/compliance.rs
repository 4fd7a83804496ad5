//! Compliance controls and their issues.

use chrono::{Days, Duration};
use uuid::Uuid;

use crate::copy::{Rows, row};
use crate::tenant::Tenant;

/// Key, category, name, frequency, status, whether a machine tests it, evidence.
type Control = (&'static str, &'static str, &'static str, &'static str, &'static str, bool, &'static [&'static str]);

#[rustfmt::skip]
pub(crate) const CONTROLS: [Control; 18] = [
    ("SOX-AC-001", "Access Controls", "Quarterly access review of the ERP", "quarterly", "pass", false, &["Signed user list", "Ticket of removals"]),
    ("SOX-AC-002", "Access Controls", "Leavers lose access within a day", "daily", "warning", true, &["HR leaver report", "Directory export"]),
    ("SOX-AC-003", "Access Controls", "Privileged sessions are recorded", "real_time", "pass", true, &["Session log"]),
    ("SOX-CM-001", "Change Management", "Forecast overrides carry a reason", "real_time", "pass", true, &["Audit log export"]),
    ("SOX-CM-002", "Change Management", "Releases are approved by two people", "weekly", "pass", true, &["Release record"]),
    ("SOX-FR-001", "Financial Reporting", "Account reconciliations by day five", "monthly", "fail", false, &["Reconciliation sheet", "Reviewer sign-off"]),
    ("SOX-FR-002", "Financial Reporting", "Journal entries above the limit are reviewed", "monthly", "pass", false, &["Journal listing"]),
    ("SOX-FR-003", "Financial Reporting", "Revenue cut-off at quarter end", "quarterly", "warning", false, &["Sample of contracts", "Delivery proof"]),
    ("SOX-BU-001", "Budgeting", "Nobody approves a budget they submitted", "real_time", "pass", true, &["Audit log export"]),
    ("SOC2-CC-6.1", "Logical Access", "Multi-factor login for administrators", "daily", "pass", true, &["Identity provider report"]),
    ("SOC2-CC-7.2", "Monitoring", "Alerts are answered within the hour", "weekly", "not_verified", false, &["Alert history"]),
    ("SOC2-A-1.2", "Availability", "Restore test of the warehouse", "quarterly", "pass", false, &["Restore protocol"]),
    ("SOC2-C-1.1", "Confidentiality", "Restricted columns are masked in BI", "weekly", "fail", true, &["Masking test output"]),
    ("GDPR-30", "Records", "Register of processing activities", "annual", "pass", false, &["Register"]),
    ("GDPR-32", "Security", "Encryption at rest of personal data", "monthly", "pass", true, &["Configuration export"]),
    ("GDPR-17", "Data Subjects", "Erasure requests within 30 days", "monthly", "not_verified", false, &["Request log"]),
    ("GDPR-35", "Assessment", "Impact assessment of profiling", "annual", "not_applicable", false, &[]),
    ("SOX-TP-001", "Third Parties", "Vendor risk assessment before signing", "annual", "warning", false, &["Questionnaire", "Risk memo"]),
];

/// Control, severity, status, what is wrong, what is being done, what came of it.
type Issue = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>, Option<&'static str>);

#[rustfmt::skip]
pub(crate) const ISSUES: [Issue; 10] = [
    ("SOX-FR-001", "critical", "open", "Six bank accounts were not reconciled by day five for two months running.", None, None),
    ("SOX-FR-001", "high", "in_progress", "The reviewer of the intercompany account is also its preparer.", Some("Move preparation to the shared service centre by month end."), None),
    ("SOX-AC-002", "medium", "in_progress", "Two leavers kept warehouse access for four days.", Some("Connect the directory to the HR feed instead of the weekly file."), None),
    ("SOX-FR-003", "medium", "open", "One of 25 sampled contracts was recognized a day early.", Some("Extend the sample to 60 contracts."), None),
    ("SOC2-C-1.1", "high", "open", "Salary columns are visible in one BI workspace.", Some("Apply the masking policy to the workspace and rerun the test."), None),
    ("SOC2-CC-7.2", "low", "accepted_risk", "Weekend alerts are answered on Monday.", Some("None: the service has no weekend commitment."), Some("Accepted by the CFO until the next annual review.")),
    ("SOX-TP-001", "medium", "open", "The assessment of one marketing vendor is out of date.", None, None),
    ("SOX-CM-002", "low", "resolved", "A hotfix had one approval only.", Some("Require two approvals in the repository settings."), Some("The setting is on; the hotfix was approved afterwards.")),
    ("SOX-AC-001", "high", "resolved", "Three service accounts had no owner.", Some("Assign owners or remove the accounts."), Some("Two accounts removed, one assigned to IT.")),
    ("GDPR-32", "medium", "resolved", "A backup bucket was not encrypted.", Some("Encrypt and rotate the keys."), Some("Encrypted; the old copies were deleted.")),
];

/// Fills `compliance_controls` and `compliance_issues`.
pub(crate) fn compliance(tenant: &Tenant) -> Vec<Rows> {
    let mut controls = Rows::new(
        "compliance_controls",
        &[
            "id",
            "organization_id",
            "control_id",
            "framework",
            "category",
            "name",
            "description",
            "objective",
            "frequency",
            "automated",
            "test_procedure",
            "status",
            "last_verified_at",
            "next_verification_at",
            "owner_id",
            "evidence_required",
            "created_at",
            "updated_at",
        ],
    );
    let mut issues = Rows::new(
        "compliance_issues",
        &[
            "id",
            "control_id",
            "organization_id",
            "description",
            "severity",
            "detected_at",
            "due_date",
            "assigned_to",
            "status",
            "remediation_plan",
            "resolved_at",
            "resolved_by",
            "resolution_notes",
            "created_at",
            "updated_at",
        ],
    );
    let (mut random, mut ids) = (tenant.random("compliance"), tenant.ids("compliance"));
    let owners = tenant.staff(&["CFO", "FINANCE_MANAGER", "ADMIN"]);
    let mut keys: Vec<(&str, Uuid)> = Vec::new();
    let made = tenant.ago(24.0 * 700.0);
    for (key, category, name, frequency, status, automated, evidence) in CONTROLS {
        let id = ids.at(made);
        let framework = key.split('-').next().unwrap_or(key);
        let period = match frequency {
            "real_time" | "daily" => 1,
            "weekly" => 7,
            "monthly" => 30,
            "quarterly" => 91,
            _ => 365,
        };
        let tested = !matches!(status, "not_verified" | "not_applicable");
        let verified = tested.then(|| tenant.ago(24.0 * f64::from(period) * random.between(0.1, 0.9)));
        controls.push(row![
            id,
            tenant.id(),
            key,
            framework,
            category,
            name,
            format!("{name}. Part of {category} under {framework}."),
            format!("{category}: what is reported is complete, accurate and authorized."),
            frequency,
            automated,
            if automated {
                "A query runs on schedule and fails on any row."
            } else {
                "Inspect the evidence of a sample of 25."
            },
            status,
            verified,
            verified.map(|at| at + Duration::days(period.into())),
            (status != "not_applicable").then(|| random.pick(&owners).id),
            evidence.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(),
            made,
            verified.unwrap_or(made),
        ]);
        keys.push((key, id));
    }
    for (index, (control, severity, status, what, plan, notes)) in ISSUES.into_iter().enumerate() {
        let control = keys.iter().find(|(key, _)| *key == control).map(|(_, id)| *id);
        let settled = matches!(status, "resolved" | "accepted_risk");
        let found = tenant.ago(24.0 * (6.0 + 9.0 * index as f64));
        let resolved = settled.then(|| found + Duration::days(5));
        let owner = random.pick(&owners).id;
        issues.push(row![
            ids.at(found),
            control,
            tenant.id(),
            what,
            severity,
            found,
            // Some are overdue.
            found.date_naive() + Days::new(if index % 3 == 1 { 10 } else { 60 }),
            (index != 6).then_some(owner),
            status,
            plan,
            resolved,
            resolved.map(|_| owner),
            notes,
            found,
            resolved.unwrap_or(found),
        ]);
    }
    vec![controls, issues]
}
