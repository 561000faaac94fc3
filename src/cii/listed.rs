//! The result of reading a list row by row.

/// The readable rows of a list, over all of its pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed<T> {
    /// The items of the rows.
    pub items: T,
    /// Number of rows that are null or lack their key. An item that is absent from `items` may be
    /// one of them.
    pub skipped: usize,
}
