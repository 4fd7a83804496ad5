//! Workspaces: opening one, and the rules under which it is governed.

use aether_domain::{golden, governance::Rules};
use aether_entity::{
    downstream_connectors, golden_records, graph_state,
    sea_orm_active_enums::{ConnectorStatus, ConnectorType, GoldenRecordStatus, MemberStatus, WorkspaceRole},
    workspace_members, workspaces,
};
use aether_store::{
    Result,
    write::{Change, UseCase, action},
};
use rust_decimal::Decimal;
use sea_orm::Set;
use uuid::Uuid;

use crate::{
    check::{currency, optional_text, positive_money, text},
    patch::Patch,
    reason::Reason,
};

/// A workspace to open.
pub struct NewWorkspace {
    pub name: String,
    pub currency: String,
    pub amount: Decimal,
    pub standard: String,
    pub base_pdf_name: Option<String>,
    pub governance_rules: Option<GovernanceRulesEdit>,
}

/// Rules of a workspace: what is left out stays as it is, null gives a rule its default.
pub struct GovernanceRulesEdit {
    pub require_reason_for_sensitive_edits: Patch<bool>,
    pub legal_can_revert_draft: Patch<bool>,
    pub risk_approval_required_for_override: Patch<bool>,
    pub publish_blocked_when_high_drift: Patch<bool>,
    pub definitions_locked_after_approval: Patch<bool>,
    pub external_counsel_read_only: Patch<bool>,
}

impl GovernanceRulesEdit {
    /// The rules with what the input says.
    fn over(&self, mut rules: Rules) -> Rules {
        let default = Rules::default();
        let set = |rule: &mut bool, value: &Patch<bool>, default: bool| match value {
            Patch::Absent => {}
            Patch::Null => *rule = default,
            Patch::Value(on) => *rule = *on,
        };
        set(
            &mut rules.require_reason_for_sensitive_edits,
            &self.require_reason_for_sensitive_edits,
            default.require_reason_for_sensitive_edits,
        );
        set(&mut rules.legal_can_revert_draft, &self.legal_can_revert_draft, default.legal_can_revert_draft);
        set(
            &mut rules.risk_approval_required_for_override,
            &self.risk_approval_required_for_override,
            default.risk_approval_required_for_override,
        );
        set(
            &mut rules.publish_blocked_when_high_drift,
            &self.publish_blocked_when_high_drift,
            default.publish_blocked_when_high_drift,
        );
        set(
            &mut rules.definitions_locked_after_approval,
            &self.definitions_locked_after_approval,
            default.definitions_locked_after_approval,
        );
        set(
            &mut rules.external_counsel_read_only,
            &self.external_counsel_read_only,
            default.external_counsel_read_only,
        );
        rules
    }
}

/// Opens a workspace in your organization: you become its agent and admin, and it has a golden record, an empty dependency graph and a connector to each kind of downstream system, none of them connected.
pub fn create(input: NewWorkspace) -> UseCase<Uuid> {
    UseCase::new(&action::CREATE_WORKSPACE, move |c| {
        Box::pin(async move {
            let rules = Rules::default();
            let rules = input.governance_rules.as_ref().map_or(rules, |input| input.over(rules));
            let workspace = c
                .insert(workspaces::ActiveModel {
                    organization_id: Set(c.actor().organization_id),
                    name: Set(text("input.name", &input.name, 255)?),
                    currency: Set(currency("input.currency", &input.currency)?),
                    amount: Set(positive_money("input.amount", input.amount)?),
                    standard: Set(text("input.standard", &input.standard, 50)?),
                    base_pdf_name: Set(optional_text("input.basePdfName", input.base_pdf_name, 255)?),
                    created_by_id: Set(c.actor().user_id),
                    governance_rules: Set(rules.to_json()),
                    ..Default::default()
                })
                .await?;
            c.insert(workspace_members::ActiveModel {
                workspace_id: Set(workspace.id),
                user_id: Set(c.actor().user_id),
                role: Set(WorkspaceRole::Agent),
                is_admin: Set(true),
                status: Set(MemberStatus::Active),
                invited_at: Set(c.now()),
                joined_at: Set(Some(c.now())),
                ..Default::default()
            })
            .await?;
            c.workspace(workspace.id).await?;
            furnish(c, workspace.id).await?;
            Ok(workspace.id)
        })
    })
}

/// Changes the rules under which a workspace is governed.
pub fn update_governance_rules(
    workspace_id: Uuid,
    expected_version: i32,
    input: GovernanceRulesEdit,
    reason: Reason,
) -> UseCase<Uuid> {
    UseCase::new(&action::UPDATE_GOVERNANCE, move |c| {
        Box::pin(async move {
            reason.note(c)?;
            let membership = c.workspace(workspace_id).await?;
            c.expect::<workspaces::Entity>(&membership.workspace, expected_version).await?;
            let rules = input.over(membership.rules);
            if rules != membership.rules {
                c.update(membership.workspace.clone(), |workspace| workspace.governance_rules = Set(rules.to_json()))
                    .await?;
            }
            Ok(workspace_id)
        })
    })
}

/// What every workspace has: its golden record, the state of its graph, the connectors. With nothing in it yet, nothing is
/// wrong with it.
async fn furnish(c: &Change, workspace: Uuid) -> Result<()> {
    let whole = Decimal::ONE;
    c.insert(graph_state::ActiveModel {
        workspace_id: Set(workspace),
        integrity_score: Set(whole),
        ..Default::default()
    })
    .await?;
    let ready = golden::is_ready(whole, 0);
    c.insert(golden_records::ActiveModel {
        workspace_id: Set(workspace),
        status: Set(if ready { GoldenRecordStatus::Ready } else { GoldenRecordStatus::InReview }),
        integrity_score: Set(whole),
        ..Default::default()
    })
    .await?;
    let connectors = [
        ("Loan servicing", ConnectorType::LoanIq),
        ("Lending platform", ConnectorType::Finastra),
        ("Credit portfolio", ConnectorType::Allvue),
        ("Covenant monitoring", ConnectorType::CovenantTracker),
    ];
    let connectors = connectors.map(|(name, kind)| downstream_connectors::ActiveModel {
        workspace_id: Set(workspace),
        name: Set(name.to_owned()),
        r#type: Set(kind),
        status: Set(ConnectorStatus::Disconnected),
        ..Default::default()
    });
    c.insert_all(connectors.into()).await?;
    Ok(())
}
