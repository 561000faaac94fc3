//! Which fields of a user an answer failed to tell.

use serde_json::Value;

use crate::cii::{GraphqlError, PathSegment, lenient::is_void};

/// The errors of an answer, seen from its root field.
#[derive(Debug)]
pub(super) struct Untold<'a> {
    errors: &'a [GraphqlError],
    root: &'a str,
}

impl<'a> Untold<'a> {
    pub(super) const fn new(errors: &'a [GraphqlError], root: &'a str) -> Self {
        Self { errors, root }
    }

    /// Whether the errors leave the field `name` in doubt.
    ///
    /// An error at or below a field does, whatever the field holds: a list that
    /// lacks an element must not look complete. An error above it, or one that
    /// does not say where it belongs, does when the field is null or an empty
    /// list.
    pub(super) fn is_in_doubt(&self, name: &str, value: &Value) -> bool {
        self.errors.iter().any(|error| match error.path.as_slice() {
            [PathSegment::Field(root), ..] if root != self.root => false,
            [_, PathSegment::Field(field), below @ ..] => {
                field == name && (is_void(value) || !is_address_place(name, below))
            }
            _ => is_void(value),
        })
    }
}

/// An address whose place is missing is still an address of the user.
fn is_address_place(name: &str, below: &[PathSegment]) -> bool {
    name == "ipAddresses"
        && matches!(below, [PathSegment::Index(_), PathSegment::Field(field), ..] if field == "location")
}
