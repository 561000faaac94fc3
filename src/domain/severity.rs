//! How bad a check's failing is, in the words of the service.

use serde::{Deserialize, Serialize};

/// A check's severity as the service wrote it, or nothing when it said none.
///
/// Seen in public text: `critical`, `high`, `medium`, `moderate`, `low`, in
/// varying case. A tenant can re-rate a check at any time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Severity(Option<String>);

/// The four grades that a log record distinguishes, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// `low`, or a severity that is not known here.
    Info,
    /// `medium` or `moderate`.
    Warn,
    /// `high`.
    Error,
    /// `critical`.
    Fatal,
}

impl Severity {
    /// Takes the service's text; white space alone counts as none.
    #[must_use]
    pub fn new(text: Option<&str>) -> Self {
        Self(text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned))
    }

    /// The text as the service wrote it.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The value of the `severity` label: lower-case, so that two spellings
    /// make one series, and `unknown` when the service said none.
    #[must_use]
    pub fn label(&self) -> String {
        self.0.as_ref().map_or_else(|| "unknown".to_owned(), |text| text.to_lowercase())
    }

    /// The grade of a log record about this severity.
    #[must_use]
    pub fn grade(&self) -> Grade {
        match self.label().as_str() {
            "medium" | "moderate" => Grade::Warn,
            "high" => Grade::Error,
            "critical" => Grade::Fatal,
            _ => Grade::Info,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_severity_are_one_label_and_one_grade() {
        for (text, label, grade) in [
            (Some("Critical"), "critical", Grade::Fatal),
            (Some("HIGH"), "high", Grade::Error),
            (Some("moderate"), "moderate", Grade::Warn),
            (Some("medium"), "medium", Grade::Warn),
            (Some("low"), "low", Grade::Info),
            (Some("odd"), "odd", Grade::Info),
            (Some(" "), "unknown", Grade::Info),
            (None, "unknown", Grade::Info),
        ] {
            let severity = Severity::new(text);
            assert_eq!((severity.label().as_str(), severity.grade()), (label, grade));
        }
    }
}
