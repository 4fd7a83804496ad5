//! What became of an import.

/// What an import did, or would do, counted in lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct Imported {
    /// Lines that were new.
    pub inserted: usize,
    /// Lines that changed something.
    pub updated: usize,
    /// Lines that said what was known already.
    pub unchanged: usize,
    /// Whether this only tells what an import would do.
    pub dry_run: bool,
}

impl Imported {
    /// All lines.
    pub fn total(self) -> usize {
        self.inserted + self.updated + self.unchanged
    }
}
