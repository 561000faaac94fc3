//! Messages for values of the wrong kind: what was expected, found, and probably intended.

use super::{
    key::{Key, Kind},
    settings::Value,
};

/// Longest value that a message repeats: a longer one can be a misplaced secret.
const SHOWN: usize = 24;

/// Least similarity of a choice that is suggested.
const ALIKE: f64 = 0.75;

/// Describes a value of the wrong kind, without repeating secrets or logins.
pub(super) fn describe_mismatch(key: &Key, value: &Value) -> String {
    let meant = if is_shown(key) { suggest_value(key, value) } else { None };
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    format!("expected {}, found {}{meant}", key.kind.expected_form(), describe_found(key, value))
}

/// Whether a message may repeat the value: not of secrets and of watched users.
fn is_shown(key: &Key) -> bool {
    key.file.is_none() && !["watch.ips", "watch.users"].contains(&key.path)
}

fn describe_found(key: &Key, value: &Value) -> String {
    let is_short = |text: &str| text.len() <= SHOWN || matches!(key.kind, Kind::Choice(_));
    match value {
        Value::Text(text) if is_shown(key) && is_short(text) => format!("{text:?}"),
        Value::Integer(number) if key.file.is_none() => number.to_string(),
        Value::Text(_) => "a text".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Flag(_) => "true or false".to_owned(),
        Value::Integer(_) => "a number".to_owned(),
    }
}

/// The value in the expected form, if it can be derived.
fn suggest_value(key: &Key, value: &Value) -> Option<String> {
    match (key.kind, value) {
        (Kind::Integer(least, most), Value::Text(text)) => {
            let number = parse_number(key.path, text)?;
            (least..=most).contains(&number).then(|| number.to_string())
        }
        (Kind::Flag, Value::Text(text)) => parse_flag(text).map(|flag| flag.to_string()),
        (Kind::Flag, Value::Integer(number @ 0..=1)) => Some((*number == 1).to_string()),
        (Kind::Choice(choices), Value::Text(text)) => {
            let wrong = text.trim().to_lowercase();
            let likeness = |choice: &&str| strsim::jaro_winkler(choice, &wrong);
            let closest =
                choices.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
            (likeness(&closest) > ALIKE).then(|| format!("{closest:?}"))
        }
        (Kind::List | Kind::Texts, Value::Text(text)) if text.len() <= SHOWN => {
            Some(format!("[{text:?}]"))
        }
        (Kind::Text, Value::Integer(number)) => suggest_text(key, *number),
        _ => None,
    }
}

fn parse_flag(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Parses a number with a unit, and converts it to the unit of the setting.
fn parse_number(path: &str, text: &str) -> Option<i64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: i64 = text[..end].parse().ok()?;
    let unit = text[end..].trim().to_lowercase();
    let factor = match unit.as_str() {
        "" => 1,
        "b" if path.ends_with("_bytes") => 1,
        "k" | "kb" | "kib" if path.ends_with("_bytes") => 1 << 10,
        "m" | "mb" | "mib" if path.ends_with("_bytes") => 1 << 20,
        "s" | "sec" | "seconds" if path.ends_with("_seconds") => 1,
        "m" | "min" | "minutes" if path.ends_with("_seconds") => 60,
        "d" | "day" | "days" if path.ends_with("_days") => 1,
        "w" | "week" | "weeks" if path.ends_with("_days") => 7,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// Suggests a text for a number: a duration in the unit of the default, a port, or the digits.
fn suggest_text(key: &Key, number: i64) -> Option<String> {
    if number < 0 {
        return None;
    }
    if key.path.ends_with(".listen") {
        return (number <= 65_535).then(|| format!("\"127.0.0.1:{number}\""));
    }
    let unit = match key.path {
        "sync.settle" => "m",
        path if path.starts_with("slo.") => "d",
        _ => "",
    };
    Some(format!("\"{number}{unit}\""))
}

#[cfg(test)]
mod tests {
    use super::{super::key, *};

    #[test]
    fn what_was_meant_is_said_in_the_form_that_is_wanted() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (path, value, end) in [
            ("webhook.max_body_bytes", text("4MB"), "found \"4MB\"; did you mean 4194304?"),
            ("store.retention_days", text("90d"), "found \"90d\"; did you mean 90?"),
            ("api.timeout_seconds", text("30"), "found \"30\"; did you mean 30?"),
            ("api.timeout_seconds", text("2m"), "found \"2m\"; did you mean 120?"),
            ("api.timeout_seconds", text("2h"), "found \"2h\""),
            ("api.timeout_seconds", Value::Integer(0), "from 1 to 300, found 0"),
            ("sync.spread", text("yes"), "found \"yes\"; did you mean true?"),
            ("sync.spread", Value::Integer(0), "found 0; did you mean false?"),
            ("otlp.protocol", text("http"), "found \"http\"; did you mean \"http/protobuf\"?"),
            ("log.format", text("xml"), "expected one of text, json, found \"xml\""),
            ("sync.settle", Value::Integer(15), "found 15; did you mean \"15m\"?"),
            ("slo.high", Value::Integer(7), "found 7; did you mean \"7d\"?"),
            ("ops.listen", Value::Integer(9847), "did you mean \"127.0.0.1:9847\"?"),
            ("webhook.check_ids", text("no-mfa"), "did you mean [\"no-mfa\"]?"),
        ] {
            let told = describe_mismatch(key::find(path).unwrap(), &value);
            assert!(told.ends_with(end), "{path}: {told}");
        }
        // Watched users are personal data, and a long value can be a secret.
        for (path, value) in [
            ("watch.users", text("a@example.com")),
            ("api.client_secret", Value::List(vec!["s".to_owned()])),
            ("webhook.secrets", text("0123")),
            ("api.concurrency", text(&"9".repeat(SHOWN + 1))),
        ] {
            let told = describe_mismatch(key::find(path).unwrap(), &value);
            assert!(told.ends_with("found a text") || told.ends_with("found a list"), "{told}");
        }
    }
}
