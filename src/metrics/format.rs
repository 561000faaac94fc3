//! The text formats of a scrape, and writing headings and labels.

use super::{Definition, Kind};

/// A text format that Prometheus reads. A sample is written the same in both, except for the bounds
/// of histograms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Prometheus' own, version 0.0.4.
    Text,
    /// OpenMetrics, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The value of `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The last line. OpenMetrics requires one, by which a reader detects a truncated answer.
    pub(super) const fn end_line(self) -> &'static str {
        match self {
            Self::Text => "",
            Self::OpenMetrics => "# EOF\n",
        }
    }

    /// Formats a bucket's upper bound as the value of the label `le`.
    pub(super) fn format_bound(self, bound: f64) -> String {
        match self {
            _ if bound.is_infinite() => "+Inf".to_owned(),
            // Prometheus compares label values as text, and existing series have `1`, not `1.0`.
            Self::Text => bound.to_string(),
            // The canonical form of OpenMetrics has a decimal point: `1.0`.
            Self::OpenMetrics => format!("{bound:?}"),
        }
    }
}

/// Writes the help text and the type of a metric.
pub(super) fn push_heading(text: &mut String, format: Format, name: &str, kind: Kind, help: &str) {
    // In OpenMetrics the name of a counter's family has no `_total`; only its samples have.
    let family = match (format, kind) {
        (Format::OpenMetrics, Kind::Counter) => name.strip_suffix("_total").unwrap_or(name),
        _ => name,
    };
    for part in ["# HELP ", family, " "] {
        text.push_str(part);
    }
    // Only OpenMetrics escapes quotes in a help text.
    push_escaped(text, help, format == Format::OpenMetrics);
    for part in ["\n# TYPE ", family, " ", kind.as_str(), "\n"] {
        text.push_str(part);
    }
}

impl Definition {
    /// Writes the heading of the metric's samples.
    pub(super) fn push_heading(&self, text: &mut String, format: Format) {
        push_heading(text, format, self.name, self.kind, self.help);
    }
}

/// Writes labels in braces; writes nothing when there are none.
pub(super) fn push_labels<'a>(
    text: &mut String,
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    let mut separator = '{';
    for (name, value) in labels {
        text.push(separator);
        text.push_str(name);
        text.push_str("=\"");
        push_escaped(text, value, true);
        text.push('"');
        separator = ',';
    }
    if separator == ',' {
        text.push('}');
    }
}

/// Rewrites the whole-number bounds of a histogram's samples as OpenMetrics requires. Quotes in
/// other labels are escaped, so no label value can look like a bound.
pub(super) fn with_decimal_bounds(samples: &str) -> String {
    const BOUND: &str = ",le=\"";
    let mut text = String::with_capacity(samples.len() + samples.len() / 16);
    for line in samples.split_inclusive('\n') {
        match line
            .rsplit_once(BOUND)
            .and_then(|(series, rest)| Some((series, rest.split_once('"')?)))
        {
            Some((series, (bound, rest))) if bound.bytes().all(|byte| byte.is_ascii_digit()) => {
                for part in [series, BOUND, bound, ".0\"", rest] {
                    text.push_str(part);
                }
            }
            _ => text.push_str(line),
        }
    }
    text
}

fn push_escaped(text: &mut String, value: &str, quotes: bool) {
    let is_special = |byte: u8| matches!(byte, b'\\' | b'\n') || (byte == b'"' && quotes);
    let mut rest = value;
    // Most texts contain no special character and are copied in one piece.
    while let Some(at) = rest.bytes().position(is_special) {
        let (plain, special) = rest.split_at(at);
        text.push_str(plain);
        text.push('\\');
        text.push(if special.starts_with('\n') { 'n' } else { char::from(special.as_bytes()[0]) });
        rest = &special[1..];
    }
    text.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading(format: Format, kind: Kind) -> String {
        let mut text = String::new();
        push_heading(&mut text, format, "a_total", kind, "Says \"a\\b\".\n");
        text
    }

    #[test]
    fn only_openmetrics_drops_total_and_escapes_quotes() {
        assert_eq!(
            heading(Format::Text, Kind::Counter),
            "# HELP a_total Says \"a\\\\b\".\\n\n# TYPE a_total counter\n"
        );
        assert_eq!(
            heading(Format::OpenMetrics, Kind::Counter),
            "# HELP a Says \\\"a\\\\b\\\".\\n\n# TYPE a counter\n"
        );
        assert!(heading(Format::OpenMetrics, Kind::Gauge).ends_with("\n# TYPE a_total gauge\n"));
    }

    #[test]
    fn whole_bounds_of_openmetrics_have_a_point_too_and_nothing_else_has() {
        let samples = "# HELP a b\na_bucket{id=\",le=\\\"1\",le=\"3600\"} 3\n\
                       a_bucket{id=\"x\",le=\"+Inf\"} 3\na_sum{id=\"x\"} 3\n";
        assert_eq!(with_decimal_bounds(samples), samples.replace("3600", "3600.0"));
    }

    #[test]
    fn bounds_of_openmetrics_have_a_point() {
        for (bound, text, open_metrics) in [
            (1.0, "1", "1.0"),
            (0.0025, "0.0025", "0.0025"),
            (3600.0, "3600", "3600.0"),
            (f64::INFINITY, "+Inf", "+Inf"),
        ] {
            assert_eq!(Format::Text.format_bound(bound), text);
            assert_eq!(Format::OpenMetrics.format_bound(bound), open_metrics);
        }
    }
}
