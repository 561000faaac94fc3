//! Parses the body of a webhook into a [`Delivery`].
//!
//! The envelope is that of AWS `EventBridge`. Its content is barely specified and changes, so
//! parsing is lenient: missing fields are allowed, unknown ones are ignored, and one of another
//! type is read if its meaning is unambiguous, with a note. A failed check is refused only if it
//! contains neither a user nor a check, because a user who is overlooked would never be named
//! again.

mod detail;
mod malformed;
mod moment;
mod notes;
#[cfg(test)]
mod properties;
mod reading;
#[cfg(test)]
mod tests;
mod users;

use std::{borrow::Cow, fmt::Write as _};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    cii::json,
    domain::{Delivery, DeliveryKind, FailingUser, ReportedCheck, Timestamp},
};
use detail::Content;
pub use malformed::Malformed;
use notes::Notes;
use reading::{find_field, parse_embedded_json, read_text, type_name};

const MAX_ID_CHARS: usize = 256;

/// Parses a delivery's body.
///
/// `received_at` is the time of a delivery that has none.
///
/// # Errors
/// When the body is no JSON object, or is a failed check without a readable check or user.
pub fn parse(body: &[u8], received_at: Timestamp) -> Result<Delivery, Malformed> {
    let parsed =
        json::parse_with_odd_numbers(body).map_err(|error| Malformed::syntax(&error, body))?;
    let Value::Object(envelope) = &parsed else {
        let found = format!("expected an object, found {}", type_name(&parsed));
        return Err(Malformed::field("", found));
    };
    let mut notes = Notes::default();
    let id = read_envelope_id(find_field(envelope, "id"), body, &mut notes);
    let detail_type = read_text(find_field(envelope, "detail-type"), "detail-type", &mut notes)
        .unwrap_or_default();
    let sent_at = moment::read(find_field(envelope, "time"), "time", &mut notes);
    let sent_at = moment::limit_to_receipt(sent_at, received_at, "time", &mut notes);
    let meaning = DetailType::from_text(&detail_type);
    let mut published_at = None;
    let content = match (meaning, find_detail(envelope, &mut notes)) {
        (DetailType::Test, _) => Content::default(),
        (_, Detail::Object(detail)) => {
            let published = find_field(&detail, "published");
            published_at = moment::read(published, "detail.published", &mut notes);
            published_at =
                moment::limit_to_receipt(published_at, received_at, "detail.published", &mut notes);
            Content::read(&detail, &mut notes)
        }
        (DetailType::FailedCheck, Detail::Missing) => {
            return Err(Malformed::field("/detail", "missing"));
        }
        (DetailType::FailedCheck, Detail::Other(found)) => {
            let found = format!("expected an object, found {found}");
            return Err(Malformed::field("/detail", found));
        }
        (DetailType::Unknown, _) => Content::default(),
    };
    if meaning == DetailType::FailedCheck && !content.has_content() {
        return Err(no_subject_error(&content));
    }
    let published_at = published_at.or(sent_at);
    Ok(Delivery {
        id,
        kind: delivery_kind(meaning, &content),
        received_at,
        sent_at,
        published_at,
        source: read_text(find_field(envelope, "source"), "source", &mut notes),
        account: read_text(find_field(envelope, "account"), "account", &mut notes),
        region: read_text(find_field(envelope, "region"), "region", &mut notes),
        detail_type,
        detail_id: content.id,
        check: content.check.map(|check| ReportedCheck {
            definition: check.words.into_definition(&check.id, published_at.unwrap_or(received_at)),
            id: check.id,
        }),
        frameworks: content.frameworks,
        explanation: content.named.explanation,
        failing: content.named.users,
        skipped: content.named.skipped,
        notes: notes.into_texts(),
    })
}

/// Reads the envelope's id. Without a usable one it is derived from the body, so that an exact
/// repeat is recognised.
fn read_envelope_id(value: Option<&Value>, body: &[u8], notes: &mut Notes) -> String {
    let given = match value {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => {
            notes.add("id", "a number, read as text");
            Some(number.to_string())
        }
        _ => None,
    };
    let is_usable = |id: &String| {
        // An id with NUL is not used: PostgreSQL cannot store it, and duplicates are found by the
        // id.
        !id.trim().is_empty() && id.chars().nth(MAX_ID_CHARS).is_none() && !id.contains('\0')
    };
    let given = given.filter(is_usable);
    given.unwrap_or_else(|| {
        let why = if value.is_none() { "missing" } else { "no id that can be used" };
        notes.add("id", format_args!("{why}, made from the body"));
        Sha256::digest(body).iter().fold("sha256:".to_owned(), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        })
    })
}

/// The result of the search for `detail`.
enum Detail<'a> {
    Object(Cow<'a, Map<String, Value>>),
    Missing,
    /// Of this type.
    Other(&'static str),
}

/// Finds the detail: an object, a text with an object as JSON, a list of one object, or the
/// envelope itself when a sender forwarded the content without its envelope.
fn find_detail<'a>(envelope: &'a Map<String, Value>, notes: &mut Notes) -> Detail<'a> {
    let Some(value) = find_field(envelope, "detail") else {
        let is_content = ["checkId", "usersFailing", "loginDetails", "login"];
        if is_content.iter().any(|name| find_field(envelope, name).is_some()) {
            notes.add("detail", "missing, its fields stand in the envelope");
            return Detail::Object(Cow::Borrowed(envelope));
        }
        return Detail::Missing;
    };
    let held = match value {
        Value::Object(detail) => return Detail::Object(Cow::Borrowed(detail)),
        Value::String(text) => parse_embedded_json(text),
        Value::Array(list) if list.len() == 1 => Some(list[0].clone()),
        _ => None,
    };
    match held {
        Some(Value::Object(detail)) => {
            notes.add("detail", format_args!("{} that holds an object", type_name(value)));
            Detail::Object(Cow::Owned(detail))
        }
        _ => Detail::Other(type_name(value)),
    }
}

fn no_subject_error(content: &Content) -> Malformed {
    let mut problem = "names neither a check nor a user that can be read".to_owned();
    if content.named.skipped.count() > 0 {
        let _ = write!(problem, "; logins that cannot be used: {}", content.named.skipped);
    }
    Malformed::field("/detail", problem)
}

/// The known meanings of `detail-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DetailType {
    Test,
    /// A failed check; also when it is empty, as in older deliveries.
    FailedCheck,
    /// A direct message about one user, or a type that is not known yet.
    Unknown,
}

impl DetailType {
    /// Parses the value. Its spelling is not documented, so case, `_`, `-` and spaces are ignored.
    fn from_text(text: &str) -> Self {
        let letters: String =
            text.trim().to_lowercase().chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect();
        match letters.as_str() {
            "webhooktest" => Self::Test,
            "failedcheck" | "" => Self::FailedCheck,
            _ => Self::Unknown,
        }
    }
}

fn delivery_kind(detail_type: DetailType, content: &Content) -> DeliveryKind {
    match detail_type {
        DetailType::Test => DeliveryKind::Test,
        DetailType::FailedCheck => DeliveryKind::FailedCheck,
        DetailType::Unknown if content.has_failures() => DeliveryKind::FailedCheck,
        DetailType::Unknown => DeliveryKind::Other,
    }
}
