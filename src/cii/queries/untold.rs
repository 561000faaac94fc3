//! Which fields of a user an answer failed to tell.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    cii::{GraphqlError, PathSegment},
    domain::UserField,
};

/// The fields of `EndUserState` that are asked for and may be empty.
const FIELDS: [(&str, UserField); 9] = [
    ("userTypeClassification", UserField::UserType),
    ("managerLogin", UserField::ManagerLogin),
    ("referenceUrl", UserField::ReferenceUrl),
    ("ipAddresses", UserField::IpAddresses),
    ("unusedApplications", UserField::UnusedApplications),
    ("usedApplications", UserField::UsedApplications),
    ("usedFactors", UserField::UsedFactors),
    ("registeredLocationDetails", UserField::RegisteredLocation),
    ("workingLocationDetails", UserField::WorkingLocations),
];

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

    /// The fields of `user` that the errors leave in doubt.
    ///
    /// An error at or below a field does, whatever the field holds: a list that
    /// lacks an element must not look complete. An error above it, or one that
    /// does not say where it belongs, does when the field is null. A field that
    /// is not in the answer at all was not told either.
    pub(super) fn fields(&self, user: &Value) -> BTreeSet<UserField> {
        FIELDS
            .into_iter()
            .filter(|(name, _)| {
                let Some(value) = user.get(name) else { return true };
                self.errors.iter().any(|error| self.doubts(error, name, value.is_null()))
            })
            .map(|(_, field)| field)
            .collect()
    }

    fn doubts(&self, error: &GraphqlError, name: &str, is_null: bool) -> bool {
        match error.path.as_slice() {
            [PathSegment::Field(root), ..] if root != self.root => false,
            [_, PathSegment::Field(field), below @ ..] => {
                field == name && (is_null || !is_place_of_an_address(name, below))
            }
            _ => is_null,
        }
    }
}

/// An address whose place is missing is still an address of the user.
fn is_place_of_an_address(name: &str, below: &[PathSegment]) -> bool {
    name == "ipAddresses"
        && matches!(below, [PathSegment::Index(_), PathSegment::Field(field), ..] if field == "location")
}
