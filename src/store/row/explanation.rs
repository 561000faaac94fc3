//! Why a user fails a check: stored as the JSON of the delivery, sent as a list of texts.

use serde_json::{Map, Value};

/// The entries, such as `userTitle: Accountant`. Truncated JSON is one entry.
pub(super) fn entries(json: &str) -> Vec<String> {
    match serde_json::from_str(json) {
        Ok(Value::Array(entries)) => {
            entries.iter().filter(|entry| !entry.is_null()).map(entry).collect()
        }
        Ok(other) => vec![entry(&other)],
        Err(_) => vec![json.to_owned()],
    }
}

fn entry(value: &Value) -> String {
    match value {
        Value::Object(fields) => pair(fields).unwrap_or_else(|| value.to_string()),
        other => text(other),
    }
}

/// An object with `key` and `value`, which is the service's usual form.
fn pair(fields: &Map<String, Value>) -> Option<String> {
    let (key, value) = (fields.get("key")?, fields.get("value")?);
    (fields.len() == 2).then(|| format!("{}: {}", text(key), text(value)))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_a_text() {
        for (json, expected) in [
            (r#"[{"key":"userTitle","value":"Accountant"}]"#, vec!["userTitle: Accountant"]),
            (r#"[{"key":"days","value":31},"idle",null]"#, vec!["days: 31", "idle"]),
            (
                r#"[{"key":"a","value":["x"],"more":1}]"#,
                vec![r#"{"key":"a","more":1,"value":["x"]}"#],
            ),
            (r#""no factor""#, vec!["no factor"]),
            ("3", vec!["3"]),
            (r#"[{"key":"a","va…"#, vec![r#"[{"key":"a","va…"#]),
        ] {
            assert_eq!(entries(json), expected, "{json}");
        }
    }
}
