//! The statements: one for each node of a plan.
//!
//! All have the same first columns, so that one piece of code takes every answer apart:
//! 0 the key (or, at the root, whether the session stands) · 1 the number of all rows · 2 whether there is a row at all ·
//! then the slots.

use aether_entity::catalog::Kind;

use super::{
    cursor::Position,
    plan::{Fetch, Page, Slot, Term},
};
use crate::{
    actor::{Actor, live},
    model::{Relation, Type},
    scope,
    sql::Sql,
};

/// Where a statement's slots begin.
pub(super) const FIRST_SLOT: usize = 3;

const ALIAS: &str = "t";

/// What a slot is, as the actor may see it, in the column's own type.
pub(super) fn expression(ty: &Type, slot: Slot, alias: &str, actor: &Actor, search: Option<&str>) -> Sql {
    match slot {
        Slot::Column(index) => scope::column(ty, index, alias, actor),
        Slot::Rank => {
            text_search(ty, alias, actor, search, "round(ts_rank_cd(to_tsvector('english', ", "), ", ")::numeric, 6)")
        }
        Slot::Snippet => text_search(
            ty,
            alias,
            actor,
            search,
            "ts_headline('english', ",
            ", ",
            ", 'StartSel=**, StopSel=**, MaxFragments=2, MaxWords=24, MinWords=8, FragmentDelimiter=\" … \"')",
        ),
    }
}

fn text_search(ty: &Type, alias: &str, actor: &Actor, search: Option<&str>, head: &str, mid: &str, tail: &str) -> Sql {
    let mut sql = Sql::new();
    let (Some(index), Some(search)) = (ty.search, search) else {
        sql.push("NULL::text");
        return sql;
    };
    sql.push(head).append(&scope::column(ty, index, alias, actor)).push(mid);
    sql.push("websearch_to_tsquery('english', ").text(search).push(")").push(tail);
    sql
}

/// How a kind travels: types that the driver would have to ask the database about travel as text.
pub(super) fn travelling(kind: Kind, expression: &Sql) -> Sql {
    let mut sql = Sql::new();
    let (head, tail) = match kind {
        Kind::Enum(_) => ("(", ")::text"),
        Kind::Inet => ("host(", ")"),
        Kind::UuidList | Kind::TextList => ("to_json(", ")::text"),
        _ => ("", ""),
    };
    sql.push(head).append(expression).push(tail);
    sql
}

fn slot_kind(ty: &Type, slot: Slot) -> Kind {
    match slot {
        Slot::Column(index) => ty.column(index).kind,
        Slot::Rank => Kind::Decimal,
        Slot::Snippet => Kind::Text,
    }
}

/// `, slot, slot …`
fn slots(sql: &mut Sql, fetch: &Fetch, actor: &Actor, search: Option<&str>) {
    for (i, slot) in fetch.slots.iter().enumerate() {
        let expression = expression(fetch.ty, *slot, ALIAS, actor, search);
        sql.push(", ").append(&travelling(slot_kind(fetch.ty, *slot), &expression)).push(" AS s").number(i as u64);
    }
}

/// The statement of a root: checks the session in the same snapshot.
pub(super) fn root(fetch: &Fetch, actor: &Actor, find: &Find<'_>) -> Sql {
    let mut sql = Sql::new();
    let mut inner = Sql::new();
    let mut condition = match find {
        Find::Id(_) => scope::condition_of_one(fetch.ty, ALIAS, actor),
        Find::Ids(_) | Find::Page(_) => scope::condition(fetch.ty, ALIAS, actor),
    };
    sql.push("SELECT g.live, g.total, t.* FROM (SELECT ").append(&live(actor)).push(" AS live, ");
    match find {
        Find::Id(id) => {
            condition.push(" AND ").column(ALIAS, "id").push(" = ").uuid(*id);
            sql.push("NULL::bigint");
            one_row(&mut inner, fetch, actor, &condition);
        }
        Find::Ids(ids) => {
            condition.push(" AND ").column(ALIAS, "id").push(" = ANY(").uuids(ids.to_vec()).push(")");
            sql.push("NULL::bigint");
            one_row(&mut inner, fetch, actor, &condition);
        }
        Find::Page(page) => {
            restrict(&mut condition, fetch.ty, page, actor);
            count(&mut sql, fetch.ty, page, &condition);
            page_rows(&mut inner, fetch, page, actor, condition);
        }
    }
    sql.push(" AS total) g LEFT JOIN LATERAL (").append(&inner).push(") t ON g.live");
    sql
}

