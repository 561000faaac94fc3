//! Formats times, counts and severities for people.

use chrono::TimeDelta;
use maud::{Markup, html};

use crate::{
    clock,
    domain::{Grade, Rank, Severity, Timestamp},
    web::link,
};

/// A time as its distance from now; the script renews it.
pub(super) fn ago(moment: Timestamp) -> Markup {
    let distance = clock::now() - moment;
    let text = if distance < TimeDelta::minutes(1) {
        "just now".to_owned()
    } else {
        format!("{} ago", duration(distance))
    };
    let exact = moment.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    html! {
        time data-ago datetime=(moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)) title=(exact) {
            (text)
        }
    }
}

/// The same, or this word where there is no time.
pub(super) fn ago_or(moment: Option<Timestamp>, never: &str) -> Markup {
    moment.map_or_else(|| html! { (never) }, ago)
}

/// How long ago a failure began; one that was first seen began then or before.
pub(super) fn began(moment: Timestamp, is_dated: bool) -> Markup {
    html! { (ago(moment)) @if !is_dated { " or before" } }
}

/// A length of time in its largest unit.
pub(super) fn duration(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    match seconds {
        86400.. => format!("{} d", seconds / 86400),
        3600.. => format!("{} h", seconds / 3600),
        60.. => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

/// A count with its noun.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
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

/// A severity as its label, coloured by its grade.
pub(super) fn severity(severity: &Severity) -> Markup {
    let label = severity.label();
    let class = match severity.grade() {
        Grade::Fatal => "fatal",
        Grade::Error => "error",
        Grade::Warn => "warn",
        Grade::Info if severity.rank() == Rank::Low => "low",
        Grade::Info => "",
    };
    html! { span class={ "mark " (class) } { (label) } }
}

/// A link to the page of a check, a user or an address.
pub(super) fn subject(kind: &str, subject: &str, text: &str) -> Markup {
    html! { a href=(link::to(kind, subject)) { (text) } }
}

/// A link to a page of the service's console, when it is one.
pub(super) fn console(url: Option<&String>) -> Markup {
    html! {
        @if let Some(url) = link::outside(url) {
            a href=(url) rel="noreferrer noopener" { "Open in the console" }
        }
    }
}
