//! The ways in which services say that there is no such user.

use serde_json::{Value, json};

use super::{Answer, place::Path};

/// Rewords the errors of unknown logins.
pub(super) fn reword(
    answer: &mut Answer,
    places: &[Path],
    error_type: &str,
    message: &str,
) -> bool {
    let mut changed = false;
    for error in &mut answer.errors {
        let is_meant = places.iter().any(|place| error["path"] == Value::from(place.clone()));
        if is_meant && error["errorType"] == "NotFound" {
            error["errorType"] = json!(error_type);
            error["message"] = json!(message);
            changed = true;
        }
    }
    changed
}
