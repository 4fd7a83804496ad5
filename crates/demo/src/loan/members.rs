//! How the members come, change roles and go.

use chrono::{DateTime, Duration, Utc};
use rand::Rng as _;
use serde_json::json;
use uuid::Uuid;

use super::parties::Member;
use super::simulator::{Act, Simulator};
use crate::copy::row;

/// A membership as it stands.
pub(super) struct Membership {
    member: &'static Member,
    id: Uuid,
    invited: DateTime<Utc>,
    joined: Option<DateTime<Utc>>,
    touched: DateTime<Utc>,
    version: i32,
}

/// The creator is in; all but those who have not answered to this day are invited, and join within three days.
pub(super) fn invite(simulator: &mut Simulator) -> Vec<Membership> {
    let mut members = Vec::new();
    for (position, member) in simulator.parties.members.iter().enumerate() {
        if member.status == "pending" {
            continue;
        }
        let mut joined = simulator.now;
        if position > 0 {
            simulator.wait(1..4);
            // Nobody drafts on the first day, so that everybody has joined before there is anything to do.
            joined = simulator.now + Duration::minutes(simulator.rng.random_range(20..90));
        }
        let id = send(simulator, member, position > 0);
        let version = if position > 0 { 2 } else { 1 };
        members.push(Membership { member, id, invited: simulator.now, joined: Some(joined), touched: joined, version });
    }
    members
}

/// Invites those who have not answered yet.
pub(super) fn invite_late(simulator: &mut Simulator, members: &mut Vec<Membership>, share: f64) {
    simulator.go(share);
    for member in simulator.parties.members.iter().filter(|member| member.status == "pending") {
        simulator.wait(2..9);
        let id = send(simulator, member, true);
        members.push(Membership {
            member,
            id,
            invited: simulator.now,
            joined: None,
            touched: simulator.now,
            version: 1,
        });
    }
}

fn send(simulator: &mut Simulator, member: &'static Member, invited: bool) -> Uuid {
    let id = simulator.id();
    if invited {
        let role = member.invited_as.unwrap_or(member.role);
        let user = simulator.user(member.email);
        let after = json!({ "userId": user.id, "name": user.name, "role": role, "status": "pending" });
        simulator.record(simulator.parties.creator(), &Act::new("INVITE_SENT", ("workspace_member", id)).after(after));
    }
    id
}

/// Gives those their role who were invited with another one.
pub(super) fn change_roles(simulator: &mut Simulator, members: &mut [Membership], share: f64) {
    simulator.go(share);
    for membership in members {
        let Some(from) = membership.member.invited_as else { continue };
        simulator.wait(5..20);
        let act = Act::new("ROLE_CHANGED", ("workspace_member", membership.id))
            .before(json!({ "role": from }))
            .after(json!({ "role": membership.member.role }))
            .because("Invited with the wrong role.", "other");
        simulator.record(simulator.parties.creator(), &act);
        membership.touched = simulator.now;
        membership.version += 1;
    }
}

/// Removes those who have left.
pub(super) fn remove(simulator: &mut Simulator, members: &mut [Membership], share: f64) {
    simulator.go(share);
    for membership in members {
        if membership.member.status != "removed" {
            continue;
        }
        simulator.wait(5..20);
        let act = Act::new("MEMBER_REMOVED", ("workspace_member", membership.id))
            .before(json!({ "status": "active", "role": membership.member.role }))
            .after(json!({ "status": "removed" }))
            .because("No longer on the deal team.", "other");
        simulator.record(simulator.parties.creator(), &act);
        membership.touched = simulator.now;
        membership.version += 1;
    }
}

/// Fills `workspace_members`.
pub(super) fn rows(simulator: &mut Simulator, members: &[Membership]) {
    for membership in members {
        let user = simulator.user(membership.member.email).id;
        simulator.tables.workspace_members(row![
            membership.id,
            simulator.workspace,
            user,
            membership.member.role,
            membership.member.is_admin,
            membership.member.status,
            membership.invited,
            membership.joined,
            membership.invited,
            membership.touched,
            membership.version,
        ]);
    }
}
