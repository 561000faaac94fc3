//! A log record as it came.

use opentelemetry_proto::tonic::{
    collector::logs::v1::ExportLogsServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    logs::v1::LogRecord,
};

/// A log record with its resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    log: LogRecord,
    resource: Vec<KeyValue>,
}

impl Record {
    /// The event's name.
    #[must_use]
    pub fn event_name(&self) -> &str {
        &self.log.event_name
    }

    /// The body, when it is a text.
    #[must_use]
    pub fn body(&self) -> &str {
        self.log.body.as_ref().map_or("", text)
    }

    /// An attribute, when it is a text.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&str> {
        find(&self.log.attributes, key)
    }

    /// An attribute of the resource, when it is a text.
    #[must_use]
    pub fn resource(&self, key: &str) -> Option<&str> {
        find(&self.resource, key)
    }

    /// The severity's number.
    #[must_use]
    pub const fn severity_number(&self) -> i32 {
        self.log.severity_number
    }
}

/// The records of a request, in order.
pub(super) fn records(request: &ExportLogsServiceRequest) -> Vec<Record> {
    let mut records = Vec::new();
    for logs in &request.resource_logs {
        let resource = logs.resource.as_ref().map_or_else(Vec::new, |r| r.attributes.clone());
        for log in logs.scope_logs.iter().flat_map(|scope| &scope.log_records) {
            records.push(Record { log: log.clone(), resource: resource.clone() });
        }
    }
    records
}

fn find<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    attribute.value.as_ref().map(text)
}

fn text(value: &AnyValue) -> &str {
    match &value.value {
        Some(Value::StringValue(text)) => text,
        _ => "",
    }
}
