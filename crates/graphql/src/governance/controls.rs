//! Compliance controls, and their verification.

use aether_application::governance::{controls, issues};
use aether_entity::{
    self as entity,
    sea_orm_active_enums::{ControlFrequency, ControlStatus, SeverityLevel},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use chrono::{DateTime, FixedOffset, NaiveDate};
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, Scalar, plain, why},
    rows::Row,
    run::run,
};

/// A control to create.
#[derive(InputObject)]
struct ControlInput {
    /// Reference of the control, unique in the organization, such as SOX-AC-001.
    control_id: String,
    /// Compliance framework, such as SOX, SOC2 or GDPR.
    framework: String,
    /// Area of the control, such as Access Controls.
    category: String,
    /// Name of the control.
    name: String,
    /// What is done.
    description: Option<String>,
    /// What the control is to achieve.
    objective: Option<String>,
    /// How often the control is performed.
    frequency: Choice<ControlFrequency>,
    /// Whether the control is tested automatically.
    #[graphql(default)]
    automated: bool,
    /// How the control is tested.
    test_procedure: Option<String>,
    /// When the control is to be verified next; planned by its frequency after the first verification unless given.
    next_verification_at: Option<Scalar<DateTime<FixedOffset>>>,
    /// The user responsible for the control.
    owner_id: Option<Uuid>,
    /// The evidence that a verification needs.
    evidence_required: Option<Vec<String>>,
}

/// What changes in a control: what is left out stays as it is.
#[derive(InputObject)]
struct ControlPatch {
    /// Reference of the control, unique in the organization.
    control_id: Option<String>,
    /// Compliance framework.
    framework: Option<String>,
    /// Area of the control.
    category: Option<String>,
    /// Name of the control.
    name: Option<String>,
    /// What is done; null empties it.
    description: MaybeUndefined<String>,
    /// What the control is to achieve; null empties it.
    objective: MaybeUndefined<String>,
    /// How often the control is performed.
    frequency: Option<Choice<ControlFrequency>>,
    /// Whether the control is tested automatically.
    automated: Option<bool>,
    /// How the control is tested; null empties it.
    test_procedure: MaybeUndefined<String>,
    /// When the control is to be verified next; null when that is not planned.
    next_verification_at: MaybeUndefined<Scalar<DateTime<FixedOffset>>>,
    /// The user responsible for the control; null when nobody is.
    owner_id: MaybeUndefined<Uuid>,
    /// The evidence that a verification needs; null when it is not laid down.
    evidence_required: MaybeUndefined<Vec<String>>,
}

/// An issue that a verification finds.
#[derive(InputObject)]
struct FoundIssueInput {
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

plain!(ControlInput as controls::NewControl { control_id, framework, category, name, description, objective, frequency, automated, test_procedure, next_verification_at, owner_id, evidence_required });

plain!(ControlPatch as controls::ControlEdit { control_id, framework, category, name, description, objective, frequency, automated, test_procedure, next_verification_at, owner_id, evidence_required });

plain!(FoundIssueInput as issues::NewIssue { description, severity, due_date, assigned_to, remediation_plan });

/// Compliance controls.
#[derive(Default)]
pub(crate) struct ControlMutation;

#[Object]
impl ControlMutation {
    /// Creates a compliance control, which is not verified yet.
    async fn create_control(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The control.")] input: ControlInput,
    ) -> Result<Row<entity::compliance_controls::Entity>> {
        let id = run(ctx, controls::create(input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Edits a compliance control. Its status changes by verification only, or by `changeControlStatus`.
    async fn edit_control(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The control.")] id: Uuid,
        #[graphql(desc = "The version of the control that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: ControlPatch,
    ) -> Result<Row<entity::compliance_controls::Entity>> {
        let id = run(ctx, controls::edit(id, expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Records the verification of a control, now. The evidence is kept in the audit log. The next verification is due after
    /// the frequency of the control (a day for those performed in real time) unless another time is given. A verification that
    /// does not pass can raise an issue with it.
    #[allow(clippy::too_many_arguments, reason = "each is an argument of the mutation")]
    async fn verify_control(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The control.")] id: Uuid,
        #[graphql(desc = "The version of the control that you saw.")] expected_version: i32,
        #[graphql(desc = "What the verification found: PASS, FAIL or WARNING.")] status: Choice<ControlStatus>,
        #[graphql(desc = "The evidence: what was looked at, where it is kept.")] evidence: String,
        #[graphql(desc = "When the control is to be verified next.")] next_verification_at: Option<
            Scalar<DateTime<FixedOffset>>,
        >,
        #[graphql(desc = "An issue to raise; for FAIL and WARNING only.")] issue: Option<FoundIssueInput>,
    ) -> Result<Row<entity::compliance_controls::Entity>> {
        let id = run(
            ctx,
            controls::verify(
                id,
                expected_version,
                status.plain(),
                evidence,
                next_verification_at.plain(),
                issue.plain(),
            ),
        )
        .await?;
        Ok(Row::new(id))
    }

    /// Says of a control that it does not apply, or that it is to be verified anew. One that does not apply is not planned
    /// to be verified.
    async fn change_control_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The control.")] id: Uuid,
        #[graphql(desc = "The version of the control that you saw.")] expected_version: i32,
        #[graphql(desc = "NOT_APPLICABLE or NOT_VERIFIED; the others come by verifyControl.")] status: Choice<
            ControlStatus,
        >,
        #[graphql(desc = "Why.")] reason: String,
    ) -> Result<Row<entity::compliance_controls::Entity>> {
        let id =
            run(ctx, controls::change_status(id, expected_version, status.plain(), why(Some(reason), None))).await?;
        Ok(Row::new(id))
    }
}
