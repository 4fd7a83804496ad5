//! What one request may ask for, at most.

/// What one request may ask for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Rows of a page unless said.
    pub default_page_size: u64,
    /// Rows of a page at most.
    pub max_page_size: u64,
    /// Rows of one request at most, were every page full.
    pub max_rows: u64,
    /// Values of one request at most, were every page full: each row has all that is selected of it.
    pub max_values: u64,
    /// Bytes of an answer at most.
    pub max_answer_bytes: usize,
    /// What the filters of one request may cost to plan: the squares of the relations that each reaches through, summed up.
    pub max_filter_cost: u64,
    /// How deep fields may nest.
    pub max_depth: usize,
    /// How many fields a request may select.
    pub max_fields: usize,
    /// Whether connectors on other machines may be delivered to without encryption.
    pub allow_insecure_connectors: bool,
    /// Attempts to sign in from one address in a minute; 0 for any number.
    pub logins_per_minute: u32,
    /// Mutations of one user in a minute; 0 for any number.
    pub mutations_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            default_page_size: 20,
            max_page_size: 500,
            max_rows: 500_000,
            max_values: 5_000_000,
            max_answer_bytes: 64 * 1024 * 1024,
            max_filter_cost: 256,
            max_depth: 24,
            max_fields: 2_000,
            allow_insecure_connectors: false,
            logins_per_minute: 60,
            mutations_per_minute: 1_200,
        }
    }
}
