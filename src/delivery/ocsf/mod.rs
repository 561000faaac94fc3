//! An event as a record of the Open Cybersecurity Schema Framework (OCSF), which many SIEMs read.
//!
//! <https://schema.ocsf.io/1.8.0>; docs/ocsf.md lists the class of each event, and
//! `tests/ocsf/schema.json` has the parts of the schema that the tests check records against.

mod class;
mod subject;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use self::class::{Activity, Class, activity};
use crate::{
    build_info,
    domain::{
        AttributeValue, Attributes, Event, EventName, Rank, TenantId, Timestamp, event::key,
        sensible,
    },
};

/// The version of the schema.
const VERSION: &str = "1.8.0";

/// The attribute that holds the record as JSON text: OTLP receivers do not parse it.
pub(super) const ATTRIBUTE: &str = "ocsf";

/// The values that are the same in every record.
#[derive(Debug, Clone, Default)]
pub(super) struct Source {
    /// The id of the store, which makes findings of two exporters distinct.
    pub(super) instance_id: String,
    /// The tenant's id, once it is known.
    pub(super) tenant_id: Option<TenantId>,
}

/// The record of an event with these attributes; none for an event that is not sent. Both must
/// already be without names that the operator does not want to send.
pub(super) fn build_record(
    source: &Source,
    uid: &str,
    event: &Event,
    attributes: &Attributes,
) -> Option<Value> {
    let about = activity(event.name, attributes)?;
    let mut record = base_record(source, uid, event, attributes, &about);
    let attributes = &Texts(attributes);
    match about.class {
        Class::ComplianceFinding => {
            subject::add_compliance_finding(&mut record, source, event, attributes);
        }
        Class::IamAnalysisFinding => {
            subject::add_unused_application(&mut record, source, event, attributes);
        }
        Class::AccountChange => subject::add_account_change(&mut record, attributes),
        Class::EntityManagement => subject::add_entity(&mut record, event, attributes),
        Class::UserAccess => subject::add_administrator(&mut record, attributes),
        Class::ApplicationLifecycle => subject::add_application(&mut record, event, attributes),
    }
    Some(Value::Object(record))
}

fn base_record(
    source: &Source,
    uid: &str,
    event: &Event,
    attributes: &Attributes,
    about: &Activity,
) -> Map<String, Value> {
    let class = about.class;
    let (class_uid, class_name) = class.uid_and_name();
    let (category_uid, category_name) = class.category();
    let type_uid = class_uid * 100 + about.id;
    let (severity_id, severity) = severity(event);
    let tenant = match attributes.get(key::TENANT_ID) {
        Some(AttributeValue::Text(id)) => Some(id.clone()),
        _ => source.tenant_id.map(|id| id.to_string()),
    };
    let mut metadata = json!({
        "version": VERSION,
        "product": {
            "name": "Cisco Identity Intelligence",
            "vendor_name": "Cisco",
        },
        "log_name": event.name.as_str(),
        "log_provider": "cii-exporter",
        "log_version": build_info::VERSION,
        "event_code": event.name.as_str(),
        "uid": uid,
        "logged_time": unix_millis(event.observed_at),
    });
    if let Some(tenant) = tenant {
        metadata["tenant_uid"] = tenant.into();
    }
    let record = json!({
        "activity_id": about.id,
        "activity_name": about.name,
        "category_uid": category_uid,
        "category_name": category_name,
        "class_uid": class_uid,
        "class_name": class_name,
        "type_uid": type_uid,
        "type_name": format!("{class_name}: {}", about.name),
        "severity_id": severity_id,
        "severity": severity,
        "time": unix_millis(event.happened_at),
        "message": event.sentence(),
        "metadata": metadata,
        "unmapped": unmapped_attributes(attributes),
    });
    match record {
        Value::Object(record) => record,
        _ => Map::new(),
    }
}

/// The severity. An event without a check is informational; an unknown word is kept.
fn severity(event: &Event) -> (u64, String) {
    let word = event.severity.text();
    if event.check_id.is_none() && word.is_none() {
        return (1, "Informational".to_owned());
    }
    let (id, name) = match event.severity.rank() {
        Rank::Info => (1, "Informational"),
        Rank::Low => (2, "Low"),
        Rank::Medium => (3, "Medium"),
        Rank::High => (4, "High"),
        Rank::Critical => (5, "Critical"),
        Rank::Unknown => match word {
            Some(word) => (99, word),
            None => (0, "Unknown"),
        },
    };
    (id, name.to_owned())
}

/// Milliseconds of Unix time.
fn unix_millis(at: Timestamp) -> i64 {
    sensible(at).timestamp_millis()
}

/// Our own attributes without a field in the schema.
fn unmapped_attributes(attributes: &Attributes) -> Value {
    const PLACED: [&str; 6] = [
        key::CHECK_ID,
        key::CHECK_TITLE,
        key::CHECK_DESCRIPTION,
        key::CHECK_RECOMMENDED_ACTIONS,
        key::TENANT_ID,
        key::ERROR_MESSAGE,
    ];
    let own = attributes
        .iter()
        .filter(|(name, _)| name.starts_with("cii.") && !PLACED.contains(&name.as_str()));
    let own = own.map(|(name, value)| (name.clone(), to_json(value)));
    Value::Object(own.collect())
}

fn to_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::Flag(flag) => (*flag).into(),
        AttributeValue::Integer(number) => (*number).into(),
        AttributeValue::Text(text) => text.as_str().into(),
        AttributeValue::List(texts) => texts.clone().into(),
    }
}

/// Attributes, read as texts.
struct Texts<'a>(&'a Attributes);

impl Texts<'_> {
    /// The text of an attribute, if it is present and not empty.
    fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            AttributeValue::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The texts of a list, or the single text.
    fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(AttributeValue::List(texts)) => texts.iter().map(String::as_str).collect(),
            Some(AttributeValue::Text(text)) => vec![text],
            _ => Vec::new(),
        }
    }

    /// A list as one text.
    fn joined_text(&self, name: &str) -> Option<String> {
        Some(self.texts(name).join("\n")).filter(|text| !text.is_empty())
    }
}

/// Whether a finding of this event is about a check as a whole instead of one of its users.
const fn is_of_check(name: EventName) -> bool {
    matches!(name, EventName::CheckDelivery | EventName::CheckIdentified)
}
