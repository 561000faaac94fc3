//! The service's errors about a subject, as a JSON list.

use serde::{Deserialize, Serialize};

use super::{Unreadable, from_json, to_json};
use crate::domain::PollError;

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    path: String,
    error_type: Option<String>,
    message: String,
    error_info: Option<String>,
    data: Option<String>,
}

/// Encodes errors.
pub(in crate::store) fn encode(errors: &[PollError]) -> String {
    let row = |error: &PollError| Row {
        path: error.path.clone(),
        error_type: error.error_type.clone(),
        message: error.message.clone(),
        error_info: error.error_info.clone(),
        data: error.data.clone(),
    };
    to_json(&errors.iter().map(row).collect::<Vec<_>>())
}

/// Decodes errors.
pub(in crate::store) fn decode(json: &str) -> Result<Vec<PollError>, Unreadable> {
    let error = |row: Row| {
        let Row { path, error_type, message, error_info, data } = row;
        PollError { path, error_type, message, error_info, data }
    };
    Ok(from_json::<Vec<Row>>(json)?.into_iter().map(error).collect())
}
