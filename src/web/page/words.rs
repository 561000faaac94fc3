//! Formats times, counts, names and links of pages.

use chrono::TimeDelta;
use maud::{Markup, html};

pub(super) use super::case::sentence_case;
use super::glyph;
use crate::{
    clock,
    domain::{Login, Severity, Timestamp},
    web::link,
};

/// A part of a name that is longer than this may be broken anywhere, so that it fits a phone.
const LONG: usize = 24;

/// A moment as its distance from now, such as "5 min ago"; the script updates it.
pub(super) fn ago(moment: Timestamp) -> Markup {
    let distance = clock::now() - moment;
    let text = if distance < TimeDelta::minutes(1) {
        "just now".to_owned()
    } else {
        format!("{} ago", duration(distance))
    };
    time_element(moment, &text, true)
}

/// The time since a moment, of something that still lasts.
pub(super) fn elapsed(since: Timestamp) -> Markup {
    time_element(since, &duration(clock::now() - since), false)
}

fn time_element(moment: Timestamp, text: &str, is_renewed: bool) -> Markup {
    let exact = moment.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    html! {
        time data-ago[is_renewed] datetime=(moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)) title=(exact) {
            (text)
        }
    }
}

/// The time until a moment.
pub(super) fn time_until(moment: Timestamp) -> Markup {
    time_element(moment, &duration(moment - clock::now()), false)
}

/// The date of a moment.
pub(super) fn date(moment: Timestamp) -> Markup {
    time_element(moment, &moment.format("%-d %B %Y").to_string(), false)
}

/// A moment as its distance from now, or `never` for `None`.
pub(super) fn ago_or(moment: Option<Timestamp>, never: &str) -> Markup {
    moment.map_or_else(|| html! { (never) }, ago)
}

/// A duration in its largest unit, rounded down.
pub(super) fn duration(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    match seconds {
        86400.. => format!("{} d", seconds / 86400),
        3600.. => format!("{} h", seconds / 3600),
        60.. => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

/// A duration in its two largest units.
pub(super) fn two_units(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    let (large, small) = match seconds {
        86400.. => ((86400, "d"), (3600, "h")),
        3600.. => ((3600, "h"), (60, "min")),
        _ => return duration(length),
    };
    let rest = seconds % large.0 / small.0;
    let whole = format!("{} {}", seconds / large.0, large.1);
    if rest == 0 { whole } else { format!("{whole} {rest} {}", small.1) }
}

/// A number with a comma between thousands.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun.
pub(super) fn count(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// A size in bytes.
pub(super) fn bytes(number: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let unit = units.into_iter().find(|(size, _)| number >= *size);
    unit.map_or_else(
        || format!("{number} B"),
        |(size, unit)| {
            let tenths = (number * 10 + size / 2) / size;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        },
    )
}

/// A severity as glyph and word, in its colour.
pub(super) fn severity_label(severity: &Severity) -> Markup {
    glyph::severity_label(severity)
}

/// A word of the service, where one all in capitals is put in lower case.
pub(super) fn readable_word(word: &str) -> String {
    let is_shouted = word.chars().any(char::is_alphabetic) && !word.chars().any(char::is_lowercase);
    if is_shouted { sentence_case(&word.to_lowercase().replace('_', " ")) } else { word.to_owned() }
}

/// A login, an address or another long name. A line may break after `@`, `.` and the `:` of IPv6,
/// never at a hyphen, and within a part that is longer than [`LONG`].
pub(super) fn breakable(name: &str) -> Markup {
    let is_ipv6 = name.parse::<std::net::Ipv6Addr>().is_ok();
    let may_end = |c: char| matches!(c, '@' | '.') || (is_ipv6 && c == ':');
    html! {
        @for (number, part) in name.split_inclusive(may_end).enumerate() {
            @if number > 0 { wbr; }
            @if part.chars().count() > LONG {
                span .any { (part) }
            } @else if part.contains('-') {
                span .nb { (part) }
            } @else {
                (part)
            }
        }
    }
}

/// A link to the page of a check, a user or an address.
pub(super) fn subject_link(kind: &str, subject: &str, text: &str) -> Markup {
    html! {
        a href=(link::page_url(kind, subject)) {
            @if kind == "checks" { (text) } @else { (breakable(text)) }
        }
    }
}

/// A link to the page of a user: the name with the login below it, or the login alone.
pub(super) fn user_link(login: &Login, name: Option<&str>) -> Markup {
    html! {
        @match name.filter(|name| !name.is_empty()) {
            Some(name) => {
                a href=(link::page_url("users", login.as_str())) { (name) }
                small { (breakable(login.spelling())) }
            },
            None => (subject_link("users", login.as_str(), login.spelling())),
        }
    }
}

/// A link to the service's console; empty when the URL is no web page.
pub(super) fn console_link(url: Option<&String>) -> Markup {
    html! {
        @if let Some(url) = link::web_url(url) {
            a href=(url) rel="noreferrer noopener" { "Open in the console" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_broken_behind_its_signs_and_nowhere_else() {
        for (name, expected) in [
            ("a@x.com", "a@<wbr>x.<wbr>com"),
            ("mary-ann.s@x", "<span class=\"nb\">mary-ann.</span><wbr>s@<wbr>x"),
            ("2001:db8::1", "2001:<wbr>db8:<wbr>:<wbr>1"),
            ("a:b", "a:b"),
            ("<b>.&", "&lt;b&gt;.<wbr>&amp;"),
            ("", ""),
        ] {
            assert_eq!(breakable(name).into_string(), expected, "{name}");
        }
        let long = "x".repeat(LONG + 1);
        assert_eq!(breakable(&long).into_string(), format!("<span class=\"any\">{long}</span>"));
    }

    #[test]
    fn words_in_capitals_are_not_shouted() {
        for (word, plain_word) in [
            ("ACTIVE", "Active"),
            ("PENDING_ACTIVATION", "Pending activation"),
            ("Locked out", "Locked out"),
            ("active", "active"),
            ("-", "-"),
        ] {
            assert_eq!(readable_word(word), plain_word);
        }
    }

    #[test]
    fn numbers_and_lengths_are_as_people_read_them() {
        let numbers = [0, 999, 1000, 11_954, 1_234_567].map(number);
        assert_eq!(numbers, ["0", "999", "1,000", "11,954", "1,234,567"]);
        let lengths = [-1, 59, 60, 3600, 3661, 86_400, 100 * 3600].map(TimeDelta::seconds);
        let texts = lengths.map(two_units);
        assert_eq!(texts, ["0 s", "59 s", "1 min", "1 h", "1 h 1 min", "1 d", "4 d 4 h"]);
    }
}