/// What a root statement finds.
pub(super) enum Find<'a> {
    Id(uuid::Uuid),
    Ids(&'a [uuid::Uuid]),
    Page(&'a Page),
}

fn one_row(sql: &mut Sql, fetch: &Fetch, actor: &Actor, condition: &Sql) {
    sql.push("SELECT true AS present");
    slots(sql, fetch, actor, None);
    sql.push(" FROM ").push(fetch.ty.table.name).push(" t WHERE ").append(condition);
}

/// The statement of a to-one relation, without its keys: `$1` is their list.
pub(super) fn one(fetch: &Fetch, relation: &Relation, actor: &Actor) -> Sql {
    let mut sql = Sql::new();
    let key = fetch.ty.column(relation.to_column).name;
    sql.push("SELECT ").column(ALIAS, key).push(", NULL::bigint, true");
    // The keys come first, so that the same text serves every level.
    let mut rest = Sql::new();
    slots(&mut rest, fetch, actor, None);
    rest.push(" FROM ").push(fetch.ty.table.name).push(" t WHERE ");
    rest.append(&scoped(fetch.ty, relation, actor)).push(" AND ");
    if let Some(shown) = scope::shown(fetch.ty, relation.to_column, ALIAS, actor) {
        rest.push("(").append(&shown).push(") AND ");
    }
    rest.column(ALIAS, key).push(" = ANY(");
    sql.append(&rest);
    sql
}

/// The statement of a to-many relation: a page for each key, by one LATERAL join.
pub(super) fn pages(fetch: &Fetch, relation: &Relation, page: &Page, actor: &Actor, keys: Vec<uuid::Uuid>) -> Sql {
    let mut condition = Sql::new();
    let mut key = Sql::new();
    key.push("k.key");
    scope::refers(&mut condition, fetch.ty, relation.to_column, ALIAS, actor, &key);
    condition.push(" AND ").append(&scoped(fetch.ty, relation, actor));
    restrict(&mut condition, fetch.ty, page, actor);
    let mut sql = Sql::new();
    sql.push("SELECT k.key, ").push(if page.total { "c.total" } else { "NULL::bigint" });
    sql.push(if page.rows { ", t.*" } else { ", NULL::boolean" });
    sql.push(" FROM unnest(").uuids(keys).push(") AS k(key)");
    if page.total {
        sql.push(" CROSS JOIN LATERAL (SELECT ");
        count(&mut sql, fetch.ty, page, &condition);
        sql.push(" AS total) c");
    }
    if page.rows {
        sql.push(if page.total { " LEFT JOIN" } else { " JOIN" }).push(" LATERAL (");
        page_rows(&mut sql, fetch, page, actor, condition);
        sql.push(") t ON true");
    }
    sql
}

/// The scope of a relation's target, short where the row it comes from proves it.
fn scoped(ty: &Type, relation: &Relation, actor: &Actor) -> Sql {
    if relation.implied { scope::narrowing(ty, ALIAS, actor) } else { scope::condition(ty, ALIAS, actor) }
}

/// Adds the page's filter and search.
fn restrict(condition: &mut Sql, ty: &Type, page: &Page, actor: &Actor) {
    if !page.filter.is_everything() {
        condition.push(" AND ");
        page.filter.sql(condition, ty, ALIAS, actor);
    }
    if let (Some(index), Some(search)) = (ty.search, &page.search) {
        condition.push(" AND to_tsvector('english', ").append(&scope::column(ty, index, ALIAS, actor));
        condition.push(") @@ websearch_to_tsquery('english', ").text(search).push(")");
    }
}

fn count(sql: &mut Sql, ty: &Type, page: &Page, condition: &Sql) {
    if page.total {
        sql.push("(SELECT count(*) FROM ").push(ty.table.name).push(" t WHERE ").append(condition).push(")");
    } else {
        sql.push("NULL::bigint");
    }
}

/// The rows of a page and one more, which tells whether there is another page.
fn page_rows(sql: &mut Sql, fetch: &Fetch, page: &Page, actor: &Actor, mut condition: Sql) {
    let search = page.search.as_deref();
    for (position, after) in [(&page.after, true), (&page.before, false)] {
        if let Some(position) = position {
            condition.push(" AND ");
            beyond(&mut condition, fetch.ty, &page.order, position, after, actor, search);
        }
    }
    sql.push("SELECT true AS present");
    slots(sql, fetch, actor, search);
    sql.push(" FROM ").push(fetch.ty.table.name).push(" t WHERE ").append(&condition).push(" ORDER BY ");
    for (i, term) in page.order.iter().enumerate() {
        if i > 0 {
            sql.push(", ");
        }
        let descending = term.descending != page.backward;
        let nulls_first = term.nulls_first != page.backward;
        sql.append(&expression(fetch.ty, term.slot, ALIAS, actor, search));
        if descending {
            sql.push(" DESC");
        }
        // PostgreSQL's own choice is left unsaid: it is what indexes have.
        if term.nullable && nulls_first != descending {
            sql.push(if nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
        }
    }
    sql.push(" LIMIT ").number(if page.rows { page.size + 1 } else { 0 });
}

/// Rows strictly after (or before) a position, nulls and ties included.
fn beyond(
    sql: &mut Sql,
    ty: &Type,
    order: &[Term],
    position: &Position,
    after: bool,
    actor: &Actor,
    search: Option<&str>,
) {
    let expression = |term: &Term| expression(ty, term.slot, ALIAS, actor, search);
    let value = |sql: &mut Sql, term: &Term, value: &Option<String>| {
        sql.value(slot_kind(ty, term.slot), value.clone().unwrap_or_default());
    };
    let comparison = |term: &Term| if after != term.descending { " > " } else { " < " };
    if order.iter().all(|term| !term.nullable && term.descending == order[0].descending) {
        // A row comparison is what an index can answer by one descent.
        let list = |sql: &mut Sql, each: &dyn Fn(&mut Sql, usize)| {
            sql.push("(");
            for i in 0..order.len() {
                if i > 0 {
                    sql.push(", ");
                }
                each(sql, i);
            }
            sql.push(")");
        };
        list(sql, &|sql, i| {
            sql.append(&expression(&order[i]));
        });
        sql.push(comparison(&order[0]));
        list(sql, &|sql, i| value(sql, &order[i], &position[i]));
        return;
    }
    sql.push("(");
    for last in 0..order.len() {
        if last > 0 {
            sql.push(" OR ");
        }
        sql.push("(");
        for (term, at) in order[..last].iter().zip(position) {
            sql.append(&expression(term));
            if at.is_some() {
                sql.push(" = ");
                value(sql, term, at);
            } else {
                sql.push(" IS NULL");
            }
            sql.push(" AND ");
        }
        let term = &order[last];
        // Looking forward, nulls that come last lie beyond every value; looking back, nulls that come first do. Nothing
        // lies beyond such a null; beyond the others lie all values.
        let nulls_beyond = term.nullable && term.nulls_first != after;
        match &position[last] {
            None if nulls_beyond => {
                sql.push("false");
            }
            None => {
                sql.append(&expression(term)).push(" IS NOT NULL");
            }
            at @ Some(_) => {
                sql.push("(").append(&expression(term)).push(comparison(term));
                value(sql, term, at);
                if nulls_beyond {
                    sql.push(" OR ").append(&expression(term)).push(" IS NULL");
                }
                sql.push(")");
            }
        }
        sql.push(")");
    }
    sql.push(")");
}
