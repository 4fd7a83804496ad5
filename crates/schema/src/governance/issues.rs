//! Compliance issues, from being raised to being settled.

use aether_entity::{
    compliance_controls, compliance_issues,
    sea_orm_active_enums::{ComplianceIssueStatus, SeverityLevel},
};
use aether_store::{
    Error,
    write::{Change, action},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use chrono::NaiveDate;
use sea_orm::Set;
use uuid::Uuid;

use crate::{
    change::change,
    graph::Row,
    input::{Choice, Scalar, optional_text, patch, patch_text, text},
};

/// An issue to raise.
#[derive(InputObject)]
struct IssueInput {
    /// The control that it concerns.
    control_id: Uuid,
    /// What is wrong.
    description: String,
    /// How serious it is.
    severity: Choice<SeverityLevel>,
    /// The day by which it is to be resolved, not in the past.
    due_date: Option<Scalar<NaiveDate>>,
    /// The user who works on it; it is in progress then.
    assigned_to: Option<Uuid>,
    /// How it is to be remediated.
    remediation_plan: Option<String>,
}

/// An issue as it is written.
pub(super) struct NewIssue {
    pub(super) description: String,
    pub(super) severity: SeverityLevel,
    pub(super) due_date: Option<NaiveDate>,
    pub(super) assigned_to: Option<Uuid>,
    pub(super) remediation_plan: Option<String>,
}

/// Compliance issues.
#[derive(Default)]
pub(crate) struct IssueMutation;

#[Object]
impl IssueMutation {
    /// Raises an issue of a control.
    async fn raise_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The issue.")] input: IssueInput,
    ) -> Result<Row<compliance_issues::Entity>> {
        change(ctx, &action::RAISE_ISSUE, |c| async move {
            let control = match c.find::<compliance_controls::Entity>(input.control_id).await {
                Err(Error::NotFound(_)) => {
                    return Err(Error::invalid("input.controlId", "There is no compliance control with this id."));
                }
                control => control?,
            };
            let issue = NewIssue {
                description: input.description,
                severity: input.severity.0,
                due_date: input.due_date.map(|date| date.0),
                assigned_to: input.assigned_to,
                remediation_plan: input.remediation_plan,
            };
            Ok(Row::new(raise(&c, control.id, issue, "input").await?))
        })
        .await
    }

    /// Gives an issue that is not settled to a user, who works on it from now on.
    async fn assign_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The issue.")] id: Uuid,
        #[graphql(desc = "The version of the issue that you saw.")] expected_version: i32,
        #[graphql(desc = "The user who works on it.")] assigned_to: Uuid,
        #[graphql(desc = "The day by which it is to be resolved, not in the past; null when none is set.")]
        due_date: MaybeUndefined<Scalar<NaiveDate>>,
        #[graphql(desc = "How it is to be remediated; null empties it.")] remediation_plan: MaybeUndefined<String>,
    ) -> Result<Row<compliance_issues::Entity>> {
        change(ctx, &action::ASSIGN_ISSUE, |c| async move {
            let issue = unsettled(&c, id, expected_version).await?;
            c.colleague(assigned_to, "assignedTo").await?;
            if let Some(date) = due_date.value() {
                not_past(&c, "dueDate", date.0)?;
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
            Ok(Row::new(id))
        })
        .await
    }

    /// Resolves an issue, and says how. A resolved issue stays as it is; what comes up again is raised anew.
    async fn resolve_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The issue.")] id: Uuid,
        #[graphql(desc = "The version of the issue that you saw.")] expected_version: i32,
        #[graphql(desc = "How it was resolved.")] notes: String,
    ) -> Result<Row<compliance_issues::Entity>> {
        change(ctx, &action::RESOLVE_ISSUE, |c| async move {
            settle(&c, id, expected_version, &notes, ComplianceIssueStatus::Resolved).await
        })
        .await
    }

    /// Accepts the risk of an issue instead of resolving it, and says why. The audit log asks for a review of it.
    async fn accept_risk(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The issue.")] id: Uuid,
        #[graphql(desc = "The version of the issue that you saw.")] expected_version: i32,
        #[graphql(desc = "Why the risk is accepted.")] notes: String,
    ) -> Result<Row<compliance_issues::Entity>> {
        change(ctx, &action::ACCEPT_RISK, |c| async move {
            settle(&c, id, expected_version, &notes, ComplianceIssueStatus::AcceptedRisk).await
        })
        .await
    }
}

/// Writes a new issue of a control that has been found; fields are named below `at`.
pub(super) async fn raise(c: &Change, control: Uuid, issue: NewIssue, at: &str) -> aether_store::Result<Uuid> {
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

async fn settle(
    c: &Change,
    id: Uuid,
    expected: i32,
    notes: &str,
    status: ComplianceIssueStatus,
) -> aether_store::Result<Row<compliance_issues::Entity>> {
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
    Ok(Row::new(id))
}

async fn unsettled(c: &Change, id: Uuid, expected: i32) -> aether_store::Result<compliance_issues::Model> {
    let issue = c.edit::<compliance_issues::Entity>(id, expected).await?;
    match issue.status {
        ComplianceIssueStatus::Open | ComplianceIssueStatus::InProgress => Ok(issue),
        ComplianceIssueStatus::Resolved | ComplianceIssueStatus::AcceptedRisk => Err(Error::Precondition(
            "The issue is settled: it was resolved, or its risk was accepted. Raise a new one if it has come up again."
                .into(),
        )),
    }
}

fn not_past(c: &Change, field: &str, date: NaiveDate) -> aether_store::Result<()> {
    if date >= c.now().date_naive() {
        return Ok(());
    }
    Err(Error::invalid(field, "This day has passed (in UTC). Give today or a later one."))
}
