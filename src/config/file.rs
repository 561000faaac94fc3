//! Reads the configuration file: TOML, with the line of each value.

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    check_fields,
    key::{self, Key},
    mismatch,
    problem::{ConfigError, Origin, Problem, Problems},
    settings::{Settings, Value},
};

/// Reads the text of a file; problems are added to `problems`.
///
/// # Errors
/// When the text is not valid TOML.
pub(super) fn read(
    name: &str,
    text: &str,
    problems: &mut Problems,
) -> Result<Settings, ConfigError> {
    let document = DeTable::parse(text).map_err(|error| {
        let position = error.span().map_or(0, |span| span.start);
        Problem {
            origin: Some(Origin::File { name: name.to_owned(), line: line_number(text, position) }),
            key: String::new(),
            message: format!(
                "is no TOML at column {}: {}{}",
                column_number(text, position),
                error.message(),
                hint(line_at(text, position), error.message())
            ),
        }
    })?;
    let mut reading = Reading { name, text, problems, settings: Settings::default() };
    reading.read_table("", document.get_ref());
    Ok(reading.settings)
}

struct Reading<'a> {
    name: &'a str,
    text: &'a str,
    problems: &'a mut Problems,
    settings: Settings,
}

impl Reading<'_> {
    fn read_table(&mut self, path: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let path = match path {
                "" => name.get_ref().to_string(),
                _ => format!("{path}.{}", name.get_ref()),
            };
            let origin = self.origin(name);
            if let ("checks", DeValue::Table(inner)) = (path.as_str(), value.get_ref()) {
                self.read_checks(inner);
                continue;
            }
            if name.get_ref().contains('.') {
                let message = "a name with dots in quotes is no path; leave the quotes away";
                self.problems.add(Some(&origin), &path, message);
                continue;
            }
            match (key::find(&path), value.get_ref()) {
                (Some(key), value) => self.read_setting(key, value, origin),
                (None, DeValue::Table(inner)) if key::is_table(&path) => {
                    self.settings.begin_table(path.clone(), origin);
                    self.read_table(&path, inner);
                }
                (None, _) if path == "checks" => {
                    let message = "is a table for each check; write [checks.\"no-mfa\"]";
                    self.problems.add(Some(&origin), &path, message);
                }
                (None, _) if key::is_table(&path) => {
                    self.problems.add(Some(&origin), &path, format!("is a table; write [{path}]"));
                }
                (None, _) => report_unknown(&origin, &path, self.problems),
            }
        }
    }

    fn origin(&self, name: &Spanned<DeString<'_>>) -> Origin {
        Origin::File { name: self.name.to_owned(), line: line_number(self.text, name.span().start) }
    }

    /// Reads the tables of checks, whose names are ids or titles and may contain any character.
    fn read_checks(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let (check, origin) = (name.get_ref().as_ref(), self.origin(name));
            let DeValue::Table(fields) = value.get_ref() else {
                let path = format!("checks.{}", check_fields::toml_key(check));
                self.problems.add(Some(&origin), &path, format!("is a table; write [{path}]"));
                continue;
            };
            if check.trim().is_empty() {
                let message = "a check's id or title must not be empty";
                self.problems.add(Some(&origin), "checks.\"\"", message);
                continue;
            }
            self.settings.checks.add_check(check);
            for (name, value) in fields {
                let (field, origin) = (name.get_ref().as_ref(), self.origin(name));
                let path = check_fields::field_path(check, field);
                let Some(field) = check_fields::FIELDS.into_iter().find(|known| *known == field)
                else {
                    let message = "there is no such setting; a check has severity and title";
                    self.problems.add(Some(&origin), &path, message);
                    continue;
                };
                match value.get_ref() {
                    DeValue::String(text) => {
                        self.settings.checks.set(check, field, (text.to_string(), origin));
                    }
                    _ => self.problems.add(Some(&origin), &path, "expected a text in quotes"),
                }
            }
        }
    }

    fn read_setting(&mut self, key: &'static Key, value: &DeValue<'_>, origin: Origin) {
        match read_value(value) {
            Ok(value) if value.is_of_kind(key.kind) => self.settings.set(key.path, value, origin),
            Ok(value) => {
                let message = mismatch::describe_mismatch(key, &value);
                self.problems.add(Some(&origin), key.path, message);
            }
            Err(found) => {
                let message = format!("expected {}, found {found}", key.kind.expected_form());
                self.problems.add(Some(&origin), key.path, message);
            }
        }
    }
}

/// Reports an unknown name, with the setting that was probably intended.
fn report_unknown(origin: &Origin, path: &str, problems: &mut Problems) {
    let meant =
        key::suggest(path).map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    problems.add(Some(origin), path, format!("there is no such setting{meant}"));
}

/// Reads a value; the error names a type that no setting has.
fn read_value(value: &DeValue<'_>) -> Result<Value, &'static str> {
    let text = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        _ => Err("a list that holds something else than texts"),
    };
    match value {
        DeValue::String(text) => Ok(Value::Text(text.to_string())),
        DeValue::Boolean(flag) => Ok(Value::Flag(*flag)),
        DeValue::Array(items) => items.iter().map(text).collect::<Result<_, _>>().map(Value::List),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Value::Integer)
            .map_err(|_| "a number that is too large"),
        DeValue::Float(_) => Err("a number with a fraction"),
        DeValue::Datetime(_) => Err("a date"),
        DeValue::Table(_) => Err("a table"),
    }
}

/// The hint for an invalid line. It repeats no part of a value, which can be a secret.
fn hint(line: &str, error: &str) -> String {
    let (name, value) = line.split_once('=').unwrap_or((line, ""));
    let (name, value) = (name.trim(), value.trim());
    if error.contains("duplicate key") {
        return format!(" {name}; keep one of them");
    }
    let is_curly = value.contains(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}', '\u{201e}']);
    let is_bare = value.starts_with(|c: char| !"\"'[{".contains(c));
    if is_curly || is_bare {
        return format!("; a text stands in straight quotes: {name} = \"\u{2026}\"");
    }
    String::new()
}

/// The line at a position.
fn line_at(text: &str, position: usize) -> &str {
    text.lines().nth(line_number(text, position) - 1).unwrap_or_default()
}

/// The line number of a position, from 1.
fn line_number(text: &str, position: usize) -> usize {
    text.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1
}

/// The column of a position in characters, from 1.
fn column_number(text: &str, position: usize) -> usize {
    let before = text.get(..position).unwrap_or(text);
    before.chars().rev().take_while(|character| *character != '\n').count() + 1
}
