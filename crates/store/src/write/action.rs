//! What people do, by the names that the audit trail knows: each action with the permission it takes and the trail it leaves.
//!
//! One line an action. Workspace actions are told in `audit_events`, those of an organization in `audit_logs`.

use aether_entity::sea_orm_active_enums::{AuditEventType, RiskLevel};

use crate::policy::{Permission, WorkspacePermission};

/// Something that an actor does.
#[derive(Debug)]
pub struct Action {
    /// Its name in the audit trail.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    pub(crate) needs: Needs,
    pub(crate) trail: Trail,
}

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Needs {
    /// Whoever is signed in; the action itself is about oneself.
    SignedIn,
    /// Users with this permission in their organization.
    Organization(Permission),
    /// Members of the workspace with this permission there.
    Workspace(WorkspacePermission),
}

/// Where an action is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trail {
    /// `audit_logs`: the area and the risk.
    Organization(&'static str, RiskLevel),
    /// `audit_events`: the type of event.
    Workspace(AuditEventType),
}

impl Action {
    /// Who may do it.
    pub fn needs(&self) -> Needs {
        self.needs
    }
}

macro_rules! organization {
    ($($constant:ident = $name:literal, $area:literal, $risk:ident, $needs:expr, $doc:literal;)+) => {
        $(#[doc = $doc] pub const $constant: Action = Action {
            name: $name,
            doc: $doc,
            needs: $needs,
            trail: Trail::Organization($area, RiskLevel::$risk),
        };)+
        const OF_ORGANIZATIONS: &[&Action] = &[$(&$constant,)+];
    };
}

macro_rules! workspace {
    ($($constant:ident = $name:literal, $event:ident, $needs:expr, $doc:literal;)+) => {
        $(#[doc = $doc] pub const $constant: Action = Action {
            name: $name,
            doc: $doc,
            needs: $needs,
            trail: Trail::Workspace(AuditEventType::$event),
        };)+
        const OF_WORKSPACES: &[&Action] = &[$(&$constant,)+];
    };
}

use Needs::{Organization as Org, SignedIn, Workspace as Ws};
use Permission as P;
use WorkspacePermission as W;

