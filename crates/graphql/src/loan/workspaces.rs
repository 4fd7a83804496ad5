//! Workspaces: opening one, and the rules under which it is governed.

use aether_application::loan::workspaces;
use aether_entity as entity;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    input::{Plain, Scalar, plain, why},
    rows::Row,
    run::run,
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

plain!(WorkspaceInput as workspaces::NewWorkspace { name, currency, amount, standard, base_pdf_name, governance_rules });

plain!(GovernanceRulesInput as workspaces::GovernanceRulesEdit { require_reason_for_sensitive_edits, legal_can_revert_draft, risk_approval_required_for_override, publish_blocked_when_high_drift, definitions_locked_after_approval, external_counsel_read_only });

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
    ) -> Result<Row<entity::workspaces::Entity>> {
        let id = run(ctx, workspaces::create(input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Changes the rules under which a workspace is governed. They hold from the next change in the workspace.
    async fn update_governance_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] workspace_id: Uuid,
        #[graphql(desc = "The version of the workspace that you saw.")] expected_version: i32,
        #[graphql(desc = "The rules that change.")] input: GovernanceRulesInput,
        #[graphql(desc = "Why they change.")] reason: Option<String>,
    ) -> Result<Row<entity::workspaces::Entity>> {
        let id = run(
            ctx,
            workspaces::update_governance_rules(workspace_id, expected_version, input.plain(), why(reason, None)),
        )
        .await?;
        Ok(Row::new(id))
    }
}
