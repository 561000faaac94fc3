//! A value and the errors that came beside it.

use super::GraphqlErrors;

/// What the service told, and its errors about the rest: they are the reason
/// why a part of the value is untold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    /// What was told.
    pub value: T,
    /// Errors beside it, with paths that begin at the root field.
    pub errors: GraphqlErrors,
}
