//! Reads the failing users of a delivery.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::{
    FailingUser,
    notes::Notes,
    reading::{find_field, parse_embedded_json, type_name},
};
use crate::domain::{Login, LoginError, SkippedLogins, cut_text};

/// The users in a detail, each once, in the order of first mention: `usersFailing`, then
/// `loginDetails`, then the `login` of a direct message.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) users: Vec<FailingUser>,
    pub(super) skipped: SkippedLogins,
    /// Details, as JSON, that do not belong to a single user.
    pub(super) explanation: Option<String>,
    positions: HashMap<Login, usize>,
}

/// Reads all three places. An unusable login does not affect the others.
pub(super) fn read_named(detail: &Map<String, Value>, notes: &mut Notes) -> Named {
    let mut named = Named::default();
    let mut unusable = HashSet::new();
    for (name, place) in [
        ("usersFailing", "detail.usersFailing"),
        ("loginDetails", "detail.loginDetails"),
        ("login", "detail.login"),
    ] {
        let Some(value) = find_field(detail, name) else { continue };
        let mut list = List::default();
        list.read(value);
        let is_usual = value.is_array() || (name == "login" && value.is_string());
        if !is_usual {
            notes
                .add(place, format_args!("{}, read as {}", type_name(value), list.describe_size()));
        }
        if list.numbers > 0 {
            notes.add(
                place,
                format_args!("logins that are numbers, read as text: {}", list.numbers),
            );
        }
        if list.odd > 0 {
            notes.add(place, format_args!("entries of another form, read as logins: {}", list.odd));
        }
        // The lists usually contain the same logins, so an unusable one counts once.
        let news: Vec<_> =
            list.unusable.iter().filter(|(text, _)| !unusable.contains(text)).collect();
        if !news.is_empty() {
            let mut skipped = SkippedLogins::default();
            for (_, why) in news {
                skipped.add(why);
                named.skipped.add(why);
            }
            notes.add(place, format_args!("logins that cannot be used: {skipped}"));
        }
        unusable.extend(list.unusable.into_iter().map(|(text, _)| text));
        let details = (name == "login" && list.users.len() == 1)
            .then(|| find_field(detail, "explainabilityDetails").and_then(explanation_text))
            .flatten();
        for (login, why) in list.users {
            named.add(login, why.or_else(|| details.clone()));
        }
    }
    named.read_shared_explanation(detail, notes);
    named
}

impl Named {
    /// Adds a user; the first explanation of a user is kept.
    fn add(&mut self, login: Login, explanation: Option<String>) {
        let end = self.users.len();
        let position = *self.positions.entry(login.clone()).or_insert(end);
        match self.users.get_mut(position) {
            Some(user) => user.explanation = user.explanation.take().or(explanation),
            None => self.users.push(FailingUser { login, explanation }),
        }
    }

    /// Reads details beside a list of users that have no `login` of their own.
    fn read_shared_explanation(&mut self, detail: &Map<String, Value>, notes: &mut Notes) {
        if find_field(detail, "login").is_some() {
            return;
        }
        let details = find_field(detail, "explainabilityDetails").and_then(explanation_text);
        match (&mut self.users[..], details) {
            ([user], details) => user.explanation = user.explanation.take().or(details),
            (_, None) => {}
            (users, Some(details)) => {
                let count = users.len();
                notes.add(
                    "detail.explainabilityDetails",
                    format_args!("belong to none of {count} users alone, kept with the delivery"),
                );
                self.explanation = Some(details);
            }
        }
    }
}

/// The logins of one place.
#[derive(Debug, Default)]
struct List {
    users: Vec<(Login, Option<String>)>,
    /// Unusable values, as JSON, with the reason.
    unusable: Vec<(String, &'static str)>,
    numbers: usize,
    /// Number of entries with logins in another form than a text or a `login`.
    odd: usize,
}

impl List {
    fn describe_size(&self) -> String {
        let count = self.users.len();
        format!("{count} {}", if count == 1 { "login" } else { "logins" })
    }

    /// Reads a list of logins or of objects with a `login`, a single one of these, a map from login
    /// to details, or a text that contains any of these.
    fn read(&mut self, value: &Value) {
        match value {
            Value::Array(list) => list.iter().for_each(|entry| self.read_entry(entry)),
            Value::Object(object) if find_field(object, "login").is_none() => {
                object.iter().for_each(|(key, inner)| self.read_pair(key, inner));
            }
            Value::String(text) => match parse_embedded_json(text) {
                Some(held) => self.read(&held),
                None => match split_logins(text) {
                    Some(logins) => {
                        for login in logins {
                            self.read_login(&Value::from(login), None);
                        }
                    }
                    None => self.read_login(value, None),
                },
            },
            other => self.read_entry(other),
        }
    }

    /// Reads one pair of a map: a login with its details, or a meaningless key (a number, `items`)
    /// with logins as its value.
    fn read_pair(&mut self, key: &str, inner: &Value) {
        let is_login = |value: &Value| match value {
            Value::String(text) => is_address(text),
            Value::Object(object) => find_field(object, "login").is_some(),
            _ => false,
        };
        let holds_logins = match inner {
            Value::Array(list) => list.iter().any(is_login),
            other => is_login(other),
        };
        if holds_logins && !is_address(key) {
            self.read(inner);
        } else {
            self.read_login(&Value::from(key), explanation_text(inner));
        }
    }

