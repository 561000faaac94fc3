//! Whether webhook, API, OTLP and store do their work.

use chrono::TimeDelta;
use maud::{Markup, html};
use strum::VariantArray;

use super::{
    glyph::{self, Glyph},
    words,
};
use crate::{
    cii, clock,
    delivery::{self, Reason},
    domain::{JobOutcome, Timestamp},
    ingest,
    store::{self, Backlog, JobState, Reader, StoreError},
    web::Sources,
};

/// How long an event may wait for the collector before that is worth a look.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);

/// What the store says of the parts.
pub(super) struct Standing {
    pub(super) last_delivery: Option<Timestamp>,
    backlog: Backlog,
    /// Jobs that run, each with how its last run ended.
    jobs: Vec<(&'static str, Option<JobState>)>,
}

/// Reads what is shown of these jobs, and of the other parts.
pub(super) fn read(reader: &Reader, jobs: Vec<&'static str>) -> Result<Standing, StoreError> {
    let state = |job| Ok((job, reader.job_state(job)?));
    Ok(Standing {
        last_delivery: reader.last_delivery_at()?,
        backlog: reader.otlp_backlog()?,
        jobs: jobs.into_iter().map(state).collect::<Result<_, StoreError>>()?,
    })
}

/// The section of the page.
pub(super) fn section(standing: &Standing, sources: &Sources) -> Markup {
    html! {
        section #health aria-labelledby="health-title" data-live {
            div .head { h2 #health-title { "Health" } }
            div .pair {
                (webhook(standing, &sources.meters.webhook))
                (api(&standing.jobs, sources))
                (otlp(&standing.backlog, sources))
                (store(sources.store.meters()))
            }
        }
    }
}

/// The counts above zero by kind, but for the usual kind.
fn besides<K>(usual: Option<K>, count: impl Fn(K) -> u64) -> Vec<(String, u64)>
where
    K: VariantArray + Copy + PartialEq + Into<&'static str>,
{
    let others = K::VARIANTS.iter().filter(|kind| usual != Some(**kind));
    let counts = others.map(|kind| (Into::<&str>::into(*kind).replace('_', " "), count(*kind)));
    counts.filter(|(_, count)| *count > 0).collect()
}

fn webhook(standing: &Standing, meters: &ingest::Meters) -> Markup {
    use ingest::Outcome::{Accepted, Unavailable};
    let mark = match standing.last_delivery {
        _ if meters.requests(Unavailable) > 0 => Mark::Attention("refused some"),
        Some(_) => Mark::Good("receiving"),
        None => Mark::Plain("waiting"),
    };
    let others = besides(Some(Accepted), |outcome| meters.requests(outcome));
    card(
        "Webhook",
        mark,
        &html! {
            (fact("Last delivery", &words::ago_or(standing.last_delivery, "never")))
            (fact("Accepted since start", &html! { (meters.requests(Accepted)) }))
            @for (outcome, number) in others { (fact(&outcome, &html! { (number) })) }
        },
    )
}

fn api(jobs: &[(&str, Option<JobState>)], sources: &Sources) -> Markup {
    if !sources.parts.api {
        return card(
            "API",
            Mark::Plain("off"),
            &html! { (fact("To switch on", &html! { "set " code { "[api]" } " and restart" })) },
        );
    }
    let ended = |outcome| {
        jobs.iter().any(|(_, state)| state.as_ref().is_some_and(|s| s.end.outcome == outcome))
    };
    let mark = if ended(JobOutcome::Failed) {
        Mark::Failing("failing")
    } else if ended(JobOutcome::Off) {
        Mark::Attention("a right is missing")
    } else if jobs.iter().all(|(_, state)| state.is_none()) {
        Mark::Plain("no run yet")
    } else if jobs.iter().flat_map(|(_, state)| state).any(|state| state.end.counts.failed > 0) {
        Mark::Attention("some failed")
    } else {
        Mark::Good("answering")
    };
    let requests = |outcome| sources.meters.api.requests(outcome);
    card(
        "API",
        mark,
        &html! {
            @for (job, state) in jobs { (fact(&format!("Job {job}"), &standing_of(state.as_ref()))) }
            (fact("Answered in full", &html! { (requests(cii::Outcome::Ok)) }))
            @for (outcome, number) in besides(Some(cii::Outcome::Ok), requests) {
                (fact(&outcome, &html! { (number) }))
            }
        },
    )
}

/// How a job's last run ended, and why.
fn standing_of(state: Option<&JobState>) -> Markup {
    let Some(state) = state else { return html! { "no run yet" } };
    html! {
        @match state.end.outcome {
            JobOutcome::Succeeded => "succeeded ",
            JobOutcome::Failed => { (glyph::chip(None, "failed", true)) " since " (words::ago(state.since)) ", last success " },
            JobOutcome::Off => { (glyph::chip(None, "off", false)) " since " (words::ago(state.since)) ", last success " },
        }
        (words::ago_or(state.last_success_at, "never"))
        @if let Some(reason) = &state.end.reason { " " small { (reason) } }
    }
}

fn otlp(backlog: &Backlog, sources: &Sources) -> Markup {
    if !sources.parts.otlp {
        return card(
            "OTLP",
            Mark::Plain("off"),
            &html! { (fact("To switch on", &html! { "set " code { "[otlp]" } " and restart" })) },
        );
    }
    let (meters, outage): (&delivery::Meters, _) =
        (&sources.meters.otlp, sources.outages.current());
    let is_late = backlog.oldest.is_some_and(|oldest| clock::now() - oldest > PATIENCE);
    let mark = match &outage {
        _ if is_late => Mark::Failing("behind"),
        Some(_) => Mark::Attention("not taken"),
        None if backlog.parked > 0 => Mark::Attention("some parked"),
        None => Mark::Good("up to date"),
    };
    card(
        "OTLP",
        mark,
        &html! {
            (fact("Waiting", &html! { (backlog.pending) }))
            @if let Some(outage) = &outage {
                (fact("Why", &html! { (outage.cause) }))
                (fact("Not taken since", &words::ago(outage.since)))
            }
            @if backlog.parked > 0 {
                (fact("Parked", &html! { (backlog.parked) " (" code { "cii-exporter otlp retry" } ")" }))
            }
            @if let Some(oldest) = backlog.oldest { (fact("Oldest waiting", &words::ago(oldest))) }
            (fact("Sent since start", &html! { (meters.exported_events()) }))
            @for (reason, number) in besides(None::<Reason>, |reason| meters.failures(reason)) {
                (fact(&format!("Failed: {reason}"), &html! { (number) }))
            }
        },
    )
}

/// The page was read from the store, so the store can be read.
fn store(meters: &store::Meters) -> Markup {
    card(
        "Store",
        Mark::Good("open"),
        &html! {
            (fact("Size", &html! { (words::bytes(meters.size_bytes())) }))
            (fact("Commits since start", &html! { (meters.committed()) }))
        },
    )
}

/// How a part stands, in a word.
#[derive(Clone, Copy)]
enum Mark {
    Good(&'static str),
    Plain(&'static str),
    Attention(&'static str),
    Failing(&'static str),
}

fn card(title: &str, mark: Mark, facts: &Markup) -> Markup {
    let (sign, word, is_strong) = match mark {
        Mark::Good(word) => (Glyph::Done, word, false),
        Mark::Plain(word) => (Glyph::Off, word, false),
        Mark::Attention(word) => (Glyph::Warn, word, true),
        Mark::Failing(word) => (Glyph::Stop, word, true),
    };
    html! {
        div .card {
            div .head { h3 { (title) } (glyph::chip(Some(sign), word, is_strong)) }
            dl .list { (facts) }
        }
    }
}

fn fact(name: &str, value: &Markup) -> Markup {
    html! { dt { (name) } dd { (value) } }
}
