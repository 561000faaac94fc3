//! What is measured, and what is wanted of it.

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// What stands in the reference's column.
    pub(crate) reference: Option<&'static str>,
    pub(crate) goals: &'static [Goal],
    /// What keeps the figure from being better.
    pub(crate) bound: &'static str,
}

/// Whose figure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The exporter of this tree.
    Exporter,
    /// The other exporter that it is compared with.
    Baseline,
    /// Another program, or the exporter itself under other circumstances.
    Reference,
}

impl Side {
    /// As a name of a folder.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Exporter => "exporter",
            Self::Baseline => "baseline",
            Self::Reference => "reference",
        }
    }
}

/// What is wanted of the exporter's median.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// At least so many times the reference's median.
    RatioAtLeast(f64),
    /// At most so many times the reference's median.
    RatioAtMost(f64),
}

/// What a figure is counted in; values are in seconds, bytes, or plain numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    PerSecond,
    Seconds,
    Milliseconds,
    Microseconds,
    Bytes,
    Mebibytes,
}

impl Unit {
    /// A value for people.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Count => grouped(value),
            Self::PerSecond => format!("{}/s", grouped(value)),
            Self::Seconds => format!("{} s", rounded(value)),
            Self::Milliseconds => format!("{} ms", rounded(value * 1e3)),
            Self::Microseconds => format!("{} µs", rounded(value * 1e6)),
            Self::Bytes => format!("{} B", grouped(value)),
            Self::Mebibytes => format!("{} MiB", rounded(value / f64::from(1 << 20))),
        }
    }
}

impl Goal {
    /// Whether the medians reach it; `None` without a median to judge by.
    pub(crate) fn is_met(self, exporter: Option<f64>, reference: Option<f64>) -> Option<bool> {
        let ratio = || Some(exporter? / reference?);
        Some(match self {
            Self::AtLeast(wanted) => exporter? >= wanted,
            Self::AtMost(wanted) => exporter? <= wanted,
            Self::RatioAtLeast(wanted) => ratio()? >= wanted,
            Self::RatioAtMost(wanted) => ratio()? <= wanted,
        })
    }

    /// The goal for people.
    pub(crate) fn show(self, unit: Unit) -> String {
        match self {
            Self::AtLeast(wanted) => format!("≥ {}", unit.show(wanted)),
            Self::AtMost(wanted) => format!("≤ {}", unit.show(wanted)),
            Self::RatioAtLeast(wanted) => format!("≥ {wanted} × reference"),
            Self::RatioAtMost(wanted) => format!("≤ {wanted} × reference"),
        }
    }
}

/// A number with three significant digits below a thousand.
fn rounded(value: f64) -> String {
    match value {
        v if v >= 100.0 => grouped(v),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// A whole number with a comma before every three digits.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_for_people() {
        assert_eq!(Unit::PerSecond.show(1_234_567.4), "1,234,567/s");
        assert_eq!(Unit::Milliseconds.show(0.012_34), "12.3 ms");
        assert_eq!(Unit::Seconds.show(0.5), "0.50 s");
        assert_eq!(Unit::Count.show(12.0), "12");
    }

    #[test]
    fn a_goal_is_met_or_not_or_cannot_be_judged() {
        assert_eq!(Goal::AtLeast(2.0).is_met(Some(2.0), None), Some(true));
        assert_eq!(Goal::RatioAtMost(1.5).is_met(Some(2.0), Some(1.0)), Some(false));
        assert_eq!(Goal::RatioAtMost(1.5).is_met(Some(2.0), None), None);
    }
}
