//! `[checks."no-mfa"]`: tables that are named by check ids or titles.

use std::collections::BTreeMap;

use super::problem::Origin;

/// The fields of a check.
pub(super) const FIELDS: [&str; 2] = ["severity", "title"];

/// A text as it is written, with its origin.
type Text = (String, Origin);

/// The fields of each check, by the name as it is written.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Checks {
    by_name: BTreeMap<String, BTreeMap<&'static str, Text>>,
    /// Fields from the environment, where names have lost case and punctuation.
    of_variables: Vec<(String, &'static str, Text)>,
}

impl Checks {
    /// Adds a check, perhaps without fields.
    pub(super) fn add_check(&mut self, name: &str) {
        self.by_name.entry(name.trim().to_owned()).or_default();
    }

    pub(super) fn set(&mut self, name: &str, field: &'static str, text: Text) {
        self.by_name.entry(name.trim().to_owned()).or_default().insert(field, text);
    }

    pub(super) fn set_from_variable(&mut self, name: &str, field: &'static str, text: Text) {
        self.of_variables.push((name.to_owned(), field, text));
    }

    /// Merges another source, which takes precedence. A variable is for the check whose name
    /// becomes its name, else for the id of its name in lower case.
    pub(super) fn overlay(&mut self, over: Self) {
        for (name, fields) in over.by_name {
            self.by_name.entry(name).or_default().extend(fields);
        }
        for (spelled, field, text) in over.of_variables {
            let known = self
                .by_name
                .keys()
                .find(|name| variable_name(name) == variable_name(&spelled))
                .cloned();
            let is_verbatim = spelled.chars().any(char::is_lowercase);
            let id = if is_verbatim {
                spelled.clone()
            } else {
                spelled.to_lowercase().replace('_', "-")
            };
            self.set(&known.unwrap_or(id), field, text);
        }
    }

    /// All checks with their fields, ordered by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &BTreeMap<&'static str, Text>)> {
        self.by_name.iter().map(|(name, fields)| (name.as_str(), fields))
    }
}

/// The name in a variable: capitals and digits, anything else an underscore.
fn variable_name(name: &str) -> String {
    let letter = |c: char| if c.is_alphanumeric() { c } else { '_' };
    name.chars().map(letter).collect::<String>().to_uppercase()
}

/// The path of a field, as messages show it.
pub(super) fn field_path(name: &str, field: &str) -> String {
    format!("checks.{}.{field}", toml_key(name))
}

/// The name of a check as a TOML key. A string value may use three quotes, a key must not. So the
/// key is written with JSON's escapes, which are those of TOML except for DEL.
pub(super) fn toml_key(name: &str) -> String {
    serde_json::Value::from(name).to_string().replace('\u{7f}', "\\u007F")
}
