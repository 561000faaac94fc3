//! `/`: failures, events, what is watched, and the health of the exporter.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use maud::{Markup, html};

use super::{
    Failure, events,
    failing::{self, Failing},
    layout::{self, Position, Section},
    listing, start, watched,
    watched::Watched,
    words,
};
use crate::web::{
    Ops, filter,
    listing::{self as tenant, Listing, Setting},
    parts,
    query::Fields,
};

pub(super) async fn page(State(ops): State<Arc<Ops>>, uri: Uri) -> Result<Response, Failure> {
    let mut fields = Fields::of(&uri)?.without_empty();
    let filter = filter::take(&mut fields)?;
    let before = fields.number("before", 0, i64::MAX)?.unwrap_or(i64::MAX);
    let watched_page = fields.number("watched", 0, 1_000_000)?.unwrap_or(0);
    let watched_page = usize::try_from(watched_page).unwrap_or(0);
    fields.finish()?;
    let setting = Setting::of(&ops);
    let jobs = ops.sources.polls.jobs().map(|(name, _)| name).collect();
    let (seq, listing, people, checks, events, watched, standing, filter) = ops
        .sources
        .store
        .read(move |reader| {
            let events = events::read(reader, &filter, before, events::SHOWN)?;
            Ok((
                reader.last_seq()?,
                tenant::read(reader, &setting)?,
                reader.failing_people()?,
                failing::read(reader)?,
                events,
                watched::read(reader, watched_page)?,
                parts::read(reader, jobs)?,
                filter,
            ))
        })
        .await?;
    let content = html! {
        div .title {
            h1 { "Identity findings" }
            p #summary .lead role="status" data-live { (summary(&checks, people, &watched, &listing)) }
        }
        (start::section(&ops, &standing, &listing))
        (failing::section(&checks, &listing))
        (events::section(&events, &filter))
        (watched::section(&watched, &ops.sources.polls))
    };
    Ok(layout::page(&ops, Position::At(Section::Overview), "Overview", seq, &content))
}

/// The page in a sentence, which screen readers read out when it changes.
fn summary(checks: &[Failing], people: u64, watched: &Watched, listing: &Listing) -> Markup {
    let failures: u64 = checks.iter().map(|check| check.state.failing).sum();
    let failing = checks.iter().filter(|check| check.state.failing > 0).count() as u64;
    html! {
        @if failures == 0 {
            "No failure is known"
        } @else {
            (words::count(failures, "failure", "failures")) " of "
            (words::count(people, "user", "users")) " in "
            (words::count(failing, "check", "checks"))
        }
        "; " (words::count(watched.user_count, "user", "users")) " and "
        (words::count(watched.ip_count, "IP address", "IP addresses")) " watched. " (listing::sentence(listing))
    }
}
