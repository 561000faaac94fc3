//! Which subjects of a request have an answer, and what becomes of the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::root::Root;
use crate::cii::{
    ApiError, ErrorKind, GraphqlError, GraphqlErrors,
    graphql::Answer,
    graphql_error::{Subject, combined_kind},
};

/// Errors that name no subject, at most: each subject gets a copy of them.
const UNNAMED: usize = 100;

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
        // An outage of the only field that is asked for is one of the whole part.
        let is_out = |part| {
            let kinds = named[place].iter().map(|error| error.kind(root.field(), Subject::List));
            root.is_field_missing(part) && is_transient(combined_kind(kinds))
        };
        // Without any error, a part that is missing is the answer's fault.
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
                // Without its only field it would tell nothing.
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

/// Whether an error of this kind may be gone when the same is asked again.
const fn is_transient(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Passing | ErrorKind::Throttled)
}

/// The errors of each subject, and those that name none: they concern all, so
/// few of them are kept.
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
