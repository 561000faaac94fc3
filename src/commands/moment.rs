//! Parses moments on the command line: absolute, or relative to now.

use cii_exporter::{
    clock,
    domain::{Timestamp, parse_moment},
};

/// Parses a past moment, or how long ago it was.
pub(super) fn parse_past(text: &str) -> Result<Timestamp, String> {
    let now = clock::now();
    let at =
        parse_moment(text, |ago| now.checked_sub_signed(ago)).map_err(|error| error.to_string())?;
    if at > now {
        Err("that moment is still to come".to_owned())
    } else if at < Timestamp::UNIX_EPOCH {
        Err("that is before 1970; there is nothing from then".to_owned())
    } else {
        Ok(at)
    }
}

/// Parses a future moment, or the time until then.
pub(super) fn parse_future(text: &str) -> Result<Timestamp, String> {
    let now = clock::now();
    let at = parse_moment(text, |away| now.checked_add_signed(away))
        .map_err(|error| error.to_string())?;
    if at <= now { Err("that moment has passed".to_owned()) } else { Ok(at) }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_moment_is_given_or_so_far_away() {
        let (given, day) = ("2020-01-31T18:00:00Z", TimeDelta::days(1));
        assert_eq!(parse_past(given).unwrap().timestamp(), 1_580_493_600);
        let before = clock::now();
        let (yesterday, tomorrow) = (parse_past("1d").unwrap(), parse_future("1d").unwrap());
        let after = clock::now();
        assert!((before..=after).contains(&(yesterday + day)), "{yesterday}");
        assert!((before..=after).contains(&(tomorrow - day)), "{tomorrow}");
        assert!(parse_past(&tomorrow.to_rfc3339()).unwrap_err().contains("still to come"));
        assert!(parse_future(given).unwrap_err().contains("has passed"));
        assert!(parse_past("9999y").unwrap_err().contains("before 1970"));
        for wrong in ["", "yesterday", "1", "-1d", "99999999999y"] {
            assert!(parse_past(wrong).is_err() && parse_future(wrong).is_err(), "{wrong}");
        }
    }
}