organization! {
    INVITE_USER = "USER_INVITE", "CONFIG", Medium, Org(P::UsersManage), "Invited a user to the organization.";
    ACCEPT_USER_INVITATION = "USER_INVITATION_ACCEPT", "AUTH", Low, SignedIn, "Accepted the invitation to the organization.";
    CHANGE_USER_ROLE = "USER_ROLE_CHANGE", "CONFIG", High, Org(P::UsersManage), "Changed the role of a user.";
    CHANGE_USER_PERMISSIONS = "USER_PERMISSIONS_CHANGE", "CONFIG", High, Org(P::UsersManage), "Changed the permissions granted to a user.";
    CHANGE_USER_SCOPE = "USER_SCOPE_CHANGE", "CONFIG", High, Org(P::UsersManage), "Changed the region or department that a user is confined to.";
    DEACTIVATE_USER = "USER_DEACTIVATE", "CONFIG", High, Org(P::UsersManage), "Deactivated a user and ended the user's sessions.";
    REACTIVATE_USER = "USER_REACTIVATE", "CONFIG", High, Org(P::UsersManage), "Reactivated a user.";
    EDIT_PROFILE = "PROFILE_EDIT", "CONFIG", Low, SignedIn, "Edited one's own profile or preferences.";
    CHANGE_PASSWORD = "PASSWORD_CHANGE", "AUTH", Medium, SignedIn, "Changed one's own password.";
    ENROL_MFA = "MFA_ENROL", "AUTH", Low, SignedIn, "Began to enrol a second factor.";
    CONFIRM_MFA = "MFA_CONFIRM", "AUTH", Medium, SignedIn, "Confirmed a second factor.";
    DISABLE_MFA = "MFA_DISABLE", "AUTH", High, SignedIn, "Disabled one's own second factor.";
    REGENERATE_RECOVERY_CODES = "RECOVERY_CODES_REGENERATE", "AUTH", Medium, SignedIn, "Replaced one's own recovery codes.";
    REVOKE_SESSION = "SESSION_REVOKE", "AUTH", Medium, SignedIn, "Ended one of one's own sessions.";
    EDIT_ORGANIZATION = "ORGANIZATION_EDIT", "CONFIG", Medium, Org(P::UsersManage), "Edited the organization.";
    EDIT_ORGANIZATION_SETTINGS = "ORGANIZATION_SETTINGS_EDIT", "CONFIG", Medium, Org(P::UsersManage), "Edited the organization's settings.";
    CREATE_ORGANIZATION = "ORGANIZATION_CREATE", "CONFIG", Medium, Org(P::UsersManage), "Created the organization and its administrator.";
    ROTATE_KEYS = "KEYS_ROTATE", "CONFIG", Medium, Org(P::UsersManage), "Encrypted secrets anew with the newest key.";

    IMPORT_METRICS = "METRICS_IMPORT", "FINANCIAL", Medium, Org(P::MetricsImport), "Imported metrics.";
    UNDO_METRIC_IMPORT = "METRICS_IMPORT_UNDO", "FINANCIAL", High, Org(P::MetricsImport), "Took an import of metrics back.";
    DELETE_METRICS = "METRICS_DELETE", "FINANCIAL", High, Org(P::MetricsImport), "Deleted metrics.";
    OVERRIDE_FORECAST = "FORECAST_OVERRIDE", "FINANCIAL", High, Org(P::MetricsImport), "Overrode a forecast.";
    CREATE_BUDGET = "BUDGET_CREATE", "FINANCIAL", Low, Org(P::BudgetsDraft), "Created a budget.";
    EDIT_BUDGET = "BUDGET_EDIT", "FINANCIAL", Low, Org(P::BudgetsDraft), "Edited a draft budget or its lines.";
    DELETE_BUDGET = "BUDGET_DELETE", "FINANCIAL", Medium, Org(P::BudgetsDraft), "Deleted a draft budget.";
    SUBMIT_BUDGET = "BUDGET_SUBMIT", "FINANCIAL", Medium, Org(P::BudgetsDraft), "Submitted a budget for approval.";
    APPROVE_BUDGET = "BUDGET_APPROVE", "FINANCIAL", High, Org(P::BudgetsApprove), "Approved a budget.";
    REJECT_BUDGET = "BUDGET_REJECT", "FINANCIAL", Medium, Org(P::BudgetsApprove), "Rejected a budget, which is a draft again.";
    LOCK_BUDGET = "BUDGET_LOCK", "FINANCIAL", High, Org(P::BudgetsApprove), "Locked an approved budget.";
    COPY_BUDGET = "BUDGET_COPY", "FINANCIAL", Low, Org(P::BudgetsDraft), "Copied a budget to a new version.";
    EDIT_VENDOR = "VENDOR_EDIT", "FINANCIAL", Low, Org(P::VendorsEdit), "Created or edited a vendor.";
    RECORD_VENDOR_SPEND = "VENDOR_SPEND_RECORD", "FINANCIAL", Low, Org(P::VendorsEdit), "Recorded what was spent on a vendor.";
    EDIT_DEPARTMENT = "DEPARTMENT_EDIT", "FINANCIAL", Low, Org(P::VendorsEdit), "Created, edited or deleted a department.";
    RECORD_DEPARTMENT_COSTS = "DEPARTMENT_COSTS_RECORD", "FINANCIAL", Low, Org(P::VendorsEdit), "Recorded the costs of a department.";

    CREATE_DEAL = "DEAL_CREATE", "SALES", Low, Org(P::DealsEdit), "Created a deal.";
    EDIT_DEAL = "DEAL_UPDATE", "SALES", Low, Org(P::DealsEdit), "Edited a deal.";
    ADVANCE_DEAL = "DEAL_STAGE_CHANGE", "SALES", Low, Org(P::DealsEdit), "Moved a deal to another stage.";
    CLOSE_DEAL = "DEAL_CLOSE", "SALES", Medium, Org(P::DealsEdit), "Closed a deal.";
    REOPEN_DEAL = "DEAL_REOPEN", "SALES", Medium, Org(P::DealsEdit), "Reopened a closed deal.";
    REASSIGN_DEAL = "DEAL_REASSIGN", "SALES", Low, Org(P::DealsEdit), "Gave a deal another owner.";
    IMPORT_DEALS = "DEALS_IMPORT", "SALES", Medium, Org(P::DealsEdit), "Imported deals.";
    TAKE_PIPELINE_SNAPSHOT = "PIPELINE_SNAPSHOT", "SALES", Low, Org(P::DealsEdit), "Took a snapshot of the pipeline.";

    ASSIGN_ANOMALY = "ANOMALY_ASSIGN", "FINANCIAL", Low, Org(P::AnomaliesResolve), "Assigned an anomaly.";
    INVESTIGATE_ANOMALY = "ANOMALY_INVESTIGATE", "FINANCIAL", Low, Org(P::AnomaliesResolve), "Started to investigate an anomaly.";
    RESOLVE_ANOMALY = "ANOMALY_RESOLVE", "FINANCIAL", Medium, Org(P::AnomaliesResolve), "Resolved an anomaly.";
    DISMISS_ANOMALY = "ANOMALY_DISMISS", "FINANCIAL", Medium, Org(P::AnomaliesManage), "Dismissed an anomaly.";
    LINK_ANOMALIES = "ANOMALY_LINK", "FINANCIAL", Low, Org(P::AnomaliesResolve), "Linked related anomalies.";

    CREATE_SCENARIO = "SCENARIO_CREATE", "FINANCIAL", Low, Org(P::ScenariosRun), "Created a scenario.";
    EDIT_SCENARIO = "SCENARIO_EDIT", "FINANCIAL", Low, Org(P::ScenariosRun), "Edited a scenario.";
    SHARE_SCENARIO = "SCENARIO_SHARE", "FINANCIAL", Low, Org(P::ScenariosRun), "Shared a scenario.";
    DELETE_SCENARIO = "SCENARIO_DELETE", "FINANCIAL", Medium, Org(P::ScenariosRun), "Deleted a scenario.";

    START_CONVERSATION = "CONVERSATION_START", "AI", Low, Org(P::AssistantConverse), "Started a conversation with the assistant.";
    POST_MESSAGE = "MESSAGE_POST", "AI", Low, Org(P::AssistantConverse), "Posted a message to the assistant.";
    RENAME_CONVERSATION = "CONVERSATION_RENAME", "AI", Low, Org(P::AssistantConverse), "Renamed a conversation.";
    ARCHIVE_CONVERSATION = "CONVERSATION_ARCHIVE", "AI", Low, Org(P::AssistantConverse), "Archived a conversation.";
    REGISTER_MODEL = "MODEL_REGISTER", "AI", Medium, Org(P::AiModelsRegister), "Registered a model.";
    RECORD_MODEL_METRICS = "MODEL_METRICS_RECORD", "AI", Low, Org(P::AiModelsRegister), "Recorded a measurement of a model.";
    RETIRE_MODEL = "MODEL_RETIRE", "AI", Medium, Org(P::AiModelsRegister), "Retired a model.";
    REVIEW_AI_ACTION = "AI_ACTION_REVIEW", "AI", Medium, Org(P::AiActionsReview), "Reviewed an action of the assistant.";
    OVERRIDE_AI_ACTION = "AI_ACTION_OVERRIDE", "AI", High, Org(P::AiActionsReview), "Overrode an action of the assistant.";

    CREATE_CONTROL = "CONTROL_CREATE", "COMPLIANCE", Low, Org(P::ComplianceEdit), "Created a compliance control.";
    EDIT_CONTROL = "CONTROL_EDIT", "COMPLIANCE", Low, Org(P::ComplianceEdit), "Edited a compliance control.";
    VERIFY_CONTROL = "CONTROL_VERIFY", "COMPLIANCE", Medium, Org(P::ComplianceEdit), "Verified a compliance control.";
    CHANGE_CONTROL_STATUS = "CONTROL_STATUS_CHANGE", "COMPLIANCE", Medium, Org(P::ComplianceEdit), "Changed the status of a compliance control.";
    RAISE_ISSUE = "ISSUE_RAISE", "COMPLIANCE", Medium, Org(P::ComplianceEdit), "Raised a compliance issue.";
    ASSIGN_ISSUE = "ISSUE_ASSIGN", "COMPLIANCE", Low, Org(P::ComplianceEdit), "Assigned a compliance issue.";
    RESOLVE_ISSUE = "ISSUE_RESOLVE", "COMPLIANCE", Medium, Org(P::ComplianceEdit), "Resolved a compliance issue.";
    ACCEPT_RISK = "ISSUE_ACCEPT_RISK", "COMPLIANCE", High, Org(P::ComplianceEdit), "Accepted the risk of a compliance issue.";

    EDIT_LINEAGE = "LINEAGE_EDIT", "CONFIG", Low, Org(P::IntegrationsEdit), "Edited the data lineage.";
    CONFIGURE_INTEGRATION = "INTEGRATION_CONFIGURE", "CONFIG", High, Org(P::IntegrationsEdit), "Configured an integration.";
    ENABLE_INTEGRATION = "INTEGRATION_ENABLE", "CONFIG", Medium, Org(P::IntegrationsEdit), "Enabled or disabled an integration.";
    TRIGGER_SYNC = "INTEGRATION_SYNC", "CONFIG", Low, Org(P::IntegrationsEdit), "Triggered a synchronization.";
    FINISH_SYNC = "INTEGRATION_SYNC_FINISH", "CONFIG", Low, Org(P::IntegrationsEdit), "Finished a synchronization.";

    REQUEST_EXPORT = "EXPORT_REQUEST", "COMPLIANCE", Medium, SignedIn, "Asked for rows as a file.";
    BEGIN_EXPORT = "EXPORT_BEGIN", "COMPLIANCE", Low, SignedIn, "Began to download rows as a file.";
    FINISH_EXPORT = "EXPORT_FINISH", "COMPLIANCE", Low, SignedIn, "Ended a download of rows as a file.";
    EXPORT_AUDIT_LOG = "AUDIT_EXPORT", "COMPLIANCE", High, Org(P::AuditExport), "Exported the audit log.";
    REVIEW_AUDIT_LOG = "AUDIT_REVIEW", "COMPLIANCE", Low, Org(P::AuditExport), "Reviewed an entry of the audit log.";
}

