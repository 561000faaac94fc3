//! Redacts a person in stored forms.

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};

use super::{Unreadable, to_json};
use crate::domain::{FORGOTTEN, Login, Mention, event::key};

/// Fields that name the person whom an object is about, in the form of [`letters`].
const NAMES: [&str; 4] = ["login", "username", "email", "user"];

/// Fields that stay in an object that is about the person and not an entry of a list: the envelope
/// of a delivery, and its data about the check and about other users.
const IMPERSONAL: [&str; 17] = [
    "account",
    "checkid",
    "description",
    "detail",
    "detailtype",
    "frameworks",
    "id",
    "logindetails",
    "published",
    "recommendedactions",
    "region",
    "severity",
    "source",
    "time",
    "title",
    "usersfailing",
    "version",
];

/// Attributes of an event about a user that are not about the person.
const KEPT_ATTRIBUTES: [&str; 4] = ["cii.check.", "cii.delivery.", "cii.tenant.id", "cloud."];

/// Maximum number of decompressed bytes of a body that are searched.
const MOST_UNPACKED: u64 = 64 * 1024 * 1024;

/// The result of redacting a body.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) enum Redacted {
    /// The body does not name the person.
    Not,
    /// The body without the person.
    To(Vec<u8>),
    /// The body cannot be rewritten, and must be removed.
    Dropped,
}

/// Redacts a person in stored forms.
#[derive(Debug, Clone)]
pub(in crate::store) struct Redactor(Mention);

impl Redactor {
    pub(in crate::store) fn new(login: &Login) -> Self {
        Self(Mention::of(login))
    }

    /// Whether the text is the person's login.
    pub(in crate::store) fn is_login(&self, text: &str) -> bool {
        self.0.matches(text)
    }

    /// A text, or JSON in one, without the person; none when it does not name the person.
    pub(in crate::store) fn redact_text(&self, text: &str) -> Option<String> {
        // Escapes can hide a login: `\u0040` from a sender, `\\` from our own encoding.
        if !self.0.may_be_in(text) && !text.contains('\\') {
            return None;
        }
        match parse_structure(text) {
            Some(mut value) => self.redact_value(&mut value).then(|| value.to_string()),
            None => self.redact_prose(text),
        }
    }

    /// The body of a delivery without the person.
    pub(in crate::store) fn redact_body(&self, body: &[u8], is_packed: bool) -> Redacted {
        if is_packed {
            let mut unpacked = Vec::new();
            // Only the part that can be decompressed can be read by anyone.
            let _ = GzDecoder::new(body).take(MOST_UNPACKED).read_to_end(&mut unpacked);
            let text = String::from_utf8_lossy(&unpacked);
            return if self.redact_text(&text).is_some() {
                Redacted::Dropped
            } else {
                Redacted::Not
            };
        }
        match std::str::from_utf8(body) {
            Ok(text) => {
                self.redact_text(text).map_or(Redacted::Not, |text| Redacted::To(text.into_bytes()))
            }
            Err(_) if self.redact_text(&String::from_utf8_lossy(body)).is_some() => {
                Redacted::Dropped
            }
            Err(_) => Redacted::Not,
        }
    }

    /// A list of texts without the person's login; none when it does not contain the login.
    pub(in crate::store) fn redact_list(&self, json: &str) -> Option<String> {
        let texts: Vec<String> = serde_json::from_str(json).ok()?;
        let others: Vec<_> = texts.iter().filter(|text| !self.is_login(text)).collect();
        (others.len() < texts.len()).then(|| to_json(&others))
    }

    /// An object with logins as keys, without the person; none when it does not contain the person.
    pub(in crate::store) fn redact_members(&self, json: &str) -> Option<String> {
        let mut members: Map<String, Value> = serde_json::from_str(json).ok()?;
        let known = members.len();
        members.retain(|login, _| !self.is_login(login));
        (members.len() < known).then(|| to_json(&members))
    }

    /// The attributes of an event about the person that do not describe the person.
    pub(in crate::store) fn redact_attributes(&self, json: &str) -> Result<String, Unreadable> {
        let mut attributes: Map<String, Value> = serde_json::from_str(json)?;
        attributes.retain(|name, _| {
            name != key::CHECK_EXPLANATION
                && KEPT_ATTRIBUTES.iter().any(|kept| name.starts_with(kept))
        });
        let mut attributes = Value::Object(attributes);
        self.redact_value(&mut attributes);
        Ok(attributes.to_string())
    }

