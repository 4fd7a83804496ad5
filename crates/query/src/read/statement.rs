//! The statements: one for each node of a plan.
//!
//! Before its slots each has a few columns of its own, by which its rows are told apart; [`first_slot`] says how many.
//!
//! - The root: whether there is a row (null: the session does not stand) · the number of all rows, if it is asked for.
//! - To-many: which of the keys, from 1 · the number of all rows and whether there is a row at all, if the number is asked for.
//! - To-one: the key.
//! - Listed: which of the ids, from 1.

use aether_entity::catalog::Kind;

use super::{
    cursor::Position,
    plan::{Fetch, Form, Page, RowSelector, SelectedColumn, Term},
};
use crate::{
    actor::Audience,
    actors::live,
    model::{Relation, Type},
    scope,
    sql::{Alias, NATURAL_ORDER, Sql},
};

const ALIAS: &str = "t";

fn alias() -> Alias {
    ALIAS.into()
}

/// Where the slots of a statement begin.
pub(super) fn first_column(fetch: &Fetch) -> usize {
    match &fetch.selector {
        RowSelector::Page(page) if page.total => 2,
        RowSelector::Pages(_, page) if page.total => 3,
        RowSelector::Id | RowSelector::Page(_) | RowSelector::One(_) | RowSelector::Pages(..) | RowSelector::Listed => {
            1
        }
    }
}

/// What a slot is, as the actor may see it, in the column's own type.
pub(super) fn expression(
    ty: &Type,
    column: SelectedColumn,
    alias: Alias,
    audience: Audience,
    search: Option<&str>,
) -> Sql {
    match column {
        SelectedColumn::Column(index) => scope::column(ty, index, alias, audience),
        SelectedColumn::Rank => text_search(
            ty,
            alias,
            audience,
            search,
            "round(ts_rank_cd(to_tsvector('english', ",
            "), ",
            ")::numeric, 6)",
        ),
        SelectedColumn::Snippet => text_search(
            ty,
            alias,
            audience,
            search,
            "ts_headline('english', ",
            ", ",
            ", 'StartSel=**, StopSel=**, MaxFragments=2, MaxWords=24, MinWords=8, FragmentDelimiter=\" … \"')",
        ),
        SelectedColumn::Group(place) => {
            let mut sql = Sql::new();
            sql.alias(alias).push(".g").number(place as u64);
            sql
        }
    }
}

fn text_search(
    ty: &Type,
    alias: Alias,
    audience: Audience,
    search: Option<&str>,
    head: &'static str,
    mid: &'static str,
    tail: &'static str,
) -> Sql {
    let mut sql = Sql::new();
    let (Some(index), Some(search)) = (ty.search, search) else {
        sql.push("NULL::text");
        return sql;
    };
    sql.push(head).append(&scope::column(ty, index, alias, audience)).push(mid);
    sql.push("websearch_to_tsquery('english', ").text(search).push(")").push(tail);
    sql
}

/// How a kind travels: in its own binary format, but for what is written otherwise than PostgreSQL holds it.
pub(super) fn travelling(kind: Kind, expression: &Sql) -> Sql {
    let mut sql = Sql::new();
    let (head, tail) = match kind {
        Kind::Inet => ("host(", ")"),
        Kind::UuidList | Kind::TextList => ("to_json(", ")::text"),
        _ => ("", ""),
    };
    sql.push(head).append(expression).push(tail);
    sql
}

/// What a term orders by: text in its natural order, which the indexes have, too.
fn sort_key(ty: &Type, page: &Page, term: &Term, audience: Audience) -> Sql {
    let mut sql = expression(ty, term.column, alias(), audience, page.search.as_deref());
    if matches!(page.kind(ty, term.column), Kind::Text) {
        sql.push(NATURAL_ORDER);
    }
    sql
}

/// `, slot, slot …`
fn selected(sql: &mut Sql, fetch: &Fetch, audience: Audience, search: Option<&str>) {
    for (i, column) in fetch.selected.iter().enumerate() {
        let expression = expression(fetch.ty, *column, alias(), audience, search);
        sql.push(", ").append(&travelling(fetch.kind(*column), &expression)).push(" AS s").number(i as u64);
    }
}

