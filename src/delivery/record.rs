//! An event as an OTLP log record.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use opentelemetry::logs::{AnyValue, LogRecord, Logger, Severity};
use opentelemetry_sdk::logs::{SdkLogRecord, SdkLogger};

use super::{naming, ocsf};
use crate::{
    config::UserLabel,
    domain::{AttributeValue, Attributes, Grade, Timestamp, event::key, sensible},
    store::StoredEvent,
};

/// Builds the record of an event, with an OCSF record when a source is given.
pub(super) fn build_record(
    logger: &SdkLogger,
    label: &UserLabel,
    ocsf_source: Option<&ocsf::Source>,
    stored: StoredEvent,
) -> SdkLogRecord {
    let StoredEvent { uid, mut event, .. } = stored;
    let mut attributes = event.take_attributes();
    naming::apply_user_label(label, &mut event, &mut attributes);
    let ocsf = ocsf_source.and_then(|source| ocsf::build_record(source, &uid, &event, &attributes));
    let grade = event.grade();
    let mut record = logger.create_log_record();
    record.set_event_name(event.name.as_str());
    record.set_body(AnyValue::from(event.sentence().into_owned()));
    record.set_timestamp(system_time(event.happened_at));
    // Without an observed timestamp, the conversion to protobuf panics.
    record.set_observed_timestamp(system_time(event.observed_at));
    record.set_severity_number(match grade {
        Grade::Info => Severity::Info,
        Grade::Warn => Severity::Warn,
        Grade::Error => Severity::Error,
        Grade::Fatal => Severity::Fatal,
    });
    if let Some(text) = event.severity.text().and_then(intern) {
        record.set_severity_text(text);
    }
    record.add_attribute(key::EVENT_NAME, event.name.as_str());
    record.add_attribute(key::LOG_RECORD_UID, uid);
    if let Some(ocsf) = ocsf {
        record.add_attribute(ocsf::ATTRIBUTE, ocsf.to_string());
    }
    for (name, value) in security_rule(&attributes) {
        record.add_attribute(name, value);
    }
    for (name, value) in attributes {
        record.add_attribute(name, any_value(value));
    }
    record
}

/// The check as attributes that OpenTelemetry defines for a rule.
fn security_rule(attributes: &Attributes) -> Vec<(&'static str, String)> {
    let names = [
        (key::SECURITY_RULE_UUID, key::CHECK_ID),
        (key::SECURITY_RULE_NAME, key::CHECK_TITLE),
        (key::SECURITY_RULE_DESCRIPTION, key::CHECK_DESCRIPTION),
    ];
    let found = names.into_iter().filter_map(|(name, own)| {
        let value = match attributes.get(own)? {
            AttributeValue::Text(text) => text.clone(),
            AttributeValue::List(texts) => texts.join(" "),
            AttributeValue::Flag(_) | AttributeValue::Integer(_) => return None,
        };
        (!value.is_empty()).then_some((name, value))
    });
    found.collect()
}

fn any_value(value: AttributeValue) -> AnyValue {
    match value {
        AttributeValue::Flag(flag) => AnyValue::Boolean(flag),
        AttributeValue::Integer(number) => AnyValue::Int(number),
        AttributeValue::Text(text) => AnyValue::from(text),
        AttributeValue::List(texts) => texts.into_iter().collect(),
    }
}

