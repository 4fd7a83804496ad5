//! Importing deals from a CRM.

#![expect(
    clippy::disallowed_methods,
    reason = "which deals a confined actor does not see must be told before they are written"
)]

use std::collections::{HashMap, HashSet};

use aether_domain::{
    deal::Stage,
    sheet::{LineError, MOST_PROBLEMS},
};
use aether_entity::{
    catalog::Kind,
    deals, organizations,
    sea_orm_active_enums::{DealChangeSource, DealStage, UserStatus},
    users,
};
use aether_store::{
    Error, Result,
    sql::Sql,
    value::label,
    write::{Change, UseCase, action},
};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::LockType};
use uuid::Uuid;

use super::{
    calendar::Calendar,
    deal, rules,
    sheet::{DealLine, parse},
};
use crate::{check::optional_text, imported::Imported};

/// An external system, and the identifier of a deal in it.
type Key = (String, String);

/// Imports deals from CSV: all lines, or none if one of them is wrong.
pub fn import_csv(csv: String, external_system: Option<String>, dry_run: bool) -> UseCase<Imported> {
    UseCase::new(&action::IMPORT_DEALS, move |c| {
        Box::pin(async move {
            let system = optional_text("externalSystem", external_system, 100)?;
            let lines = parse(&csv, system.as_deref()).map_err(Error::Lines)?;
            import(c, lines, dry_run).await
        })
    })
}

