//! The errors of one answer, limited in number.

use std::{fmt, ops::Deref};

use super::{
    GraphqlError,
    kind::{self, ErrorKind, Subject},
};

/// Most errors that are kept: an answer can contain thousands, and they are copied for each
/// subject.
const KEPT: usize = 100;

/// Most errors in a text.
const NAMED: usize = 3;

/// The first errors of an answer, how many there were, and their common kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphqlErrors {
    kept: Vec<GraphqlError>,
    more: usize,
    kind: ErrorKind,
}

impl GraphqlErrors {
    /// The errors of the root field `root` in a request for `subject`. Their kind is that of all
    /// errors, including those that are not kept.
    pub(in crate::cii) fn for_request(
        mut errors: Vec<GraphqlError>,
        root: &str,
        subject: Subject<'_>,
    ) -> Self {
        let kind = kind::combined_kind(errors.iter().map(|error| error.kind(root, subject)));
        let more = errors.len().saturating_sub(KEPT);
        errors.truncate(KEPT);
        errors.shrink_to_fit();
        Self { kept: errors, more, kind }
    }

    /// The combined kind of the errors.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The number of errors in the answer, including those that are not kept.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.kept.len().saturating_add(self.more)
    }

    /// Changes the kept errors.
    pub(in crate::cii) fn map_kept(mut self, change: impl FnMut(&mut GraphqlError)) -> Self {
        self.kept.iter_mut().for_each(change);
        self
    }
}

/// Errors of a request with an unknown subject.
impl From<Vec<GraphqlError>> for GraphqlErrors {
    fn from(errors: Vec<GraphqlError>) -> Self {
        Self::for_request(errors, "", Subject::Either)
    }
}

impl Default for GraphqlErrors {
    fn default() -> Self {
        Vec::new().into()
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
    fn an_error_is_bounded_whatever_it_says() {
        let long = "x".repeat(100_000);
        let error = json!({ "path": vec![long.as_str(); 1000], "errorType": long,
            "message": long, "errorInfo": { "a": long }, "data": [long] });
        assert!(format!("{:?}", GraphqlError::parse(&error, "")).len() < 3000);
    }

    #[test]
    fn a_hundred_thousand_errors_are_a_hundred_and_a_number() {
        let error = GraphqlError::parse(&json!({ "message": "x" }), "");
        let errors = GraphqlErrors::from(vec![error; 100_000]);
        assert_eq!((errors.len(), errors.count()), (100, 100_000));
        assert_eq!(errors.to_string(), "x; x; x; and 99997 more");
    }
}
