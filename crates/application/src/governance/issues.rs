//! Compliance issues, from being raised to being settled.

use aether_entity::{
    compliance_controls, compliance_issues,
    sea_orm_active_enums::{ComplianceIssueStatus, SeverityLevel},
};
use aether_store::{
    Error, Result,
    write::{Change, UseCase, action},
};
use chrono::NaiveDate;
use sea_orm::Set;
use uuid::Uuid;

use crate::{
    check::{optional_text, patch_text, text},
    patch::{Patch, patch},
};

/// An issue to raise of a control.
pub struct NewIssue {
    pub description: String,
    pub severity: SeverityLevel,
    pub due_date: Option<NaiveDate>,
    pub assigned_to: Option<Uuid>,
    pub remediation_plan: Option<String>,
}

/// Raises an issue of a control.
pub fn raise(control_id: Uuid, issue: NewIssue) -> UseCase<Uuid> {
    UseCase::new(&action::RAISE_ISSUE, move |c| {
        Box::pin(async move {
            let control = match c.find::<compliance_controls::Entity>(control_id).await {
                Err(Error::NotFound(_)) => {
                    return Err(Error::invalid("input.controlId", "There is no compliance control with this id."));
                }
                control => control?,
            };
            insert(c, control.id, issue, "input").await
        })
    })
}

/// Gives an issue that is not settled to a user, who works on it from now on.
pub fn assign(
    id: Uuid,
    expected_version: i32,
    assigned_to: Uuid,
    due_date: Patch<NaiveDate>,
    remediation_plan: Patch<String>,
) -> UseCase<Uuid> {
    UseCase::new(&action::ASSIGN_ISSUE, move |c| {
        Box::pin(async move {
            let issue = unsettled(c, id, expected_version).await?;
            c.colleague(assigned_to, "assignedTo").await?;
            if let Some(date) = due_date.value() {
                not_past(c, "dueDate", *date)?;
            }
            let plan = patch_text("remediationPlan", remediation_plan, 10_000)?;
            c.about::<compliance_issues::Entity>(id);
            c.update(issue, |issue| {
                issue.assigned_to = Set(Some(assigned_to));
                issue.status = Set(ComplianceIssueStatus::InProgress);
                patch(&mut issue.due_date, due_date);
                patch(&mut issue.remediation_plan, plan);
            })
            .await?;
            Ok(id)
        })
    })
}

/// Resolves an issue, and says how.
pub fn resolve(id: Uuid, expected_version: i32, notes: String) -> UseCase<Uuid> {
    UseCase::new(&action::RESOLVE_ISSUE, move |c| {
        Box::pin(async move { settle(c, id, expected_version, &notes, ComplianceIssueStatus::Resolved).await })
    })
}

/// Accepts the risk of an issue instead of resolving it, and says why.
pub fn accept_risk(id: Uuid, expected_version: i32, notes: String) -> UseCase<Uuid> {
    UseCase::new(&action::ACCEPT_RISK, move |c| {
        Box::pin(async move { settle(c, id, expected_version, &notes, ComplianceIssueStatus::AcceptedRisk).await })
    })
}

/// Writes a new issue of a control that has been found; fields are named below `at`.
pub(super) async fn insert(c: &Change, control: Uuid, issue: NewIssue, at: &str) -> Result<Uuid> {
    if let Some(user) = issue.assigned_to {
        c.colleague(user, &format!("{at}.assignedTo")).await?;
    }
    if let Some(date) = issue.due_date {
        not_past(c, &format!("{at}.dueDate"), date)?;
    }
    let status = match issue.assigned_to {
        Some(_) => ComplianceIssueStatus::InProgress,
        None => ComplianceIssueStatus::Open,
    };
    let plan = optional_text(&format!("{at}.remediationPlan"), issue.remediation_plan, 10_000)?;
    let row = c
        .insert(compliance_issues::ActiveModel {
            control_id: Set(control),
            organization_id: Set(c.actor().organization_id),
            description: Set(text(&format!("{at}.description"), &issue.description, 5_000)?),
            severity: Set(issue.severity),
            detected_at: Set(c.now()),
            due_date: Set(issue.due_date),
            assigned_to: Set(issue.assigned_to),
            status: Set(status),
            remediation_plan: Set(plan),
            ..Default::default()
        })
        .await?;
    Ok(row.id)
}

async fn settle(c: &Change, id: Uuid, expected: i32, notes: &str, status: ComplianceIssueStatus) -> Result<Uuid> {
    let notes = text("notes", notes, 5_000)?;
    let issue = unsettled(c, id, expected).await?;
    c.reason(Some(&notes), None);
    c.update(issue, |issue| {
        issue.status = Set(status);
        issue.resolved_at = Set(Some(c.now()));
        issue.resolved_by = Set(Some(c.actor().user_id));
        issue.resolution_notes = Set(Some(notes));
    })
    .await?;
    Ok(id)
}

async fn unsettled(c: &Change, id: Uuid, expected: i32) -> Result<compliance_issues::Model> {
    let issue = c.edit::<compliance_issues::Entity>(id, expected).await?;
    match issue.status {
        ComplianceIssueStatus::Open | ComplianceIssueStatus::InProgress => Ok(issue),
        ComplianceIssueStatus::Resolved | ComplianceIssueStatus::AcceptedRisk => Err(Error::Precondition(
            "The issue is settled: it was resolved, or its risk was accepted. Raise a new one if it has come up again."
                .into(),
        )),
    }
}

fn not_past(c: &Change, field: &str, date: NaiveDate) -> Result<()> {
    if date >= c.now().date_naive() {
        return Ok(());
    }
    Err(Error::invalid(field, "This day has passed (in UTC). Give today or a later one."))
}
