//! Anomalies: who works on them, how they are settled, and which belong together.

use std::collections::BTreeSet;

use aether_domain::anomaly::Status;
use aether_entity::{anomalies, sea_orm_active_enums::AnomalyStatus};
use aether_store::{
    Error, Result,
    policy::Permission,
    value::label,
    write::{Action, Change, UseCase, action},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType};
use uuid::Uuid;

use crate::check::text;

/// How many anomalies may be linked at once.
const MOST_LINKED: usize = 50;

/// Assigns an anomaly to somebody who may work on anomalies, or takes it back.
pub fn assign(id: Uuid, expected_version: i32, user_id: Option<Uuid>) -> UseCase<Uuid> {
    UseCase::new(&action::ASSIGN_ANOMALY, move |c| {
        Box::pin(async move {
            let anomaly = c.edit::<anomalies::Entity>(id, expected_version).await?;
            if status(&anomaly)?.is_settled() {
                return Err(settled());
            }
            if let Some(user) = user_id {
                let user = c.colleague(user, "userId").await?;
                if !Permission::AnomaliesResolve.is_held_by(&user) {
                    let message =
                        "This user may not work on anomalies. Choose another, or have the permission granted.";
                    return Err(Error::invalid("userId", message));
                }
            }
            if anomaly.assigned_to != user_id {
                c.update(anomaly, |anomaly| {
                    anomaly.assigned_to = Set(user_id);
                    anomaly.assigned_at = Set(user_id.map(|_| c.now()));
                })
                .await?;
            }
            Ok(id)
        })
    })
}

/// Starts to investigate an open anomaly.
pub fn start_investigation(id: Uuid, expected_version: i32) -> UseCase<Uuid> {
    UseCase::new(&action::INVESTIGATE_ANOMALY, move |c| {
        Box::pin(async move {
            let anomaly = step(c, id, expected_version, Status::Investigating).await?;
            let unassigned = anomaly.assigned_to.is_none();
            c.update(anomaly, |anomaly| {
                anomaly.status = Set(AnomalyStatus::Investigating);
                if unassigned {
                    anomaly.assigned_to = Set(Some(c.actor().user_id));
                    anomaly.assigned_at = Set(Some(c.now()));
                }
            })
            .await?;
            Ok(id)
        })
    })
}

/// Resolves an anomaly: its cause was found and dealt with.
pub fn resolve(id: Uuid, expected_version: i32, notes: String) -> UseCase<()> {
    settle(&action::RESOLVE_ANOMALY, id, expected_version, AnomalyStatus::Resolved, notes)
}

/// Dismisses an anomaly: it does not matter, or is none.
pub fn dismiss(id: Uuid, expected_version: i32, notes: String) -> UseCase<()> {
    settle(&action::DISMISS_ANOMALY, id, expected_version, AnomalyStatus::Dismissed, notes)
}

/// Links anomalies that belong together, each with each, and gives their ids. Links that are there stay.
pub fn link(ids: Vec<Uuid>) -> UseCase<Vec<Uuid>> {
    relate(ids, |related, others| related.extend(others))
}

/// Takes away the links between anomalies, each with each. Links to others stay.
pub fn unlink(ids: Vec<Uuid>) -> UseCase<Vec<Uuid>> {
    relate(ids, |related, others| related.retain(|id| !others.contains(id)))
}

fn status(anomaly: &anomalies::Model) -> Result<Status> {
    Status::from_name(&label(&anomaly.status)).ok_or_else(|| Error::internal("a status that the rules do not know"))
}

fn settled() -> Error {
    Error::Precondition(
        "The anomaly is settled, so it does not change any more. A new deviation is a new anomaly.".into(),
    )
}

/// The anomaly, if it may take this step.
async fn step(c: &Change, id: Uuid, expected: i32, to: Status) -> Result<anomalies::Model> {
    let anomaly = c.edit::<anomalies::Entity>(id, expected).await?;
    let from = status(&anomaly)?;
    if from.may_become(to) {
        return Ok(anomaly);
    }
    Err(match from.is_settled() {
        true => settled(),
        false => {
            Error::Precondition("Only an open anomaly can be taken up, and this one is under investigation.".into())
        }
    })
}

fn settle(action: &'static Action, id: Uuid, expected_version: i32, to: AnomalyStatus, notes: String) -> UseCase<()> {
    UseCase::new(action, move |c| {
        Box::pin(async move {
            let notes = text("notes", &notes, 5_000)?;
            let rule = if to == AnomalyStatus::Resolved { Status::Resolved } else { Status::Dismissed };
            let anomaly = step(c, id, expected_version, rule).await?;
            c.reason(Some(&notes), None);
            c.update(anomaly, |anomaly| {
                anomaly.status = Set(to);
                anomaly.resolved_at = Set(Some(c.now()));
                anomaly.resolved_by = Set(Some(c.actor().user_id));
                anomaly.resolution_notes = Set(Some(notes));
            })
            .await?;
            Ok(())
        })
    })
}

/// Changes the links of anomalies with each other, both ways.
fn relate(ids: Vec<Uuid>, edit: impl Fn(&mut BTreeSet<Uuid>, BTreeSet<Uuid>) + Send + 'static) -> UseCase<Vec<Uuid>> {
    UseCase::new(&action::LINK_ANOMALIES, move |c| {
        Box::pin(async move {
            let ids: BTreeSet<Uuid> = ids.into_iter().collect();
            if !(2..=MOST_LINKED).contains(&ids.len()) {
                return Err(Error::invalid("ids", format!("Name 2 to {MOST_LINKED} different anomalies.")));
            }
            // In the order of their ids, so that two who link the same do not wait for each other.
            let rows = anomalies::Entity::find()
                .filter(anomalies::Column::Id.is_in(ids.iter().copied()))
                .order_by_asc(anomalies::Column::Id)
                .lock(LockType::NoKeyUpdate);
            let rows = c.all(rows).await?;
            if rows.len() != ids.len() {
                return Err(Error::NotFound("There is no anomaly with one of these ids.".into()));
            }
            for anomaly in rows {
                let others = ids.iter().copied().filter(|id| *id != anomaly.id).collect();
                let mut related: BTreeSet<Uuid> = anomaly.related_anomaly_ids.iter().flatten().copied().collect();
                let before = related.clone();
                edit(&mut related, others);
                if related != before {
                    let related = (!related.is_empty()).then(|| related.into_iter().collect());
                    c.update(anomaly, |anomaly| anomaly.related_anomaly_ids = Set(related)).await?;
                }
            }
            Ok(ids.into_iter().collect())
        })
    })
}
