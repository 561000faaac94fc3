//! What a configuration comes to, for people to read.

use std::fmt::Write;

use super::{
    key::{KEYS, Key},
    problem::Origin,
    settings::{Settings, Value},
};

/// The settings as TOML, each with its origin; secrets are hidden.
pub(super) fn show(settings: &Settings) -> String {
    let mut text = String::new();
    let mut table = "";
    for key in KEYS {
        let Some((value, origin)) = shown(key, settings) else { continue };
        let (of, name) = key.path.rsplit_once('.').unwrap_or(("", key.path));
        // Writing to a String cannot fail.
        if of != table {
            let gap = if table.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}[{of}]");
            table = of;
        }
        let _ = writeln!(text, "{name} = {value} # {origin}");
    }
    text
}

/// The value and its origin; nothing when it is neither set nor has a default
/// that counts.
fn shown(key: &Key, settings: &Settings) -> Option<(String, Origin)> {
    let Some(entry) = settings.get(key.path) else {
        // Without the table, the API is not asked and its defaults mean nothing.
        let is_off = key.path.starts_with("api.") && !settings.has_table("api");
        let default = key.default.filter(|_| !is_off)?;
        return Some((default.to_owned(), Origin::Default));
    };
    let value = match &entry.value {
        Value::List(_) if key.file.is_some() => "[\"<hidden>\"]".to_owned(),
        _ if key.file.is_some() => "\"<hidden>\"".to_owned(),
        Value::Text(text) => toml::Value::from(text.as_str()).to_string(),
        Value::List(texts) => toml::Value::from(texts.clone()).to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
    };
    Some((value, entry.origin.clone()))
}
