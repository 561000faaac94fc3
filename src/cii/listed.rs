//! A list of the service, row by row.

/// The rows of a list that could be read, over all of its pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed<T> {
    /// What was read.
    pub items: T,
    /// Rows that are null, or that name nobody: who is absent from `items` may
    /// stand in one of them.
    pub skipped: usize,
}