workspace! {
    CREATE_WORKSPACE = "WORKSPACE_CREATE", WorkspaceCreate, SignedIn, "Opened a workspace.";
    UPDATE_GOVERNANCE = "GOVERNANCE_UPDATED", GovernanceUpdated, Ws(W::Govern), "Changed the governance rules.";
    CONFIGURE_CONNECTOR = "CONNECTOR_CONFIGURE", GovernanceUpdated, Ws(W::Govern), "Configured a downstream connector.";
    INVITE_MEMBER = "INVITE_SENT", InviteSent, Ws(W::Manage), "Invited a member.";
    ACCEPT_INVITATION = "INVITATION_ACCEPT", RoleChanged, SignedIn, "Accepted the invitation to a workspace.";
    LEAVE_WORKSPACE = "MEMBER_LEAVE", MemberRemoved, SignedIn, "Left a workspace, or declined the invitation to it.";
    CHANGE_MEMBER_ROLE = "ROLE_CHANGED", RoleChanged, Ws(W::Manage), "Changed the role of a member.";
    REMOVE_MEMBER = "MEMBER_REMOVED", MemberRemoved, Ws(W::Manage), "Removed a member.";
    ADD_CLAUSE = "CLAUSE_ADD", ClauseEdit, Ws(W::ClauseEdit), "Added a clause.";
    EDIT_CLAUSE = "CLAUSE_EDIT", ClauseEdit, Ws(W::ClauseEdit), "Edited a clause.";
    MOVE_CLAUSE = "CLAUSE_MOVE", ClauseEdit, Ws(W::ClauseEdit), "Moved a clause.";
    DELETE_CLAUSE = "CLAUSE_DELETE", ClauseEdit, Ws(W::ClauseManage), "Deleted a clause.";
    LOCK_CLAUSE = "SECTION_LOCKED", SectionLocked, Ws(W::ClauseManage), "Locked a clause.";
    UNLOCK_CLAUSE = "SECTION_UNLOCKED", SectionUnlocked, Ws(W::ClauseManage), "Unlocked a clause.";
    ADD_COVENANT = "COVENANT_ADD", ClauseEdit, Ws(W::ClauseEdit), "Added a covenant.";
    EDIT_COVENANT = "COVENANT_EDIT", ClauseEdit, Ws(W::ClauseEdit), "Edited a covenant.";
    REMOVE_COVENANT = "COVENANT_REMOVE", ClauseEdit, Ws(W::ClauseEdit), "Removed a covenant.";
    BIND_VARIABLE = "VARIABLE_BIND", VariableBind, Ws(W::VariableEdit), "Bound a variable to a clause.";
    EDIT_VARIABLE = "VARIABLE_EDIT", VariableEdit, Ws(W::VariableEdit), "Edited a variable.";
    UNBIND_VARIABLE = "VARIABLE_UNBIND", VariableBind, Ws(W::VariableEdit), "Unbound a variable from its clause.";
    SYNC_GRAPH = "GRAPH_SYNC", GraphSync, Ws(W::GraphSync), "Synchronized the dependency graph with the text.";
    OVERRIDE_DRIFT = "DRIFT_OVERRIDE", DriftOverride, Ws(W::DriftOverride), "Overrode the baseline, or asked for it.";
    REVERT_DRIFT = "DRIFT_REVERT", DriftRevert, Ws(W::DriftRevert), "Reverted the draft to the baseline.";
    APPROVE_DRIFT = "DRIFT_APPROVE", DriftApprove, Ws(W::DriftApprove), "Approved a deviation, or an override that waited.";
    UPLOAD_RECONCILIATION = "RECON_UPLOAD", ReconApply, Ws(W::Reconcile), "Uploaded a markup.";
    APPLY_RECONCILIATION = "RECON_APPLY", ReconApply, Ws(W::Reconcile), "Applied a proposed change.";
    REJECT_RECONCILIATION = "RECON_REJECT", ReconReject, Ws(W::Reconcile), "Rejected a proposed change.";
    EXPORT_GOLDEN_RECORD = "EXPORT_JSON", ExportJson, Ws(W::GoldenRecordExport), "Exported the golden record.";
    PUBLISH_GOLDEN_RECORD = "PUBLISH", Publish, Ws(W::GoldenRecordPublish), "Published the golden record.";
    REDELIVER = "CONNECTOR_REDELIVER", GovernanceUpdated, Ws(W::GoldenRecordPublish), "Sent a failed delivery to a connector again.";
    EXPORT_AUDIT = "EXPORT_AUDIT", ExportAudit, Ws(W::AuditExport), "Exported the audit trail of the workspace.";
}

/// Every action.
pub fn all() -> impl Iterator<Item = &'static Action> {
    OF_ORGANIZATIONS.iter().chain(OF_WORKSPACES).copied()
}
