//! Who sees which row: the one place where `permissions.md` becomes SQL for reads.
//!
//! Every statement asks a type's [`condition`]; there is no other way to build one. Conditions that do not depend on the
//! row are written as uncorrelated subqueries, which PostgreSQL runs once per statement.

use crate::{
    actor::Audience,
    model::{Mask, Model, Restriction, Scope, Source, Type},
    policy::Permission,
    sql::{Alias, OfActor, Sql},
};

/// The same for a row that the rest of the statement finds by its id: whether it is seen is then looked up for it alone, where
/// [`condition`] works out all that is seen, once for all rows.
pub fn condition_of_one(ty: &Type, alias: Alias, audience: Audience) -> Sql {
    let Scope::Workspace(column) = ty.scope else { return condition(ty, alias, audience) };
    let mut sql = Sql::new();
    if column == "id" {
        // The row is the workspace itself.
        sql.column(alias, "deleted_at")
            .push(" IS NULL AND EXISTS (SELECT FROM workspace_members am WHERE am.workspace_id = ");
        sql.column(alias, column).push(" AND am.status = 'active' AND am.user_id = ").actor(OfActor::User).push(")");
    } else {
        sql.push("EXISTS (SELECT FROM workspace_members am JOIN workspaces aw ON aw.id = am.workspace_id WHERE am.workspace_id = ");
        sql.column(alias, column).push(" AND am.status = 'active' AND aw.deleted_at IS NULL AND am.user_id = ");
        sql.actor(OfActor::User).push(")");
    }
    restrictions(&mut sql, ty, alias, audience);
    sql
}

/// The condition that the actor sees the row `alias` of this type.
pub fn condition(ty: &Type, alias: Alias, audience: Audience) -> Sql {
    let mut sql = Sql::new();
    scope(&mut sql, ty, alias, audience);
    restrictions(&mut sql, ty, alias, audience);
    sql
}

fn scope(sql: &mut Sql, ty: &Type, alias: Alias, audience: Audience) {
    match ty.scope {
        Scope::Organization => {
            sql.column(alias, "organization_id").push(" = ").actor(OfActor::Organization);
        }
        Scope::Via(column) => {
            let parent = parent(ty, column);
            let inner = alias.inner();
            sql.push("EXISTS (SELECT FROM ").push(parent.table.name).push(" ").alias(inner).push(" WHERE ");
            sql.column(inner, "id").push(" = ").column(alias, column).push(" AND ");
            sql.append(&condition(parent, inner, audience)).push(")");
        }
        Scope::Workspace(column) => {
            sql.column(alias, column).push(" = ANY(");
            workspaces(sql, true);
            sql.push(")");
        }
        Scope::Organizations => {
            sql.push("(").column(alias, "id").push(" = ").actor(OfActor::Organization);
            sql.push(" OR ").column(alias, "id").push(
                " = ANY(ARRAY(SELECT mu.organization_id FROM workspace_members mm JOIN users mu ON mu.id = mm.user_id \
                 WHERE mm.workspace_id = ANY(",
            );
            workspaces(sql, true);
            sql.push(") UNION SELECT mw.organization_id FROM workspaces mw WHERE mw.id = ANY(");
            workspaces(sql, true);
            sql.push(")))) AND ").column(alias, "deleted_at").push(" IS NULL");
        }
        Scope::Users => {
            sql.push("(").column(alias, "organization_id").push(" = ").actor(OfActor::Organization);
            sql.push(" OR ")
                .column(alias, "id")
                .push(" = ANY(ARRAY(SELECT mm.user_id FROM workspace_members mm WHERE mm.workspace_id = ANY(");
            workspaces(sql, true);
            sql.push(")))) AND ").column(alias, "deleted_at").push(" IS NULL");
        }
        Scope::Sessions if audience.may(Permission::UsersManage) => {
            sql.column(alias, "user_id").push(" = ANY(ARRAY(SELECT id FROM users WHERE organization_id = ");
            sql.actor(OfActor::Organization).push("))");
        }
        Scope::Sessions => {
            sql.column(alias, "user_id").push(" = ").actor(OfActor::User);
        }
        Scope::Models => {
            sql.push("(").column(alias, "organization_id").push(" = ").actor(OfActor::Organization);
            sql.push(" OR ").column(alias, "organization_id").push(" IS NULL)");
        }
        Scope::AuditEvents => {
            sql.push("(").column(alias, "workspace_id").push(" = ANY(");
            workspaces(sql, false);
            sql.push(") OR ").column(alias, "workspace_id").push(" = ANY(");
            workspaces(sql, true);
            sql.push(") AND (").column(alias, "event_type").push(" = 'PUBLISH' OR ");
            sql.column(alias, "actor_id").push(" = ").actor(OfActor::User).push(") OR ");
            sql.column(alias, "workspace_id").push(" IS NULL AND ").column(alias, "actor_id").push(" = ");
            sql.actor(OfActor::User).push(")");
        }
    }
}

/// The workspaces in which the actor is an active member, with or without those where it is an investor: an array,
/// worked out once per statement.
fn workspaces(sql: &mut Sql, with_investor: bool) {
    sql.push(
        "ARRAY(SELECT am.workspace_id FROM workspace_members am JOIN workspaces aw ON aw.id = am.workspace_id \
         WHERE am.status = 'active' AND aw.deleted_at IS NULL AND am.user_id = ",
    )
    .actor(OfActor::User);
    if !with_investor {
        sql.push(" AND am.role <> 'investor'");
    }
    sql.push(")");
}

