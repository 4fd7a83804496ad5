//! Names of regions, lines of business and products: each is stored as it was spelled first. And of departments and vendors: no two are
//! spellings of one.

#![expect(
    clippy::disallowed_methods,
    reason = "the names that an organization uses are those of all its rows, in one statement"
)]

use std::collections::HashMap;

use aether_domain::{metric::MetricLine, spelling};
use aether_entity::{organizations, sea_orm_active_enums::DealRegion};
use aether_store::{Error, Result, model::enum_value_name, sql::Sql, value::label, write::Change};
use sea_orm::Iterable;
use uuid::Uuid;

/// The names that are in use, by what all spellings of one have in common.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    /// The name as it was spelled first; from now on as it is here, if it is new.
    fn spelled(&mut self, name: String) -> String {
        self.0.entry(spelling::key(&name)).or_insert(name).clone()
    }
}

/// Spells the names of these lines as they were spelled first: in the series of the actor's organization, or else in these lines.
pub(super) async fn settle(c: &Change, lines: &mut [MetricLine]) -> Result<()> {
    let named = |line: &MetricLine| line.key.region.is_some() || line.key.lob.is_some() || line.key.product.is_some();
    if !lines.iter().any(named) {
        return Ok(());
    }
    let [mut regions, mut lobs, mut products] = used(c).await?;
    for line in lines {
        let key = &mut line.key;
        for (name, names) in
            [(&mut key.region, &mut regions), (&mut key.lob, &mut lobs), (&mut key.product, &mut products)]
        {
            *name = name.take().map(|name| names.spelled(name));
        }
    }
    Ok(())
}

/// A region as it was spelled first, by deals or in the series of the actor's organization; and whether it is in use.
pub(crate) async fn region(c: &Change, name: &str) -> Result<(String, bool)> {
    let [mut names, ..] = used(c).await?;
    let is_used = names.0.contains_key(&spelling::key(name));
    Ok((names.spelled(spelling::clean(name)), is_used))
}

/// The row of this table of the actor's organization whose name this is in any spelling, with its name as it is kept.
pub(crate) async fn named(c: &Change, table: &'static str, name: &str) -> Result<Option<(Uuid, String)>> {
    let mut sql = Sql::new();
    sql.push("SELECT id, name FROM ").push(table).push(" WHERE organization_id = ").uuid(c.actor().organization_id);
    let key = spelling::key(name);
    for row in c.run_sql(&sql).await? {
        let kept: String = row.try_get_by_index(1)?;
        if spelling::key(&kept) == key {
            return Ok(Some((row.try_get_by_index(0)?, kept)));
        }
    }
    Ok(None)
}

/// Refuses a name that another row of this table than this one has in any spelling. Until the change ends, nobody else names one.
pub(super) async fn is_free(c: &Change, table: &'static str, name: &str, this: Option<Uuid>) -> Result<()> {
    c.find::<organizations::Entity>(c.actor().organization_id).await?;
    match named(c, table, name).await? {
        Some((id, kept)) if Some(id) != this => Err(Error::Taken {
            field: "name".into(),
            message: format!("There is one named \"{kept}\" already. Choose another name, or edit that one."),
        }),
        _ => Ok(()),
    }
}

/// The names of regions, lines of business and products in the series of the actor's organization, after the regions of deals.
async fn used(c: &Change) -> Result<[Names; 3]> {
    let mut sql = Sql::new();
    sql.push("SELECT region, lob, product FROM financial_metrics WHERE organization_id = ")
        .uuid(c.actor().organization_id)
        .push(" GROUP BY GROUPING SETS ((region), (lob), (product)) ORDER BY min(created_at), region, lob, product");
    let mut all = [regions(), Names::default(), Names::default()];
    for row in c.run_sql(&sql).await? {
        for (at, names) in all.iter_mut().enumerate() {
            if let Some(name) = row.try_get_by_index::<Option<String>>(at)? {
                names.spelled(name);
            }
        }
    }
    Ok(all)
}

/// The regions of deals.
fn regions() -> Names {
    let mut names = Names::default();
    for region in DealRegion::iter() {
        let name = names.spelled(label(&region));
        // As GraphQL has it in the region of a deal.
        names.0.insert(spelling::key(&enum_value_name(&name)), name);
    }
    names
}
