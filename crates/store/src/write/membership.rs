//! What a member may do in a workspace that it changes.

use aether_domain::governance::Rules;
use aether_entity::{workspace_members, workspaces};

use crate::{
    error::{Error, Result},
    policy::{WorkspacePermission, WorkspaceRights},
};

/// An actor's membership of a workspace that it changes.
#[derive(Debug)]
pub struct Membership {
    /// The workspace.
    pub workspace: workspaces::Model,
    /// The membership.
    pub member: workspace_members::Model,
    /// The workspace's rules, defaults filled in.
    pub rules: Rules,
    /// Whether the member is of the organization that hosts the workspace.
    pub of_host: bool,
}

impl Membership {
    /// Whether the member has the permission here.
    pub fn may(&self, permission: WorkspacePermission) -> bool {
        self.rights().is_granted(permission)
    }

    fn rights(&self) -> WorkspaceRights<'_> {
        WorkspaceRights {
            role: &self.member.role,
            is_admin: self.member.is_admin,
            of_host: self.of_host,
            rules: &self.rules,
        }
    }

    /// Refuses what the member may not.
    pub fn require(&self, permission: WorkspacePermission) -> Result<()> {
        if !self.may(permission) {
            return Err(Error::forbidden(permission.name()));
        }
        if self.rights().only_reads() {
            return Err(Error::Governance {
                rule: "externalCounselReadOnly",
                message:
                    "Counsel of another organization only reads in this workspace. Ask the agent to make the change, \
                          or to change the rule."
                        .into(),
            });
        }
        Ok(())
    }
}
