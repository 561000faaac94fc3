//! The last 30 days of a check: failing users, new and resolved failures.

use chrono::{NaiveDate, TimeDelta};
use maud::{Markup, html};

use super::{
    chart, glyph,
    overview::{Row, failing_by_day},
    tiles::chart_label,
    trust::{Confirmed, hide_unconfirmed},
    words,
};
use crate::domain::{
    Timestamp,
    failure::{Change, TrendDay},
};

/// Days of the chart.
const DAYS: usize = 30;

/// Renders the section.
pub(super) fn section(row: &Row, confirmed: Confirmed, now: Timestamp) -> Markup {
    let state = &row.state;
    let days = state.trend.days(now, DAYS, state.failing);
    let failing = hide_unconfirmed(failing_by_day(&days), confirmed);
    let of =
        |of: fn(Change) -> u64| -> Vec<_> { days.iter().map(|day| day.change.map(of)).collect() };
    let (new, resolved) = (of(|change| change.new), of(|change| change.resolved));
    let sum = |days: &[Option<u64>]| words::number(days.iter().flatten().sum());
    let most = failing.iter().flatten().copied().max().unwrap_or(0);
    let label = chart_label("Failing users", &failing, state.failing);
    let flow = format!(
        "New and resolved failures a day; {} new and {} resolved in {DAYS} days",
        sum(&new),
        sum(&resolved)
    );
    let date = |before: i64| short_date(now.date_naive() - TimeDelta::days(before));
    html! {
        section #trend .card aria-labelledby="trend-title" data-live {
            div .head { h2 #trend-title { (DAYS) " days" } }
            @if failing.iter().all(Option::is_none) {
                p .soft { "Nothing is known of the past yet." }
            }
            figure .chart {
                div .y aria-hidden="true" {
                    span { (words::number(most)) }
                    @if most > 1 && most.is_multiple_of(2) { span { (words::number(most / 2)) } }
                    span { "0" }
                }
                (chart::draw_steps(&failing, chart::WIDE, glyph::severity_class(&state.severity), &label))
                div .y aria-hidden="true" { span { "new" } span { "resolved" } }
                (chart::draw_flow(&new, &resolved, chart::WIDE.width, &flow))
                div .x aria-hidden="true" {
                    span { (date(29)) } span { (date(15)) } span { "today" }
                }
            }
            details {
                summary { "The figures as a table" }
                (table(&days, &failing, now.date_naive()))
            }
        }
    }
}

fn table(days: &[TrendDay], failing: &[Option<u64>], today: NaiveDate) -> Markup {
    let known = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), words::number);
    html! {
        table {
            caption { "Failing, new and resolved by day, in UTC; a dash where it is not known" }
            thead {
                tr {
                    th scope="col" { "Day" }
                    th scope="col" .number { "Failing" }
                    th scope="col" .number { "New" }
                    th scope="col" .number { "Resolved" }
                }
            }
            tbody {
                @for (before, (day, failing)) in (0_i64..).zip(days.iter().zip(failing).rev()) {
                    tr {
                        th scope="row" { (today - TimeDelta::days(before)) }
                        td .number { (known(*failing)) }
                        td .number { (known(day.change.map(|change| change.new))) }
                        td .number { (known(day.change.map(|change| change.resolved))) }
                    }
                }
            }
        }
    }
}

fn short_date(day: NaiveDate) -> String {
    day.format("%-d %b").to_string()
}
