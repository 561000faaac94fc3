//! The first steps of the setup, with their state. Shown until a delivery was received and the
//! tenant was listed.

use maud::{Markup, html};
use strum::VariantArray;

use super::{
    glyph::{self, Glyph},
    layout::Section,
    listing, words,
};
use crate::{
    cii,
    domain::Timestamp,
    ingest,
    web::{
        Ops,
        listing::{Listing, State},
        parts::Stored,
    },
};

/// The state of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Done,
    Running,
    Open,
    Off,
}

/// A step of the setup.
struct Step {
    how: How,
    title: &'static str,
    what: Markup,
    /// When it was done.
    at: Option<Timestamp>,
}

/// Renders the section; empty once all is done.
pub(super) fn section(ops: &Ops, stored: &Stored, listing: &Listing) -> Markup {
    let is_listed = matches!(listing.state, State::Complete | State::NoApi);
    if is_listed && stored.last_delivery.is_some() {
        return html! {};
    }
    let steps = [
        start_step(ops),
        api_step(ops),
        listing_step(listing),
        listener_step(ops),
        delivery_step(ops, stored),
        scrape_step(ops),
    ];
    let done = steps.iter().filter(|step| step.how == How::Done).count();
    html! {
        section #start .card aria-labelledby="start-title" data-live {
            div .head {
                h2 #start-title { "First steps" }
                p .soft { (done) " of " (steps.len()) " are done" }
            }
            ol .steps { @for step in &steps { (step_item(step)) } }
        }
        section .card aria-labelledby="next-title" {
            div .head { h2 #next-title { "What to expect" } }
            ul .advice {
                @if matches!(listing.state, State::Running | State::Waiting | State::Failed) {
                    li { b { "In minutes" } ", when a listing ends: who fails which check now, here and in the metrics." }
                }
                li {
                    b { "Within a day" } ": the first deliveries. The service analyses a source once in 24 hours, "
                    "event-based checks hourly where logs are streamed, and names only who newly fails."
                }
                li { b { "From the second day on" } ": change in 24 hours, time to resolve, and what is overdue." }
            }
        }
    }
}

/// A link to the health page.
fn health_link() -> Markup {
    html! { a href=(Section::Health.url()) { "Health" } }
}

fn start_step(ops: &Ops) -> Step {
    Step {
        how: How::Done,
        title: "The exporter runs",
        what: html! { p { "The store is open, and the configuration has no faults." } },
        at: Some(ops.started_at),
    }
}

fn api_step(ops: &Ops) -> Step {
    let step = |how, what: Markup| Step { how, title: "The API answers", what, at: None };
    if !ops.sources.parts.api {
        return step(
            How::Open,
            html! {
                p {
                    "There is no " code { "[api]" } " in the configuration, so only webhooks tell of failures, "
                    "and nobody tells when one ends. Make an API client in the console, and fill the table in."
                }
            },
        );
    }
    let requests = |outcomes: &[cii::Outcome]| -> u64 {
        outcomes.iter().map(|outcome| ops.sources.meters.api.requests(*outcome)).sum()
    };
    let answered = requests(&[cii::Outcome::Ok, cii::Outcome::Partial]);
    let failed = requests(cii::Outcome::VARIANTS) - answered;
    let (how, what) = match (answered > 0, failed > 0) {
        (true, _) => (How::Done, html! { (answered) " answered, " (failed) " not answered." }),
        (false, true) => {
            let why =
                html! { "none answered, " (failed) " not answered. " (health_link()) " says why." };
            (How::Open, why)
        }
        (false, false) => {
            return step(How::Running, html! { p { "No request was answered yet." } });
        }
    };
    step(how, html! { p { "Requests since the start: " (what) } })
}

fn listing_step(listing: &Listing) -> Step {
    let (how, what) = match listing.state {
        State::Complete => (How::Done, listing::listing_sentence(listing)),
        State::Running => (
            How::Running,
            html! { "Who fails what is known when it ends: " (listing::pending_reason(listing)) "." },
        ),
        State::Waiting => (
            How::Running,
            html! { "Nobody failing is known yet: " (listing::pending_reason(listing)) "." },
        ),
        State::Failed | State::Untold => (
            How::Open,
            html! { "Who fails what is not known: " (listing::pending_reason(listing)) ". " (health_link()) " says why." },
        ),
        State::NoRight => (
            How::Open,
            html! {
                "Who failed before the exporter was set up is not known: " (listing::pending_reason(listing))
                ". Give the client the right in the console; it is tried again by itself."
            },
        ),
        State::Off | State::NoApi => (
            How::Off,
            html! {
                "Who failed before the exporter was set up is not known: " (listing::pending_reason(listing)) "."
            },
        ),
    };
    Step {
        how,
        title: "The tenant is listed",
        what: html! { p { (what) } },
        at: listing.completed_at,
    }
}