    fn read_entry(&mut self, entry: &Value) {
        match entry {
            Value::Object(object) => self.read_object(object),
            // Other nested lists have no unambiguous meaning.
            Value::Array(list) if !list.is_empty() && list.iter().all(is_address_value) => {
                self.odd += 1;
                for address in list {
                    self.read_login(address, None);
                }
            }
            Value::String(text) => match split_addresses(text) {
                Some(addresses) => {
                    self.odd += 1;
                    for one in addresses {
                        self.read_login(&Value::from(one), None);
                    }
                }
                None => self.read_login(entry, None),
            },
            other => self.read_login(other, None),
        }
    }

    /// Reads an object that has a `login`, or whose keys or only text are e-mail addresses.
    fn read_object(&mut self, object: &Map<String, Value>) {
        let details =
            find_field(object, "details").or_else(|| find_field(object, "explainabilityDetails"));
        let mut addresses = object.values().filter(|value| is_address_value(value));
        match find_field(object, "login") {
            Some(login) => self.read_login(inner_login(login), details.and_then(explanation_text)),
            None if !object.is_empty() && object.keys().all(|key| is_address(key)) => {
                self.odd += 1;
                object.iter().for_each(|(key, inner)| self.read_pair(key, inner));
            }
            None => match (addresses.next(), addresses.next()) {
                (Some(address), None) => {
                    self.odd += 1;
                    self.read_login(address, details.and_then(explanation_text));
                }
                _ => self.read_login(&Value::Null, None),
            },
        }
    }

    fn read_login(&mut self, value: &Value, why: Option<String>) {
        let login = match value {
            Value::String(text) => Login::new(text),
            Value::Number(number) => {
                self.numbers += 1;
                Login::new(&number.to_string())
            }
            other => return self.unusable.push((other.to_string(), "no text")),
        };
        match login {
            Ok(login) => self.users.push((login, why)),
            Err(error) => self.unusable.push((value.to_string(), reason_text(error))),
        }
    }
}

const fn reason_text(error: LoginError) -> &'static str {
    match error {
        LoginError::Empty => "empty",
        LoginError::TooLong => "too long",
        LoginError::Control => "with control characters",
        LoginError::Forgotten => "forgotten",
    }
}

/// Splits a text that contains several logins: e-mail addresses, or names separated by commas,
/// semicolons or line ends with at least one e-mail address.
fn split_logins(text: &str) -> Option<Vec<&str>> {
    let parts = split_parts(text, |c| matches!(c, ',' | ';' | '\n' | '\r'));
    // LDAP names contain commas, too: `cn=a,dc=b`.
    let are_logins = parts.iter().any(|part| is_address(part)) && !text.contains('=');
    split_addresses(text).or_else(|| (parts.len() > 1 && are_logins).then_some(parts))
}

/// Splits a text of several e-mail addresses; no address contains these separators.
fn split_addresses(text: &str) -> Option<Vec<&str>> {
    let parts = split_parts(text, |c| matches!(c, ',' | ';') || c.is_whitespace());
    (parts.len() > 1 && parts.iter().all(|part| is_address(part))).then_some(parts)
}

fn split_parts(text: &str, separates: fn(char) -> bool) -> Vec<&str> {
    text.split(separates).map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// Whether a text is exactly one e-mail address.
fn is_address(text: &str) -> bool {
    let is_separator = |c: char| matches!(c, ',' | ';') || c.is_whitespace();
    let at = text.find('@').filter(|at| (1..text.len() - 1).contains(at));
    at.is_some() && text.matches('@').count() == 1 && !text.contains(is_separator)
}

fn is_address_value(value: &Value) -> bool {
    value.as_str().is_some_and(is_address)
}

/// The login inside a wrapping value: a list of one, or an object with one text.
fn inner_login(value: &Value) -> &Value {
    let inner = match value {
        Value::Array(list) if list.len() == 1 => list.first(),
        Value::Object(object) if object.len() == 1 => object.values().next(),
        _ => None,
    };
    inner.filter(|inner| inner.is_string()).unwrap_or(value)
}

/// Most bytes of an explanation: each event of its failure contains it.
const MAX_EXPLANATION_BYTES: usize = 8192;

/// Formats details as compact JSON, cut to the limit.
fn explanation_text(details: &Value) -> Option<String> {
    compact_details(details).map(|text| cut_text(&text, MAX_EXPLANATION_BYTES).into_owned())
}

/// Formats details as compact JSON; a map becomes the list of `key` and `value` that the service
/// usually sends. `None` when they are empty.
fn compact_details(details: &Value) -> Option<String> {
    match details {
        Value::Null => None,
        Value::Array(list) => {
            list.iter().any(|entry| !entry.is_null()).then(|| details.to_string())
        }
        Value::Object(object) if object.is_empty() => None,
        Value::Object(object) if object.contains_key("key") => Some(json!([details]).to_string()),
        Value::Object(object) => {
            let pair = |(key, value): (&String, &Value)| json!({ "key": key, "value": value });
            Some(object.iter().map(pair).collect::<Value>().to_string())
        }
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => match parse_embedded_json(text) {
            Some(held) => compact_details(&held),
            None => Some(details.to_string()),
        },
        other => Some(other.to_string()),
    }
}
