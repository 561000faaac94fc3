//! The history of a part over the last 24 hours, one cell per hour.

use maud::{Markup, html};

use super::{
    chart::{self, Cell},
    words,
};
use crate::{
    domain::{
        Timestamp,
        run::{HOURS, RunHour, RunHours},
    },
    web::parts::Stored,
};

/// The nouns for what a strip counts.
#[derive(Debug, Clone, Copy)]
struct Noun {
    one: &'static str,
    many: &'static str,
    failed: &'static str,
}

const RUN: Noun = Noun { one: "run", many: "runs", failed: "failed" };
const DELIVERY: Noun = Noun { one: "delivery", many: "deliveries", failed: "refused" };

/// The parts that have a history.
pub(super) const NAMES: [&str; 6] =
    ["Webhook", "API", "User polls", "Address polls", "Tenant listing", "Service poll"];

/// The strip of a part; empty for a part without a history.
pub(super) fn part_strip(
    name: &str,
    stored: &Stored,
    deliveries: &RunHours,
    now: Timestamp,
) -> Markup {
    let hours_of = |job: &str| {
        let state = stored.jobs().find(|(known, _)| *known == job);
        state.map(|(_, state)| state.hours.last_day(now))
    };
    let runs = match name {
        "Webhook" => return hour_strip(name, DELIVERY, &deliveries.last_day(now)),
        "API" => stored
            .jobs()
            .map(|(_, state)| state.hours.last_day(now))
            .reduce(|a, b| sum_hours(&a, &b)),
        "User polls" => hours_of("users"),
        "Address polls" => hours_of("ips"),
        "Tenant listing" => hours_of("tenant"),
        "Service poll" => hours_of("service"),
        _ => None,
    };
    html! { @if let Some(runs) = runs { (hour_strip(name, RUN, &runs)) } }
}

/// Adds the hours of two jobs.
fn sum_hours(
    a: &[Option<RunHour>; HOURS],
    b: &[Option<RunHour>; HOURS],
) -> [Option<RunHour>; HOURS] {
    std::array::from_fn(|index| match (a[index], b[index]) {
        (Some(a), Some(b)) => Some(RunHour {
            at: a.at,
            succeeded: a.succeeded.saturating_add(b.succeeded),
            failed: a.failed.saturating_add(b.failed),
        }),
        (one, other) => one.or(other),
    })
}

/// Renders a strip. An hour without any run is a gap: it shows neither that the part worked nor
/// that it failed.
fn hour_strip(name: &str, noun: Noun, hours: &[Option<RunHour>; HOURS]) -> Markup {
    let cells = hours.map(|hour| match hour {
        None => Cell::Unknown,
        Some(hour) if hour.failed > 0 => Cell::Bad,
        Some(_) => Cell::Good,
    });
    let known = || hours.iter().flatten();
    let failed: u64 = known().map(|hour| hour.failed).sum();
    let all = failed + known().map(|hour| hour.succeeded).sum::<u64>();
    let what = match (all, failed) {
        (0, _) => format!("no {}", noun.one),
        (_, 0) => words::count(all, noun.one, noun.many),
        _ => format!(
            "{}, {} {}",
            words::count(all, noun.one, noun.many),
            words::number(failed),
            noun.failed
        ),
    };
    let empty = cells.iter().filter(|cell| **cell == Cell::Unknown).count();
    let label = format!("{name}, last {HOURS} hours: {what}; {empty} hours without any");
    html! {
        (chart::draw_strip(&cells, "", &label))
        small aria-hidden="true" { (what) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn hour(succeeded: u64, failed: u64) -> RunHour {
        RunHour { at: 0, succeeded, failed }
    }

    #[test]
    fn an_hour_of_which_nothing_is_known_is_a_gap_and_one_failure_is_seen() {
        let mut hours = [None; HOURS];
        assert!(
            hour_strip("Polls", RUN, &hours).into_string().contains("no run; 24 hours without any")
        );
        hours[22] = Some(hour(3, 0));
        hours[23] = Some(hour(2, 1));
        let drawn = hour_strip("Polls", RUN, &hours).into_string();
        assert_eq!(drawn.matches("<rect").count(), 2);
        assert_eq!(drawn.matches("class=\"ok\"").count(), 1);
        assert!(drawn.contains("6 runs, 1 failed; 22 hours without any"), "{drawn}");
    }

    #[test]
    fn the_api_has_what_every_job_has() {
        let (mut a, mut b) = ([None; HOURS], [None; HOURS]);
        (a[0], b[0], b[1]) = (Some(hour(1, 0)), Some(hour(1, 2)), Some(hour(1, 0)));
        let sum = sum_hours(&a, &b);
        assert_eq!((sum[0], sum[1], sum[2]), (Some(hour(2, 2)), Some(hour(1, 0)), None));
    }
}