/// The statement of a root: checks the session in the same snapshot.
pub(super) fn root(fetch: &Fetch, form: Form, audience: Audience) -> Sql {
    let mut sql = Sql::new();
    let mut inner = Sql::new();
    let mut total = Sql::new();
    match (&fetch.selector, form) {
        (RowSelector::Page(page), Form::Planned) => {
            let mut condition = scope::condition(fetch.ty, alias(), audience);
            restrict(&mut condition, fetch.ty, page, audience);
            let condition = source(fetch.ty, page, audience, condition);
            if page.total {
                total.push(", ");
                count(&mut total, page, &condition);
                total.push(" AS total");
            }
            page_rows(&mut inner, fetch, page, audience, &condition);
        }
        (_, Form::Each) => {
            let mut condition = scope::condition(fetch.ty, alias(), audience);
            condition.push(" AND ").column(ALIAS, "id").push(" = ANY(").keys().push(")");
            rows(&mut inner, fetch, audience, &condition);
        }
        _ => {
            let mut condition = scope::condition_of_one(fetch.ty, alias(), audience);
            condition.push(" AND ").column(ALIAS, "id").push(" = ").key();
            rows(&mut inner, fetch, audience, &condition);
        }
    }
    sql.push("SELECT coalesce(t.present, CASE WHEN g.live THEN false END)");
    if total != Sql::new() {
        sql.push(", g.total");
    }
    places(&mut sql, fetch);
    sql.push(" FROM (SELECT ").append(&live()).push(" AS live").append(&total);
    sql.push(") g LEFT JOIN LATERAL (").append(&inner).push(") t ON g.live");
    sql
}

/// `, t.s0, t.s1 …`
fn places(sql: &mut Sql, fetch: &Fetch) {
    for place in 0..fetch.selected.len() {
        sql.push(", t.s").number(place as u64);
    }
}

fn rows(sql: &mut Sql, fetch: &Fetch, audience: Audience, condition: &Sql) {
    sql.push("SELECT true AS present");
    selected(sql, fetch, audience, None);
    sql.push(" FROM ").push(fetch.ty.table.name).push(" t WHERE ").append(condition);
}

/// The statement of a to-one relation.
pub(super) fn one(fetch: &Fetch, relation: &Relation, audience: Audience) -> Sql {
    let mut sql = Sql::new();
    let key = fetch.ty.column(relation.to_column).name;
    sql.push("SELECT ").column(ALIAS, key);
    selected(&mut sql, fetch, audience, None);
    sql.push(" FROM ").push(fetch.ty.table.name).push(" t WHERE ").column(ALIAS, key).push(" = ANY(").keys().push(")");
    scoped(&mut sql, fetch.ty, relation, audience);
    if let Some(shown) = scope::shown(fetch.ty, relation.to_column, alias(), audience) {
        sql.push(" AND (").append(&shown).push(")");
    }
    sql
}

/// The statement of rows that are listed by their ids, in the order of the list; each as often as it stands there.
pub(super) fn listed(fetch: &Fetch, audience: Audience) -> Sql {
    let mut sql = Sql::new();
    sql.push("SELECT k.place");
    selected(&mut sql, fetch, audience, None);
    sql.push(" FROM unnest(").keys().push(") WITH ORDINALITY AS k(key, place) JOIN ").push(fetch.ty.table.name);
    sql.push(" t ON ").column(ALIAS, "id").push(" = k.key WHERE ").append(&scope::condition(
        fetch.ty,
        alias(),
        audience,
    ));
    sql.push(" ORDER BY k.place");
    sql
}

/// The statement of a to-many relation: a page for each key, by one LATERAL join.
pub(super) fn pages(fetch: &Fetch, relation: &Relation, page: &Page, audience: Audience) -> Sql {
    let mut condition = Sql::new();
    let mut key = Sql::new();
    key.push("k.key");
    scope::refers(&mut condition, fetch.ty, relation.to_column, alias(), audience, &key);
    scoped(&mut condition, fetch.ty, relation, audience);
    restrict(&mut condition, fetch.ty, page, audience);
    let source = source(fetch.ty, page, audience, condition);
    let mut sql = Sql::new();
    sql.push("SELECT k.place");
    if page.total {
        sql.push(", c.total, ").push(if page.rows { "t.present" } else { "NULL::boolean" });
    }
    if page.rows {
        places(&mut sql, fetch);
    }
    sql.push(" FROM unnest(").keys().push(") WITH ORDINALITY AS k(key, place)");
    if page.total {
        sql.push(" CROSS JOIN LATERAL (SELECT ");
        count(&mut sql, page, &source);
        sql.push(" AS total) c");
    }
    if page.rows {
        sql.push(if page.total { " LEFT JOIN" } else { " JOIN" }).push(" LATERAL (");
        page_rows(&mut sql, fetch, page, audience, &source);
        sql.push(") t ON true");
    }
    sql
}

