//! The frame of every page.

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};

use super::{assets, words};
use crate::{build_info, clock, web::Ops};

/// Renders a page. `seq` is the newest event that the page reflects.
pub(super) fn page(ops: &Ops, title: &str, seq: i64, content: &Markup) -> Response {
    let uptime = words::duration(clock::now() - ops.started_at);
    let footer = html! {
        footer {
            nav aria-label="For programs" {
                ul {
                    li { a href="/metrics" { "Metrics" } }
                    li { a href="/api/v1/checks" { "JSON API" } }
                    li { a href="/api/v1/openapi.json" { "OpenAPI" } }
                    li { a href="/-/ready" { "Readiness" } }
                }
            }
            p id="build" data-live {
                "cii-exporter " (build_info::VERSION) " (" (build_info::REVISION) "), up for " (uptime)
            }
        }
    };
    let body = html! {
        body data-seq=(seq) {
            a .skip href="#main" { "Skip to the content" }
            header {
                a .name href="/" { "cii-exporter" }
                nav aria-label="Sections" {
                    ul {
                        li { a href="/#failing" { "Failing" } }
                        li { a href="/#events" { "Events" } }
                        li { a href="/#watched" { "Watched" } }
                        li { a href="/deliveries" { "Deliveries" } }
                        li { a href="/#health" { "Health" } }
                    }
                }
                span #live {}
            }
            main #main tabindex="-1" { (content) }
            (footer)
            script src=(assets::address("page.js")) defer {}
        }
    };
    ([(header::CACHE_CONTROL, "no-store")], Html(document(title, &body).into_string()))
        .into_response()
}

/// Renders an error page.
pub(super) fn failure(status: StatusCode, detail: &str) -> Html<String> {
    let title = status.canonical_reason().unwrap_or("Failure");
    let body = html! {
        body {
            header { a .name href="/" { "cii-exporter" } }
            main #main {
                h1 { (title) }
                div .card { p { (detail) "." } p .none { a href="/" { "Back to the status page" } } }
            }
        }
    };
    Html(document(title, &body).into_string())
}

fn document(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · cii-exporter" }
                link rel="icon" href=(assets::address("icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(assets::address("page.css"));
            }
            (body)
        }
    }
}
