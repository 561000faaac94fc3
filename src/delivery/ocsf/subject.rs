//! The fields that each class adds.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{Source, Texts, is_of_check, unix_millis};
use crate::domain::{AttributeValue, Event, EventName, SOMEBODY, event::key};

type Record = Map<String, Value>;

/// Compliance Finding: a user fails a check, or no longer does.
pub(super) fn add_compliance_finding(
    record: &mut Record,
    source: &Source,
    event: &Event,
    attributes: &Texts<'_>,
) {
    let check = attributes.text(key::CHECK_ID).unwrap_or("unknown");
    let title = attributes.text(key::CHECK_TITLE).unwrap_or(check);
    let is_gone = attributes.text(key::CHECK_RESOLUTION) == Some("user_unknown");
    let (status_id, status, result) = match event.name {
        EventName::CheckResolved if is_gone => (4, "Resolved", (0, "Unknown")),
        EventName::CheckResolved => (4, "Resolved", (1, "Pass")),
        _ => (1, "New", (3, "Fail")),
    };
    let person = (!is_of_check(event.name)).then(|| identity(record, event, attributes));
    let uid = finding_uid(source, &["check", check, person.as_deref().unwrap_or_default()]);
    let mut info = finding_info(&uid, title, event, attributes);
    info["analytic"] = json!({ "type_id": 1, "type": "Rule", "uid": check, "name": title });
    if let Some(text) = attributes.joined_text(key::CHECK_DESCRIPTION) {
        info["desc"] = text.into();
    }
    set_field(record, "finding_info", info);
    let standards = attributes.texts(key::CHECK_FRAMEWORKS);
    let mut compliance = json!({ "control": check, "status_id": result.0, "status": result.1 });
    if !standards.is_empty() {
        compliance["standards"] = standards.into();
    }
    set_field(record, "compliance", compliance);
    set_field(record, "status_id", status_id);
    set_field(record, "status", status);
    if let Some(text) = attributes.joined_text(key::CHECK_RECOMMENDED_ACTIONS) {
        set_field(record, "remediation", json!({ "desc": text }));
    }
    if let Some(AttributeValue::Integer(seconds)) = attributes.0.get(key::CHECK_FAILED_FOR) {
        set_field(record, "duration", seconds.saturating_mul(1000));
    }
    if person.is_some() {
        let owner = user(attributes);
        let mut resource = json!({ "type": "User", "owner": owner });
        for field in ["name", "uid"] {
            if let Some(value) = owner.get(field) {
                resource[field] = value.clone();
            }
        }
        set_field(record, "resources", json!([resource]));
    }
}

/// IAM Analysis Finding: a user does not use an application, or uses it again.
pub(super) fn add_unused_application(
    record: &mut Record,
    source: &Source,
    event: &Event,
    attributes: &Texts<'_>,
) {
    let application = attributes.text(key::APPLICATION).unwrap_or("unknown");
    let uid =
        finding_uid(source, &["application", application, &identity(record, event, attributes)]);
    let title = format!("Unused application: {application}");
    set_field(record, "finding_info", finding_info(&uid, &title, event, attributes));
    set_field(record, "applications", json!([{ "name": application }]));
    set_field(record, "user", user(attributes));
    let (id, name) =
        if event.name == EventName::UserApplicationUsed { (4, "Resolved") } else { (1, "New") };
    set_field(record, "status_id", id);
    set_field(record, "status", name);
}

/// Account Change: the status or the factors changed.
pub(super) fn add_account_change(record: &mut Record, attributes: &Texts<'_>) {
    set_field(record, "user", user(attributes));
    let factors = [key::FACTORS_ADDED, key::FACTORS_REMOVED];
    let factors = factors.into_iter().flat_map(|name| attributes.texts(name));
    // The service's word does not say which type of the schema it is.
    let factors: Vec<_> =
        factors.map(|name| json!({ "factor_type_id": 99, "factor_type": name })).collect();
    if !factors.is_empty() {
        set_field(record, "auth_factors", factors);
    }
}

