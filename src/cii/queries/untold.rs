//! Finds the fields of a user that an answer lacks because of an error.

use serde_json::Value;

use crate::cii::{GraphqlError, PathSegment, lenient::is_void};

/// The errors of an answer below its root field.
#[derive(Debug)]
pub(super) struct Untold<'a> {
    errors: &'a [GraphqlError],
    root: &'a str,
}

impl<'a> Untold<'a> {
    pub(super) const fn new(errors: &'a [GraphqlError], root: &'a str) -> Self {
        Self { errors, root }
    }

    /// Whether the errors make the value of the field `name` unreliable.
    ///
    /// An error at or below the field does so for any value: a list that lacks an element must not
    /// seem complete. An error above it, or without a path, does so when the field is null or an
    /// empty list.
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

/// Whether an error is only about the place of an address: the address itself is still valid.
fn is_address_place(name: &str, below: &[PathSegment]) -> bool {
    name == "ipAddresses"
        && matches!(below, [PathSegment::Index(_), PathSegment::Field(field), ..] if field == "location")
}