/// Adds what is left to ask when the scope itself is implied by the row that the statement came from: ` AND …`, or nothing.
pub fn restrictions(sql: &mut Sql, ty: &Type, alias: Alias, audience: Audience) {
    for restriction in &ty.restrictions {
        match *restriction {
            Restriction::Region(column) => {
                if audience.is_confined_to_a_region() {
                    sql.push(" AND ").column(alias, column).push("::text = ").actor(OfActor::Region).push("::text");
                }
            }
            Restriction::AllRegions => {
                if audience.is_confined_to_a_region() {
                    sql.push(" AND false");
                }
            }
            Restriction::Department(column) => {
                if audience.is_confined_to_a_department() {
                    sql.push(" AND ").column(alias, column).push(" = ANY(");
                    departments(sql, "id");
                    sql.push(")");
                }
            }
            Restriction::DepartmentName(column) => {
                if audience.is_confined_to_a_department() {
                    sql.push(" AND ").column(alias, column).push(" = ANY(");
                    departments(sql, "name");
                    sql.push(")");
                }
            }
            Restriction::Requires(permission) => {
                if !audience.may(permission) {
                    sql.push(" AND false");
                }
            }
            Restriction::Own(column) => {
                sql.push(" AND ").column(alias, column).push(" = ").actor(OfActor::User);
            }
            Restriction::SharedScenarios => {
                if !audience.may(Permission::ScenariosDelete) {
                    sql.push(" AND (").column(alias, "is_template").push(" OR ");
                    sql.column(alias, "created_by").push(" = ").actor(OfActor::User).push(" OR ");
                    sql.actor(OfActor::User).push(" = ANY(").column(alias, "shared_with").push("))");
                }
            }
            Restriction::NotForInvestors(column, label) => {
                sql.push(" AND (").column(alias, column).push(" <> '").push(label).push("' OR ");
                sql.column(alias, "workspace_id").push(" = ANY(");
                workspaces(sql, false);
                sql.push("))");
            }
        }
    }
}

/// The department of that name in the actor's organization with all below it: ids or names.
fn departments(sql: &mut Sql, column: &'static str) {
    sql.push("ARRAY(WITH RECURSIVE d AS (SELECT dd.id, dd.name FROM departments dd WHERE dd.organization_id = ")
        .actor(OfActor::Organization)
        .push(" AND dd.name = ")
        .actor(OfActor::Department)
        .push("::text UNION SELECT dc.id, dc.name FROM departments dc JOIN d ON dc.parent_id = d.id) SELECT ")
        .column("d", column)
        .push(" FROM d)");
}

/// A column of the row `alias` as the actor may see it: the column, or NULL where its mask hides it. Filters, orders and
/// cursors use it too, so that a hidden value cannot be guessed from what it sorts before.
pub fn column(ty: &Type, index: usize, alias: Alias, audience: Audience) -> Sql {
    let name = ty.column(index).name;
    let mut sql = Sql::new();
    match shown_of_seen(ty, index, alias, audience) {
        None => sql.column(alias, name),
        Some(shown) => sql.push("CASE WHEN ").append(&shown).push(" THEN ").column(alias, name).push(" END"),
    };
    sql
}

/// That a column of the row `alias` refers to `other`, as far as the actor may see that it does. The same as
/// [`column`]` = other`, said so that an index over the column serves it.
pub fn refers(sql: &mut Sql, ty: &Type, index: usize, alias: Alias, audience: Audience, other: &Sql) {
    sql.column(alias, ty.column(index).name).push(" = ").append(other);
    if let Some(shown) = shown_of_seen(ty, index, alias, audience) {
        sql.push(" AND (").append(&shown).push(")");
    }
}

/// The condition under which the actor sees a column of the row `alias`; `None` for one that whoever sees the row sees.
pub fn shown(ty: &Type, index: usize, alias: Alias, audience: Audience) -> Option<Sql> {
    let mut sql = Sql::new();
    match ty.masks.get(&index)? {
        Mask::NotInvestors => {
            sql.column(alias, "workspace_id").push(" = ANY(");
            workspaces(&mut sql, false);
            sql.push(")");
        }
        Mask::SameOrganization(organization) => {
            sql.column(alias, organization).push(" = ").actor(OfActor::Organization);
        }
        Mask::SelfOrManager => {
            sql.column(alias, "id").push(" = ").actor(OfActor::User);
            if audience.may(Permission::UsersManage) {
                sql.push(" OR ").column(alias, "organization_id").push(" = ").actor(OfActor::Organization);
            }
        }
    }
    Some(sql)
}

/// The same for a row that the rest of the statement knows to be one that the actor sees.
fn shown_of_seen(ty: &Type, index: usize, alias: Alias, audience: Audience) -> Option<Sql> {
    let shown = shown(ty, index, alias, audience)?;
    let (Scope::Workspace(_), Some(Mask::NotInvestors)) = (ty.scope, ty.masks.get(&index)) else { return Some(shown) };
    // Who sees rows as a member, and is an investor nowhere, sees the column of all of them: asked once, not for each row.
    let mut sql = Sql::new();
    sql.push("NOT EXISTS (SELECT FROM workspace_members im WHERE im.status = 'active' AND im.role = 'investor' AND im.user_id = ");
    sql.actor(OfActor::User).push(") OR ").append(&shown);
    Some(sql)
}

fn parent<'a>(ty: &Type, column: &str) -> &'a Type {
    let model = Model::get();
    ty.fields
        .iter()
        .find_map(|field| match &field.source {
            Source::Relation(relation)
                if !relation.many && relation.from == ty.id && ty.column(relation.from_column).name == column =>
            {
                Some(&model.types[relation.to])
            }
            _ => None,
        })
        .unwrap_or_else(|| panic!("{} is seen via {column}, which is not declared", ty.name))
}
