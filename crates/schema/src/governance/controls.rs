//! Compliance controls, and their verification.

use aether_entity::{
    compliance_controls,
    sea_orm_active_enums::{ControlFrequency, ControlStatus, SeverityLevel},
};
use aether_store::{
    Error,
    write::{Change, action},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use chrono::{DateTime, Days, FixedOffset, Months, NaiveDate};
use sea_orm::Set;
use uuid::Uuid;

use super::issues::{NewIssue, raise};
use crate::{
    change::change,
    graph::Row,
    input::{Choice, Scalar, optional_text, patch, patch_text, set, text},
};

/// How many pieces of evidence a control may ask for.
const MOST_EVIDENCE: usize = 50;

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
    ) -> Result<Row<compliance_controls::Entity>> {
        change(ctx, &action::CREATE_CONTROL, |c| async move {
            owner(&c, input.owner_id).await?;
            let next =
                input.next_verification_at.map(|at| in_future(&c, "input.nextVerificationAt", at.0)).transpose()?;
            let control = c
                .insert(compliance_controls::ActiveModel {
                    organization_id: Set(c.actor().organization_id),
                    control_id: Set(text("input.controlId", &input.control_id, 50)?),
                    framework: Set(text("input.framework", &input.framework, 50)?),
                    category: Set(text("input.category", &input.category, 100)?),
                    name: Set(text("input.name", &input.name, 255)?),
                    description: Set(optional_text("input.description", input.description, 5_000)?),
                    objective: Set(optional_text("input.objective", input.objective, 5_000)?),
                    frequency: Set(input.frequency.0),
                    automated: Set(input.automated),
                    test_procedure: Set(optional_text("input.testProcedure", input.test_procedure, 10_000)?),
                    next_verification_at: Set(next),
                    owner_id: Set(input.owner_id),
                    evidence_required: Set(input.evidence_required.map(evidence).transpose()?),
                    ..Default::default()
                })
                .await?;
            Ok(Row::new(control.id))
        })
        .await
    }

    /// Edits a compliance control. Its status changes by verification only, or by `changeControlStatus`.
    async fn edit_control(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The control.")] id: Uuid,
        #[graphql(desc = "The version of the control that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: ControlPatch,
    ) -> Result<Row<compliance_controls::Entity>> {
        change(ctx, &action::EDIT_CONTROL, |c| async move {
            let control = c.edit::<compliance_controls::Entity>(id, expected_version).await?;
            owner(&c, input.owner_id.value().copied()).await?;
            if let Some(at) = input.next_verification_at.value() {
                in_future(&c, "input.nextVerificationAt", at.0)?;
            }
            let short = |field: &str, value: Option<String>, most| value.map(|v| text(field, &v, most)).transpose();
            let reference = short("input.controlId", input.control_id, 50)?;
            let framework = short("input.framework", input.framework, 50)?;
            let category = short("input.category", input.category, 100)?;
            let name = short("input.name", input.name, 255)?;
            let description = patch_text("input.description", input.description, 5_000)?;
            let objective = patch_text("input.objective", input.objective, 5_000)?;
            let procedure = patch_text("input.testProcedure", input.test_procedure, 10_000)?;
            let evidence = match input.evidence_required {
                MaybeUndefined::Value(list) => MaybeUndefined::Value(evidence(list)?),
                other => other,
            };
            c.about::<compliance_controls::Entity>(id);
            c.update(control, |control| {
                set(&mut control.control_id, reference);
                set(&mut control.framework, framework);
                set(&mut control.category, category);
                set(&mut control.name, name);
                patch(&mut control.description, description);
                patch(&mut control.objective, objective);
                set(&mut control.frequency, input.frequency);
                set(&mut control.automated, input.automated);
                patch(&mut control.test_procedure, procedure);
                patch(&mut control.next_verification_at, input.next_verification_at);
                patch(&mut control.owner_id, input.owner_id);
                patch(&mut control.evidence_required, evidence);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
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
    ) -> Result<Row<compliance_controls::Entity>> {
        change(ctx, &action::VERIFY_CONTROL, |c| async move {
            let status = status.0;
            if matches!(status, ControlStatus::NotVerified | ControlStatus::NotApplicable) {
                return Err(Error::invalid(
                    "status",
                    "A verification finds PASS, FAIL or WARNING. For other statuses use changeControlStatus.",
                ));
            }
            if status == ControlStatus::Pass && issue.is_some() {
                return Err(Error::invalid(
                    "issue",
                    "A control that passes has no issue. Raise one by raiseIssue if it has.",
                ));
            }
            let evidence = text("evidence", &evidence, 5_000)?;
            let control = c.edit::<compliance_controls::Entity>(id, expected_version).await?;
            if control.status == ControlStatus::NotApplicable {
                return Err(Error::Precondition(
                    "This control is not applicable. Set it to NOT_VERIFIED by changeControlStatus first.".into(),
                ));
            }
            let next = match next_verification_at {
                Some(at) => in_future(&c, "nextVerificationAt", at.0)?,
                None => after(c.now(), &control.frequency)?,
            };
            c.about::<compliance_controls::Entity>(id);
            c.note("evidence", evidence);
            c.update(control, |control| {
                control.status = Set(status);
                control.last_verified_at = Set(Some(c.now()));
                control.next_verification_at = Set(Some(next));
            })
            .await?;
            if let Some(issue) = issue {
                let issue = NewIssue {
                    description: issue.description,
                    severity: issue.severity.0,
                    due_date: issue.due_date.map(|date| date.0),
                    assigned_to: issue.assigned_to,
                    remediation_plan: issue.remediation_plan,
                };
                c.under(&action::RAISE_ISSUE);
                raise(&c, id, issue, "issue").await?;
            }
            Ok(Row::new(id))
        })
        .await
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
    ) -> Result<Row<compliance_controls::Entity>> {
        change(ctx, &action::CHANGE_CONTROL_STATUS, |c| async move {
            let status = status.0;
            if !matches!(status, ControlStatus::NotVerified | ControlStatus::NotApplicable) {
                return Err(Error::invalid(
                    "status",
                    "PASS, FAIL and WARNING come by verifyControl only, with evidence.",
                ));
            }
            c.reason(Some(&text("reason", &reason, 2_000)?), None);
            let control = c.edit::<compliance_controls::Entity>(id, expected_version).await?;
            if control.status == status {
                return Err(Error::Precondition("The control has this status already.".into()));
            }
            c.about::<compliance_controls::Entity>(id);
            c.update(control, |control| {
                if status == ControlStatus::NotApplicable {
                    control.next_verification_at = Set(None);
                }
                control.status = Set(status);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }
}

async fn owner(c: &Change, id: Option<Uuid>) -> aether_store::Result<()> {
    match id {
        Some(id) => c.colleague(id, "input.ownerId").await.map(drop),
        None => Ok(()),
    }
}

fn in_future(c: &Change, field: &str, at: DateTime<FixedOffset>) -> aether_store::Result<DateTime<FixedOffset>> {
    if at > c.now() { Ok(at) } else { Err(Error::invalid(field, "This must be in the future.")) }
}

fn evidence(list: Vec<String>) -> aether_store::Result<Vec<String>> {
    if list.len() > MOST_EVIDENCE {
        return Err(Error::invalid(
            "input.evidenceRequired",
            format!("A control asks for {MOST_EVIDENCE} pieces of evidence at most."),
        ));
    }
    let pieces = list.iter().enumerate();
    pieces.map(|(at, piece)| text(&format!("input.evidenceRequired.{at}"), piece, 500)).collect()
}

/// When a control of this frequency that is verified now is to be verified again.
fn after(now: DateTime<FixedOffset>, frequency: &ControlFrequency) -> aether_store::Result<DateTime<FixedOffset>> {
    let next = match frequency {
        ControlFrequency::RealTime | ControlFrequency::Daily => now.checked_add_days(Days::new(1)),
        ControlFrequency::Weekly => now.checked_add_days(Days::new(7)),
        ControlFrequency::Monthly => now.checked_add_months(Months::new(1)),
        ControlFrequency::Quarterly => now.checked_add_months(Months::new(3)),
        ControlFrequency::Annual => now.checked_add_months(Months::new(12)),
    };
    next.ok_or_else(|| Error::internal("a time beyond all times"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_where_the_next_one_does() {
        let at = |text| DateTime::parse_from_rfc3339(text).expect("a time");
        let next = |frequency| after(at("2027-01-31T09:00:00Z"), &frequency).ok();
        assert_eq!(next(ControlFrequency::RealTime), Some(at("2027-02-01T09:00:00Z")));
        assert_eq!(next(ControlFrequency::Weekly), Some(at("2027-02-07T09:00:00Z")));
        assert_eq!(next(ControlFrequency::Monthly), Some(at("2027-02-28T09:00:00Z")));
        assert_eq!(next(ControlFrequency::Quarterly), Some(at("2027-04-30T09:00:00Z")));
        assert_eq!(next(ControlFrequency::Annual), Some(at("2028-01-31T09:00:00Z")));
    }
}
