//! The life of a budget: draft → submitted → approved → locked, and back to draft when it is rejected.

/// Where a budget stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Being written; only now may its lines change.
    Draft,
    /// Waits for approval.
    Submitted,
    /// Approved.
    Approved,
    /// Approved and closed for good.
    Locked,
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
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Submitted, Self::Approved, Self::Locked];

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

    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Locked => "locked",
        }
    }

    /// Reads a stored status.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
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
