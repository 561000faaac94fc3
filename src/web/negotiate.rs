//! Content negotiation of a scrape: format and coding (RFC 9110, section 12).
//!
//! A header that names no supported format, or that cannot be parsed, never fails a scrape: the
//! answer is then the text format, which every client can read.

use axum::http::{HeaderMap, HeaderName, header};

use crate::metrics::{Coding, Format};

/// An element of an `Accept` or `Accept-Encoding` header.
#[derive(Debug, Clone, Copy)]
struct Choice<'a> {
    name: &'a str,
    /// The value of the parameter `version`.
    version: Option<&'a str>,
    /// The `q` value: 0 (not acceptable) to 1.
    weight: f32,
}

impl<'a> Choice<'a> {
    fn parse(element: &'a str) -> Self {
        let mut parts = element.split(';').map(str::trim);
        let mut choice =
            Self { name: parts.next().unwrap_or_default(), version: None, weight: 1.0 };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let (name, value) = (name.trim_end(), value.trim_start());
            if name.eq_ignore_ascii_case("q") {
                choice.weight = value.parse().unwrap_or(0.0);
            } else if name.eq_ignore_ascii_case("version") {
                choice.version = Some(value.trim_matches('"'));
            }
        }
        choice
    }

    fn has_name(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn accepts_version(&self, version: &str) -> bool {
        self.version.is_none_or(|asked| asked == version)
    }
}

/// Parses the elements of a header, over all of its lines.
fn parse_choices(headers: &HeaderMap, name: HeaderName) -> Vec<Choice<'_>> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(Choice::parse).collect()
}

/// The greatest weight of the matching choices; `None` when none matches.
fn greatest_weight(choices: &[Choice<'_>], is_meant: impl Fn(&Choice<'_>) -> bool) -> Option<f32> {
    choices.iter().filter(|choice| is_meant(choice)).map(|choice| choice.weight).reduce(f32::max)
}

/// Selects the format by `Accept`: OpenMetrics when the client names it and does not prefer text.
pub(super) fn preferred_format(headers: &HeaderMap) -> Format {
    let choices = parse_choices(headers, header::ACCEPT);
    let open_metrics = greatest_weight(&choices, |choice| {
        choice.has_name("application/openmetrics-text") && choice.accepts_version("1.0.0")
    });
    // The most specific range decides (RFC 9110, section 12.5.1).
    let text = greatest_weight(&choices, |choice| {
        choice.has_name("text/plain") && choice.accepts_version("0.0.4")
    })
    .or_else(|| greatest_weight(&choices, |choice| choice.has_name("text/*")))
    .or_else(|| greatest_weight(&choices, |choice| choice.has_name("*/*")));
    match open_metrics {
        Some(weight) if weight > 0.0 && weight >= text.unwrap_or(0.0) => Format::OpenMetrics,
        _ => Format::Text,
    }
}

/// Selects the coding by `Accept-Encoding`: gzip when the client accepts it and does not prefer
/// identity.
pub(super) fn preferred_coding(headers: &HeaderMap) -> Coding {
    let choices = parse_choices(headers, header::ACCEPT_ENCODING);
    let gzip =
        greatest_weight(&choices, |choice| choice.has_name("gzip") || choice.has_name("x-gzip"))
            .or_else(|| greatest_weight(&choices, |choice| choice.has_name("*")));
    let identity = greatest_weight(&choices, |choice| choice.has_name("identity"));
    match gzip {
        Some(weight) if weight > 0.0 && weight >= identity.unwrap_or(0.0) => Coding::Gzip,
        _ => Coding::Identity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_heavier_coding_wins_and_gzip_wins_a_tie() {
        for (values, expected) in [
            (&[][..], Coding::Identity),
            (&["gzip"], Coding::Gzip),
            (&["br", "GZip ; Q=0.1"], Coding::Gzip),
            (&["identity, gzip"], Coding::Gzip),
            (&["identity;q=0.5, gzip;q=0.4"], Coding::Identity),
            (&["gzip;q=0, *"], Coding::Identity),
            (&["*;q=0"], Coding::Identity),
            (&["identity;q=0"], Coding::Identity),
            (&["gzip;q="], Coding::Identity),
            (&[",;,"], Coding::Identity),
        ] {
            assert_eq!(
                preferred_coding(&headers(&header::ACCEPT_ENCODING, values)),
                expected,
                "{values:?}"
            );
        }
    }

    #[test]
    fn openmetrics_must_be_named_and_not_be_lighter_than_text() {
        let named = "application/openmetrics-text";
        for (values, expected) in [
            (&[][..], Format::Text),
            (&["*/*"], Format::Text),
            (&[named], Format::OpenMetrics),
            (&["text/plain", named], Format::OpenMetrics),
            (&["Application/OpenMetrics-Text; Version=\"1.0.0\""], Format::OpenMetrics),
            (&["application/openmetrics-text;version=0.0.1"], Format::Text),
            (&["application/openmetrics-text;q=0.5, text/*"], Format::Text),
            (
                &["application/openmetrics-text;q=0.5, text/*, text/plain;q=0.1"],
                Format::OpenMetrics,
            ),
            // This version of the text is not ours, so its weight does not count.
            (
                &["application/openmetrics-text;q=0.5, text/plain;version=1.0.0"],
                Format::OpenMetrics,
            ),
            (&["application/openmetrics-text;q=0"], Format::Text),
        ] {
            assert_eq!(preferred_format(&headers(&header::ACCEPT, values)), expected, "{values:?}");
        }
    }
}
