//! `/health`: the state of each part, with the reason and what to do.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, http::Uri, response::Response};
use chrono::TimeDelta;
use maud::{Markup, html};
use strum::VariantArray;

use super::{
    Failure,
    causes::Causes,
    events,
    glyph::{self, Glyph},
    layout::{self, Position, Section},
    strips, words,
};
use crate::{
    build_info, cii, clock,
    delivery::Reason,
    domain::{EventName, TenantId},
    ingest,
    store::{EventFilter, LogPage},
    web::{
        Ops, Sources,
        parts::{self, Part, Piece, Sentence, State as Condition, Verdict},
        query::Fields,
    },
};

/// Most job changes that the page shows.
const CHANGES: usize = 5;

pub(super) async fn page(State(ops): State<Arc<Ops>>, uri: Uri) -> Result<Response, Failure> {
    Fields::parse(&uri)?.finish()?;
    let jobs = ops.sources.polls.jobs().map(|(name, _)| name).collect();
    let filter =
        EventFilter { name: Some(EventName::SyncOutcomeChanged), ..EventFilter::default() };
    let now = clock::now();
    let (seq, stored, tenant, changes, deliveries) = ops
        .sources
        .store
        .read(move |reader| {
            let changes = events::read_log(reader, &filter, i64::MAX, CHANGES)?;
            let deliveries = reader.deliveries_by_hour(now - TimeDelta::hours(24))?;
            let stored = parts::read_stored(reader, jobs)?;
            Ok((reader.last_seq()?, stored, reader.tenant_id()?, changes, deliveries))
        })
        .await?;
    let strips: BTreeMap<_, _> = strips::NAMES
        .into_iter()
        .map(|name| (name, strips::part_strip(name, &stored, &deliveries, now)))
        .collect();
    let causes = Causes::from_reasons(stored.reasons());
    let (parts, verdict) = parts::judge(&ops, stored);
    let content = html! {
        div .title {
            h1 { "Health" }
            p #summary .lead role="status" data-live { (verdict_sentence(&verdict)) }
        }
        section #parts .card aria-labelledby="parts-title" data-live {
            div .head {
                h2 #parts-title { "Parts" }
                p .soft { (words::count(parts.len() as u64, "part", "parts")) ", the worst first" }
                span .more { a href="/-/ready" { "Readiness" } a href="/metrics" { "Metrics" } }
            }
            (parts_table(&parts, &ops.sources, &strips))
        }
        div .pair {
            (build_section(&ops, tenant))
            (changes_section(&changes, causes))
        }
    };
    Ok(layout::render_page(&ops, Position::At(Section::Health), "Health", seq, &content))
}

/// The verdict in a sentence, which screen readers announce.
fn verdict_sentence(verdict: &Verdict) -> Markup {
    html! {
        (verdict.word)
        @if let Some(since) = verdict.since { " for " (words::two_units(clock::now() - since)) }
        ". " (render_sentence(&verdict.reason))
    }
}

fn parts_table(parts: &[Part], sources: &Sources, strips: &BTreeMap<&str, Markup>) -> Markup {
    html! {
        table .stack.tall {
            caption .unseen { "Parts of the exporter, the worst first" }
            thead {
                tr {
                    th scope="col" { "Part" }
                    th scope="col" { "State" }
                    th scope="col" .c-what { "Why, and what to do" }
                    th scope="col" { "For" }
                    th scope="col" .c-strip { "24 hours" }
                }
            }
            tbody {
                @for part in parts {
                    tr {
                        th scope="row" { (glyph::named_glyph(state_glyph(part.state), "", part.state.word())) " " (part.name) }
                        td { (state_chip(part)) }
                        td .full {
                            (render_sentence(&part.why))
                            @if let Some(to_do) = &part.to_do { small { "To do: " (render_sentence(to_do)) } }
                            (counts_details(part.name, sources))
                        }
                        td data-is="for" { @if let Some(since) = part.since { (words::elapsed(since)) } }
                        td .full.c-strip { @if let Some(strip) = strips.get(part.name) { (strip) } }
                    }
                }
            }
        }
    }
}

