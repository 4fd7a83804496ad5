//! Who is in which workspace, in what role, under which rules.

use aether_domain::governance::Rules;

use crate::people::{HOME, People, User};

const SARAH: &str = "sarah.chen@aether-demo.com";
const MARCUS: &str = "finance.manager@aether-demo.com";
const VICTOR: &str = "cfo@meridian-capital.example";
const AMELIA: &str = "agent@northgate-bank.example";
const DANIEL: &str = "agent2@northgate-bank.example";
const PRIYA: &str = "risk@northgate-bank.example";
const JONAS: &str = "legal@harrow-and-lane.example";
const BEATRICE: &str = "legal2@harrow-and-lane.example";
const TOM: &str = "investor@castlebrook-investors.example";
const YUKI: &str = "investor2@castlebrook-investors.example";

/// A member of a workspace.
pub(super) struct Member {
    pub(super) email: &'static str,
    pub(super) role: &'static str,
    pub(super) is_admin: bool,
    pub(super) status: &'static str,
    /// The role of the invitation, where it has been changed since.
    pub(super) invited_as: Option<&'static str>,
}

const fn member(email: &'static str, role: &'static str, status: &'static str) -> Member {
    Member { email, role, is_admin: false, status, invited_as: None }
}

const fn admin(email: &'static str) -> Member {
    Member { email, role: "agent", is_admin: true, status: "active", invited_as: None }
}

const fn promoted(email: &'static str, from: &'static str, role: &'static str) -> Member {
    Member { email, role, is_admin: false, status: "active", invited_as: Some(from) }
}

/// The people of a workspace and what falls to whom. Everybody named here holds a role that allows it.
pub(super) struct Parties {
    /// The slug of the organization that hosts the workspace.
    pub(super) host: &'static str,
    /// How many days ago the workspace was made.
    pub(super) age: i64,
    /// The first one made the workspace.
    pub(super) members: &'static [Member],
    /// The facility agent, who governs, syncs and publishes.
    pub(super) agent: &'static str,
    /// Those who edit, in turn.
    pub(super) editors: &'static [&'static str],
    /// Who uploads markups and decides on what they propose.
    pub(super) reconciler: &'static str,
    /// Who puts the draft back to the baseline.
    pub(super) reverter: &'static str,
    /// Who accepts deviations and approves overrides.
    pub(super) risk: &'static str,
    pub(super) rules: Rules,
    /// Name, type and status of each downstream system.
    pub(super) connectors: &'static [(&'static str, &'static str, &'static str)],
    /// Whether the golden record was published again before the markups came, and at the end.
    pub(super) published_midway: bool,
    pub(super) published_lately: bool,
}