    fn redact_prose(&self, text: &str) -> Option<String> {
        match unescape(text) {
            Some(plain) => self.0.redact(&plain),
            None => self.0.redact(text),
        }
    }

    /// Redacts the person in a value; returns whether anything changed.
    fn redact_value(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => match self.redact_text(text) {
                Some(redacted) => {
                    *text = redacted;
                    true
                }
                None => false,
            },
            Value::Array(list) => list.iter_mut().fold(false, |changed, entry| {
                let is_about = match &*entry {
                    Value::Object(object) => self.is_about(object),
                    // A login can be a number, which is compared as text.
                    Value::Number(number) => self.is_login(&number.to_string()),
                    _ => false,
                };
                if is_about {
                    *entry = match entry {
                        Value::Object(_) => json!({ "login": FORGOTTEN }),
                        _ => FORGOTTEN.into(),
                    };
                }
                is_about || self.redact_value(entry) || changed
            }),
            Value::Object(object) => self.redact_object(object),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    fn redact_object(&self, object: &mut Map<String, Value>) -> bool {
        let mut changed = self.is_about(object);
        if changed {
            object.retain(|name, _| IMPERSONAL.contains(&letters(name).as_str()));
            object.insert("login".to_owned(), FORGOTTEN.into());
        }
        let keys: Vec<_> =
            object.keys().filter(|name| self.redact_text(name).is_some()).cloned().collect();
        for key in keys {
            // The value under a login describes the person.
            object.remove(&key);
            object.insert(FORGOTTEN.to_owned(), FORGOTTEN.into());
            changed = true;
        }
        for inner in object.values_mut() {
            changed |= self.redact_value(inner);
        }
        changed
    }

    /// Whether an object is about the person.
    fn is_about(&self, object: &Map<String, Value>) -> bool {
        object.iter().any(|(name, value)| {
            let is_login = match value {
                Value::String(text) => self.is_login(text),
                Value::Number(number) => self.is_login(&number.to_string()),
                _ => false,
            };
            is_login && NAMES.contains(&letters(name).as_str())
        })
    }
}

/// The JSON object or list in a text.
fn parse_structure(text: &str) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}');
    text.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(text).ok()).flatten()
}

