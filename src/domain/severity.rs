//! How severe it is to fail a check, as the service rates it.

/// A check's severity as the service wrote it; none when it gave none.
///
/// Seen in public text: `critical`, `high`, `medium`, `moderate`, `low`, in
/// varying case. A tenant can re-rate a check at any time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Severity(Option<String>);

/// The order of severities, the mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// `info`.
    Info,
    /// `low`.
    Low,
    /// No severity, or an unknown word. It may mean anything, so it ranks above severities that are
    /// known to be harmless.
    Unknown,
    /// `medium` or `moderate`.
    Medium,
    /// `high`.
    High,
    /// `critical`.
    Critical,
}

/// The four grades of log records, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// `low` or `info`.
    Info,
    /// `medium` or `moderate`; also a check without a known severity.
    Warn,
    /// `high`.
    Error,
    /// `critical`.
    Fatal,
}

impl Severity {
    /// The labels that are exported even when no user has them, the worst first.
    pub const LABELS: [&str; 6] = ["critical", "high", "medium", UNKNOWN, "low", "info"];

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

    /// The value of the `severity` label: lower case, so that two spellings make one series;
    /// `medium` also for `moderate`; `unknown` when there is none.
    #[must_use]
    pub fn label(&self) -> String {
        match self.0.as_ref().map(|text| text.to_lowercase()) {
            None => UNKNOWN.to_owned(),
            Some(word) if word == "moderate" => "medium".to_owned(),
            Some(word) => word,
        }
    }

    /// The rank among severities.
    #[must_use]
    pub fn rank(&self) -> Rank {
        match self.label().as_str() {
            "critical" => Rank::Critical,
            "high" => Rank::High,
            "medium" => Rank::Medium,
            "low" => Rank::Low,
            "info" => Rank::Info,
            _ => Rank::Unknown,
        }
    }

    /// The grade of a log record about a check of this severity.
    #[must_use]
    pub fn grade(&self) -> Grade {
        match self.rank() {
            Rank::Critical => Grade::Fatal,
            Rank::High => Grade::Error,
            Rank::Medium | Rank::Unknown => Grade::Warn,
            Rank::Low | Rank::Info => Grade::Info,
        }
    }

    /// The worst of several severities; `None` of none.
    ///
    /// Between two unknown words, the result does not depend on their order: `unknown` first, then
    /// alphabetical.
    #[must_use]
    pub fn worst(severities: impl IntoIterator<Item = Self>) -> Option<Self> {
        let order = |severity: &Self| {
            let label = severity.label();
            (severity.rank(), label == UNKNOWN, std::cmp::Reverse(label))
        };
        severities.into_iter().max_by_key(order)
    }
}

/// The label of a check without a severity.
const UNKNOWN: &str = "unknown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_severity_are_one_label_and_one_grade() {
        for (text, label, grade) in [
            (Some("Critical"), "critical", Grade::Fatal),
            (Some("HIGH"), "high", Grade::Error),
            (Some("Moderate"), "medium", Grade::Warn),
            (Some("medium"), "medium", Grade::Warn),
            (Some("low"), "low", Grade::Info),
            (Some("INFO"), "info", Grade::Info),
            (Some("odd"), "odd", Grade::Warn),
            (Some("3"), "3", Grade::Warn),
            (Some(" "), "unknown", Grade::Warn),
            (None, "unknown", Grade::Warn),
        ] {
            let severity = Severity::new(text);
            assert_eq!((severity.label().as_str(), severity.grade()), (label, grade));
        }
    }

    #[test]
    fn the_source_s_word_stays_beside_its_label() {
        assert_eq!(Severity::new(Some("Moderate")).text(), Some("Moderate"));
    }

    #[test]
    fn what_is_not_known_stands_between_medium_and_low() {
        let ranks: Vec<_> = Severity::LABELS.map(|label| Severity::new(Some(label)).rank()).into();
        assert!(ranks.is_sorted_by(|worse, milder| worse > milder), "{ranks:?}");
        assert_eq!(Severity::new(Some("severe")).rank(), Severity::default().rank());
    }

    #[test]
    fn the_worst_is_the_same_in_whatever_order() {
        let worst = |words: &[Option<&str>]| {
            let worst = Severity::worst(words.iter().map(|word| Severity::new(*word)));
            worst.map(|severity| severity.label())
        };
        for (words, expected) in [
            ([Some("low"), Some("high"), None], "high"),
            ([Some("info"), Some("low"), Some("3")], "3"),
            ([Some("severe"), Some("3"), Some("low")], "3"),
            ([Some("3"), None, Some("info")], "unknown"),
            ([None, Some("moderate"), Some("3")], "medium"),
        ] {
            let mut reversed = words;
            reversed.reverse();
            assert_eq!(worst(&words).as_deref(), Some(expected), "{words:?}");
            assert_eq!(worst(&reversed).as_deref(), Some(expected), "{words:?}");
        }
        assert_eq!(worst(&[]), None);
    }
}
