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
    ([(header::CACHE_CONTROL, "no-store")], Html(document(title, &body))).into_response()
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
    Html(document(title, &body))
}

fn document(title: &str, body: &Markup) -> String {
    let document = html! {
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
    };
    tame(document.into_string())
}

/// Text from outside must not turn the words around it: without characters that
/// control, or that reverse the direction of what follows.
fn tame(document: String) -> String {
    let is_wild = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if document.contains(is_wild) { document.replace(is_wild, "\u{fffd}") } else { document }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_does_not_turn_the_words_around_it() {
        let title = "a\u{202e}b\0c\u{1b}[31m\u{2066}d é \u{5d0}\n";
        let document = document(title, &html! {});
        assert!(document.contains("a\u{fffd}b\u{fffd}c\u{fffd}[31m\u{fffd}d é \u{5d0}\n"));
    }
}