fn listener_step(ops: &Ops) -> Step {
    let webhook = &ops.sources.webhook;
    Step {
        how: How::Done,
        title: "The webhook listens",
        what: html! {
            p {
                "It takes deliveries at " code .copy { (webhook.url) } ". To see that: "
                code .copy { "cii-exporter webhook test" }
            }
        },
        at: Some(ops.started_at),
    }
}

fn delivery_step(ops: &Ops, stored: &Stored) -> Step {
    let title = "The service delivers";
    if let Some(at) = stored.last_delivery {
        let what = html! { p { "The last delivery came " (words::ago(at)) "." } };
        return Step { how: How::Done, title, what, at: Some(at) };
    }
    // Accepted requests are not counted: until the first delivery of the service they are test
    // messages from this machine.
    let refused: u64 = {
        use ingest::Outcome::{Malformed, TooLarge, Unauthorized, Unavailable};
        let refusals = [Unauthorized, Malformed, TooLarge, Unavailable];
        refusals.into_iter().map(|outcome| ops.sources.meters.webhook.request_count(outcome)).sum()
    };
    let arrived = html! {
        p {
            @if refused > 0 {
                "Nothing was accepted yet, requests refused: " (refused) "; "
                a href="/deliveries" { "Deliveries" } " and the log say why."
            } @else {
                "Nothing arrived yet from the service, which is awaited since " (words::ago(ops.started_at)) "."
            }
        }
    };
    if !stored.targets.is_empty() {
        let what = html! {
            p {
                "Registered with the service: "
                @for url in &stored.targets { code .copy { (url) } " " }
            }
            (arrived)
        };
        return Step { how: How::Running, title, what, at: None };
    }
    let what = html! {
        p { "Add a webhook target in the console, with these values. The console then sends a test message." }
        dl .list { (console_values(ops)) }
        @if ops.sources.parts.api {
            p .soft {
                "Or let the exporter do it: "
                code .copy { "cii-exporter webhook register --url URL --check ID" }
            }
        }
        (arrived)
    };
    Step { how: How::Open, title, what, at: None }
}

/// The values to enter in the console; never the secret.
fn console_values(ops: &Ops) -> Markup {
    let webhook = &ops.sources.webhook;
    let header = ops.sources.rules.borrow().header.clone();
    html! {
        dt { "URL" }
        dd {
            @match &webhook.public_url {
                Some(url) => code .copy { (url) },
                None => {
                    "your proxy's " code { "https://…" (webhook.path) } ", which passes it on to "
                    code { "http://" (webhook.listen) (webhook.path) }
                },
            }
        }
        dt { "Authorization" } dd { "API key" }
        dt { "Header name" } dd { code .copy { (header) } }
        dt { "Header value" }
        dd { "one of " code { "webhook.secrets" } "; it is never shown here" }
    }
}

fn scrape_step(ops: &Ops) -> Step {
    let title = "Prometheus scrapes";
    match ops.scraped_at() {
        Some(at) => Step {
            how: How::Done,
            title,
            what: html! { p { "The last scrape was " (words::ago(at)) "." } },
            at: Some(at),
        },
        None => Step {
            how: How::Open,
            title,
            what: html! {
                p {
                    "No scrape was seen yet. The path is " code { "/metrics" } " of this page's address; rules and "
                    "dashboards are in the release. Without Prometheus this page works all the same."
                }
            },
            at: None,
        },
    }
}

fn step_item(step: &Step) -> Markup {
    let (sign, word) = match step.how {
        How::Done => (Glyph::Done, "done"),
        How::Running => (Glyph::Now, "running"),
        How::Open => (Glyph::Todo, "to do"),
        How::Off => (Glyph::Off, "off"),
    };
    html! {
        li class=(if step.how == How::Done { "step done" } else { "step" }) {
            (glyph::named_glyph(sign, "", word))
            div { h3 { (step.title) } (step.what) }
            span {
                @match (step.how, step.at) {
                    (How::Open, _) => (glyph::chip(None, "your turn", true)),
                    (How::Done, Some(at)) => span .soft { (words::ago(at)) },
                    _ => span .soft { (word) },
                }
            }
        }
    }
}
