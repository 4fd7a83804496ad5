//! Deals: what changes in one leaves its history, whichever mutation changed it.
//!
//! A deal's row is [`Writable`] but neither a [`WritableRow`] nor a [`WritableEdit`], so that `insert` and `update` do not take it
//! and [`Change::insert_deal`] and [`Change::update_deal`] are the only spelling.

use aether_entity::{catalog, deal_history, deals, sea_orm_active_enums::DealChangeSource};
use heck::ToLowerCamelCase;
use sea_orm::{ActiveValue, Iden, Iterable, ModelTrait, Set, Value, sea_query::OptionEnum};
use uuid::Uuid;

use super::{Change, Writable, WritableEdit, WritableRow};
use crate::{
    error::{Error, Result},
    policy::Permission,
    value::label,
};

/// Columns that are kept by the gateway or the database: that they change says nothing.
const BOOKKEEPING: [&str; 8] = [
    "id",
    "organization_id",
    "created_at",
    "updated_at",
    "row_version",
    "synced_at",
    "stage_entered_at",
    "days_in_pipeline",
];
/// What the database computes from what is told already.
const COMPUTED: &str = "weighted_value";

impl Writable for deals::Entity {
    const TOPIC: &'static str = "deal";
    const AGGREGATE: &'static str = "id";
}

struct Row(deals::Model);

impl WritableRow for Row {
    type Table = deals::Entity;

    fn into_model(self) -> deals::Model {
        self.0
    }

    fn from_model(model: deals::Model) -> Self {
        Self(model)
    }
}

struct New(deals::ActiveModel);

impl WritableEdit for New {
    type Table = deals::Entity;

    fn into_active(self) -> deals::ActiveModel {
        self.0
    }
}

impl Change {
    /// Inserts a deal of the actor's organization; its history begins with its stage.
    pub async fn insert_deal(&self, mut deal: deals::ActiveModel, source: DealChangeSource) -> Result<deals::Model> {
        deal.organization_id = Set(self.actor().organization_id);
        // What is not given begins now, in the database as here.
        if let ActiveValue::Set(created_at) = &deal.created_at {
            let until = match &deal.actual_close_date {
                ActiveValue::Set(Some(closed)) => *closed,
                _ => self.now().date_naive(),
            };
            deal.days_in_pipeline = Set(days((until - created_at.date_naive()).num_days()));
        }
        let deal = self.insert(New(deal)).await?;
        self.within_region(&deal)?;
        let first = self.history(&deal, "stage", None, Some(label(&deal.stage)), source);
        self.insert(first).await?;
        Ok(deal)
    }

    /// Updates a deal that was read in this change. Every field that changes leaves a row in its history, and the deal's age is
    /// brought up to date.
    pub async fn update_deal(
        &self,
        before: deals::Model,
        source: DealChangeSource,
        edit: impl FnOnce(&mut deals::ActiveModel),
    ) -> Result<deals::Model> {
        let mut edited: deals::ActiveModel = before.clone().into();
        edit(&mut edited);
        if changes(&before, &edited) {
            let until = match &edited.actual_close_date {
                ActiveValue::Set(Some(closed)) | ActiveValue::Unchanged(Some(closed)) => *closed,
                _ => self.now().date_naive(),
            };
            edited.days_in_pipeline = Set(days((until - before.created_at.date_naive()).num_days()));
        }
        let after = self.update(Row(before.clone()), |deal| *deal = edited).await?.0;
        self.within_region(&after)?;
        let mut rows = Vec::new();
        for column in deals::Column::iter() {
            let name = Iden::unquoted(&column);
            let (old, new) = (before.get(column), after.get(column));
            if old != new && name != COMPUTED && !BOOKKEEPING.contains(&name) {
                let field = catalog::table("deals")
                    .and_then(|table| table.column(name))
                    .map_or(name, |(_, column)| column.name)
                    .to_lower_camel_case();
                rows.push(self.history(&after, &field, text(old), text(new), source.clone()));
            }
        }
        self.insert_all(rows).await?;
        Ok(after)
    }

    /// Refuses to put a deal where the actor would not see it: into a region that the actor is not confined to.
    fn within_region(&self, deal: &deals::Model) -> Result<()> {
        let actor = self.actor();
        match &actor.region {
            Some(region) if !actor.role.sees_every_region() && *region != label(&deal.region) => {
                Err(Error::Forbidden {
                    permission: Permission::DealsEdit.name(),
                    because: Some("you are confined to one region, and this deal would be in another."),
                })
            }
            _ => Ok(()),
        }
    }

    fn history(
        &self,
        deal: &deals::Model,
        field: &str,
        old: Option<String>,
        new: Option<String>,
        source: DealChangeSource,
    ) -> deal_history::ActiveModel {
        let by: Option<Uuid> = (!self.actor().is_system()).then_some(self.actor().user_id);
        deal_history::ActiveModel {
            deal_id: Set(deal.id),
            field_changed: Set(field.to_owned()),
            old_value: Set(old),
            new_value: Set(new),
            changed_by: Set(by),
            change_source: Set(Some(source)),
            changed_at: Set(self.now()),
            ..Default::default()
        }
    }
}

/// Whether anything that a history tells is set to another value.
fn changes(before: &deals::Model, edited: &deals::ActiveModel) -> bool {
    use sea_orm::ActiveModelTrait;
    deals::Column::iter().any(|column| match edited.get(column) {
        ActiveValue::Set(value) => value != before.get(column),
        _ => false,
    })
}

fn days(days: i64) -> i32 {
    i32::try_from(days.max(0)).unwrap_or(i32::MAX)
}

/// A value as the history tells it: amounts and dates in their canonical form, enums by their name in the documents.
fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => text,
        Value::Enum(OptionEnum::Some(label)) => Some(label.value.into_owned()),
        Value::Decimal(number) => number.map(|number| number.to_string()),
        Value::ChronoDate(date) => date.map(|date| date.to_string()),
        Value::Uuid(id) => id.map(|id| id.to_string()),
        Value::Int(number) => number.map(|number| number.to_string()),
        Value::ChronoDateTimeWithTimeZone(at) => at.map(|at| at.to_rfc3339()),
        _ => None,
    }
}
