//! The texts that answers about a user have in the place of checks that they listed before, as
//! JSON.

use serde::{Deserialize, Serialize};

use super::{Unreadable, from_json, to_json};
use crate::domain::{Timestamp, failure::Exchange, sensible};

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    since: i64,
    last_at: i64,
    texts: Vec<String>,
    checks: Vec<i64>,
}

/// Encodes an exchange.
pub(in crate::store) fn encode(exchange: &Exchange) -> String {
    to_json(&Row {
        since: exchange.since.timestamp_micros(),
        last_at: exchange.last_at.timestamp_micros(),
        texts: exchange.texts.iter().cloned().collect(),
        checks: exchange.checks.iter().copied().collect(),
    })
}

/// Decodes an exchange.
pub(in crate::store) fn decode(json: &str) -> Result<Exchange, Unreadable> {
    let row: Row = from_json(json)?;
    let moment = |micros: i64| {
        Timestamp::from_timestamp_micros(micros).map(sensible).ok_or(Unreadable::Moment)
    };
    Ok(Exchange {
        since: moment(row.since)?,
        last_at: moment(row.last_at)?,
        texts: row.texts.into_iter().collect(),
        checks: row.checks.into_iter().collect(),
    })
}
