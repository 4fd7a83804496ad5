//! Compliance controls, and their verification.

use aether_entity::{
    compliance_controls,
    sea_orm_active_enums::{ControlFrequency, ControlStatus},
};
use aether_store::{
    Error, Result,
    write::{Change, UseCase, action},
};
use chrono::{DateTime, Days, FixedOffset, Months};
use sea_orm::Set;
use uuid::Uuid;

use super::issues::{self, NewIssue};
use crate::{
    check::{optional_text, patch_text, text},
    patch::{Patch, patch, set},
    reason::Reason,
};

/// How many pieces of evidence a control may ask for.
const MOST_EVIDENCE: usize = 50;

/// A control to create.
pub struct NewControl {
    pub control_id: String,
    pub framework: String,
    pub category: String,
    pub name: String,
    pub description: Option<String>,
    pub objective: Option<String>,
    pub frequency: ControlFrequency,
    pub automated: bool,
    pub test_procedure: Option<String>,
    pub next_verification_at: Option<DateTime<FixedOffset>>,
    pub owner_id: Option<Uuid>,
    pub evidence_required: Option<Vec<String>>,
}

/// What changes in a control: what is left out stays as it is.
pub struct ControlEdit {
    pub control_id: Option<String>,
    pub framework: Option<String>,
    pub category: Option<String>,
    pub name: Option<String>,
    pub description: Patch<String>,
    pub objective: Patch<String>,
    pub frequency: Option<ControlFrequency>,
    pub automated: Option<bool>,
    pub test_procedure: Patch<String>,
    pub next_verification_at: Patch<DateTime<FixedOffset>>,
    pub owner_id: Patch<Uuid>,
    pub evidence_required: Patch<Vec<String>>,
}

/// Creates a compliance control, which is not verified yet.
pub fn create(input: NewControl) -> UseCase<Uuid> {
    UseCase::new(&action::CREATE_CONTROL, move |c| {
        Box::pin(async move {
            owner(c, input.owner_id).await?;
            let next = input.next_verification_at.map(|at| in_future(c, "input.nextVerificationAt", at)).transpose()?;
            let control = c
                .insert(compliance_controls::ActiveModel {
                    organization_id: Set(c.actor().organization_id),
                    control_id: Set(text("input.controlId", &input.control_id, 50)?),
                    framework: Set(text("input.framework", &input.framework, 50)?),
                    category: Set(text("input.category", &input.category, 100)?),
                    name: Set(text("input.name", &input.name, 255)?),
                    description: Set(optional_text("input.description", input.description, 5_000)?),
                    objective: Set(optional_text("input.objective", input.objective, 5_000)?),
                    frequency: Set(input.frequency),
                    automated: Set(input.automated),
                    test_procedure: Set(optional_text("input.testProcedure", input.test_procedure, 10_000)?),
                    next_verification_at: Set(next),
                    owner_id: Set(input.owner_id),
                    evidence_required: Set(input.evidence_required.map(evidence).transpose()?),
                    ..Default::default()
                })
                .await?;
            Ok(control.id)
        })
    })
}

/// Edits a compliance control.
pub fn edit(id: Uuid, expected_version: i32, input: ControlEdit) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_CONTROL, move |c| {
        Box::pin(async move {
            let control = c.edit::<compliance_controls::Entity>(id, expected_version).await?;
            owner(c, input.owner_id.value().copied()).await?;
            if let Some(at) = input.next_verification_at.value() {
                in_future(c, "input.nextVerificationAt", *at)?;
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
                Patch::Value(list) => Patch::Value(evidence(list)?),
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
            Ok(id)
        })
    })
}

/// Records the verification of a control, now.
pub fn verify(
    id: Uuid,
    expected_version: i32,
    status: ControlStatus,
    evidence: String,
    next_verification_at: Option<DateTime<FixedOffset>>,
    issue: Option<NewIssue>,
) -> UseCase<Uuid> {
    UseCase::new(&action::VERIFY_CONTROL, move |c| {
        Box::pin(async move {
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
                Some(at) => in_future(c, "nextVerificationAt", at)?,
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
                c.under(&action::RAISE_ISSUE);
                issues::insert(c, id, issue, "issue").await?;
            }
            Ok(id)
        })
    })
}

/// Says of a control that it does not apply, or that it is to be verified anew.
pub fn change_status(id: Uuid, expected_version: i32, status: ControlStatus, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::CHANGE_CONTROL_STATUS, move |c| {
        Box::pin(async move {
            if !matches!(status, ControlStatus::NotVerified | ControlStatus::NotApplicable) {
                return Err(Error::invalid(
                    "status",
                    "PASS, FAIL and WARNING come by verifyControl only, with evidence.",
                ));
            }
            reason.demand(c)?;
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
            Ok(id)
        })
    })
}

async fn owner(c: &Change, id: Option<Uuid>) -> Result<()> {
    match id {
        Some(id) => c.colleague(id, "input.ownerId").await.map(drop),
        None => Ok(()),
    }
}

fn in_future(c: &Change, field: &str, at: DateTime<FixedOffset>) -> Result<DateTime<FixedOffset>> {
    if at > c.now() { Ok(at) } else { Err(Error::invalid(field, "This must be in the future.")) }
}

fn evidence(list: Vec<String>) -> Result<Vec<String>> {
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
fn after(now: DateTime<FixedOffset>, frequency: &ControlFrequency) -> Result<DateTime<FixedOffset>> {
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
