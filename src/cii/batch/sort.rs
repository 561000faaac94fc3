//! Which subjects of a request have an answer, and what becomes of the others.

use std::collections::{BTreeMap, BTreeSet};

use super::root::Root;
use crate::cii::{ApiError, ErrorKind, GraphqlErrors, graphql::Answer};

/// What came of a request about several subjects, each named by its place in
/// the request. Every subject is in exactly one of the fields.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Parts of the answer, and failures that stay.
    pub(super) parts: Vec<(usize, Result<Answer, ApiError>)>,
    /// Subjects that are refused for want of a right.
    pub(super) refused: Vec<(usize, GraphqlErrors)>,
    /// Subjects whose failure may pass, and the fields without which they may
    /// have an answer when it does not.
    pub(super) passing: Vec<(usize, GraphqlErrors, BTreeSet<&'static str>)>,
    /// Subjects to ask about again without some fields.
    pub(super) without: BTreeMap<BTreeSet<&'static str>, Vec<(usize, GraphqlErrors)>>,
    /// Subjects that failed together with others, to ask about again.
    pub(super) others: Vec<usize>,
    /// Whether no subject is named in the errors: halves find out whose they are.
    pub(super) is_unnamed: bool,
}

/// Sorts the subjects `asked`, which were not asked for the fields `left_out`.
///
/// Every root field is non-null, so by GraphQL's rule one that fails takes the
/// others with it: those are asked about again without it.
pub(super) fn sort(
    root: &Root,
    asked: &[&str],
    left_out: &BTreeSet<&'static str>,
    mut answer: Answer,
) -> Sorted {
    let count = asked.len();
    let keys: Vec<_> = (0..count).map(|place| root.key(place, count)).collect();
    let is_any = |name: &str| keys.iter().any(|key| key == name);
    let mut sorted = Sorted::default();
    let mut unanswered = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        // Without any error, a part that is missing is the answer's fault.
        if answer.errors.is_empty() || answer.data.get(key).is_some_and(|part| !part.is_null()) {
            sorted.parts.push((place, Ok(root.part(&mut answer, key, is_any))));
        } else {
            unanswered.push((place, key));
        }
    }
    let named = |key: &str| answer.errors.iter().any(|error| error.field(0) == Some(key));
    let is_one_named = unanswered.iter().any(|(_, key)| named(key));
    for (place, key) in unanswered {
        let has_errors = named(key) || count == 1;
        if !has_errors && (is_one_named || !sorted.parts.is_empty()) {
            sorted.others.push(place);
            continue;
        }
        // Errors that name nobody concern all.
        let errors: Vec<_> = answer
            .errors
            .iter()
            .filter(|error| match error.field(0) {
                Some(name) if named(key) => name == key,
                _ => true,
            })
            .map(|error| root.renamed(error, key))
            .collect();
        let leaves: BTreeSet<_> = errors
            .iter()
            .filter_map(|error| root.leaf(error))
            .filter(|leaf| !left_out.contains(leaf))
            .collect();
        let errors = GraphqlErrors::about(errors, root.field(), root.subject(asked[place]));
        match errors.kind() {
            ErrorKind::Passing | ErrorKind::Throttled => {
                sorted.passing.push((place, errors, leaves));
            }
            _ if !leaves.is_empty() => {
                sorted.without.entry(leaves).or_default().push((place, errors));
            }
            ErrorKind::NoRight => sorted.refused.push((place, errors)),
            _ if !has_errors => {
                sorted.others.push(place);
                sorted.is_unnamed = true;
            }
            _ => sorted.parts.push((place, Err(ApiError::Graphql(errors)))),
        }
    }
    sorted
}