/// The letters of a field's name in lower case, because the service's spellings differ.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The text with JSON's escapes decoded; none when it has none. It is for texts that are not valid
/// JSON as a whole, such as a truncated body.
fn unescape(text: &str) -> Option<String> {
    text.contains('\\').then(|| {
        let mut plain = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            let escaped = rest.get(2..6).filter(|_| rest[1..].starts_with(['u', 'U']));
            let escaped = escaped.and_then(|hex| u32::from_str_radix(hex, 16).ok());
            match escaped.and_then(char::from_u32).filter(|c| !matches!(c, '"' | '\\')) {
                Some(c) => {
                    plain.push(c);
                    rest = &rest[6..];
                }
                None if rest[1..].starts_with(['\\', '/']) => {
                    plain.push_str(&rest[1..2]);
                    rest = &rest[2..];
                }
                None => {
                    plain.push('\\');
                    rest = &rest[1..];
                }
            }
        }
        plain + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(login: &str) -> Redactor {
        Redactor::new(&Login::new(login).unwrap())
    }

    fn redact_json(login: &str, body: &str) -> Option<String> {
        match redactor(login).redact_body(body.as_bytes(), false) {
            Redacted::To(body) => Some(String::from_utf8(body).unwrap()),
            Redacted::Not => None,
            Redacted::Dropped => panic!("{body} was dropped"),
        }
    }

    #[test]
    fn a_body_keeps_the_others_it_names() {
        let body = r#"{"id":"1","detail":{"checkId":"c","usersFailing":["Ann@x.com","bob@x.com"],
            "loginDetails":[{"login":"ann@x.com","details":[{"key":"ip","value":"192.0.2.1"}]},
                {"login":"bob@x.com","details":[]}]}}"#;
        let expected = r#"{"detail":{"checkId":"c","loginDetails":[{"login":"(forgotten)"},{"details":[],"login":"bob@x.com"}],"usersFailing":["(forgotten)","bob@x.com"]},"id":"1"}"#;
        assert_eq!(redact_json("ann@x.com", body).as_deref(), Some(expected));
        assert_eq!(redact_json("carl@x.com", body), None);
    }

    #[test]
    fn a_message_about_the_person_keeps_what_it_says_of_the_check() {
        let body = r#"{"detail":{"checkId":"c","title":"T","login":"ann@x.com",
            "explainabilityDetails":[{"key":"title","value":"Accountant"}]}}"#;
        let expected = r#"{"detail":{"checkId":"c","login":"(forgotten)","title":"T"}}"#;
        assert_eq!(redact_json("ann@x.com", body).as_deref(), Some(expected));
    }

    #[test]
    fn a_login_is_found_in_every_form_in_which_a_body_can_have_it() {
        for (login, body) in [
            ("ann@x.com", r#"{"detail":{"usersFailing":["ann\u0040x.com"]}}"#),
            ("ann@x.com", r#"{"detail":"{\"usersFailing\":[\"ann@x.com\"]}"}"#),
            ("ann@x.com", r#"{"detail":"{\"usersFailing\":[\"ann\\u0040x.com\"]}"}"#),
            ("ann@x.com", r#"{"detail":{"usersFailing":"ann@x.com, bob@x.com"}}"#),
            ("ann@x.com", r#"{"detail":{"loginDetails":{"ann@x.com":{"ip":"192.0.2.1"}}}}"#),
            ("ann@x.com", r#"{"detail":{"usersFailing":["ann@x.com","bob@"#),
            ("ann@x.com", r#"{"detail":{"usersFailing":["ann\u0040x.com","bob@"#),
            (r"CORP\ann", r#"{"detail":{"usersFailing":["CORP\\ann"]}}"#),
            (r"CORP\ann", r#"{"detail":{"usersFailing":["CORP\\ann","bob@"#),
            ("4711", r#"{"detail":{"usersFailing":[4711, 12]}}"#),
            ("a", r#"{"detail":{"usersFailing":["a"],"description":["a check"]}}"#),
        ] {
            let redacted = redact_json(login, body).unwrap_or_else(|| panic!("{login} in {body}"));
            assert!(redacted.contains(FORGOTTEN), "{redacted}");
            assert!(!redacted.contains("ann") && !redacted.contains("4711"), "{redacted}");
            assert!(!redacted.contains("192.0.2.1"), "{redacted}");
            assert_eq!(redactor(login).redact_text(&redacted), None, "{redacted}");
        }
        let short = redact_json("a", r#"{"detail":{"description":["a check"]}}"#);
        assert_eq!(short, None);
    }

    #[test]
    fn a_body_that_cannot_be_rewritten_goes() {
        let mut gzip = flate2::GzBuilder::new()
            .read(b"{\"login\":\"ann@x.com\"}".as_slice(), flate2::Compression::fast());
        let mut packed = Vec::new();
        gzip.read_to_end(&mut packed).unwrap();
        assert_eq!(redactor("ann@x.com").redact_body(&packed, true), Redacted::Dropped);
        assert_eq!(redactor("bob@x.com").redact_body(&packed, true), Redacted::Not);
        assert_eq!(redactor("ann@x.com").redact_body(b"\xff ann@x.com", false), Redacted::Dropped);
    }

    #[test]
    fn what_describes_the_person_is_no_attribute_any_more() {
        let json = r#"{"cii.check.id":"c","cii.check.explanation":"[]","user.name":"ann@x.com",
            "geo.country.iso_code":"CZ","client.address":"192.0.2.1"}"#;
        let expected = r#"{"cii.check.id":"c"}"#;
        assert_eq!(redactor("ann@x.com").redact_attributes(json).unwrap(), expected);
    }

    #[test]
    fn others_in_a_list_or_an_object_stay() {
        let ann = redactor("Ann@x.com");
        assert_eq!(ann.redact_list(r#"["ann@x.com","bob"]"#).as_deref(), Some(r#"["bob"]"#));
        assert_eq!(ann.redact_list(r#"["bob"]"#), None);
        assert_eq!(
            ann.redact_members(r#"{"ANN@x.com":{},"bob":{}}"#).as_deref(),
            Some(r#"{"bob":{}}"#)
        );
        assert_eq!(ann.redact_members(r#"{"bob":{}}"#), None);
    }
}
