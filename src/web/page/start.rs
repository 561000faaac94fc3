//! The first steps: what is done, and what is to be done next. Shown until
//! deliveries arrive and the tenant was listed.

use maud::{Markup, html};
use strum::VariantArray;

use super::{
    glyph::{self, Glyph},
    listing, words,
};
use crate::{
    cii, ingest,
    web::{
        Ops,
        listing::{Listing, State},
        parts::Stored,
    },
};

/// How far a step is.
enum Step {
    Done,
    Running,
    Open,
    Off,
}

/// The section of the page; nothing once all is done.
pub(super) fn section(ops: &Ops, standing: &Stored, listing: &Listing) -> Markup {
    let is_listed = matches!(listing.state, State::Complete | State::NoApi);
    if is_listed && standing.last_delivery.is_some() {
        return html! {};
    }
    html! {
        section #start .card aria-labelledby="start-title" data-live {
            div .head { h2 #start-title { "First steps" } }
            ol .steps {
                (step(&Step::Done, "The exporter runs", &html! { "The store is open, and the configuration has no faults." }))
                (api(ops))
                (list(listing))
                (webhook(ops, standing))
            }
            h3 { "What to expect" }
            ul .advice {
                @if matches!(listing.state, State::Running | State::Waiting | State::Failed) {
                    li { b { "In minutes" } ", when a listing ends: who fails which check now, here and in the metrics." }
                }
                li {
                    b { "Within a day" } ": the first deliveries. The service analyses a source once in 24 hours, "
                    "event-based checks hourly where logs are streamed, and names only who newly fails."
                }
            }
        }
    }
}

fn api(ops: &Ops) -> Markup {
    let title = "The API answers";
    if !ops.sources.parts.api {
        let what = html! {
            "There is no " code { "[api]" } " in the configuration, so only webhooks tell of failures, "
            "and nobody tells when one ends. Make an API client in the console, and fill the table in."
        };
        return step(&Step::Open, title, &what);
    }
    let requests = |outcomes: &[cii::Outcome]| -> u64 {
        outcomes.iter().map(|outcome| ops.sources.meters.api.requests(*outcome)).sum()
    };
    let answered = requests(&[cii::Outcome::Ok, cii::Outcome::Partial]);
    let failed = requests(cii::Outcome::VARIANTS) - answered;
    match (answered > 0, failed > 0) {
        (true, _) => step(
            &Step::Done,
            title,
            &html! { "Requests since the start: " (answered) " answered, " (failed) " not answered." },
        ),
        (false, true) => step(
            &Step::Open,
            title,
            &html! { "Requests since the start: none answered, " (failed) " not answered. The log says why." },
        ),
        (false, false) => step(&Step::Running, title, &html! { "No request was answered yet." }),
    }
}

fn list(listing: &Listing) -> Markup {
    let title = "The tenant is listed";
    let (how, what) = match listing.state {
        State::Complete => (Step::Done, listing::sentence(listing)),
        State::Running => (
            Step::Running,
            html! { "Who fails what is known when it ends: " (listing::why_not(listing)) "." },
        ),
        State::Waiting => (
            Step::Running,
            html! { "Nobody failing is known yet: " (listing::why_not(listing)) "." },
        ),
        State::Failed | State::Untold => (
            Step::Open,
            html! { "Who fails what is not known: " (listing::why_not(listing)) ". The log says why." },
        ),
        State::NoRight => (
            Step::Open,
            html! {
                "Who failed before the exporter was set up is not known: " (listing::why_not(listing))
                ". Give the client the right in the console; it is tried again by itself."
            },
        ),
        State::Off | State::NoApi => (
            Step::Off,
            html! {
                "Who failed before the exporter was set up is not known: " (listing::why_not(listing)) "."
            },
        ),
    };
    step(&how, title, &what)
}

fn webhook(ops: &Ops, standing: &Stored) -> Markup {
    let title = "The service delivers";
    if let Some(at) = standing.last_delivery {
        return step(&Step::Done, title, &html! { "The last delivery came " (words::ago(at)) "." });
    }
    // What was taken, and is no delivery of the service, is a test that this machine sent.
    let refused: u64 = {
        use ingest::Outcome::{Malformed, TooLarge, Unauthorized, Unavailable};
        let refusals = [Unauthorized, Malformed, TooLarge, Unavailable];
        refusals.into_iter().map(|outcome| ops.sources.meters.webhook.requests(outcome)).sum()
    };
    let header = ops.sources.rules.borrow().header.clone();
    let webhook = &ops.sources.webhook;
    let what = html! {
        "Add a webhook target in the console, with these values. The console then sends a test message. "
        @if refused > 0 {
            "Nothing was accepted yet, requests refused: " (refused) "; "
            a href="/deliveries" { "Deliveries" } " and the log say why."
        } @else {
            "Nothing arrived yet from the service."
        }
        dl .list {
            dt { "URL" }
            dd {
                "your proxy's " code { "https://…" (webhook.path) } ", which passes it on to "
                code { "http://" (webhook.listen) (webhook.path) }
            }
            dt { "Authorization" } dd { "API key" }
            dt { "Header name" } dd { code { (header) } }
            dt { "Header value" }
            dd { "one of " code { "webhook.secrets" } "; it is never shown here" }
        }
    };
    step(&Step::Open, title, &what)
}

fn step(how: &Step, title: &str, what: &Markup) -> Markup {
    let (sign, word) = match how {
        Step::Done => (Glyph::Done, "done"),
        Step::Running => (Glyph::Now, "running"),
        Step::Open => (Glyph::Todo, "to do"),
        Step::Off => (Glyph::Off, "off"),
    };
    let is_done = matches!(how, Step::Done);
    html! {
        li class=(if is_done { "step done" } else { "step" }) {
            (glyph::named(sign, "", word))
            div { h3 { (title) } (what) }
            span {
                @if matches!(how, Step::Open) { (glyph::chip(None, word, true)) } @else { span .soft { (word) } }
            }
        }
    }
}
