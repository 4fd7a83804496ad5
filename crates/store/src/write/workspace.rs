//! A workspace under change: locked, so that one change of it follows another.
//!
//! Workspace, membership and the row that is changed are read and locked by one statement, the workspace first. Whoever waits for it
//! gets each of them as it is after the wait: PostgreSQL reads rows that it locks anew (PostgreSQL documentation, 13.2.1).

use std::sync::Arc;

use aether_domain::governance::Rules;
use aether_entity::{
    catalog::{self, ForeignKey, Kind},
    workspace_members, workspaces,
};
use aether_query::{model::Model, scope};
use sea_orm::{ConnectionTrait, FromQueryResult, QueryResult};
use uuid::Uuid;

use super::{
    Change, Writable, action::Needs, constraint::words, membership::Membership, record::uuid_of, table::table_of,
};
use crate::{
    error::{Error, Result},
    sql::{OfActor, Sql},
};

impl Change {
    /// The workspace, locked until the change ends, once the actor is found to be a member that may do what the action does.
    pub async fn workspace(&self, id: Uuid) -> Result<Arc<Membership>> {
        if let Some(known) = self.membership() {
            if known.workspace.id == id {
                return Ok(known);
            }
            return Err(Error::internal("a change of two workspaces"));
        }
        let mut sql = Sql::new();
        sql.push("SELECT ");
        columns(&mut sql, "workspaces", "w", "w_");
        sql.push(", ");
        columns(&mut sql, "workspace_members", "m", "m_");
        sql.push(FROM).push("WHERE w.id = ").uuid(id).push(" AND ");
        self.mine(&mut sql);
        sql.push(" FOR NO KEY UPDATE OF w, m");
        let missing = || Error::NotFound("There is no workspace with this id.".into());
        Ok(self.enter_locked(&sql, missing).await?.0)
    }

    /// The condition that the actor is an active member of the workspace and sees it.
    fn mine(&self, sql: &mut Sql) {
        sql.push("m.status = 'active' AND m.user_id = ").actor(OfActor::User);
        for (table, alias) in [("workspaces", "w"), ("workspace_members", "m")] {
            self.seen(sql.push(" AND "), table, alias);
        }
    }

    /// The condition that the actor sees a row of this table.
    fn seen(&self, sql: &mut Sql, table: &'static str, alias: &'static str) {
        match Model::get().by_table(table) {
            Some(ty) => sql.append(&scope::condition_of_one(ty, alias.into(), self.actor().audience())),
            None => sql.push("true"),
        };
    }

    /// Runs a statement that locks a workspace and the actor's membership of it, and enters it, if the action is one that the member may
    /// do there.
    async fn enter_locked(&self, sql: &Sql, missing: impl FnOnce() -> Error) -> Result<(Arc<Membership>, QueryResult)> {
        let statement = sql.clone().for_actor(self.actor()).statement()?;
        let row = self.transaction().query_one_raw(statement).await?.ok_or_else(missing)?;
        let workspace = workspaces::Model::from_query_result(&row, "w_")?;
        let membership = self.join(workspace, workspace_members::Model::from_query_result(&row, "m_")?)?;
        if let Needs::Workspace(permission) = self.action().needs {
            membership.require(permission)?;
        }
        Ok((membership, row))
    }

    /// Makes this workspace, which is locked, the one that the change is of.
    pub(super) fn join(
        &self,
        workspace: workspaces::Model,
        member: workspace_members::Model,
    ) -> Result<Arc<Membership>> {
        let rules = Rules::from_json(&workspace.governance_rules)
            .map_err(|_| Error::internal("governance rules that cannot be read"))?;
        let of_host = self.actor().organization_id == workspace.organization_id;
        let membership = Arc::new(Membership { workspace, member, rules, of_host });
        self.enter(membership.clone());
        Ok(membership)
    }

    /// The workspace that the change is of.
    pub fn entered(&self) -> Result<Uuid> {
        let membership = self.membership().ok_or_else(|| Error::internal("a change of no workspace"))?;
        Ok(membership.workspace.id)
    }

