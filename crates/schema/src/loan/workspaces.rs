//! Workspaces: opening one, and the rules under which it is governed.

use aether_domain::{golden, governance::Rules};
use aether_entity::{
    downstream_connectors, golden_records, graph_state,
    sea_orm_active_enums::{ConnectorStatus, ConnectorType, GoldenRecordStatus, MemberStatus, WorkspaceRole},
    workspace_members, workspaces,
};
use aether_store::write::{Change, action};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use rust_decimal::Decimal;
use sea_orm::Set;
use uuid::Uuid;

use crate::{
    change::change,
    graph::Row,
    input::{Scalar, currency, optional_text, positive_money, text},
};

/// A workspace to open.
#[derive(InputObject)]
struct WorkspaceInput {
    /// Name of the deal or the facility, at most 255 characters.
    name: String,
    /// Base currency of the facility, an ISO 4217 code.
    #[graphql(default_with = "String::from(\"USD\")")]
    currency: String,
    /// Total amount of the facility, in its base currency.
    #[graphql(default_with = "Scalar(Decimal::ZERO)")]
    amount: Scalar<Decimal>,
    /// Documentation standard of the agreement, such as LMA or LSTA, at most 50 characters.
    #[graphql(default_with = "String::from(\"LMA\")")]
    standard: String,
    /// File name of the base agreement, if there is one, at most 255 characters.
    base_pdf_name: Option<String>,
    /// The rules under which the workspace is governed; what is left out has its default.
    governance_rules: Option<GovernanceRulesInput>,
}

/// Rules of a workspace: what is left out stays as it is, null gives a rule its default.
#[derive(InputObject)]
struct GovernanceRulesInput {
    /// Whether an edit of a sensitive clause needs a reason; true by default.
    require_reason_for_sensitive_edits: MaybeUndefined<bool>,
    /// Whether legal members may revert the draft to the baseline; false by default.
    legal_can_revert_draft: MaybeUndefined<bool>,
    /// Whether an override of the baseline waits for a risk member's approval; true by default.
    risk_approval_required_for_override: MaybeUndefined<bool>,
    /// Whether unresolved HIGH drift blocks publishing; true by default.
    publish_blocked_when_high_drift: MaybeUndefined<bool>,
    /// Whether definitions are locked once approved; true by default.
    definitions_locked_after_approval: MaybeUndefined<bool>,
    /// Whether legal members of another organization only read; false by default.
    external_counsel_read_only: MaybeUndefined<bool>,
}

impl GovernanceRulesInput {
    /// The rules with what the input says.
    fn over(&self, mut rules: Rules) -> Rules {
        let default = Rules::default();
        let set = |rule: &mut bool, value: &MaybeUndefined<bool>, default: bool| match value {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => *rule = default,
            MaybeUndefined::Value(on) => *rule = *on,
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

/// Opening and governing workspaces.
#[derive(Default)]
pub(crate) struct WorkspaceMutation;

#[Object]
impl WorkspaceMutation {
    /// Opens a workspace in your organization: you become its agent and admin, and it has a golden record, an empty dependency
    /// graph and a connector to each kind of downstream system, none of them connected.
    async fn create_workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] input: WorkspaceInput,
    ) -> Result<Row<workspaces::Entity>> {
        change(ctx, &action::CREATE_WORKSPACE, |c| async move {
            let rules = Rules::default();
            let rules = input.governance_rules.as_ref().map_or(rules, |input| input.over(rules));
            let workspace = c
                .insert(workspaces::ActiveModel {
                    organization_id: Set(c.actor().organization_id),
                    name: Set(text("input.name", &input.name, 255)?),
                    currency: Set(currency("input.currency", &input.currency)?),
                    amount: Set(positive_money("input.amount", input.amount.0)?),
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
            furnish(&c, workspace.id).await?;
            Ok(Row::new(workspace.id))
        })
        .await
    }

    /// Changes the rules under which a workspace is governed. They hold from the next change in the workspace.
    async fn update_governance_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] workspace_id: Uuid,
        #[graphql(desc = "The version of the workspace that you saw.")] expected_version: i32,
        #[graphql(desc = "The rules that change.")] input: GovernanceRulesInput,
        #[graphql(desc = "Why they change.")] reason: Option<String>,
    ) -> Result<Row<workspaces::Entity>> {
        change(ctx, &action::UPDATE_GOVERNANCE, |c| async move {
            c.reason(reason.as_deref(), None);
            let membership = c.workspace(workspace_id).await?;
            c.expect::<workspaces::Entity>(&membership.workspace, expected_version).await?;
            let rules = input.over(membership.rules);
            if rules != membership.rules {
                c.update(membership.workspace.clone(), |workspace| workspace.governance_rules = Set(rules.to_json()))
                    .await?;
            }
            Ok(Row::new(workspace_id))
        })
        .await
    }
}

/// What every workspace has: its golden record, the state of its graph, the connectors. With nothing in it yet, nothing is
/// wrong with it.
async fn furnish(c: &Change, workspace: Uuid) -> aether_store::Result<()> {
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
