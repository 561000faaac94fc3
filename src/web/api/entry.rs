//! The JSON form of an event in `/api/v1/events`, on a page and in a stream.

use serde::Serialize;

use crate::{domain::Timestamp, store::StoredEvent, web::json::Attributes};

/// An event of the log.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    seq: i64,
    uid: String,
    name: &'static str,
    severity: String,
    body: String,
    check_id: Option<String>,
    login: Option<String>,
    ip: Option<String>,
    application: Option<String>,
    happened_at: Timestamp,
    observed_at: Timestamp,
    attributes: Attributes,
}

impl From<StoredEvent> for Entry {
    fn from(stored: StoredEvent) -> Self {
        let mut event = stored.event;
        let attributes = event.take_attributes().into();
        Self {
            seq: stored.seq,
            uid: stored.uid,
            name: event.name.as_str(),
            severity: event.severity.label(),
            body: event.sentence().into_owned(),
            check_id: event.check_id.map(|id| id.as_str().to_owned()),
            login: event.login.map(|login| login.to_string()),
            ip: event.ip,
            application: event.application,
            happened_at: event.happened_at,
            observed_at: event.observed_at,
            attributes,
        }
    }
}
