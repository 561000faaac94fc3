//! Errors in the form of `AppSync`.

use serde_json::{Value, json};

use super::{
    Answer,
    place::{Path, at_mut, expand},
};
use crate::faults::{AppsyncError, Leaves};

/// Puts an error at every place that it is meant for.
pub(super) fn put(answer: &mut Answer, places: &[Path], wanted: &AppsyncError) -> bool {
    let paths: Vec<Path> =
        places.iter().flat_map(|place| expand(&answer.data, place, &wanted.path)).collect();
    for path in &paths {
        answer.errors.push(wanted.json(path));
        if let Some(value) = at_mut(&mut answer.data, path) {
            match wanted.leaves {
                Leaves::Null => *value = Value::Null,
                Leaves::EmptyList => *value = json!([]),
                Leaves::Value => {}
            }
        }
    }
    answer.is_lost |= wanted.strict && !paths.is_empty();
    !paths.is_empty()
}
