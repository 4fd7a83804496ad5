//! Anomalies: who works on them, how they are settled, and which belong together.

use std::collections::BTreeSet;

use aether_domain::anomaly::Status;
use aether_entity::{anomalies, sea_orm_active_enums::AnomalyStatus};
use aether_store::{
    Error,
    policy::Permission,
    value::label,
    write::{Action, Change, action},
};
use async_graphql::{Context, Object, Result};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType};
use uuid::Uuid;

use crate::{change::change, graph::Row, input::text};

/// How many anomalies may be linked at once.
const MOST_LINKED: usize = 50;

/// Anomalies.
#[derive(Default)]
pub(crate) struct AnomalyMutation;

#[Object]
impl AnomalyMutation {
    /// Assigns an anomaly to somebody who may work on anomalies, or takes it back.
    async fn assign_anomaly(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The anomaly.")] id: Uuid,
        #[graphql(desc = "The version of the anomaly that you saw.")] expected_version: i32,
        #[graphql(desc = "User who is to work on it; null for nobody.")] user_id: Option<Uuid>,
    ) -> Result<Row<anomalies::Entity>> {
        change(ctx, &action::ASSIGN_ANOMALY, |c| async move {
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
            Ok(Row::new(id))
        })
        .await
    }

    /// Starts to investigate an open anomaly. If nobody is assigned, you are.
    async fn start_investigation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The anomaly.")] id: Uuid,
        #[graphql(desc = "The version of the anomaly that you saw.")] expected_version: i32,
    ) -> Result<Row<anomalies::Entity>> {
        change(ctx, &action::INVESTIGATE_ANOMALY, |c| async move {
            let anomaly = step(&c, id, expected_version, Status::Investigating).await?;
            let unassigned = anomaly.assigned_to.is_none();
            c.update(anomaly, |anomaly| {
                anomaly.status = Set(AnomalyStatus::Investigating);
                if unassigned {
                    anomaly.assigned_to = Set(Some(c.actor().user_id));
                    anomaly.assigned_at = Set(Some(c.now()));
                }
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Resolves an anomaly: its cause was found and dealt with. It never changes again, but for its links.
    async fn resolve_anomaly(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The anomaly.")] id: Uuid,
        #[graphql(desc = "The version of the anomaly that you saw.")] expected_version: i32,
        #[graphql(desc = "How it was resolved.")] notes: String,
    ) -> Result<Row<anomalies::Entity>> {
        settle(ctx, &action::RESOLVE_ANOMALY, id, expected_version, AnomalyStatus::Resolved, notes).await
    }

    /// Dismisses an anomaly: it does not matter, or is none. It never changes again, but for its links.
    async fn dismiss_anomaly(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The anomaly.")] id: Uuid,
        #[graphql(desc = "The version of the anomaly that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is dismissed.")] notes: String,
    ) -> Result<Row<anomalies::Entity>> {
        settle(ctx, &action::DISMISS_ANOMALY, id, expected_version, AnomalyStatus::Dismissed, notes).await
    }

    /// Links anomalies that belong together, each with each; settled ones too, since what recurs is best read beside what
    /// came of it before. Links that are there stay.
    async fn link_anomalies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Two anomalies or more, at most 50.")] ids: Vec<Uuid>,
    ) -> Result<Vec<Row<anomalies::Entity>>> {
        relate(ctx, ids, |related, others| related.extend(others)).await
    }

    /// Takes away the links between anomalies, each with each. Links to others stay.
    async fn unlink_anomalies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Two anomalies or more, at most 50.")] ids: Vec<Uuid>,
    ) -> Result<Vec<Row<anomalies::Entity>>> {
        relate(ctx, ids, |related, others| related.retain(|id| !others.contains(id))).await
    }
}

fn status(anomaly: &anomalies::Model) -> aether_store::Result<Status> {
    Status::from_name(&label(&anomaly.status)).ok_or_else(|| Error::internal("a status that the rules do not know"))
}

fn settled() -> Error {
    Error::Precondition(
        "The anomaly is settled, so it does not change any more. A new deviation is a new anomaly.".into(),
    )
}

/// The anomaly, if it may take this step.
async fn step(c: &Change, id: Uuid, expected: i32, to: Status) -> aether_store::Result<anomalies::Model> {
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

async fn settle(
    ctx: &Context<'_>,
    action: &'static Action,
    id: Uuid,
    expected_version: i32,
    to: AnomalyStatus,
    notes: String,
) -> Result<Row<anomalies::Entity>> {
    change(ctx, action, |c| async move {
        let notes = text("notes", &notes, 5_000)?;
        let rule = if to == AnomalyStatus::Resolved { Status::Resolved } else { Status::Dismissed };
        let anomaly = step(&c, id, expected_version, rule).await?;
        c.reason(Some(&notes), None);
        c.update(anomaly, |anomaly| {
            anomaly.status = Set(to);
            anomaly.resolved_at = Set(Some(c.now()));
            anomaly.resolved_by = Set(Some(c.actor().user_id));
            anomaly.resolution_notes = Set(Some(notes));
        })
        .await?;
        Ok(Row::new(id))
    })
    .await
}

/// Changes the links of anomalies with each other, both ways.
async fn relate(
    ctx: &Context<'_>,
    ids: Vec<Uuid>,
    edit: impl Fn(&mut BTreeSet<Uuid>, BTreeSet<Uuid>),
) -> Result<Vec<Row<anomalies::Entity>>> {
    change(ctx, &action::LINK_ANOMALIES, |c| async move {
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
        Ok(ids.into_iter().map(Row::new).collect())
    })
    .await
}
