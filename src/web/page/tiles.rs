//! The four tiles of the overview: critical and high, new, resolved, health.

use chrono::TimeDelta;
use maud::{Markup, html};

use super::{
    chart,
    glyph::{self, Glyph},
    health::render_sentence,
    layout::Section,
    overview::{self, DAYS, Row, Sums},
    parts::{Look, tile},
    trust::{Confirmed, hide_unconfirmed},
    words,
};
use crate::{
    domain::{Rank, Timestamp},
    store::EndedDurations,
    web::parts::{State, Verdict},
};

/// The data of the tiles.
pub(super) struct Tiles<'a> {
    pub(super) rows: &'a [Row],
    pub(super) sums: &'a Sums,
    pub(super) confirmed: Confirmed,
    /// Durations of the failures that ended in the last 30 days.
    pub(super) lasted: Option<EndedDurations>,
    pub(super) verdict: &'a Verdict,
    /// The number of parts that the verdict covers.
    pub(super) parts: usize,
    pub(super) now: Timestamp,
}

impl Tiles<'_> {
    pub(super) fn render(&self) -> Markup {
        html! {
            div #tiles .tiles {
                (self.grave_tile())
                (self.new_tile())
                (self.resolved_tile())
                (health_tile(self.verdict, self.parts))
            }
        }
    }

    fn sums_where(&self, is_meant: impl Fn(&Row) -> bool + Copy) -> Sums {
        Sums::sum_rows(self.rows.iter().filter(move |row| is_meant(row)), self.now)
    }

    fn grave_tile(&self) -> Markup {
        let of = |rank: Rank| self.sums_where(move |row| row.state.severity.rank() == rank);
        let (critical, high) = (of(Rank::Critical), of(Rank::High));
        let both = self.sums_where(|row| overview::is_grave(&row.state.severity));
        let curve = |sums: &Sums| hide_unconfirmed(sums.failing_by_day(), self.confirmed);
        let (critical_days, both_days) = (curve(&critical), curve(&both));
        let curves = [("high", both_days.as_slice()), ("critical", critical_days.as_slice())];
        let label = chart_label("Critical and high failures", &both_days, both.failing);
        tile(
            ("tile-grave", "Critical and high"),
            Look::Plain,
            &failure_count(both.failing),
            &html! {
                @if let Some(growth) = both.growth {
                    b { (signed_text(growth)) } " in 24 hours · "
                }
                (words::number(critical.failing)) " critical, " (words::number(high.failing)) " high"
            },
            &chart::draw_stack(&curves, chart::TILE, &label),
        )
    }

    fn new_tile(&self) -> Markup {
        let grave = self.sums_where(|row| overview::is_grave(&row.state.severity)).change.new;
        let days = self.sums.changes_by_day(|change| change.new);
        tile(
            ("tile-new", "New, 24 hours"),
            Look::Plain,
            &failure_count(self.sums.change.new),
            &html! {
                (words::number(grave)) " critical or high"
                @if let Some(before) = self.sums.day_before {
                    " · " (words::number(before.new)) " the day before"
                }
            },
            &chart::draw_bars(&days, chart::TILE, &format!("New failures a day, {DAYS} days")),
        )
    }

    fn resolved_tile(&self) -> Markup {
        let title = ("tile-resolved", "Resolved, 24 hours");
        if self.confirmed == Confirmed::Never {
            let line = html! {
                "Without " code { "[api]" } " nobody tells when a failure ends."
            };
            return tile(title, Look::Stale, &html! { "not known" }, &line, &html! {});
        }
        let median = html! {
            @match self.lasted {
                Some(lasted) => {
                    "median time to resolve " b .nb { (words::two_units(lasted.median)) }
                },
                None => "none in 30 days whose beginning is known",
            }
        };
        let days = self.sums.changes_by_day(|change| change.resolved);
        let bars =
            chart::draw_bars(&days, chart::TILE, &format!("Resolved failures a day, {DAYS} days"));
        let big = failure_count(self.sums.change.resolved);
        match self.confirmed {
            Confirmed::Until(at) => {
                let line = html! {
                    (glyph::glyph(Glyph::Clock)) " as of " (words::ago_or(at, "never")) " · " (median)
                };
                tile(title, Look::Stale, &big, &line, &bars)
            }
            _ => tile(title, Look::Plain, &big, &median, &bars),
        }
    }
}

/// The tile with the verdict on the exporter.
fn health_tile(verdict: &Verdict, parts: usize) -> Markup {
    let (look, sign) = match verdict.state {
        State::Off | State::Good => (Look::Plain, Glyph::Done),
        State::Waiting => (Look::Plain, Glyph::Todo),
        State::Attention => (Look::Plain, Glyph::Warn),
        State::Failing => (Look::Bad, Glyph::Warn),
    };
    let needs_somebody = verdict.state >= State::Attention;
    tile(
        ("tile-health", "Health"),
        look,
        &html! { (glyph::glyph(sign)) (verdict.word) },
        &render_sentence(&verdict.reason),
        &html! {
            p .at {
                a href=(Section::Health.url()) {
                    @if needs_somebody { "What to do" } @else { "All " (parts) " parts" }
                }
            }
        },
    )
}

fn failure_count(count: u64) -> Markup {
    html! {
        (words::number(count)) " " small { @if count == 1 { "failure" } @else { "failures" } }
    }
}

/// A difference with its sign. It uses the minus sign U+2212, which is as wide as the plus.
pub(super) fn signed_text(difference: i64) -> String {
    match difference {
        0 => "±0".to_owned(),
        1.. => format!("+{}", words::number(difference.unsigned_abs())),
        _ => format!("−{}", words::number(difference.unsigned_abs())),
    }
}

/// The text of a chart for screen readers.
pub(super) fn chart_label(what: &str, days: &[Option<u64>], now: u64) -> String {
    let known = || days.iter().flatten().copied();
    let count = days.len();
    match (known().next(), known().max()) {
        (Some(first), Some(most)) => format!(
            "{what} on {count} days: first {}, highest {}, now {}",
            words::number(first),
            words::number(most.max(now)),
            words::number(now)
        ),
        _ => format!("{what} on {count} days: not known, now {}", words::number(now)),
    }
}

/// The period of the median in the tile.
pub(super) const RESOLVED_IN: TimeDelta = TimeDelta::days(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_a_sign() {
        assert_eq!([0, 5, -1234].map(signed_text), ["±0", "+5", "−1,234"]);
    }

    #[test]
    fn a_chart_says_in_words_what_it_shows() {
        let label = chart_label("Users", &[None, Some(2), Some(5)], 5);
        assert_eq!(label, "Users on 3 days: first 2, highest 5, now 5");
        assert_eq!(chart_label("Users", &[None], 5), "Users on 1 days: not known, now 5");
    }
}