/// Adds the scope of a relation's target, short where the row it comes from proves it.
fn scoped(sql: &mut Sql, ty: &Type, relation: &Relation, audience: Audience) {
    if relation.implied {
        scope::restrictions(sql, ty, alias(), audience);
    } else {
        sql.push(" AND ").append(&scope::condition(ty, alias(), audience));
    }
}

/// Adds the page's filter and search.
fn restrict(condition: &mut Sql, ty: &Type, page: &Page, audience: Audience) {
    if !page.filter.is_everything() {
        condition.push(" AND ");
        page.filter.sql(condition, ty, alias(), audience);
    }
    if let (Some(index), Some(search)) = (ty.search, &page.search) {
        condition.push(" AND to_tsvector('english', ").append(&scope::column(ty, index, alias(), audience));
        condition.push(") @@ websearch_to_tsquery('english', ").text(search).push(")");
    }
}

/// What a page is of, `t`: `table t WHERE …`, or the groups of those rows.
fn source(ty: &Type, page: &Page, audience: Audience, condition: Sql) -> Sql {
    let mut sql = Sql::new();
    match &page.grouping {
        None => sql.push(ty.table.name).push(" t WHERE ").append(&condition),
        Some(grouping) => {
            sql.push("(").append(&grouping.table(alias(), &condition, audience)).push(") t WHERE ");
            sql.append(&grouping.condition())
        }
    };
    sql
}

/// How many rows or groups a page is of; null where groups may not be told.
fn count(sql: &mut Sql, page: &Page, source: &Sql) {
    let guards: Vec<usize> = page.grouping.iter().flat_map(|grouping| grouping.guards()).collect();
    sql.push("(SELECT ");
    for (i, guard) in guards.iter().enumerate() {
        sql.push(if i == 0 { "CASE WHEN bool_or(t.g" } else { " OR t.g" }).number(*guard as u64);
    }
    sql.push(if guards.is_empty() { "count(*)" } else { ") IS NOT TRUE THEN count(*) END" });
    sql.push(" FROM ").append(source).push(")");
}

/// The rows of a page; and one more where it is asked whether there is another page, which that tells.
fn page_rows(sql: &mut Sql, fetch: &Fetch, page: &Page, audience: Audience, source: &Sql) {
    let mut source = source.clone();
    for (position, after) in [(&page.after, true), (&page.before, false)] {
        if let Some(position) = position {
            source.push(" AND ");
            beyond(&mut source, fetch.ty, page, position, after, audience);
        }
    }
    sql.push("SELECT true AS present");
    selected(sql, fetch, audience, page.search.as_deref());
    sql.push(" FROM ").append(&source);
    for (i, term) in page.order.iter().enumerate() {
        sql.push(if i > 0 { ", " } else { " ORDER BY " });
        let descending = term.descending != page.backward;
        let nulls_first = term.nulls_first != page.backward;
        sql.append(&sort_key(fetch.ty, page, term, audience));
        if descending {
            sql.push(" DESC");
        }
        // PostgreSQL's own choice is left unsaid: it is what indexes have.
        if term.nullable && nulls_first != descending {
            sql.push(if nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
        }
    }
    sql.push(" LIMIT ").number(if page.rows { page.size + u64::from(page.more) } else { 0 });
}

/// Rows strictly after (or before) a position, nulls and ties included.
fn beyond(sql: &mut Sql, ty: &Type, page: &Page, position: &Position, after: bool, audience: Audience) {
    let order = &page.order;
    let key = |term: &Term| sort_key(ty, page, term, audience);
    let value = |sql: &mut Sql, term: &Term, value: &Option<String>| {
        sql.value(page.kind(ty, term.column), value.clone().unwrap_or_default());
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
            sql.append(&key(&order[i]));
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
            sql.append(&key(term));
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
                sql.append(&key(term)).push(" IS NOT NULL");
            }
            at @ Some(_) => {
                sql.push("(").append(&key(term)).push(comparison(term));
                value(sql, term, at);
                if nulls_beyond {
                    sql.push(" OR ").append(&key(term)).push(" IS NULL");
                }
                sql.push(")");
            }
        }
        sql.push(")");
    }
    sql.push(")");
}
