//! The body of a webhook: from bytes to a [`Delivery`], or to a reason why not.
//!
//! The envelope is that of AWS `EventBridge`. What the service promises of its
//! content is little and changes, so a field that is missing is missing and a
//! field that is unknown is ignored; but a known field of a wrong type is
//! refused, because a user overlooked in it would never be named again.

mod detail;
mod field;
mod malformed;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod users;

use serde_json::Value;

use crate::domain::{Delivery, DeliveryKind, FailingUser, ReportedCheck, Timestamp};
use detail::Content;
use field::Field;
pub use malformed::Malformed;

const MAX_ID_CHARS: usize = 256;

/// Understands a delivery's body.
///
/// `received_at` dates what a delivery without a time of its own says.
///
/// # Errors
/// When the body is not JSON, has no envelope, or holds something under a known
/// name that does not belong there.
pub fn parse(body: &[u8], received_at: Timestamp) -> Result<Delivery, Malformed> {
    let body: Value = serde_json::from_slice(body).map_err(|error| Malformed::syntax(&error))?;
    let envelope = Field::root(&body);
    envelope.object()?;

    let id = envelope.required("id")?.filled_text()?;
    if id.chars().count() > MAX_ID_CHARS {
        let limit = format!("a text longer than {MAX_ID_CHARS} characters is no id");
        return Err(envelope.child("id").malformed(limit));
    }
    let detail_type = envelope.optional_text("detail-type")?.unwrap_or_default();
    let sent_at = envelope.optional_text("time")?.and_then(moment);
    let detail = envelope.child("detail");

    let content = match DetailType::of(detail_type) {
        DetailType::Test => Content::default(),
        DetailType::FailedCheck => detail::failed_check(&detail)?,
        DetailType::Unknown => detail::unknown(&detail)?,
    };
    let published_at = published(&body).or(sent_at);
    Ok(Delivery {
        id: id.to_owned(),
        kind: kind(DetailType::of(detail_type), &content),
        detail_type: detail_type.to_owned(),
        published_at,
        account: envelope.optional_text("account")?.map(str::to_owned),
        region: envelope.optional_text("region")?.map(str::to_owned),
        check: content.check.map(|check| ReportedCheck {
            id: check.id,
            definition: check.words.dated(published_at.unwrap_or(received_at)),
        }),
        failing: content.failing,
    })
}

/// `detail-type`, as far as its meaning is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DetailType {
    Test,
    /// Named so, or empty as in older deliveries.
    FailedCheck,
    /// A direct message about one user, or something newer than this code.
    Unknown,
}

impl DetailType {
    /// No public text settles how the values are spelled, so case, `_`, `-` and
    /// spaces do not count.
    fn of(text: &str) -> Self {
        let letters: String =
            text.to_lowercase().chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect();
        match letters.as_str() {
            "webhooktest" => Self::Test,
            "failedcheck" | "" => Self::FailedCheck,
            _ => Self::Unknown,
        }
    }
}

fn kind(detail_type: DetailType, content: &Content) -> DeliveryKind {
    match detail_type {
        DetailType::Test => DeliveryKind::Test,
        DetailType::FailedCheck => DeliveryKind::FailedCheck,
        DetailType::Unknown if content.names_failures() => DeliveryKind::FailedCheck,
        DetailType::Unknown => DeliveryKind::Other,
    }
}

/// When the content was published; whatever is no RFC 3339 time tells nothing.
fn published(body: &Value) -> Option<Timestamp> {
    body.pointer("/detail/published").and_then(Value::as_str).and_then(moment)
}

fn moment(text: &str) -> Option<Timestamp> {
    Some(chrono::DateTime::parse_from_rfc3339(text.trim()).ok()?.to_utc())
}
