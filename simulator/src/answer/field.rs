//! Fields with values that are odd, null, or no JSON.

use serde_json::Value;

use super::{
    Answer,
    place::{Path, at_mut, each_field},
    text::CUT_EMOJI,
};

/// Gives every field of this name another value.
pub(super) fn set(answer: &mut Answer, places: &[Path], name: &str, value: &Value) -> bool {
    each(answer, places, name, |field| {
        let changes = field != value;
        field.clone_from(value);
        changes
    })
}

/// Ends every text of this field name in the middle of an emoji.
pub(super) fn cut_emoji(answer: &mut Answer, places: &[Path], name: &str) -> bool {
    each(answer, places, name, |field| match field {
        Value::String(text) => {
            text.push_str(CUT_EMOJI);
            true
        }
        _ => false,
    })
}

/// Makes every empty list null, but for the list of rows itself, which the schema promises.
pub(super) fn empty_to_null(answer: &mut Answer, places: &[Path]) -> bool {
    let mut changed = false;
    for place in places {
        if let Some(value) = at_mut(&mut answer.data, place) {
            nullify(value, &mut changed);
        }
    }
    changed
}

fn nullify(value: &mut Value, changed: &mut bool) {
    match value {
        Value::Array(items) => {
            for item in items {
                nullify(item, changed);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let is_promised = ["items", "providers", "providerEndUserDetails"];
                if field.as_array().is_some_and(Vec::is_empty) && !is_promised.contains(&&**name) {
                    *field = Value::Null;
                    *changed = true;
                } else {
                    nullify(field, changed);
                }
            }
        }
        _ => {}
    }
}

fn each(
    answer: &mut Answer,
    places: &[Path],
    name: &str,
    mut edit: impl FnMut(&mut Value) -> bool,
) -> bool {
    let mut changed = false;
    for place in places {
        if let Some(value) = at_mut(&mut answer.data, place) {
            each_field(value, name, &mut |field| changed |= edit(field));
        }
    }
    changed
}
