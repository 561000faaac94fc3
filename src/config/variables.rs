//! Reads settings from environment variables.

use std::ffi::OsStr;

use serde::Deserialize;
use toml::de::ValueDeserializer;

use super::{
    Environment, check_fields,
    environment::OTLP_ENDPOINTS,
    key::{self, KEYS, Kind},
    mismatch,
    problem::{Origin, Problems},
    settings::{Settings, Value},
};

/// The prefix of their names.
const PREFIX: &str = "CII_EXPORTER_";

/// The name of the variable of a setting.
pub(super) fn variable_name(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', "__"))
}

/// Reads the variables; problems are added to `problems`.
pub(super) fn read(environment: &Environment, problems: &mut Problems) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in environment.iter() {
        let Some(name) = name.to_str() else { continue };
        if OTLP_ENDPOINTS.contains(&name) && !value.is_empty() {
            settings.begin_table("otlp".to_owned(), Origin::Variable(name.to_owned()));
        }
        // A name without `__` is no setting, such as `CII_EXPORTER_CONFIG`.
        let Some(rest) = name.strip_prefix(PREFIX).filter(|rest| rest.contains("__")) else {
            continue;
        };
        let origin = Origin::Variable(name.to_owned());
        if let Some(check) = rest.strip_prefix("CHECKS__") {
            read_check(check, value, origin, &mut settings, problems);
            continue;
        }
        let path = rest.to_lowercase().replace("__", ".");
        let Some(key) = KEYS.iter().find(|key| variable_name(key.path) == name) else {
            report_unknown(&origin, &path, problems);
            continue;
        };
        match value.to_str().and_then(|text| read_value(text, key.kind)) {
            Some(value) if value.is_of_kind(key.kind) => settings.set(key.path, value, origin),
            Some(value) => {
                problems.add(Some(&origin), key.path, mismatch::describe_mismatch(key, &value));
            }
            None => {
                let text = Value::Text(value.to_string_lossy().into_owned());
                problems.add(Some(&origin), key.path, mismatch::describe_mismatch(key, &text));
            }
        }
    }
    settings
}

/// Reads a variable of a check: its name, two underscores, `SEVERITY` or `TITLE`.
fn read_check(
    rest: &str,
    value: &OsStr,
    origin: Origin,
    settings: &mut Settings,
    problems: &mut Problems,
) {
    let named = rest.rsplit_once("__").and_then(|(check, field)| {
        let known =
            check_fields::FIELDS.into_iter().find(|known| known.eq_ignore_ascii_case(field));
        Some((check, known?))
    });
    let path = format!("checks.{}", rest.to_lowercase().replace("__", "."));
    match (named, value.to_str()) {
        (Some((check, field)), Some(text)) if !check.is_empty() => {
            settings.checks.set_from_variable(check, field, (text.to_owned(), origin));
        }
        (Some((_, _)), Some(_)) => {
            problems.add(Some(&origin), &path, "a check's id or title must not be empty");
        }
        (Some(_), None) => problems.add(Some(&origin), &path, "expected a text"),
        (None, _) => {
            let message = "there is no such setting; a check has severity and title, as in \
                           CII_EXPORTER_CHECKS__NO_MFA__SEVERITY";
            problems.add(Some(&origin), &path, message);
        }
    }
}

/// Reports an unknown variable, with the one that was probably intended.
fn report_unknown(origin: &Origin, path: &str, problems: &mut Problems) {
    let meant = key::suggest(path).map_or_else(String::new, |meant| {
        format!("; did you mean {}, for {meant}?", variable_name(meant))
    });
    problems.add(Some(origin), path, format!("there is no such setting{meant}"));
}

fn read_value(text: &str, kind: Kind) -> Option<Value> {
    match kind {
        // A secret may contain commas, so only brackets make a list.
        Kind::Texts if text.trim_start().starts_with('[') => parse_list(text).map(Value::List),
        Kind::Text | Kind::Texts | Kind::Choice(_) => Some(Value::Text(text.to_owned())),
        Kind::Flag => text.trim().parse().ok().map(Value::Flag),
        Kind::Integer(..) => text.trim().parse().ok().map(Value::Integer),
        Kind::List => parse_list(text).map(Value::List),
    }
}

/// Parses a list: `["a", "b"]` as in JSON or TOML, or `a,b`.
fn parse_list(text: &str) -> Option<Vec<String>> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).ok().or_else(|| parse_toml_list(text));
    }
    Some(
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect(),
    )
}

fn parse_toml_list(text: &str) -> Option<Vec<String>> {
    Vec::deserialize(ValueDeserializer::parse(text.trim()).ok()?).ok()
}
