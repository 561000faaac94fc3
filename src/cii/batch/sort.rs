//! Sorts the subjects of an answer: those with a result, and those to request again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::root::Root;
use crate::cii::{
    ApiError, ErrorKind, GraphqlError, GraphqlErrors,
    graphql::Answer,
    graphql_error::{Subject, combined_kind},
};

/// Most errors without a subject that are kept: each subject gets a copy of them.
const UNNAMED: usize = 100;

/// The result of a request for several subjects, each identified by its position in the request.
/// Each subject is in exactly one of the fields.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Parts of the answer, and permanent failures.
    pub(super) parts: Vec<(usize, Result<Answer, ApiError>)>,
    /// Subjects that are refused because of a missing right.
    pub(super) refused: Vec<(usize, GraphqlErrors)>,
    /// Subjects with a temporary failure, and the fields to leave out if it persists.
    pub(super) passing: Vec<(usize, GraphqlErrors, BTreeSet<&'static str>)>,
    /// Subjects to request again without some fields.
    pub(super) without: BTreeMap<BTreeSet<&'static str>, Vec<(usize, GraphqlErrors)>>,
    /// Subjects that failed only because of others, to request again.
    pub(super) others: Vec<usize>,
    /// Whether no error names a subject: then halves are requested, to find the one at fault.
    pub(super) is_unnamed: bool,
}

/// Sorts the subjects `asked`, for which the fields `left_out` were not requested.
///
/// All root fields are non-null. So by the rules of GraphQL one that fails nulls the whole answer,
/// and the others are requested again without it.
pub(super) fn sort_answer(
    root: &Root,
    asked: &[&str],
    left_out: &BTreeSet<&'static str>,
    mut answer: Answer,
) -> Sorted {
    let count = asked.len();
    let keys: Vec<_> = (0..count).map(|place| root.alias(place, count)).collect();
    let has_errors = !answer.errors.is_empty();
    let (mut named, unnamed) = divide_errors(root, &keys, std::mem::take(&mut answer.errors));
    let mut sorted = Sorted::default();
    let mut unanswered = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        // An outage of the only requested field is one of the whole part.
        let is_out = |part| {
            let kinds = named[place].iter().map(|error| error.kind(root.field(), Subject::List));
            root.is_field_missing(part) && is_transient(combined_kind(kinds))
        };
        // A missing part without an error makes the answer malformed.
        let has_none = |part| root.is_void(part) || is_out(part);
        if has_errors && answer.data.get(key).is_none_or(has_none) {
            unanswered.push(place);
            continue;
        }
        let mut errors = std::mem::take(&mut named[place]);
        errors.extend(unnamed.iter().cloned());
        sorted.parts.push((place, Ok(root.take_part(&mut answer, key, errors))));
    }
    let is_one_named = unanswered.iter().any(|place| !named[*place].is_empty());
    for place in unanswered {
        let is_named = !named[place].is_empty() || count == 1;
        if !is_named && (is_one_named || !sorted.parts.is_empty()) {
            sorted.others.push(place);
            continue;
        }
        let errors = match std::mem::take(&mut named[place]) {
            errors if errors.is_empty() => unnamed.clone(),
            errors => errors,
        };
        let leaves: BTreeSet<_> = errors
            .iter()
            .filter_map(|error| root.removable_field(error))
            .filter(|leaf| !left_out.contains(leaf))
            .collect();
        let errors = GraphqlErrors::for_request(errors, root.field(), root.subject(asked[place]));
        match errors.kind() {
            kind if is_transient(kind) => {
                // The only field cannot be left out.
                let leaves = if root.fields.len() > 1 { leaves } else { BTreeSet::new() };
                sorted.passing.push((place, errors, leaves));
            }
            _ if !leaves.is_empty() => {
                sorted.without.entry(leaves).or_default().push((place, errors));
            }
            ErrorKind::NoRight => sorted.refused.push((place, errors)),
            _ if !is_named => {
                sorted.others.push(place);
                sorted.is_unnamed = true;
            }
            _ => sorted.parts.push((place, Err(ApiError::Graphql(errors)))),
        }
    }
    sorted
}

/// Whether the same request may succeed later.
const fn is_transient(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Passing | ErrorKind::Throttled)
}

/// Divides the errors by subject. Errors without a subject concern all, so few of them are kept.
fn divide_errors(
    root: &Root,
    keys: &[String],
    errors: Vec<GraphqlError>,
) -> (Vec<Vec<GraphqlError>>, Vec<GraphqlError>) {
    let places: HashMap<&str, usize> =
        keys.iter().enumerate().map(|(place, key)| (key.as_str(), place)).collect();
    let (mut named, mut unnamed) = (vec![Vec::new(); keys.len()], Vec::new());
    for error in errors {
        match error.field(0).and_then(|name| places.get(name)) {
            Some(place) => named[*place].push(root.with_root_name(error)),
            None if unnamed.len() < UNNAMED => unnamed.push(error),
            None => {}
        }
    }
    (named, unnamed)
}
