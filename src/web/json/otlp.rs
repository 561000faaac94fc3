//! JSON form of the state of the OTLP delivery.

use serde::Serialize;

use crate::{domain::Timestamp, store};

/// The state of the OTLP delivery.
#[derive(Debug, Serialize)]
pub struct OtlpStanding {
    enabled: bool,
    cursor: i64,
    pending_events: u64,
    oldest_pending_at: Option<Timestamp>,
    parked_events: u64,
    left_out_events: u64,
}

impl From<store::OtlpStanding> for OtlpStanding {
    fn from(standing: store::OtlpStanding) -> Self {
        let store::OtlpStanding {
            enabled,
            cursor,
            pending_events,
            oldest_pending_at,
            parked_events,
            left_out_events,
        } = standing;
        Self { enabled, cursor, pending_events, oldest_pending_at, parked_events, left_out_events }
    }
}
