//! Why somebody does something, for the audit trail.

use aether_domain::entry::is_blank;
use aether_entity::sea_orm_active_enums::ReasonCategory;
use aether_store::{Error, Result, write::Change};

use crate::check::text;

/// How many characters a reason has at most.
const LONGEST: usize = 2_000;

/// The reason that was given, if one was, and its kind.
#[derive(Debug, Clone, Default)]
pub struct Reason {
    text: Option<String>,
    category: Option<ReasonCategory>,
}

impl Reason {
    /// What was given; a text without a word is none.
    pub fn new(text: Option<String>, category: Option<ReasonCategory>) -> Self {
        Self { text: text.filter(|text| !is_blank(text)), category }
    }

    /// Its kind, if one was given.
    pub fn category(&self) -> Option<ReasonCategory> {
        self.category.clone()
    }

    /// Tells it to the audit trail, and gives its text.
    pub fn note(&self, c: &Change) -> Result<Option<String>> {
        let reason = self.text.as_deref().map(|given| text("reason", given, LONGEST)).transpose()?;
        c.reason(reason.as_deref(), self.category.clone());
        Ok(reason)
    }

    /// The same where a reason must be given.
    pub fn demand(&self, c: &Change) -> Result<String> {
        self.note(c)?.ok_or_else(|| Error::invalid("reason", "A reason is needed. Say why in a sentence."))
    }
}