    /// The row and its workspace, locked.
    pub async fn in_workspace<E: Writable>(&self, id: Uuid) -> Result<(Arc<Membership>, E::Model)> {
        if let Some(known) = self.membership() {
            return Ok((known, self.find::<E>(id).await?));
        }
        let (membership, row) = self.lock_row(id, table_of::<E>(), None).await?;
        Ok((membership, E::Model::from_query_result(&row, "r_")?))
    }

    /// The same for an edit: the row must have the version that the client saw.
    pub async fn edit_in_workspace<E: Writable>(&self, id: Uuid, expected: i32) -> Result<(Arc<Membership>, E::Model)> {
        let (membership, row) = self.in_workspace::<E>(id).await?;
        self.expect::<E>(&row, expected).await?;
        Ok((membership, row))
    }

    /// The same, with the row that it refers to, locked as well.
    pub async fn edit_with_parent<E: Writable, P: Writable>(
        &self,
        id: Uuid,
        expected: i32,
    ) -> Result<(Arc<Membership>, E::Model, P::Model)> {
        let (table, parent) = (table_of::<E>(), table_of::<P>());
        let refers = catalog::table(table).and_then(|table| table.foreign_keys.iter().find(|key| key.table == parent));
        let refers = refers.ok_or_else(|| Error::internal("a row without such a parent"))?;
        let (membership, row, parent) = match self.membership() {
            Some(known) => {
                let row = self.find::<E>(id).await?;
                let parent = uuid_of::<E>(&row, refers.column);
                let parent = self.find::<P>(parent.ok_or_else(|| Error::internal("a row without its parent"))?).await?;
                (known, row, parent)
            }
            None => {
                let (membership, row) = self.lock_row(id, table, Some(refers)).await?;
                (membership, E::Model::from_query_result(&row, "r_")?, P::Model::from_query_result(&row, "p_")?)
            }
        };
        self.expect::<E>(&row, expected).await?;
        Ok((membership, row, parent))
    }

    /// Locks the row `r_` of this table with its workspace, which it enters, and the row `p_` that it refers to, if that is wanted.
    async fn lock_row(
        &self,
        id: Uuid,
        table: &'static str,
        parent: Option<&ForeignKey>,
    ) -> Result<(Arc<Membership>, QueryResult)> {
        let missing = || Error::NotFound(format!("There is no {} with this id.", words(table)));
        let mut sql = Sql::new();
        sql.push("SELECT ");
        let tables = [("workspaces", "w", "w_"), ("workspace_members", "m", "m_"), (table, "r", "r_")];
        for (place, (table, alias, prefix)) in
            tables.into_iter().chain(parent.map(|parent| (parent.table, "p", "p_"))).enumerate()
        {
            sql.push(if place > 0 { ", " } else { "" });
            columns(&mut sql, table, alias, prefix);
        }
        sql.push(FROM).push("JOIN ").push(table).push(" r ON r.workspace_id = w.id ");
        if let Some(parent) = parent {
            sql.push("JOIN ").push(parent.table).push(" p ON p.id = ").column("r", parent.column);
        }
        sql.push(" WHERE r.id = ").uuid(id);
        self.mine(sql.push(" AND "));
        // What is not to be seen is not there, also for who may not do it.
        self.seen(sql.push(" AND "), table, "r");
        if let Some(parent) = parent {
            self.seen(sql.push(" AND "), parent.table, "p");
        }
        sql.push(" FOR NO KEY UPDATE OF w, m, r").push(if parent.is_some() { ", p" } else { "" });
        self.enter_locked(&sql, missing).await
    }
}

/// A workspace `w` with a membership `m` of it.
const FROM: &str = " FROM workspaces w JOIN workspace_members m ON m.workspace_id = w.id ";

/// The columns of a table, each under its name with this before it; SeaORM reads enums as text.
fn columns(sql: &mut Sql, table: &'static str, alias: &'static str, prefix: &'static str) {
    let columns = catalog::table(table).map_or(&[][..], |table| table.columns);
    for (place, column) in columns.iter().enumerate() {
        if place > 0 {
            sql.push(", ");
        }
        sql.column(alias, column.name).push(if matches!(column.kind, Kind::Enum(_)) { "::text" } else { "" });
        sql.push(" AS \"").push(prefix).push(column.name).push("\"");
    }
}