/// Entity Management: where a user is seen.
pub(super) fn add_entity(record: &mut Record, event: &Event, attributes: &Texts<'_>) {
    set_field(record, "entity", json!({ "type_id": 2, "type": "User", "user": user(attributes) }));
    set_field(record, "comment", event.sentence());
    let mut place = Map::new();
    for (field, name) in
        [("city", key::GEO_LOCALITY), ("country", key::GEO_COUNTRY), ("region", key::GEO_STATE)]
    {
        if let Some(text) = attributes.text(name) {
            place.insert(field.to_owned(), text.into());
        }
    }
    if let Some(ip) = attributes.text(key::CLIENT_ADDRESS) {
        let mut endpoint = json!({ "ip": ip });
        if !place.is_empty() {
            endpoint["location"] = place.into();
        }
        set_field(record, "src_endpoint", endpoint);
    }
}

/// User Access Management: administrators of the service.
pub(super) fn add_administrator(record: &mut Record, attributes: &Texts<'_>) {
    set_field(record, "user", user(attributes));
    set_field(record, "privileges", ["administrator"].as_slice());
}

/// Application Lifecycle: the exporter itself, and the service's integrations.
pub(super) fn add_application(record: &mut Record, event: &Event, attributes: &Texts<'_>) {
    let app = match attributes.text(key::INTEGRATION_ID) {
        Some(id) => {
            let name = attributes.text(key::INTEGRATION_NAME).unwrap_or(id);
            json!({ "name": name, "uid": id })
        }
        None => json!({ "name": "cii-exporter" }),
    };
    set_field(record, "app", app);
    let (id, name) = match event.name {
        EventName::IntegrationStatusChanged => {
            (99, attributes.text(key::INTEGRATION_STATUS).unwrap_or("unknown"))
        }
        EventName::WebhookTest => (1, "Success"),
        _ => {
            let outcomes = [key::POLL_OUTCOME, key::SYNC_OUTCOME];
            let outcome = outcomes.into_iter().find_map(|name| attributes.text(name));
            if matches!(outcome, Some("answered" | "succeeded")) {
                (1, "Success")
            } else {
                (2, "Failure")
            }
        }
    };
    set_field(record, "status_id", id);
    set_field(record, "status", name);
    if let Some(reason) = attributes.text(key::ERROR_MESSAGE) {
        set_field(record, "status_detail", reason);
    }
}

fn set_field(record: &mut Record, name: &str, value: impl Into<Value>) {
    record.insert(name.to_owned(), value.into());
}

fn finding_info(uid: &str, title: &str, event: &Event, attributes: &Texts<'_>) -> Value {
    let mut info = json!({ "uid": uid, "title": title });
    let moment = match event.name {
        EventName::CheckFailed | EventName::UserApplicationUnused => "created_time",
        _ => "modified_time",
    };
    info[moment] = unix_millis(event.happened_at).into();
    if let Some(url) = attributes.text(key::URL_FULL) {
        info["src_url"] = url.into();
    }
    info
}

/// The user, with the names that the operator wants to send.
fn user(attributes: &Texts<'_>) -> Value {
    let mut user = Map::new();
    for (field, name) in [
        ("uid", key::USER_HASH),
        ("uid", key::USER_ID),
        ("name", key::USER_NAME),
        ("email_addr", key::USER_EMAIL),
        ("full_name", key::USER_FULL_NAME),
    ] {
        if let Some(text) = attributes.text(name) {
            user.insert(field.to_owned(), text.into());
        }
    }
    if user.is_empty() {
        user.insert("name".to_owned(), SOMEBODY.into());
    }
    user.insert("type_id".to_owned(), 1.into());
    user.insert("type".to_owned(), "User".into());
    user.into()
}

/// The identity of the user within findings: the canonical login, else the hash or id that replaces
/// it. Without either, the event's own id keeps it apart from all other users.
fn identity(record: &Record, event: &Event, attributes: &Texts<'_>) -> String {
    if let Some(login) = &event.login {
        return login.as_str().to_owned();
    }
    let named = [key::USER_HASH, key::USER_ID].into_iter().find_map(|name| attributes.text(name));
    let of_event = || record.get("metadata").and_then(|metadata| metadata["uid"].as_str());
    named.or_else(of_event).unwrap_or_default().to_owned()
}

/// The same uid for the events that open and close a finding, and another one for every other
/// finding: 128 bits of a digest, because a login may be long and may have to stay unreadable.
fn finding_uid(source: &Source, parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    digest.update(source.instance_id.as_bytes());
    for part in parts {
        // The length before each part makes different lists of parts differ.
        digest.update(part.len().to_be_bytes());
        digest.update(part.as_bytes());
    }
    let mut text = String::with_capacity(32);
    for byte in &digest.finalize()[..16] {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
