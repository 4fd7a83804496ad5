//! The life of an anomaly: open → investigating → resolved or dismissed; an obvious one is settled at once.

/// How far the work on an anomaly has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Detected, and nobody works on it yet.
    Open,
    /// Somebody looks for the cause.
    Investigating,
    /// The cause was found and dealt with.
    Resolved,
    /// Judged not to matter, or to be none.
    Dismissed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Open, Self::Investigating, Self::Resolved, Self::Dismissed];

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

    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Investigating => "investigating",
            Self::Resolved => "resolved",
            Self::Dismissed => "dismissed",
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
