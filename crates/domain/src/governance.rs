//! The rules under which a workspace is governed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The rules, each with its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Rules {
    /// Whether an edit of a sensitive clause needs a reason; true unless said.
    pub require_reason_for_sensitive_edits: bool,
    /// Whether legal members may revert the draft to the baseline; false unless said.
    pub legal_can_revert_draft: bool,
    /// Whether an override of the baseline waits for a risk member's approval; true unless said.
    pub risk_approval_required_for_override: bool,
    /// Whether unresolved HIGH drift blocks publishing; true unless said.
    pub publish_blocked_when_high_drift: bool,
    /// Whether definitions are locked once approved; true unless said.
    pub definitions_locked_after_approval: bool,
    /// Whether legal members of another organization only read; false unless said.
    pub external_counsel_read_only: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            require_reason_for_sensitive_edits: true,
            legal_can_revert_draft: false,
            risk_approval_required_for_override: true,
            publish_blocked_when_high_drift: true,
            definitions_locked_after_approval: true,
            external_counsel_read_only: false,
        }
    }
}

/// Why a document is no set of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulesError {
    /// The document is a list, a text or a number.
    NotAnObject,
    /// There is no rule of this name.
    UnknownRule(String),
    /// The rule of this name is on or off, and the document says neither.
    NotABoolean(String),
}

impl RulesError {
    /// What was wrong and what to do, in a sentence for the caller.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::NotAnObject => "governance rules are an object of rule names with true or false".to_owned(),
            Self::UnknownRule(name) => {
                format!("there is no governance rule {name:?}; the rules are {}", Rules::NAMES.join(", "))
            }
            Self::NotABoolean(name) => format!("the governance rule {name} is true or false"),
        }
    }
}

impl Rules {
    /// The names of the rules, as they are stored.
    pub const NAMES: [&str; 6] = [
        "requireReasonForSensitiveEdits",
        "legalCanRevertDraft",
        "riskApprovalRequiredForOverride",
        "publishBlockedWhenHighDrift",
        "definitionsLockedAfterApproval",
        "externalCounselReadOnly",
    ];

    /// Reads a stored document. What is missing or null takes its default, and so does a missing document.
    ///
    /// # Errors
    /// If the document is not an object, names a rule that does not exist, or says neither true nor false of one.
    pub fn from_json(document: &Value) -> Result<Self, RulesError> {
        let mut rules = Self::default();
        let entries = match document {
            Value::Null => return Ok(rules),
            Value::Object(entries) => entries,
            _ => return Err(RulesError::NotAnObject),
        };
        for (name, value) in entries {
            let Some(rule) = rules.rule(name) else { return Err(RulesError::UnknownRule(name.clone())) };
            match value {
                Value::Null => {}
                Value::Bool(on) => *rule = *on,
                _ => return Err(RulesError::NotABoolean(name.clone())),
            }
        }
        Ok(rules)
    }

    /// The document to be stored, with every rule written out.
    #[must_use]
    pub fn to_json(self) -> Value {
        serde_json::json!({
            "requireReasonForSensitiveEdits": self.require_reason_for_sensitive_edits,
            "legalCanRevertDraft": self.legal_can_revert_draft,
            "riskApprovalRequiredForOverride": self.risk_approval_required_for_override,
            "publishBlockedWhenHighDrift": self.publish_blocked_when_high_drift,
            "definitionsLockedAfterApproval": self.definitions_locked_after_approval,
            "externalCounselReadOnly": self.external_counsel_read_only,
        })
    }

    fn rule(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "requireReasonForSensitiveEdits" => &mut self.require_reason_for_sensitive_edits,
            "legalCanRevertDraft" => &mut self.legal_can_revert_draft,
            "riskApprovalRequiredForOverride" => &mut self.risk_approval_required_for_override,
            "publishBlockedWhenHighDrift" => &mut self.publish_blocked_when_high_drift,
            "definitionsLockedAfterApproval" => &mut self.definitions_locked_after_approval,
            "externalCounselReadOnly" => &mut self.external_counsel_read_only,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_said_takes_its_default() {
        for document in [json!(null), json!({}), json!({ "legalCanRevertDraft": null })] {
            assert_eq!(Rules::from_json(&document), Ok(Rules::default()));
        }
        let rules = Rules::from_json(&json!({ "legalCanRevertDraft": true })).expect("a rule");
        assert_eq!(rules, Rules { legal_can_revert_draft: true, ..Rules::default() });
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        let refused = |document: Value| Rules::from_json(&document).expect_err("no rules");
        assert_eq!(refused(json!({ "legalCanPublish": true })), RulesError::UnknownRule("legalCanPublish".to_owned()));
        assert_eq!(refused(json!({ "legalCanPublish": null })), RulesError::UnknownRule("legalCanPublish".to_owned()));
        assert_eq!(refused(json!([])), RulesError::NotAnObject);
        assert_eq!(
            refused(json!({ "legalCanRevertDraft": "yes" })),
            RulesError::NotABoolean("legalCanRevertDraft".to_owned())
        );
        assert!(refused(json!({ "x": true })).message().contains("externalCounselReadOnly"));
    }

    #[test]
    fn names_are_those_that_are_written_and_every_rule_is_its_own() {
        assert_eq!(serde_json::to_value(Rules::default()).expect("plain data"), Rules::default().to_json());
        for name in Rules::NAMES {
            let turned = !Rules::default().to_json()[name].as_bool().expect("on or off");
            let rules = Rules::from_json(&json!({ name: turned })).expect("a rule");
            let mut expected = Rules::default().to_json();
            expected[name] = json!(turned);
            assert_eq!(rules.to_json(), expected);
        }
    }
}