/// The casts of the three agreements, in their order.
pub(super) const CASTS: [Parties; 3] = [
    Parties {
        host: HOME,
        age: 143,
        members: &[
            admin(SARAH),
            admin(AMELIA),
            promoted(DANIEL, "investor", "agent"),
            member(JONAS, "legal", "active"),
            member(BEATRICE, "legal", "pending"),
            member(PRIYA, "risk", "active"),
            member(TOM, "investor", "active"),
            member(YUKI, "investor", "removed"),
        ],
        agent: AMELIA,
        editors: &[AMELIA, JONAS, DANIEL],
        reconciler: JONAS,
        reverter: JONAS,
        risk: PRIYA,
        rules: Rules {
            require_reason_for_sensitive_edits: true,
            legal_can_revert_draft: true,
            risk_approval_required_for_override: true,
            publish_blocked_when_high_drift: true,
            definitions_locked_after_approval: false,
            external_counsel_read_only: false,
        },
        connectors: &[
            ("Northgate loan servicing", "LoanIQ", "READY"),
            ("Agency trade capture", "Finastra", "IN_REVIEW"),
            ("Castlebrook portfolio book", "Allvue", "READY"),
            ("Covenant calendar", "CovenantTracker", "DISCONNECTED"),
        ],
        published_midway: true,
        published_lately: false,
    },
    // External counsel may only read here, so that all drafting is the agents'.
    Parties {
        host: HOME,
        age: 96,
        members: &[
            admin(MARCUS),
            member(SARAH, "agent", "active"),
            admin(AMELIA),
            member(DANIEL, "agent", "pending"),
            member(JONAS, "legal", "active"),
            member(BEATRICE, "legal", "removed"),
            member(PRIYA, "risk", "active"),
            promoted(YUKI, "risk", "investor"),
            member(TOM, "investor", "active"),
        ],
        agent: AMELIA,
        editors: &[AMELIA, MARCUS],
        reconciler: AMELIA,
        reverter: AMELIA,
        risk: PRIYA,
        rules: Rules {
            require_reason_for_sensitive_edits: true,
            legal_can_revert_draft: false,
            risk_approval_required_for_override: true,
            publish_blocked_when_high_drift: true,
            definitions_locked_after_approval: false,
            external_counsel_read_only: true,
        },
        connectors: &[
            ("Term loan servicing", "LoanIQ", "READY"),
            ("Settlement platform", "Finastra", "DISCONNECTED"),
            ("Investor positions", "Allvue", "IN_REVIEW"),
            ("Covenant calendar", "CovenantTracker", "READY"),
        ],
        published_midway: false,
        published_lately: false,
    },
    Parties {
        host: "meridian-capital",
        age: 61,
        members: &[
            admin(VICTOR),
            member(AMELIA, "agent", "active"),
            member(DANIEL, "agent", "removed"),
            member(JONAS, "legal", "active"),
            promoted(BEATRICE, "investor", "legal"),
            member(PRIYA, "risk", "active"),
            member(TOM, "investor", "pending"),
            member(YUKI, "investor", "active"),
        ],
        agent: AMELIA,
        editors: &[JONAS, BEATRICE],
        reconciler: BEATRICE,
        reverter: BEATRICE,
        risk: PRIYA,
        rules: Rules {
            require_reason_for_sensitive_edits: false,
            legal_can_revert_draft: true,
            risk_approval_required_for_override: false,
            publish_blocked_when_high_drift: true,
            definitions_locked_after_approval: true,
            external_counsel_read_only: false,
        },
        connectors: &[
            ("Meridian loan ledger", "LoanIQ", "READY"),
            ("Trade capture", "Finastra", "READY"),
            ("Fund positions", "Allvue", "DISCONNECTED"),
            ("Sustainability and covenant calendar", "CovenantTracker", "IN_REVIEW"),
        ],
        published_midway: false,
        published_lately: true,
    },
];

impl Parties {
    /// The one who made the workspace.
    pub(super) fn creator(&self) -> &'static str {
        self.members[0].email
    }

    /// A member, for sure: nobody from outside acts in a workspace.
    pub(super) fn user<'a>(&self, people: &'a People, email: &str) -> &'a User {
        debug_assert!(self.members.iter().any(|member| member.email == email), "{email} is no member");
        people.user(email)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(parties: &Parties, email: &str) -> &'static str {
        let member = parties.members.iter().find(|member| member.email == email).expect("a member");
        assert_eq!(member.status, "active", "{email} acts");
        member.role
    }

    #[test]
    fn everybody_holds_a_role_that_allows_what_they_do() {
        for parties in &CASTS {
            assert_eq!(role(parties, parties.agent), "agent");
            assert_eq!(role(parties, parties.creator()), "agent");
            assert!(parties.members[0].is_admin);
            assert_eq!(role(parties, parties.risk), "risk");
            assert!(role(parties, parties.reverter) == "agent" || parties.rules.legal_can_revert_draft);
            for email in parties.editors.iter().chain([&parties.reconciler]) {
                let role = role(parties, email);
                // All counsel are from a law firm, so never of the host.
                assert!(role == "agent" || role == "legal" && !parties.rules.external_counsel_read_only);
            }
        }
    }

    #[test]
    fn every_workspace_has_every_role_and_status() {
        for parties in &CASTS {
            for role in ["agent", "legal", "risk", "investor"] {
                assert!(
                    parties.members.iter().any(|member| member.role == role && member.status == "active"),
                    "{role}"
                );
            }
            for status in ["active", "pending", "removed"] {
                assert!(parties.members.iter().any(|member| member.status == status), "{status}");
            }
        }
    }
}
