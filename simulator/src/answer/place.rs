//! Places in a JSON value.

use serde_json::Value;

/// A place: names and indices from the outside in, as in an error's `path`.
pub(super) type Path = Vec<Value>;

/// Stands for every row of a list, in a path.
const EACH: &str = "*";

/// What stands at a place.
pub(super) fn at<'a>(value: &'a Value, path: &[Value]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, step| match step {
        Value::String(name) => value.get(name.as_str()),
        step => value.get(usize::try_from(step.as_u64()?).ok()?),
    })
}

/// What stands at a place, to be changed.
pub(super) fn at_mut<'a>(value: &'a mut Value, path: &[Value]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Value::String(name) => value.get_mut(name.as_str()),
        step => value.get_mut(usize::try_from(step.as_u64()?).ok()?),
    })
}

/// The places below `start` that a path with [`EACH`] means and that exist.
pub(super) fn expand(value: &Value, start: &[Value], steps: &[Value]) -> Vec<Path> {
    let mut found = vec![start.to_vec()];
    for step in steps {
        found = found
            .into_iter()
            .flat_map(|path| {
                let rows = at(value, &path).and_then(Value::as_array).map_or(0, Vec::len);
                let next: Vec<Value> = if step == EACH {
                    (0..rows).map(Value::from).collect()
                } else {
                    vec![step.clone()]
                };
                next.into_iter()
                    .map(move |step| path.iter().cloned().chain([step]).collect::<Path>())
            })
            .collect();
    }
    found.retain(|path| at(value, path).is_some());
    found
}

/// Calls `visit` with every value of this field name in `value`, however deep.
pub(super) fn each_field(value: &mut Value, name: &str, visit: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Array(items) => {
            for item in items {
                each_field(item, name, visit);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                if key == name {
                    visit(field);
                } else {
                    each_field(field, name, visit);
                }
            }
        }
        _ => {}
    }
}