fn system_time(moment: Timestamp) -> SystemTime {
    // Nanoseconds of the year 9999 would not fit in 64 bits.
    let micros = u64::try_from(sensible(moment).timestamp_micros()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

/// The same text as `'static`, which the library requires. It leaks one copy per text: a tenant has
/// a handful of severities. Past a limit there is no severity text, and only the attribute
/// `cii.check.severity` has it.
fn intern(text: &str) -> Option<&'static str> {
    const LIMIT: usize = 64;
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(text) = known.get(text) {
        return Some(text);
    }
    if known.len() >= LIMIT {
        return None;
    }
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    known.insert(text);
    Some(text)
}

#[cfg(test)]
mod tests {
    use opentelemetry::logs::LoggerProvider;
    use opentelemetry_proto::tonic::{
        common::v1::{AnyValue, ArrayValue, any_value::Value},
        logs::v1::LogRecord,
    };
    use opentelemetry_sdk::logs::SdkLoggerProvider;

    use super::*;
    use crate::domain::{Event, Login, Severity, WatchSubject};

    fn stored() -> StoredEvent {
        let at = Timestamp::from_timestamp_micros(1_767_323_700_123_456).unwrap();
        let subject = WatchSubject::User(Login::new("a").unwrap());
        let event = Event::watch_changed(&subject, true, at);
        StoredEvent { seq: 7, uid: "store-7".to_owned(), event }
    }

    fn sent(stored: &StoredEvent) -> LogRecord {
        let logger = SdkLoggerProvider::builder().build().logger("test");
        (&super::build_record(&logger, &UserLabel::Login, None, stored.clone())).into()
    }

    fn attribute(record: &LogRecord, name: &str) -> Value {
        let found = record.attributes.iter().find(|attribute| attribute.key == name).unwrap();
        found.value.clone().unwrap().value.unwrap()
    }

    fn text(text: &str) -> AnyValue {
        AnyValue { value: Some(Value::StringValue(text.to_owned())) }
    }

    #[test]
    fn a_record_says_what_the_event_says() {
        let mut stored = stored();
        stored.event.observed_at += Duration::from_secs(2);
        let record = sent(&stored);
        assert_eq!(record.event_name, stored.event.name.as_str());
        let name = Value::StringValue(record.event_name.clone());
        assert_eq!(attribute(&record, "event.name"), name);
        assert_eq!(record.body, Some(text(&stored.event.sentence())));
        assert_eq!(record.time_unix_nano, 1_767_323_700_123_456_000);
        assert_eq!(record.observed_time_unix_nano, 1_767_323_702_123_456_000);
        assert_eq!(attribute(&record, "log.record.uid"), Value::StringValue(stored.uid));
    }

    #[test]
    fn every_kind_of_attribute_keeps_its_kind() {
        let mut stored = stored();
        for (name, value) in [
            ("flag", AttributeValue::Flag(true)),
            ("integer", AttributeValue::Integer(-3)),
            ("text", AttributeValue::Text("words".into())),
            ("list", AttributeValue::List(vec!["a".into(), "b".into()])),
        ] {
            stored.event.attributes.insert(name.to_owned(), value);
        }
        let record = sent(&stored);
        assert_eq!(attribute(&record, "flag"), Value::BoolValue(true));
        assert_eq!(attribute(&record, "integer"), Value::IntValue(-3));
        assert_eq!(attribute(&record, "text"), Value::StringValue("words".into()));
        let list = ArrayValue { values: vec![text("a"), text("b")] };
        assert_eq!(attribute(&record, "list"), Value::ArrayValue(list));
    }

    #[test]
    fn a_check_is_a_rule_of_opentelemetry_too() {
        let mut stored = stored();
        let sentences = AttributeValue::List(vec!["One.".to_owned(), "Two.".to_owned()]);
        for (name, value) in [
            (key::CHECK_ID, "no-mfa".into()),
            (key::CHECK_TITLE, "No MFA".into()),
            (key::CHECK_DESCRIPTION, sentences),
        ] {
            stored.event.attributes.insert(name.to_owned(), value);
        }
        let record = sent(&stored);
        for (name, value) in [("uuid", "no-mfa"), ("name", "No MFA"), ("description", "One. Two.")]
        {
            let shown = attribute(&record, &format!("security_rule.{name}"));
            assert_eq!(shown, Value::StringValue(value.to_owned()));
        }
        assert_eq!(attribute(&record, "cii.check.id"), Value::StringValue("no-mfa".to_owned()));
    }

    #[test]
    fn severities_become_numbers_and_keep_their_text() {
        for (source, number, label) in [
            (Some("low"), 9, "low"),
            (Some("Moderate"), 13, "Moderate"),
            (Some("HIGH"), 17, "HIGH"),
            (Some("critical"), 21, "critical"),
            (Some("peculiar"), 13, "peculiar"),
            (None, 9, ""),
        ] {
            let mut stored = stored();
            stored.event.severity = Severity::new(source);
            let record = sent(&stored);
            assert_eq!((record.severity_number, record.severity_text.as_str()), (number, label));
        }
    }
}
