//! `/`, the overview: figures, checks that users fail, events, and the first steps of a new
//! exporter.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use maud::{Markup, html};

use super::{
    Failure,
    checks::Checks,
    events,
    layout::{self, Position, Section},
    listing,
    overview::{self, Sums},
    start,
    tiles::{self, Tiles},
    trust, words,
};
use crate::{
    clock,
    web::{
        Ops, filter,
        listing::{self as tenant, Listing, Setting},
        parts,
        query::Fields,
    },
};

/// Most ended failures of which the median is computed.
const ENDED: usize = 1_000;

pub(super) async fn page(State(ops): State<Arc<Ops>>, uri: Uri) -> Result<Response, Failure> {
    let mut fields = Fields::parse(&uri)?.without_empty();
    let filter = filter::take_event_filter(&mut fields)?;
    let before = fields.take_number("before", 0, i64::MAX)?.unwrap_or(i64::MAX);
    let is_overdue_only = fields.take_number("overdue", 0, 1)? == Some(1);
    fields.finish()?;
    let setting = Setting::from_ops(&ops);
    let jobs: Vec<_> = ops.sources.polls.jobs().map(|(name, _)| name).collect();
    let objectives = ops.sources.scope.borrow().objectives.clone();
    let now = clock::now();
    let (seq, listing, people, rows, lasted, log, stored, filter) = ops
        .sources
        .store
        .read(move |reader| {
            let log = events::read_log(reader, &filter, before, events::SHOWN)?;
            Ok((
                reader.last_seq()?,
                tenant::read_listing(reader, &setting)?,
                reader.failing_people()?,
                overview::read_rows(reader, &objectives, now)?,
                reader.ended_durations(None, now - tiles::RESOLVED_IN, ENDED)?,
                log,
                parts::read_stored(reader, jobs)?,
                filter,
            ))
        })
        .await?;
    let start = start::section(&ops, &stored, &listing);
    let (parts, verdict) = parts::judge(&ops, stored);
    let confirmed = trust::confirmed_until(&ops, &parts);
    let sums = Sums::sum_rows(rows.iter(), now);
    let tiles = Tiles {
        rows: &rows,
        sums: &sums,
        confirmed,
        lasted,
        verdict: &verdict,
        parts: parts.len(),
        now,
    };
    let checks = Checks {
        rows: &rows,
        sums: &sums,
        people,
        confirmed,
        listing: &listing,
        is_overdue_only,
        now,
    };
    let content = html! {
        div .title {
            h1 { "Identity findings" }
            p #summary .lead role="status" data-live { (summary(&sums, people, &listing)) }
        }
        div #trust data-live { (trust::trust_notice(confirmed)) }
        div #first data-live { (start) }
        // A new exporter shows the first steps instead of four empty tiles.
        div #answers data-live { @if !rows.is_empty() || start.0.is_empty() { (tiles.render()) } }
        (checks.section())
        (events::section(&log, &filter, &rows))
    };
    Ok(layout::render_page(&ops, Position::At(Section::Overview), "Overview", seq, &content))
}

/// The page in a sentence, which screen readers announce when it changes.
fn summary(sums: &Sums, people: u64, listing: &Listing) -> Markup {
    html! {
        @if sums.failing == 0 {
            "No failure is known"
        } @else {
            (words::count(sums.failing, "failure", "failures")) " of "
            (words::count(people, "user", "users")) " in "
            (words::count(sums.checks, "check", "checks"))
            @if let Some((count, is_more)) = sums.overdue.filter(|(count, _)| *count > 0) {
                ", " @if is_more { "over " } (words::number(count)) " overdue"
            }
        }
        ". " (listing::listing_sentence(listing))
    }
}