async fn import(c: &Change, lines: Vec<DealLine>, dry_run: bool) -> Result<Imported> {
    let calendar = Calendar::of(c).await?;
    let today = calendar.today;
    let currency = rules::currency_of_organization(c).await?;
    let owners = owners(c, &lines).await?;
    let known = known(c, &lines).await?;
    let unseen = unseen(c, &lines, &known).await?;
    let mut counts = Imported { dry_run, ..Default::default() };
    let (mut new, mut changed, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines {
        let owner = match &line.owner_email {
            None => None,
            Some(email) => match owners.get(email) {
                Some(owner) => Some(*owner),
                None => {
                    problems.push(LineError::new(
                        line.line,
                        "owner_email",
                        "There is no active user of your organization with this e-mail address.",
                    ));
                    continue;
                }
            },
        };
        let key = (line.external_system.clone(), line.external_deal_id.clone());
        let before = known.get(&key);
        let mut deal = match before {
            Some(before) => before.clone().into(),
            None => blank(c, &calendar, &line, &currency),
        };
        let (number, count) = (line.line, problems.len());
        let mut wrong = |field: &str, message: &str| problems.push(LineError::new(number, field, message));
        if unseen.contains(&key) {
            wrong("external_deal_id", "There is such a deal outside of the region that your view is confined to.");
        }
        if let (Some(own), Some(region)) = (c.actor().confining_region(), &line.region)
            && *own != label(region)
        {
            wrong(
                "region",
                &format!("Your view is confined to the region {own}, so you import deals of that region only."),
            );
        }
        move_to(&mut deal, before.map(|deal| &deal.stage), &line, today, &mut wrong)?;
        if let Some(before) = before.filter(|before| deal.stage.as_ref() == &before.stage) {
            stays_closed(before, &line, &mut wrong)?;
        }
        fill(&mut deal, line, owner, before.is_none(), today, &mut wrong);
        if problems.len() > count {
            if problems.len() >= MOST_PROBLEMS {
                break;
            }
            continue;
        }
        match before {
            None => {
                counts.inserted += 1;
                deal.synced_at = Set(Some(c.now()));
                new.push(deal);
            }
            Some(before) if deal::differs(before, &deal) => {
                counts.updated += 1;
                deal.synced_at = Set(Some(c.now()));
                changed.push((before.clone(), deal));
            }
            Some(_) => counts.unchanged += 1,
        }
    }
    if !problems.is_empty() {
        problems.truncate(MOST_PROBLEMS);
        return Err(Error::Lines(problems));
    }
    if dry_run || new.is_empty() && changed.is_empty() {
        return Ok(counts);
    }
    c.about::<organizations::Entity>(c.actor().organization_id);
    c.note("inserted", counts.inserted);
    c.note("updated", counts.updated);
    c.note("unchanged", counts.unchanged);
    deal::insert_all(c, &calendar, new, DealChangeSource::Sync).await?;
    for (before, edited) in changed {
        deal::update(c, &calendar, before, DealChangeSource::Sync, |deal| *deal = edited).await?;
    }
    Ok(counts)
}

/// The deals that the lines are about, locked in the order of their keys.
async fn known(c: &Change, lines: &[DealLine]) -> Result<HashMap<Key, deals::Model>> {
    let ids = lines.iter().map(|line| line.external_deal_id.clone());
    let select = deals::Entity::find()
        .filter(deals::Column::OrganizationId.eq(c.actor().organization_id))
        .filter(deals::Column::ExternalDealId.is_in(ids))
        .order_by_asc(deals::Column::Id)
        .lock(LockType::NoKeyUpdate);
    let deals = c.all(select).await?.into_iter();
    Ok(deals.filter_map(|deal| Some(((deal.external_system.clone()?, deal.external_deal_id.clone()?), deal))).collect())
}

/// The keys of the lines whose deals are there, and hidden from an actor whose view is confined.
async fn unseen(c: &Change, lines: &[DealLine], known: &HashMap<Key, deals::Model>) -> Result<HashSet<Key>> {
    if c.actor().confining_region().is_none() {
        return Ok(HashSet::new());
    }
    let mut sql = Sql::new();
    sql.push("SELECT external_system, external_deal_id FROM deals WHERE organization_id = ")
        .uuid(c.actor().organization_id)
        .push(" AND (external_system, external_deal_id) IN (SELECT * FROM unnest(")
        .values(Kind::Text, lines.iter().map(|line| line.external_system.clone()).collect())
        .push(", ")
        .values(Kind::Text, lines.iter().map(|line| line.external_deal_id.clone()).collect())
        .push("))");
    let mut unseen = HashSet::new();
    for row in c.run_sql(&sql).await? {
        let key = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        if !known.contains_key(&key) {
            unseen.insert(key);
        }
    }
    Ok(unseen)
}

/// The active users of the organization that the lines name, by e-mail address in lower case.
async fn owners(c: &Change, lines: &[DealLine]) -> Result<HashMap<String, Uuid>> {
    if lines.iter().all(|line| line.owner_email.is_none()) {
        return Ok(HashMap::new());
    }
    let select = users::Entity::find()
        .filter(users::Column::OrganizationId.eq(c.actor().organization_id))
        .filter(users::Column::Status.eq(UserStatus::Active));
    Ok(c.all(select).await?.into_iter().map(|user| (user.email.to_lowercase(), user.id)).collect())
}

/// A deal of which nothing is known but which one it is. It sets every column that a line may set, so that many can be inserted
/// at once.
fn blank(c: &Change, calendar: &Calendar, line: &DealLine, currency: &str) -> deals::ActiveModel {
    // One that closed before the gateway heard of it came into the pipeline no later than that.
    let closed = line.actual_close_date.filter(|closed| *closed < calendar.today);
    let began = line.created_date.or(closed).map_or_else(|| c.now(), |date| calendar.beginning(date));
    deals::ActiveModel {
        external_system: Set(Some(line.external_system.clone())),
        external_deal_id: Set(Some(line.external_deal_id.clone())),
        name: Set(None),
        account_name: Set(None),
        vertical: Set(None),
        revenue_type: Set(None),
        currency: Set(currency.to_owned()),
        expected_close_date: Set(None),
        actual_close_date: Set(None),
        owner_id: Set(None),
        channel: Set(None),
        campaign_source: Set(None),
        close_reason: Set(None),
        competitor_lost_to: Set(None),
        created_at: Set(began),
        ..Default::default()
    }
}

/// Moves a deal to the line's stage, by the same rules as people do.
fn move_to(
    deal: &mut deals::ActiveModel,
    from: Option<&DealStage>,
    line: &DealLine,
    today: NaiveDate,
    wrong: &mut impl FnMut(&str, &str),
) -> Result<()> {
    let to = match (&line.stage, from) {
        (Some(to), _) => to.clone(),
        (None, Some(from)) => from.clone(),
        // Told as missing, with the other columns that a new deal needs.
        (None, None) => return Ok(()),
    };
    let (rule, won) = (rules::stage(&to)?, to == DealStage::ClosedWon);
    let stays = from == Some(&to);
    if !rule.is_closed() {
        let ended = [
            ("actual_close_date", line.actual_close_date.is_some()),
            ("close_reason", line.close_reason.is_some()),
            ("competitor_lost_to", line.competitor_lost_to.is_some()),
        ];
        for (field, _) in ended.into_iter().filter(|(_, given)| *given) {
            wrong(field, "An open deal has none of this. Is its stage right?");
        }
    } else {
        let certain = if won { Decimal::ONE_HUNDRED } else { Decimal::ZERO };
        if line.probability.is_some_and(|probability| probability != certain) {
            wrong("probability", "A won deal has a probability of 100, a lost one of 0.");
        }
        if let Some(Err(message)) = line.actual_close_date.map(|date| rules::closed(date, today)) {
            wrong("actual_close_date", &message);
        }
        if line.actual_close_date.zip(line.created_date).is_some_and(|(closed, created)| closed < created) {
            wrong("actual_close_date", "The deal closed before it was created. Check both dates.");
        }
        if won && line.competitor_lost_to.is_some() {
            wrong("competitor_lost_to", "A won deal was lost to nobody.");
        }
        if !won && !stays && line.close_reason.is_none() {
            wrong("close_reason", "A lost deal needs the reason why it was lost.");
        }
    }
    let from_rule = from.map(rules::stage).transpose()?;
    let reopened = from_rule.is_some_and(|from| from.may_reopen_to(rule));
    if from_rule.is_some_and(|from| from.is_closed() && rule.is_closed() && !stays) {
        wrong("stage", "A won deal cannot become a lost one, nor the reverse. Reopen it first.");
    }
    if (reopened || from.is_none() && !rule.is_closed()) && line.probability.is_none() {
        wrong("probability", "A deal that is new, or goes on again, needs its probability.");
    }
    if stays {
        return Ok(());
    }
    match rule {
        Stage::ClosedWon | Stage::ClosedLost => {
            rules::close(deal, won, line.actual_close_date.unwrap_or(today), line.close_reason.clone());
        }
        _ if reopened => rules::reopen(deal, to, line.probability.unwrap_or_default()),
        _ => deal.stage = Set(to),
    }
    Ok(())
}

/// Refuses to change what a closed deal keeps, as [`editDeal`](super::deals::edit) does.
fn stays_closed(before: &deals::Model, line: &DealLine, wrong: &mut impl FnMut(&str, &str)) -> Result<()> {
    if !rules::is_closed(&before.stage)? {
        return Ok(());
    }
    fn differs<T: PartialEq>(before: Option<&T>, given: &Option<T>) -> bool {
        given.is_some() && given.as_ref() != before
    }
    let kept = [
        ("value", differs(Some(&before.value), &line.value)),
        ("currency", differs(Some(&before.currency), &line.currency)),
        ("expected_close_date", differs(before.expected_close_date.as_ref(), &line.expected_close_date)),
        ("actual_close_date", differs(before.actual_close_date.as_ref(), &line.actual_close_date)),
    ];
    for (field, _) in kept.into_iter().filter(|(_, differs)| *differs) {
        wrong(field, "The deal is closed, so this stays as it is. Leave the cell empty, or reopen the deal first.");
    }
    Ok(())
}

/// Takes over what the line says.
fn fill(
    deal: &mut deals::ActiveModel,
    line: DealLine,
    owner: Option<Uuid>,
    is_new: bool,
    today: NaiveDate,
    wrong: &mut impl FnMut(&str, &str),
) {
    if let Some(Err(message)) = line.expected_close_date.map(|date| rules::expected(date, today)) {
        wrong("expected_close_date", &message);
    }
    if is_new {
        let needed = [
            ("name", line.name.is_none()),
            ("region", line.region.is_none()),
            ("segment", line.segment.is_none()),
            ("lob", line.lob.is_none()),
            ("stage", line.stage.is_none()),
            ("value", line.value.is_none()),
        ];
        for (field, _) in needed.into_iter().filter(|(_, missing)| *missing) {
            wrong(field, "A deal that is new needs this.");
        }
        if line.created_date.is_some_and(|date| date > today) {
            wrong("created_date", "A deal cannot have come into the pipeline in the future.");
        }
    }
    macro_rules! take {
        ($($column:ident),+; $($optional:ident),+) => {
            $(if let Some(value) = line.$column {
                deal.$column = Set(value);
            })+
            $(if line.$optional.is_some() {
                deal.$optional = Set(line.$optional);
            })+
        };
    }
    take!(region, segment, lob, value, currency, probability;
        name, account_name, vertical, revenue_type, expected_close_date, actual_close_date, channel, campaign_source,
        close_reason, competitor_lost_to);
    if owner.is_some() {
        deal.owner_id = Set(owner);
    }
}
