//! The stages of a deal: open ones are freely changed, closing ends them, reopening begins them anew.

stored! {
    /// The stage of a deal.
    pub enum Stage {
        /// A possible customer was found.
        Prospecting = "Prospecting",
        /// The needs of the customer are being understood.
        Discovery = "Discovery",
        /// An offer was made.
        Proposal = "Proposal",
        /// Terms and price are being agreed.
        Negotiation = "Negotiation",
        /// The contract is with the lawyers.
        LegalReview = "Legal Review",
        /// The contract was signed.
        ClosedWon = "Closed Won",
        /// The deal will not happen.
        ClosedLost = "Closed Lost",
    }
}

impl Stage {
    /// Whether the deal has ended.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::ClosedWon | Self::ClosedLost)
    }

    /// Whether advancing, forwards or backwards, may lead there: from an open stage to another open one. Deals are ended
    /// by closing them and begun again by reopening them, each an action of its own.
    #[must_use]
    pub fn may_advance_to(self, to: Self) -> bool {
        !self.is_closed() && !to.is_closed() && self != to
    }

    /// Whether closing may lead there: from an open stage to won or lost.
    #[must_use]
    pub const fn may_close_as(self, to: Self) -> bool {
        !self.is_closed() && to.is_closed()
    }

    /// Whether reopening may lead there: from a closed stage to an open one.
    #[must_use]
    pub const fn may_reopen_to(self, to: Self) -> bool {
        self.is_closed() && !to.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_one_action_leads_from_a_stage_to_another_and_none_from_won_to_lost() {
        for from in Stage::ALL {
            for to in Stage::ALL {
                let ways = [from.may_advance_to(to), from.may_close_as(to), from.may_reopen_to(to)];
                let expected = usize::from(from != to && !(from.is_closed() && to.is_closed()));
                assert_eq!(ways.into_iter().filter(|way| *way).count(), expected, "{from:?} to {to:?}");
            }
            assert_eq!(Stage::from_name(from.as_str()), Some(from));
        }
        assert!(!Stage::ClosedWon.may_advance_to(Stage::Proposal) && Stage::ClosedLost.may_reopen_to(Stage::Proposal));
    }
}