fn state_chip(part: &Part) -> Markup {
    match part.state {
        Condition::Failing => glyph::chip(None, part.word, true),
        Condition::Attention => glyph::chip(None, part.word, false),
        _ => html! { span .soft { (part.word) } },
    }
}

/// The part's counters since the start, folded.
fn counts_details(part: &str, sources: &Sources) -> Markup {
    let meters = &sources.meters;
    let counts = match part {
        "Webhook" => {
            counts_by_kind(|outcome: ingest::Outcome| meters.webhook.request_count(outcome))
        }
        "API" if sources.parts.api => {
            counts_by_kind(|outcome: cii::Outcome| meters.api.requests(outcome))
        }
        "OTLP" if sources.parts.otlp => {
            counts_by_kind(|reason: Reason| meters.otlp.failures(reason))
        }
        _ => Vec::new(),
    };
    html! {
        @if !counts.is_empty() {
            details {
                summary { @if part == "OTLP" { "Failed tries since the start" } @else { "Requests since the start" } }
                dl .list {
                    @for (kind, number) in counts { dt { (words::sentence_case(&kind)) } dd { (words::number(number)) } }
                }
            }
        }
    }
}

/// The counts above zero, by kind.
fn counts_by_kind<K>(count: impl Fn(K) -> u64) -> Vec<(String, u64)>
where
    K: VariantArray + Copy + Into<&'static str>,
{
    let counts = K::VARIANTS.iter().map(|kind| {
        let name: &str = (*kind).into();
        (name.replace('_', " "), count(*kind))
    });
    counts.filter(|(_, count)| *count > 0).collect()
}

fn build_section(ops: &Ops, tenant: Option<TenantId>) -> Markup {
    html! {
        section .card aria-labelledby="build-title" {
            div .head { h2 #build-title { "Build" } }
            dl .list {
                dt { "Version" } dd { (build_info::VERSION) " (" (build_info::REVISION) ")" }
                dt { "Started" } dd { (words::ago(ops.started_at)) }
                dt { "Tenant" } dd {
                    @match tenant {
                        Some(id) => code { (id) },
                        None => span .soft { "not told yet: a delivery names it" },
                    }
                }
                dt { "Webhook" } dd { code { (ops.sources.webhook.url) } }
            }
        }
    }
}

/// The last changes of jobs, without the causes that the parts already show.
fn changes_section(changes: &LogPage, mut causes: Causes) -> Markup {
    html! {
        section #changes .card aria-labelledby="changes-title" data-live {
            div .head {
                h2 #changes-title { "Last changes of jobs" }
                span .more { a href={ "/?name=" (EventName::SyncOutcomeChanged.as_str()) "#events" } { "All" } }
            }
            @if changes.entries.is_empty() {
                p .soft { "No job has begun or ceased to fail." }
            } @else {
                dl .list {
                    @for stored in changes.entries.iter().map(|entry| &entry.event) {
                        dt { (words::ago(stored.event.observed_at)) }
                        dd { (causes.event_sentence(&stored.event)) }
                    }
                }
            }
        }
    }
}

/// The glyph of a state.
pub(super) const fn state_glyph(state: Condition) -> Glyph {
    match state {
        Condition::Off => Glyph::Off,
        Condition::Good => Glyph::Done,
        Condition::Waiting => Glyph::Todo,
        Condition::Attention => Glyph::Warn,
        Condition::Failing => Glyph::Stop,
    }
}

/// Renders a sentence. The script updates its moments.
pub(super) fn render_sentence(sentence: &Sentence) -> Markup {
    html! {
        @for piece in sentence.pieces() {
            @match piece {
                Piece::Text(text) => (text),
                Piece::Code(text) => code { (text) },
                Piece::Ago(at) => (words::ago(*at)),
                Piece::In(at) => (words::time_until(*at)),
                Piece::Size(bytes) => (words::bytes(*bytes)),
                Piece::Cause(reason) => { ": " (reason) }
            }
        }
    }
}
