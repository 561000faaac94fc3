//! A card of the Okta Workflows connector, printed for people.

use std::process::ExitCode;

use cii_exporter::cii::Card;
use serde_json::Value;

use super::table::table;
use crate::exit;

/// Errors that a table shows at most.
const SHOWN_ERRORS: usize = 100;

/// A value of the card in one cell: lists a line an item, objects in the order
/// of their fields.
pub(super) fn format_value(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(format_value).collect::<Vec<_>>().join("\n"),
        Value::Object(fields) => {
            let filled = fields.values().filter(|value| !value.is_null()).map(format_value);
            filled.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// The card's errors in full.
pub(super) fn print_errors(card: &Card) {
    if card.errors.is_empty() {
        if !card.is_success() {
            // A proxy or a login page answers so, often with the status 200.
            say!("The answer has neither data nor errors: it is none of the API's.");
            say!("Check that api.url is the API URL that the console shows.");
        }
        return;
    }
    say!("errors       {}", card.errors.len());
    let fields = ["path", "errorType", "message", "errorInfo", "data"];
    let rows = card.errors.iter().take(SHOWN_ERRORS).flat_map(|error| {
        fields.map(|field| {
            let value = &error[field];
            // Objects keep the names of their fields.
            let text = match value {
                Value::Array(path) if field == "path" => {
                    path.iter().map(format_value).collect::<Vec<_>>().join(".")
                }
                Value::Array(_) | Value::Object(_) => value.to_string(),
                value => format_value(value),
            };
            vec![field.to_owned(), text]
        })
    });
    say!("{}", table(&[], rows));
    if card.errors.len() > SHOWN_ERRORS {
        say!("The other errors are in the output of --json.");
    }
}

/// How the command ends: well when the service answered without errors.
pub(super) fn exit_code(card: &Card) -> ExitCode {
    if card.is_success() { ExitCode::SUCCESS } else { ExitCode::from(exit::START_FAILED) }
}
