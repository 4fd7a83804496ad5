//! Who may do what: the two matrices, each one exhaustive `match`.

use std::collections::BTreeSet;

use aether_domain::governance::Rules;
use aether_entity::{sea_orm_active_enums::WorkspaceRole, users};

use crate::value::label;

/// A user's role in its organization (`users.role`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Chief financial officer.
    Cfo,
    /// Finance manager.
    FinanceManager,
    /// Analyst.
    Analyst,
    /// Viewer: reads only.
    Viewer,
    /// Administrator of users, settings and integrations.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Cfo, Self::FinanceManager, Self::Analyst, Self::Viewer, Self::Admin];

    /// The role with the database's spelling.
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.label() == label)
    }

    /// The database's spelling.
    pub fn label(self) -> &'static str {
        match self {
            Self::Cfo => "CFO",
            Self::FinanceManager => "FINANCE_MANAGER",
            Self::Analyst => "ANALYST",
            Self::Viewer => "VIEWER",
            Self::Admin => "ADMIN",
        }
    }

    /// Whether a region or department set on the user leaves this role's view whole.
    pub fn sees_every_region(self) -> bool {
        matches!(self, Self::Cfo | Self::Admin)
    }
}

macro_rules! permissions {
    ($(#[doc = $what:literal])+ $ty:ident { $($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+ }) => {
        $(#[doc = $what])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $ty { $($(#[doc = $doc])+ $variant,)+ }

        impl $ty {
            /// All permissions.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name by which it is granted and listed.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it allows.
            pub fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

permissions! {
    /// Something a user of an organization may do. `users.permissions` grants by these names beyond the role.
    Permission {
    /// Read dashboards, metrics, vendors, costs and deals.
    DashboardsRead = "dashboards:read",
    /// Import metrics and override forecasts.
    MetricsImport = "metrics:import",
    /// Create and edit deals.
    DealsEdit = "deals:edit",
    /// Draft and submit budgets.
    BudgetsDraft = "budgets:draft",
    /// Approve and lock budgets that somebody else submitted.
    BudgetsApprove = "budgets:approve",
    /// Edit vendors, departments and costs.
    VendorsEdit = "vendors:edit",
    /// Assign and resolve anomalies.
    AnomaliesResolve = "anomalies:resolve",
    /// Detect and dismiss anomalies.
    AnomaliesManage = "anomalies:manage",
    /// Create, run and share scenarios, and delete one's own.
    ScenariosRun = "scenarios:run",
    /// Delete anybody's scenarios.
    ScenariosDelete = "scenarios:delete",
    /// Converse with the assistant.
    AssistantConverse = "assistant:converse",
    /// Review and override the assistant's actions.
    AiActionsReview = "ai_actions:review",
    /// Register and retire models.
    AiModelsRegister = "ai_models:register",
    /// Read the audit log.
    AuditRead = "audit:read",
    /// Export and review the audit log.
    AuditExport = "audit:export",
    /// Edit compliance controls and resolve compliance issues.
    ComplianceEdit = "compliance:edit",
    /// Edit lineage and integrations, and trigger syncs.
    IntegrationsEdit = "integrations:edit",
    /// Manage users and the organization's settings.
    UsersManage = "users:manage",
    }
}

permissions! {
    /// Something a member of a workspace may do in it, by the role that the member has there.
    WorkspacePermission {
    /// Invite members, change their roles, remove them.
    Manage = "workspace:manage",
    /// Change the governance rules and the connectors.
    Govern = "workspace:govern",
    /// Add clauses and covenants, and edit them.
    ClauseEdit = "clause:edit",
    /// Delete, lock and unlock clauses.
    ClauseManage = "clause:manage",
    /// Bind, edit and unbind variables.
    VariableEdit = "variable:edit",
    /// Synchronize the dependency graph.
    GraphSync = "graph:sync",
    /// Override the agreed baseline of a drift item.
    DriftOverride = "drift:override",
    /// Revert the draft to the agreed baseline.
    DriftRevert = "drift:revert",
    /// Approve a deviation, or an override that waits.
    DriftApprove = "drift:approve",
    /// Upload a markup, apply and reject what it proposes.
    Reconcile = "reconciliation:decide",
    /// Export the golden record.
    GoldenRecordExport = "golden_record:export",
    /// Publish the golden record.
    GoldenRecordPublish = "golden_record:publish",
    /// Export the audit trail of the workspace.
    AuditExport = "workspace_audit:export",
    }
}

impl WorkspacePermission {
    /// Whether a member with this role has it; `admin` is whether the member administers the workspace, and legal members
    /// revert drafts only where the workspace's rules let them.
    pub fn granted_to(self, role: &WorkspaceRole, admin: bool, legal_can_revert_draft: bool) -> bool {
        use WorkspaceRole::{Agent, Legal, Risk};
        match self {
            Self::Manage | Self::ClauseManage | Self::DriftOverride | Self::GoldenRecordPublish => {
                matches!(role, Agent)
            }
            Self::Govern => matches!(role, Agent) && admin,
            Self::ClauseEdit | Self::VariableEdit | Self::GraphSync | Self::Reconcile => matches!(role, Agent | Legal),
            Self::DriftRevert => matches!(role, Agent) || matches!(role, Legal) && legal_can_revert_draft,
            Self::DriftApprove => matches!(role, Risk),
            Self::GoldenRecordExport | Self::AuditExport => matches!(role, Agent | Risk),
        }
    }
}

/// A member's place in a workspace: all that its permissions there depend on.
#[derive(Debug)]
pub struct WorkspaceRights<'a> {
    /// The role that the member has there.
    pub role: &'a WorkspaceRole,
    /// Whether the member administers the workspace.
    pub is_admin: bool,
    /// Whether the member is of the organization that hosts the workspace.
    pub of_host: bool,
    /// The workspace's rules.
    pub rules: &'a Rules,
}

impl WorkspaceRights<'_> {
    /// Whether the role has the permission here.
    pub fn is_granted(&self, permission: WorkspacePermission) -> bool {
        permission.granted_to(self.role, self.is_admin, self.rules.legal_can_revert_draft)
    }

    /// Whether the rules let the member read only, whatever its role has.
    pub fn only_reads(&self) -> bool {
        self.rules.external_counsel_read_only && !self.of_host && *self.role == WorkspaceRole::Legal
    }

    /// What the member may do here.
    pub fn permissions(&self) -> Vec<WorkspacePermission> {
        if self.only_reads() {
            return Vec::new();
        }
        WorkspacePermission::ALL.iter().copied().filter(|permission| self.is_granted(*permission)).collect()
    }
}

impl Permission {
    /// The permission of that name; an unknown name grants nothing.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.name() == name)
    }

    /// Whether a user has it, by its role or by a grant of its own.
    pub fn is_held_by(self, user: &users::Model) -> bool {
        let by_role = Role::from_label(&label(&user.role)).is_some_and(|role| self.granted_to(role));
        let mut grants = user.permissions.as_array().into_iter().flatten();
        by_role || grants.any(|name| name.as_str() == Some(self.name()))
    }

    /// Whether the role has it without a further grant.
    pub fn granted_to(self, role: Role) -> bool {
        use Role::{Admin, Analyst, Cfo, FinanceManager};
        match self {
            Self::DashboardsRead => true,
            Self::MetricsImport
            | Self::DealsEdit
            | Self::BudgetsApprove
            | Self::VendorsEdit
            | Self::AnomaliesManage
            | Self::AiActionsReview => matches!(role, Cfo | FinanceManager),
            Self::BudgetsDraft | Self::AnomaliesResolve | Self::ScenariosRun | Self::AssistantConverse => {
                matches!(role, Cfo | FinanceManager | Analyst)
            }
            Self::ScenariosDelete => matches!(role, Cfo),
            Self::AuditRead | Self::ComplianceEdit => matches!(role, Cfo | FinanceManager | Admin),
            Self::AiModelsRegister | Self::AuditExport | Self::IntegrationsEdit | Self::UsersManage => {
                matches!(role, Cfo | Admin)
            }
        }
    }
}

/// What a user may do, by its role and by the names granted beyond it (an array, as in `users.permissions`).
pub fn held(role: Role, granted: &serde_json::Value) -> BTreeSet<Permission> {
    let granted = granted.as_array().into_iter().flatten().filter_map(|name| name.as_str());
    Permission::ALL
        .iter()
        .copied()
        .filter(|permission| permission.granted_to(role))
        .chain(granted.filter_map(Permission::from_name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_only_read() {
        let granted: Vec<_> = Permission::ALL.iter().filter(|p| p.granted_to(Role::Viewer)).collect();
        assert_eq!(granted, [&Permission::DashboardsRead]);
    }

    #[test]
    fn names_are_unique_and_found_again() {
        for permission in Permission::ALL {
            assert_eq!(Permission::from_name(permission.name()), Some(*permission));
        }
        assert_eq!(Permission::from_name("everything"), None);
    }

    #[test]
    fn every_role_is_found_by_its_label() {
        for role in Role::ALL {
            assert_eq!(Role::from_label(role.label()), Some(role));
        }
    }
}
