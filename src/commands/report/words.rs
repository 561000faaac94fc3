//! Formats moments, durations and counts.

use cii_exporter::domain::Timestamp;

/// A moment in UTC, to the minute.
pub(super) fn moment(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%MZ").to_string()
}

/// A moment, or the text `none`.
pub(super) fn moment_or(at: Option<Timestamp>, none: &str) -> String {
    at.map_or_else(|| none.to_owned(), moment)
}

/// A duration in its two largest units.
pub(super) fn time(seconds: i64) -> String {
    let units = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)];
    let largest = units.iter().position(|(_, size)| seconds >= *size).unwrap_or(3);
    let mut rest = seconds.max(0);
    let mut parts = Vec::new();
    for (name, size) in units.iter().skip(largest).take(2) {
        let count = rest / size;
        rest %= size;
        if count > 0 || parts.is_empty() {
            parts.push(format!("{count} {name}"));
        }
    }
    parts.join(" ")
}

/// A count with its noun.
pub(super) fn count(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_units_at_most() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3661, "1 h 1 min"),
            (86_400, "1 d"),
            (90_061, "1 d 1 h"),
            (864_000, "10 d"),
        ] {
            assert_eq!(time(seconds), expected);
        }
    }

    #[test]
    fn counts_are_in_the_right_number() {
        assert_eq!(count(1, "user", "users"), "1 user");
        assert_eq!(count(0, "user", "users"), "0 users");
    }
}
