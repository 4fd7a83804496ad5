//! What is selected of rows, and what they are ordered by.

/// One term of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// What is ordered by.
    pub column: SelectedColumn,
    /// Whether it descends.
    pub descending: bool,
    /// Whether nulls come first.
    pub nulls_first: bool,
    /// Whether it can be null at all.
    pub nullable: bool,
}

/// Something selected of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SelectedColumn {
    /// A column, by its place in the table.
    Column(usize),
    /// How well the row answers the search.
    Rank,
    /// The piece of the row's text that answers the search.
    Snippet,
    /// A value of a group, by its place.
    Group(usize),
}
