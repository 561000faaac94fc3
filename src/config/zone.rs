//! Parses time zones by their IANA names.

use chrono_tz::{TZ_VARIANTS, Tz};

/// Least similarity of a name that is suggested.
const ALIKE: f64 = 0.85;

/// Parses a zone. The error says what was probably intended.
pub(super) fn parse(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| {
        let meant = match suggest(name) {
            Some(meant) => format!("did you mean {meant:?}?"),
            None => "expected a name such as \"Europe/Berlin\"".to_owned(),
        };
        format!("{name:?} is no time zone; {meant}")
    })
}

/// The zone that was probably intended: the name in another case, the city alone, or a misspelling
/// of either.
fn suggest(wrong: &str) -> Option<&'static str> {
    let wrong = wrong.trim().to_lowercase().replace(' ', "_");
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        let city = name.rsplit('/').next().unwrap_or(&name);
        strsim::jaro_winkler(&name, &wrong).max(strsim::jaro_winkler(city, &wrong))
    };
    let named = TZ_VARIANTS.iter().map(|zone| (zone.name(), likeness(zone.name())));
    let closest = named.max_by(|(_, left), (_, right)| left.total_cmp(right));
    closest.filter(|(_, likeness)| *likeness > ALIKE).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_zone_is_told_with_the_one_that_was_meant() {
        assert_eq!(parse("Europe/Berlin"), Ok(Tz::Europe__Berlin));
        for (wrong, meant) in [
            ("europe/berlin", "Europe/Berlin"),
            ("Europe/Berln", "Europe/Berlin"),
            ("Berlin", "Europe/Berlin"),
            ("New York", "America/New_York"),
        ] {
            let error = parse(wrong).unwrap_err();
            assert!(error.ends_with(&format!("did you mean {meant:?}?")), "{error}");
        }
        let error = parse("qqq").unwrap_err();
        assert!(error.contains("\"qqq\"") && error.contains("such as"), "{error}");
    }
}
