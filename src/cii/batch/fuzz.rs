//! Fuzz target: answers to requests for several subjects.

use std::collections::BTreeSet;

use super::sort::{Sorted, sort_answer};
use crate::cii::{
    ApiError,
    batch::{Field, Root},
    graphql::Answer,
    meters::Operation,
};

const ROOT: Root = Root {
    operation: Operation::GetEndUserState,
    argument: "login",
    shared: None,
    type_name: "EndUserState",
    around: ("", ""),
    depth: 1,
    fields: &[Field::leaf("id"), Field::leaf("ipAddresses"), Field::leaf("usedFactors")],
    needed: &["id"],
};

/// Sorts an answer for one, two and three subjects; returns the errors.
pub(in crate::cii) fn sort_any(answer: &Answer) -> Vec<ApiError> {
    let subjects = ["a@example.com", "b@example.com", "c@example.com"];
    let mut errors = Vec::new();
    for count in 1..=subjects.len() {
        let Sorted { parts, refused, passing, without, others, .. } =
            sort_answer(&ROOT, &subjects[..count], &BTreeSet::new(), answer.clone());
        let mut places: Vec<usize> = parts.iter().map(|(place, _)| *place).collect();
        places.extend(refused.iter().map(|(place, _)| *place));
        places.extend(passing.iter().map(|(place, ..)| *place));
        places.extend(without.values().flatten().map(|(place, _)| *place));
        places.extend(others);
        places.sort_unstable();
        assert!(places.iter().copied().eq(0..count), "each subject is in one place: {places:?}");
        errors.extend(parts.into_iter().filter_map(|(_, part)| part.err()));
        errors.extend(refused.into_iter().map(|(_, errors)| ApiError::Graphql(errors)));
        errors.extend(passing.into_iter().map(|(_, errors, _)| ApiError::Graphql(errors)));
    }
    errors
}
