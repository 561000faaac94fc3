//! Renders the effective configuration.

use std::fmt::Write;

use super::{
    check_fields,
    key::{KEYS, Key},
    problem::Origin,
    server::ServerConfig,
    settings::{Settings, Value},
};

const HIDDEN: &str = "<hidden>";

/// Renders the settings as TOML, each with its origin; secrets are hidden.
pub(super) fn render(settings: &Settings) -> String {
    let mut text = String::new();
    let table = |key: &Key| key.path.rsplit_once('.').map_or("", |(table, _)| table);
    for keys in KEYS.chunk_by(|left, right| table(left) == table(right)) {
        let table = keys.first().map_or("", table);
        let mut lines = String::new();
        for key in keys {
            let Some((value, origin)) = shown_value(key, settings) else { continue };
            let name = key.path.rsplit('.').next().unwrap_or(key.path);
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{name} = {value} # {origin}");
        }
        let gap = if text.is_empty() { "" } else { "\n" };
        match settings.table_origin(table) {
            // An empty table can have an effect, so it is shown, too.
            Some(origin) if lines.is_empty() => {
                let _ = writeln!(text, "{gap}[{table}] # {origin}");
            }
            None if lines.is_empty() => {}
            _ => {
                let _ = write!(text, "{gap}[{table}]\n{lines}");
            }
        }
    }
    for (name, fields) in settings.checks.iter() {
        let _ = write!(text, "\n[checks.{}]\n", check_fields::toml_key(name));
        for (field, (value, origin)) in fields {
            let _ = writeln!(text, "{field} = {} # {origin}", toml::Value::from(value.as_str()));
        }
    }
    text
}

/// The value and its origin; `None` when it is not set and has no effective default.
fn shown_value(key: &Key, settings: &Settings) -> Option<(String, Origin)> {
    let Some(entry) = settings.get(key.path) else {
        // Without `[api]` its defaults have no effect; the same holds for the default file beside a
        // server.
        let is_off = match key.path {
            "store.path" => settings.get("store.url").is_some(),
            path => path.starts_with("api.") && !settings.has_table("api"),
        };
        let default = key.default.filter(|_| !is_off)?;
        return Some((default.to_owned(), Origin::Default));
    };
    let value = match &entry.value {
        // The number of secrets is shown: two mean that a rotation is in progress.
        Value::List(secrets) if key.file.is_some() => {
            toml::Value::from(vec![HIDDEN; secrets.len()]).to_string()
        }
        // The server itself is no secret, only user and password are.
        Value::Text(url) if key.path == "store.url" => {
            let shown = ServerConfig::parse(url).map(|server| server.effective_url());
            toml::Value::from(shown.unwrap_or_else(|_| HIDDEN.to_owned())).to_string()
        }
        _ if key.file.is_some() => toml::Value::from(HIDDEN).to_string(),
        Value::Text(text) => toml::Value::from(text.as_str()).to_string(),
        Value::List(texts) => toml::Value::from(texts.clone()).to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
    };
    Some((value, entry.origin.clone()))
}
