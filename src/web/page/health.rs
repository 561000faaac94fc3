//! Whether webhook, API, OTLP and store do their work.

use chrono::TimeDelta;
use maud::{Markup, html};

use super::{figures::Figures, words};
use crate::{
    clock,
    delivery::Outage,
    domain::{JobOutcome, Timestamp},
    store::{Backlog, JobState, Reader, StoreError},
    web::Parts,
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
pub(super) fn section(
    standing: &Standing,
    figures: &Figures,
    parts: Parts,
    outage: Option<&Outage>,
) -> Markup {
    html! {
        section #health aria-labelledby="health-title" data-live {
            h2 #health-title { "Health" }
            div .grid .health {
                (webhook(standing, figures))
                (api(&standing.jobs, figures, parts.api))
                (otlp(&standing.backlog, figures, parts.otlp, outage))
                (store(figures))
            }
        }
    }
}

fn webhook(standing: &Standing, figures: &Figures) -> Markup {
    let requests = "cii_webhook_requests_total";
    let unavailable = figures.sum(requests, &[("result", "unavailable")]);
    let mark = match standing.last_delivery {
        _ if unavailable > 0.0 => Mark::Attention("refused some"),
        Some(_) => Mark::Good("receiving"),
        None => Mark::Plain("waiting"),
    };
    let others = figures.besides(requests, "result", "accepted");
    card(
        "Webhook",
        mark,
        &html! {
            (fact("Last delivery", &words::ago_or(standing.last_delivery, "never")))
            (fact("Accepted since start", &html! { (figures.sum(requests, &[("result", "accepted")])) }))
            @for (result, number) in others { (fact(result, &html! { (number) })) }
        },
    )
}

fn api(jobs: &[(&str, Option<JobState>)], figures: &Figures, is_on: bool) -> Markup {
    if !is_on {
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
    let requests = "cii_api_requests_total";
    card(
        "API",
        mark,
        &html! {
            @for (job, state) in jobs { (fact(&format!("Job {job}"), &standing_of(state.as_ref()))) }
            (fact("Answered in full", &html! { (figures.sum(requests, &[("result", "ok")])) }))
            @for (result, number) in figures.besides(requests, "result", "ok") {
                (fact(&result.replace('_', " "), &html! { (number) }))
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
            JobOutcome::Failed => { span .mark .failing { "failed" } " since " (words::ago(state.since)) ", last success " },
            JobOutcome::Off => { span .mark .attention { "off" } " since " (words::ago(state.since)) ", last success " },
        }
        (words::ago_or(state.last_success_at, "never"))
        @if let Some(reason) = &state.end.reason { " " small { (reason) } }
    }
}

fn otlp(backlog: &Backlog, figures: &Figures, is_on: bool, outage: Option<&Outage>) -> Markup {
    if !is_on {
        return card(
            "OTLP",
            Mark::Plain("off"),
            &html! { (fact("To switch on", &html! { "set " code { "[otlp]" } " and restart" })) },
        );
    }
    let is_late = backlog.oldest.is_some_and(|oldest| clock::now() - oldest > PATIENCE);
    let mark = match outage {
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
            @if let Some(outage) = outage {
                (fact("Why", &html! { (outage.cause) }))
                (fact("Not taken since", &words::ago(outage.since)))
            }
            @if backlog.parked > 0 {
                (fact("Parked", &html! { (backlog.parked) " (" code { "cii-exporter otlp retry" } ")" }))
            }
            @if let Some(oldest) = backlog.oldest { (fact("Oldest waiting", &words::ago(oldest))) }
            (fact("Sent since start", &html! { (figures.sum("cii_otlp_exported_events_total", &[])) }))
            @for (reason, number) in figures.besides("cii_otlp_export_failures_total", "reason", "") {
                (fact(&format!("Failed: {}", reason.replace('_', " ")), &html! { (number) }))
            }
        },
    )
}

/// The page was read from the store, so the store can be read.
fn store(figures: &Figures) -> Markup {
    card(
        "Store",
        Mark::Good("open"),
        &html! {
            (fact("Size", &html! { (words::bytes(figures.sum("cii_store_size_bytes", &[]))) }))
            (fact("Commits since start", &html! { (figures.sum("cii_store_commits_total", &[])) }))
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
    let (class, word) = match mark {
        Mark::Good(word) => ("good", word),
        Mark::Plain(word) => ("", word),
        Mark::Attention(word) => ("attention", word),
        Mark::Failing(word) => ("failing", word),
    };
    html! {
        div .card {
            h3 { (title) " " span class={ "mark " (class) } { (word) } }
            dl { (facts) }
        }
    }
}

fn fact(name: &str, value: &Markup) -> Markup {
    html! { dt { (name) } dd { (value) } }
}
