//! Parses the log level, or a log filter.

use tracing_subscriber::EnvFilter;

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Least similarity of a word that is suggested.
const ALIKE: f64 = 0.8;

/// Parses a level or filter. The error says what was probably intended.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let wrong = |part: &str| {
        let likeness = |level: &str| strsim::jaro_winkler(level, &part.to_lowercase());
        let closest = LEVELS.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let meant = match closest.filter(|closest| likeness(closest) > ALIKE) {
            Some(meant) => format!("; did you mean {meant:?}?"),
            None => String::new(),
        };
        format!(
            "expected one of {}, or a filter such as \"info,cii_exporter=debug\", found \
             {part:?}{meant}",
            LEVELS.join(", ")
        )
    };
    // The library takes an unknown word for a target: it would log everything of that target and
    // nothing else.
    let is_word = |part: &&str| !part.contains(['=', ':', '[', '_']);
    let is_level = |part: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(part));
    let mut words = text.split(',').map(str::trim).filter(is_word);
    if let Some(part) = words.find(|part| !is_level(part)) {
        return Err(wrong(part));
    }
    EnvFilter::try_new(text).map_err(|_| wrong(text))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_level_is_refused_and_a_filter_is_taken() {
        for text in
            ["info", "WARN", "off", "info,cii_exporter=debug", "cii_exporter::sync=trace,warn"]
        {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
        for (text, end) in [
            ("loud", "found \"loud\""),
            ("warning", "found \"warning\"; did you mean \"warn\"?"),
            ("info,debugg", "found \"debugg\"; did you mean \"debug\"?"),
            ("info,cii_exporter=loud", "found \"info,cii_exporter=loud\""),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(end), "{error}");
        }
    }
}
