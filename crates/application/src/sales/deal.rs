//! Deals: what changes in one leaves its history, whichever mutation changed it.
//!
//! A deal's row is [`Writable`] but neither a [`WritableRow`] nor a [`WritableEdit`], so that `insert` and `update` do not take it
//! and [`insert`] and [`update`] are the only spelling.

use aether_entity::{catalog, deal_history, deals, sea_orm_active_enums::DealChangeSource};
use aether_store::{
    Error, Result,
    policy::Permission,
    value::label,
    write::{Change, WritableEdit, WritableRow},
};
use chrono::{DateTime, FixedOffset, SecondsFormat};
use heck::ToLowerCamelCase;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, EntityTrait, Iden, Iterable, ModelTrait, QueryFilter, QueryOrder,
    QuerySelect, Set, Value, sea_query::OptionEnum,
};
use uuid::Uuid;

use super::calendar::Calendar;

/// Columns that are kept by the gateway or the database: that they change says nothing.
const BOOKKEEPING: [&str; 7] =
    ["id", "organization_id", "updated_at", "row_version", "synced_at", "stage_entered_at", "days_in_pipeline"];
/// What the database computes from what is told already.
const COMPUTED: &str = "weighted_value";

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

/// Inserts a deal of the actor's organization; its history begins with its stage.
pub async fn insert(
    c: &Change,
    calendar: &Calendar,
    deal: deals::ActiveModel,
    source: DealChangeSource,
) -> Result<deals::Model> {
    let deals = insert_all(c, calendar, vec![deal], source).await?;
    deals.into_iter().next().ok_or_else(|| Error::internal("an INSERT without a row"))
}

/// The same for many. Each must set the same columns.
pub async fn insert_all(
    c: &Change,
    calendar: &Calendar,
    deals: Vec<deals::ActiveModel>,
    source: DealChangeSource,
) -> Result<Vec<deals::Model>> {
    let rows = deals.into_iter().map(|mut deal| {
        deal.organization_id = Set(c.actor().organization_id);
        if deal.created_at.is_not_set() {
            deal.created_at = Set(c.now());
        }
        deal.days_in_pipeline = Set(age(calendar, &deal));
        New(deal)
    });
    let deals = c.insert_all(rows.collect()).await?;
    let mut rows = Vec::with_capacity(deals.len());
    for deal in &deals {
        within_region(c, deal)?;
        rows.push(history(c, deal, "stage", None, Some(label(&deal.stage)), source.clone()));
    }
    c.insert_all(rows).await?;
    Ok(deals)
}

/// Updates a deal that was read in this change. Every field that changes leaves a row in its history, and the deal's age is
/// brought up to date; one that goes on again came into the pipeline when it did, if it was closed on a day before that.
pub async fn update(
    c: &Change,
    calendar: &Calendar,
    before: deals::Model,
    source: DealChangeSource,
    edit: impl FnOnce(&mut deals::ActiveModel),
) -> Result<deals::Model> {
    let mut edited: deals::ActiveModel = before.clone().into();
    edit(&mut edited);
    if before.actual_close_date.is_some()
        && edited.actual_close_date == Set(None)
        && let Some(began) = beginning(c, before.id).await?
    {
        edited.created_at = Set(began);
    }
    if differs(&before, &edited) {
        began_before_its_end(calendar, &mut edited);
        edited.days_in_pipeline = Set(age(calendar, &edited));
    }
    let after = c.update(Row(before.clone()), |deal| *deal = edited).await?.0;
    within_region(c, &after)?;
    let mut rows = Vec::new();
    for column in deals::Column::iter() {
        let name = Iden::unquoted(&column);
        let (old, new) = (before.get(column), after.get(column));
        if old != new && name != COMPUTED && !BOOKKEEPING.contains(&name) {
            let field = catalog::table("deals")
                .and_then(|table| table.column(name))
                .map_or(name, |(_, column)| column.name)
                .to_lower_camel_case();
            rows.push(history(c, &after, &field, text(old), text(new), source.clone()));
        }
    }
    c.insert_all(rows).await?;
    Ok(after)
}

