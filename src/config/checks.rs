//! Builds the section `[checks]` from its fields.

use super::{
    check_fields::{self, field_path},
    problem::Problems,
    settings::Settings,
};
use crate::domain::{CheckWords, ConfiguredChecks, Severity};

/// The accepted severities; `moderate` is a synonym of `medium`.
const SEVERITIES: [&str; 6] = ["critical", "high", "medium", "moderate", "low", "info"];

/// Most characters of a title, as in a delivery.
const MAX_TITLE_CHARS: usize = 1000;

/// Builds the configured checks; problems are added to `problems`.
pub(super) fn build(settings: &Settings, problems: &mut Problems) -> ConfiguredChecks {
    let mut configured = ConfiguredChecks::default();
    for (name, fields) in settings.checks.iter() {
        let mut words = CheckWords::default();
        if let Some((text, origin)) = fields.get("severity") {
            if SEVERITIES.contains(&text.trim().to_lowercase().as_str()) {
                words.severity = Severity::new(Some(text));
            } else {
                let expected = SEVERITIES.join(", ");
                let message = format!("expected one of {expected}, found {text:?}");
                problems.add(Some(origin), &field_path(name, "severity"), message);
            }
        }
        if let Some((text, origin)) = fields.get("title") {
            let title = text.trim();
            if title.is_empty() {
                problems.add(Some(origin), &field_path(name, "title"), "must not be empty");
            } else if title.chars().nth(MAX_TITLE_CHARS).is_some() {
                let message = format!("is longer than {MAX_TITLE_CHARS} characters");
                problems.add(Some(origin), &field_path(name, "title"), message);
            }
            words.title = Some(title.to_owned());
        }
        let origin = fields.values().next().map(|(_, origin)| origin);
        if name.is_empty() {
            let message = "a check's id or title must not be empty";
            problems.add(origin, "checks.\"\"", message);
        } else if configured.insert(name, words).is_some() {
            let message = "is there twice: names of checks are compared without their case";
            problems.add(origin, &format!("checks.{}", check_fields::toml_key(name)), message);
        }
    }
    configured
}
