//! Prints a card of the Okta Workflows connector as text.

use std::process::ExitCode;

use cii_exporter::cii::Card;
use serde_json::Value;

use super::table::table;
use crate::exit;

/// Most errors in the table.
const SHOWN_ERRORS: usize = 100;

/// Formats a value of the card for one cell: a list with one line per item, an object as its values
/// in the order of its fields.
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

/// Prints the card's errors with all their fields.
pub(super) fn print_errors(card: &Card) {
    if card.errors.is_empty() {
        if !card.is_success() {
            // A proxy or a login page answers like this, often with the status 200.
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
            // An object is printed as JSON, with the names of its fields.
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

/// The exit code: success when the service answered without errors.
pub(super) fn exit_code(card: &Card) -> ExitCode {
    if card.is_success() { ExitCode::SUCCESS } else { ExitCode::from(exit::START_FAILED) }
}
