//! Who sees what, as a type declares it; `scope.rs` says it in SQL.

use crate::policy::Permission;

/// Who sees a type's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Users of the row's `organization_id`.
    Organization,
    /// Those who see the row that this foreign key refers to.
    Via(&'static str),
    /// Active members of the workspace in this column.
    Workspace(&'static str),
    /// Organizations: one's own, and those met in shared workspaces.
    Organizations,
    /// Users: of one's own organization, and those met in shared workspaces.
    Users,
    /// Sessions: one's own; those who manage users see their organization's.
    Sessions,
    /// Models: the organization's and those of the whole system.
    Models,
    /// Audit events: those of one's workspaces (investors: one's own, and PUBLISH), and one's own outside any.
    AuditEvents,
}

/// A condition on top of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restriction {
    /// `users.region` against this column.
    Region(&'static str),
    /// `users.department` against this reference to a department.
    Department(&'static str),
    /// `users.department` against this department's name.
    DepartmentName(&'static str),
    /// A sum over all regions: nothing for those whose view is narrowed to one, for it would tell them the others'.
    AllRegions,
    /// Only with this permission.
    Requires(Permission),
    /// Only the user in this column.
    Own(&'static str),
    /// Scenarios: one's own, templates, those shared with one; with the permission to delete any, all.
    SharedScenarios,
    /// What is of this kind (its column, and a label in it) is not for investors of the workspace.
    NotForInvestors(&'static str, &'static str),
}

/// Who sees a column of a row that is visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// Members other than investors.
    NotInvestors,
    /// Users of the organization in this column.
    SameOrganization(&'static str),
    /// The user in this column, and those who manage users of its organization.
    SelfOrManager,
}

impl Mask {
    /// What it says to those who wonder why there is nothing.
    pub fn doc(self) -> &'static str {
        match self {
            Self::NotInvestors => "Null for investors.",
            Self::SameOrganization(_) => "Null for users of other organizations.",
            Self::SelfOrManager => "Null for all but oneself and those who manage the users.",
        }
    }
}
