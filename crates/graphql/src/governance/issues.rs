//! Compliance issues, from being raised to being settled.

use aether_application::governance::issues;
use aether_entity::{self as entity, sea_orm_active_enums::SeverityLevel};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use chrono::NaiveDate;
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, Scalar, plain},
    rows::Row,
    run::run,
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

plain!(IssueInput as issues::NewIssue { description, severity, due_date, assigned_to, remediation_plan });

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
    ) -> Result<Row<entity::compliance_issues::Entity>> {
        let id = run(ctx, issues::raise(input.control_id, input.plain())).await?;
        Ok(Row::new(id))
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
    ) -> Result<Row<entity::compliance_issues::Entity>> {
        let id =
            run(ctx, issues::assign(id, expected_version, assigned_to, due_date.plain(), remediation_plan.plain()))
                .await?;
        Ok(Row::new(id))
    }

    /// Resolves an issue, and says how. A resolved issue stays as it is; what comes up again is raised anew.
    async fn resolve_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The issue.")] id: Uuid,
        #[graphql(desc = "The version of the issue that you saw.")] expected_version: i32,
        #[graphql(desc = "How it was resolved.")] notes: String,
    ) -> Result<Row<entity::compliance_issues::Entity>> {
        let id = run(ctx, issues::resolve(id, expected_version, notes)).await?;
        Ok(Row::new(id))
    }

    /// Accepts the risk of an issue instead of resolving it, and says why. The audit log asks for a review of it.
    async fn accept_risk(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The issue.")] id: Uuid,
        #[graphql(desc = "The version of the issue that you saw.")] expected_version: i32,
        #[graphql(desc = "Why the risk is accepted.")] notes: String,
    ) -> Result<Row<entity::compliance_issues::Entity>> {
        let id = run(ctx, issues::accept_risk(id, expected_version, notes)).await?;
        Ok(Row::new(id))
    }
}
