//! A value with the errors of the same answer.

use super::GraphqlErrors;

/// What the service returned, with the errors that explain which parts of the value are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    /// The value.
    pub value: T,
    /// The errors, with paths that begin at the root field.
    pub errors: GraphqlErrors,
}
