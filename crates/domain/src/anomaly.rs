//! The life of an anomaly: open → investigating → resolved or dismissed; an obvious one is settled at once.

stored! {
    /// How far the work on an anomaly has come.
    pub enum Status {
        /// Detected, and nobody works on it yet.
        Open = "open",
        /// Somebody looks for the cause.
        Investigating = "investigating",
        /// The cause was found and dealt with.
        Resolved = "resolved",
        /// Judged not to matter, or to be none.
        Dismissed = "dismissed",
    }
}

impl Status {
    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Resolved | Self::Dismissed)
    }

    /// Whether the status may become the other one.
    #[must_use]
    pub const fn may_become(self, to: Self) -> bool {
        match self {
            Self::Open => !matches!(to, Self::Open),
            Self::Investigating => to.is_settled(),
            Self::Resolved | Self::Dismissed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_changes_are_possible_and_no_other() {
        let mut changes = Vec::new();
        for from in Status::ALL {
            changes.extend(Status::ALL.into_iter().filter(|to| from.may_become(*to)).map(|to| (from, to)));
        }
        assert_eq!(
            changes,
            [
                (Status::Open, Status::Investigating),
                (Status::Open, Status::Resolved),
                (Status::Open, Status::Dismissed),
                (Status::Investigating, Status::Resolved),
                (Status::Investigating, Status::Dismissed),
            ]
        );
    }
}
