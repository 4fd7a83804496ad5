//! The life of a budget: draft → submitted → approved → locked, and back to draft when it is rejected.

stored! {
    /// Where a budget stands.
    pub enum Status {
        /// Being written; only now may its lines change.
        Draft = "draft",
        /// Waits for approval.
        Submitted = "submitted",
        /// Approved.
        Approved = "approved",
        /// Approved and closed for good.
        Locked = "locked",
    }
}

/// What is done with a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The author asks for approval.
    Submit,
    /// Somebody else agrees.
    Approve,
    /// Somebody else sends it back.
    Reject,
    /// Closed for good.
    Lock,
}

impl Status {
    /// Whether the lines may change.
    #[must_use]
    pub const fn is_editable(self) -> bool {
        matches!(self, Self::Draft)
    }

    /// The status after a step; `None` if the step cannot be taken from here.
    #[must_use]
    pub const fn after(self, step: Step) -> Option<Self> {
        match (self, step) {
            (Self::Draft, Step::Submit) => Some(Self::Submitted),
            (Self::Submitted, Step::Approve) => Some(Self::Approved),
            (Self::Submitted, Step::Reject) => Some(Self::Draft),
            (Self::Approved, Step::Lock) => Some(Self::Locked),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_steps_are_possible_and_no_other() {
        let steps = [Step::Submit, Step::Approve, Step::Reject, Step::Lock];
        let possible: Vec<(Status, Step, Status)> = Status::ALL
            .into_iter()
            .flat_map(|from| steps.into_iter().filter_map(move |step| Some((from, step, from.after(step)?))))
            .collect();
        assert_eq!(
            possible,
            [
                (Status::Draft, Step::Submit, Status::Submitted),
                (Status::Submitted, Step::Approve, Status::Approved),
                (Status::Submitted, Step::Reject, Status::Draft),
                (Status::Approved, Step::Lock, Status::Locked),
            ]
        );
        assert_eq!(Status::ALL.into_iter().filter(|status| status.is_editable()).collect::<Vec<_>>(), [Status::Draft]);
    }
}
