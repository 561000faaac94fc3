//! Parses the fields of a query that filter the event log.

use strum::VariantArray as _;

use super::{problem::Problem, query::Fields};
use crate::{
    clock,
    domain::{EventName, IpAddress, Login, Severity, Timestamp, parse_moment},
    store::{EventFilter, FailingLogin},
};

/// Takes the fields of an event filter out of a query.
///
/// # Errors
/// When a value is invalid; the problem names the field and the expected form.
pub(super) fn take_event_filter(fields: &mut Fields) -> Result<EventFilter, Problem> {
    Ok(EventFilter {
        name: fields.take("name").as_deref().map(parse_event_name).transpose()?,
        check_id: fields.take("check_id"),
        login: fields.take("login").map(|text| login_identity(&text)),
        ip: fields.take("ip").as_deref().map(parse_ip).transpose()?,
        severity: fields.take("severity").map(|text| Severity::new(Some(&text)).label()),
        since: fields
            .take("since")
            .as_deref()
            .map(|text| parse_moment_field("since", text))
            .transpose()?,
        until: fields
            .take("until")
            .as_deref()
            .map(|text| parse_moment_field("until", text))
            .transpose()?,
    })
}

/// Normalizes a login to the identity that events have. A text that is no login is returned as it
/// is; no event matches it.
pub(super) fn login_identity(text: &str) -> String {
    Login::new(text).map_or_else(|_| text.trim().to_owned(), |login| login.as_str().to_owned())
}

/// Parses an address and returns its canonical spelling.
///
/// # Errors
/// When the text is a range, or no address.
pub(super) fn parse_ip(text: &str) -> Result<String, Problem> {
    let address = text.parse::<IpAddress>();
    address.map(|ip| ip.to_string()).map_err(|error| {
        Problem::bad_request(format!(
            "{error}; an address is written as 203.0.113.7 or 2001:db8::1"
        ))
    })
}

/// The event names that a filter accepts.
pub(super) fn public_event_names() -> impl Iterator<Item = EventName> {
    EventName::VARIANTS.iter().copied().filter(|name| name.is_public())
}

/// The cursor after a user in the list of failing users by age.
pub(super) fn cursor_by_age(user: &FailingLogin) -> String {
    format!("{} {}", user.since.timestamp_micros(), user.login.as_str())
}

/// Parses such a cursor.
///
/// # Errors
/// When the text is no such cursor.
pub(super) fn parse_cursor_by_age(cursor: &str) -> Result<(Timestamp, String), Problem> {
    let place = cursor.split_once(' ').and_then(|(micros, login)| {
        let moment = Timestamp::from_timestamp_micros(micros.parse().ok()?)?;
        Some((moment, login.to_owned()))
    });
    place.ok_or_else(|| {
        Problem::bad_request(format!(
            "{cursor:?} is no cursor of users by age; use the one of the answer before"
        ))
    })
}

fn parse_event_name(text: &str) -> Result<EventName, Problem> {
    public_event_names().find(|name| name.as_str() == text).ok_or_else(|| {
        let names: Vec<_> = public_event_names().map(EventName::as_str).collect();
        Problem::bad_request(format!("{text:?} is no event; there are {}", names.join(", ")))
    })
}

fn parse_moment_field(field: &str, text: &str) -> Result<Timestamp, Problem> {
    let now = clock::now();
    let read = |text: &str| parse_moment(text, |ago| now.checked_sub_signed(ago));
    // A form-encoded query decodes an unescaped `+` of a time zone to a blank.
    read(text)
        .or_else(|error| read(&text.trim().replace(' ', "+")).map_err(|_| error))
        .map_err(|error| Problem::bad_request(format!("{field}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_a_query_may_have_lost_the_sign_of_its_zone() {
        let expected = "2026-01-02T01:04:05Z".parse::<Timestamp>().unwrap();
        for text in ["2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05 02:00"] {
            assert_eq!(parse_moment_field("since", text).ok(), Some(expected), "{text}");
        }
        let (_, detail) = parse_moment_field("until", "soon").unwrap_err().into_parts();
        assert!(detail.starts_with("until: \"soon\" is no moment; write one such as"), "{detail}");
        let before = clock::now();
        let ago = parse_moment_field("since", "7d").unwrap() + chrono::TimeDelta::days(7);
        assert!((before..=clock::now()).contains(&ago), "{ago}");
    }

    #[test]
    fn a_cursor_by_age_is_a_moment_and_a_login() {
        let moment = Timestamp::from_timestamp_micros(5).unwrap();
        assert_eq!(parse_cursor_by_age("5 a b").ok(), Some((moment, "a b".to_owned())));
        for wrong in ["", "5", "x y", "99999999999999999999 a"] {
            assert!(parse_cursor_by_age(wrong).is_err(), "{wrong:?}");
        }
    }
}
