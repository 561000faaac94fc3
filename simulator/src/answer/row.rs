//! Rows of lists that no reader expects.

use serde_json::{Value, json};

use super::{
    Answer,
    place::{Path, at, at_mut},
};
use crate::faults::{AppsyncError, Oddity};

/// Fields that identify a row.
const IDENTIFYING: [&str; 2] = ["login", "integrationId"];

/// Where the rows of a root field are: below `items`, or the root field itself.
pub(super) fn list_of(data: &Value, root: &[Value]) -> Option<Path> {
    let value = at(data, root)?;
    if value.is_array() {
        return Some(root.to_vec());
    }
    value.get("items")?.as_array()?;
    Some(root.iter().cloned().chain([json!("items")]).collect())
}

/// Makes the row at an index odd, in every list that has one there.
pub(super) fn spoil(answer: &mut Answer, places: &[Path], index: usize, oddity: &Oddity) -> bool {
    let mut changed = false;
    for place in places {
        let Some(mut path) = list_of(&answer.data, place) else { continue };
        path.push(json!(index));
        changed |= make_odd(answer, &path, oddity);
    }
    changed
}

/// Inserts an odd row at an index; what it is made of is the row that was there, or nothing.
pub(super) fn insert(answer: &mut Answer, places: &[Path], index: usize, oddity: &Oddity) -> bool {
    let mut changed = false;
    for place in places {
        let Some(mut path) = list_of(&answer.data, place) else { continue };
        let Some(Value::Array(rows)) = at_mut(&mut answer.data, &path) else { continue };
        let index = index.min(rows.len());
        let row = rows.get(index).or(rows.last()).cloned().unwrap_or_default();
        rows.insert(index, row);
        path.push(json!(index));
        make_odd(answer, &path, oddity);
        changed = true;
    }
    changed
}

fn make_odd(answer: &mut Answer, path: &[Value], oddity: &Oddity) -> bool {
    let Some(row) = at_mut(&mut answer.data, path) else { return false };
    let identifying = IDENTIFYING.into_iter().find(|name| row.get(name).is_some());
    let mut error_at = None;
    match oddity {
        Oddity::Null => *row = Value::Null,
        Oddity::NullWithError => {
            *row = Value::Null;
            error_at = Some(path.to_vec());
        }
        Oddity::Set(name, value) => match row.get_mut(name) {
            Some(field) => field.clone_from(value),
            None => return false,
        },
        Oddity::EmptyLogin | Oddity::LongLogin | Oddity::RefusedLogin => {
            let Some(name) = identifying else { return false };
            row[name] = match oddity {
                Oddity::EmptyLogin => json!(""),
                Oddity::LongLogin => json!("x".repeat(600)),
                _ => {
                    error_at = Some(path.iter().cloned().chain([json!(name)]).collect());
                    Value::Null
                }
            };
        }
    }
    if let Some(path) = error_at {
        let message = "Cannot return null for non-nullable type within parent";
        answer.errors.push(AppsyncError::new("NullValueInNonNullableType", message).json(&path));
    }
    true
}
