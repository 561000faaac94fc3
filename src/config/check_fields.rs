//! `[checks."no-mfa"]`: tables whose names are the operator's own.

use std::collections::BTreeMap;

use super::problem::Origin;

/// What can be said of a check.
pub(super) const FIELDS: [&str; 2] = ["severity", "title"];

/// A text as written, with its origin.
type Text = (String, Origin);

/// The fields of each check, by its name as written.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Checks {
    by_name: BTreeMap<String, BTreeMap<&'static str, Text>>,
    /// Those of the environment, whose names have lost their case and their signs.
    of_variables: Vec<(String, &'static str, Text)>,
}

impl Checks {
    /// Makes sure that a check is there, although maybe nothing is said of it.
    pub(super) fn add_check(&mut self, name: &str) {
        self.by_name.entry(name.trim().to_owned()).or_default();
    }

    pub(super) fn set(&mut self, name: &str, field: &'static str, text: Text) {
        self.by_name.entry(name.trim().to_owned()).or_default().insert(field, text);
    }

    pub(super) fn set_from_variable(&mut self, name: &str, field: &'static str, text: Text) {
        self.of_variables.push((name.to_owned(), field, text));
    }

    /// Lays another source over this one. A variable means the check whose name it spells
    /// as variables are spelled, else the id that it spells in lower case.
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

    /// Every check with its fields, in the order of names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &BTreeMap<&'static str, Text>)> {
        self.by_name.iter().map(|(name, fields)| (name.as_str(), fields))
    }
}

/// A name as a variable has it: capitals and digits, all else an underscore.
fn variable_name(name: &str) -> String {
    let letter = |c: char| if c.is_alphanumeric() { c } else { '_' };
    name.chars().map(letter).collect::<String>().to_uppercase()
}

/// The path of a field, for people.
pub(super) fn field_path(name: &str, field: &str) -> String {
    format!("checks.{}.{field}", toml_key(name))
}

/// The name of a check as a key of TOML. A text as a value may be in three quotes, which a key
/// must not; JSON's escapes are TOML's, but for DEL, which JSON leaves as it is.
pub(super) fn toml_key(name: &str) -> String {
    serde_json::Value::from(name).to_string().replace('\u{7f}', "\\u007F")
}
