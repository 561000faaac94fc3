//! An event as an OTLP log record.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use opentelemetry::logs::{AnyValue, LogRecord, Logger, Severity};
use opentelemetry_sdk::logs::{SdkLogRecord, SdkLogger};

use crate::{
    domain::{AttributeValue, Grade, Timestamp, event::key},
    store::StoredEvent,
};

/// Makes the record of an event.
pub(super) fn record(logger: &SdkLogger, stored: &StoredEvent) -> SdkLogRecord {
    let event = &stored.event;
    let mut record = logger.create_log_record();
    record.set_event_name(event.name.as_str());
    record.set_body(AnyValue::from(event.body.clone()));
    record.set_timestamp(system_time(event.happened_at));
    // Without it, the conversion to protobuf panics.
    record.set_observed_timestamp(system_time(event.observed_at));
    record.set_severity_number(match event.severity.grade() {
        Grade::Info => Severity::Info,
        Grade::Warn => Severity::Warn,
        Grade::Error => Severity::Error,
        Grade::Fatal => Severity::Fatal,
    });
    if let Some(text) = event.severity.text().and_then(for_ever) {
        record.set_severity_text(text);
    }
    record.add_attribute(key::LOG_RECORD_UID, stored.uid.clone());
    for (name, value) in &event.attributes {
        record.add_attribute(name.clone(), any_value(value));
    }
    record
}

fn any_value(value: &AttributeValue) -> AnyValue {
    match value {
        AttributeValue::Flag(flag) => AnyValue::Boolean(*flag),
        AttributeValue::Integer(number) => AnyValue::Int(*number),
        AttributeValue::Text(text) => AnyValue::from(text.clone()),
        AttributeValue::List(texts) => texts.iter().cloned().collect(),
    }
}

fn system_time(moment: Timestamp) -> SystemTime {
    let micros = u64::try_from(moment.timestamp_micros()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

/// The same text with a life as long as the process's, as the library wants it.
/// A tenant has a handful of severities; past a limit the text is left to the
/// attribute `cii.check.severity`.
fn for_ever(text: &str) -> Option<&'static str> {
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