/// A deal that closed before the gateway heard of it came into the pipeline no later than it closed.
fn began_before_its_end(calendar: &Calendar, deal: &mut deals::ActiveModel) {
    let ActiveValue::Set(Some(closed)) = deal.actual_close_date else { return };
    let (ActiveValue::Set(began) | ActiveValue::Unchanged(began)) = deal.created_at else { return };
    if calendar.day(began) > closed {
        deal.created_at = Set(calendar.beginning(closed));
    }
}

/// When a deal came into the pipeline that was closed on a day before that, which is what its history tells first.
async fn beginning(c: &Change, deal: Uuid) -> Result<Option<DateTime<FixedOffset>>> {
    let moved = deal_history::Entity::find()
        .filter(deal_history::Column::DealId.eq(deal))
        .filter(deal_history::Column::FieldChanged.eq("createdAt"))
        .order_by_asc(deal_history::Column::ChangedAt)
        .order_by_asc(deal_history::Column::Id)
        .limit(1);
    Ok(c.one(moved).await?.and_then(|row| row.old_value?.parse().ok()))
}

/// How many days a deal has been in the pipeline: until it closed, or until now.
fn age(calendar: &Calendar, deal: &deals::ActiveModel) -> i32 {
    let until = match deal.actual_close_date {
        ActiveValue::Set(Some(closed)) | ActiveValue::Unchanged(Some(closed)) => closed,
        _ => calendar.today,
    };
    let since = match deal.created_at {
        ActiveValue::Set(since) | ActiveValue::Unchanged(since) => calendar.day(since),
        ActiveValue::NotSet => until,
    };
    i32::try_from((until - since).num_days().max(0)).unwrap_or(i32::MAX)
}

/// Refuses to put a deal where the actor would not see it: into a region that the actor is not confined to.
fn within_region(c: &Change, deal: &deals::Model) -> Result<()> {
    match c.actor().confining_region() {
        Some(region) if *region != label(&deal.region) => Err(Error::Forbidden {
            permission: Permission::DealsEdit.name(),
            because: Some("you are confined to one region, and this deal would be in another."),
        }),
        _ => Ok(()),
    }
}

fn history(
    c: &Change,
    deal: &deals::Model,
    field: &str,
    old: Option<String>,
    new: Option<String>,
    source: DealChangeSource,
) -> deal_history::ActiveModel {
    let by: Option<Uuid> = (!c.actor().is_system()).then_some(c.actor().user_id);
    deal_history::ActiveModel {
        deal_id: Set(deal.id),
        field_changed: Set(field.to_owned()),
        old_value: Set(old),
        new_value: Set(new),
        changed_by: Set(by),
        change_source: Set(Some(source)),
        changed_at: Set(c.now()),
        ..Default::default()
    }
}

/// Whether anything is set to another value.
pub fn differs(before: &deals::Model, edited: &deals::ActiveModel) -> bool {
    deals::Column::iter().any(|column| match edited.get(column) {
        ActiveValue::Set(value) => value != before.get(column),
        _ => false,
    })
}

/// A value as the history tells it: amounts and dates in their canonical form, enums by their name in the documents.
fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => text,
        Value::Enum(OptionEnum::Some(label)) => Some(label.value.into_owned()),
        Value::Decimal(number) => number.map(|mut number| {
            // The driver gives a zero without its decimals.
            number.rescale(2);
            number.to_string()
        }),
        Value::ChronoDate(date) => date.map(|date| date.to_string()),
        Value::Uuid(id) => id.map(|id| id.to_string()),
        Value::Int(number) => number.map(|number| number.to_string()),
        Value::ChronoDateTimeWithTimeZone(at) => at.map(|at| at.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true)),
        _ => None,
    }
}
