//! The errors of one answer, as far as they are kept.

use std::{fmt, ops::Deref};

use super::GraphqlError;

/// Errors that are kept: an answer can hold many thousands, and it is copied
/// for each of its subjects.
const KEPT: usize = 100;

/// Errors that a text names.
const NAMED: usize = 3;

/// The first errors of an answer, and how many there were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphqlErrors {
    kept: Vec<GraphqlError>,
    more: usize,
}

impl GraphqlErrors {
    /// How many errors the answer had, those included that were not kept.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.kept.len().saturating_add(self.more)
    }

    /// Changes those that are kept.
    pub(in crate::cii) fn map(mut self, change: impl FnMut(&mut GraphqlError)) -> Self {
        self.kept.iter_mut().for_each(change);
        self
    }
}

impl From<Vec<GraphqlError>> for GraphqlErrors {
    fn from(mut errors: Vec<GraphqlError>) -> Self {
        let more = errors.len().saturating_sub(KEPT);
        errors.truncate(KEPT);
        errors.shrink_to_fit();
        Self { kept: errors, more }
    }
}

impl Deref for GraphqlErrors {
    type Target = [GraphqlError];

    fn deref(&self) -> &[GraphqlError] {
        &self.kept
    }
}

/// The first errors in one line.
impl fmt::Display for GraphqlErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<_> = self.kept.iter().take(NAMED).map(ToString::to_string).collect();
        f.write_str(&named.join("; "))?;
        match self.count().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hundred_thousand_errors_are_a_hundred_and_a_number() {
        let error = GraphqlError::parse(&json!({ "message": "x" }), "");
        let errors = GraphqlErrors::from(vec![error; 100_000]);
        assert_eq!((errors.len(), errors.count()), (100, 100_000));
        assert_eq!(errors.to_string(), "x; x; x; and 99997 more");
    }
}
