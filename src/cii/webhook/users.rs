//! The users whom a delivery names as failing.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::{
    FailingUser,
    notes::Notes,
    reading::{field, held_json, name_of_type},
};
use crate::domain::{Login, LoginError, SkippedLogins};

/// Everyone whom a detail names, each once, in the order of first mention:
/// `usersFailing`, then `loginDetails`, then the `login` of a direct message.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) users: Vec<FailingUser>,
    pub(super) skipped: SkippedLogins,
    /// Details, as JSON, that belong to no single one of the users.
    pub(super) explanation: Option<String>,
    positions: HashMap<Login, usize>,
}

/// Reads all three places. One login that cannot be used costs only itself.
pub(super) fn named(detail: &Map<String, Value>, notes: &mut Notes) -> Named {
    let mut named = Named::default();
    let mut unusable = HashSet::new();
    for (name, place) in [
        ("usersFailing", "detail.usersFailing"),
        ("loginDetails", "detail.loginDetails"),
        ("login", "detail.login"),
    ] {
        let Some(value) = field(detail, name) else { continue };
        let mut list = List::default();
        list.read(value);
        let is_usual = value.is_array() || (name == "login" && value.is_string());
        if !is_usual {
            notes.add(place, format_args!("{}, read as {}", name_of_type(value), list.size()));
        }
        if list.numbers > 0 {
            notes.add(
                place,
                format_args!("logins that are numbers, read as text: {}", list.numbers),
            );
        }
        // The lists usually name the same logins: what cannot be used counts once.
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
            .then(|| field(detail, "explainabilityDetails").and_then(explanation))
            .flatten();
        for (login, why) in list.users {
            named.add(login, why.or_else(|| details.clone()));
        }
    }
    named.explain_whole(detail, notes);
    named
}

impl Named {
    /// The first explanation of a user stays.
    fn add(&mut self, login: Login, explanation: Option<String>) {
        let end = self.users.len();
        let position = *self.positions.entry(login.clone()).or_insert(end);
        match self.users.get_mut(position) {
            Some(user) => user.explanation = user.explanation.take().or(explanation),
            None => self.users.push(FailingUser { login, explanation }),
        }
    }

    /// Details beside a list of users, without a `login` that they belong to.
    fn explain_whole(&mut self, detail: &Map<String, Value>, notes: &mut Notes) {
        if field(detail, "login").is_some() {
            return;
        }
        let details = field(detail, "explainabilityDetails").and_then(explanation);
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

/// What one place names.
#[derive(Debug, Default)]
struct List {
    users: Vec<(Login, Option<String>)>,
    /// What cannot be used, as JSON, and why.
    unusable: Vec<(String, &'static str)>,
    numbers: usize,
}

impl List {
    fn size(&self) -> String {
        let count = self.users.len();
        format!("{count} {}", if count == 1 { "login" } else { "logins" })
    }

    /// Reads a list of logins or of objects with a `login`, one of these alone, a
    /// map from login to details, or a text that holds any of these.
    fn read(&mut self, value: &Value) {
        match value {
            Value::Array(list) => list.iter().for_each(|entry| self.entry(entry)),
            Value::Object(object) if field(object, "login").is_none() => {
                for (login, details) in object {
                    self.login(&Value::from(login.as_str()), explanation(details));
                }
            }
            Value::String(text) => match held_json(text) {
                Some(held) => self.read(&held),
                None => match addresses(text) {
                    Some(addresses) => {
                        for address in addresses {
                            self.login(&Value::from(address), None);
                        }
                    }
                    None => self.login(value, None),
                },
            },
            other => self.entry(other),
        }
    }

    fn entry(&mut self, entry: &Value) {
        let Value::Object(object) = entry else { return self.login(entry, None) };
        let details = field(object, "details").or_else(|| field(object, "explainabilityDetails"));
        self.login(field(object, "login").unwrap_or(&Value::Null), details.and_then(explanation));
    }

    fn login(&mut self, value: &Value, why: Option<String>) {
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
            Err(error) => self.unusable.push((value.to_string(), reason(error))),
        }
    }
}

const fn reason(error: LoginError) -> &'static str {
    match error {
        LoginError::Empty => "empty",
        LoginError::TooLong => "too long",
        LoginError::Control => "with control characters",
    }
}

/// Several e-mail addresses in one text; no address has these separators.
fn addresses(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<_> = text
        .split(|c: char| matches!(c, ',' | ';') || c.is_whitespace())
        .filter(|part| !part.is_empty())
        .collect();
    let is_address = |part: &&str| part.matches('@').count() == 1;
    (parts.len() > 1 && parts.iter().all(is_address)).then_some(parts)
}

/// Details as compact JSON; a map becomes the list of `key` and `value` that the
/// service usually sends. `None` when there is nothing in them.
fn explanation(details: &Value) -> Option<String> {
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
        Value::String(text) => match held_json(text) {
            Some(held) => explanation(&held),
            None => Some(details.to_string()),
        },
        other => Some(other.to_string()),
    }
}
