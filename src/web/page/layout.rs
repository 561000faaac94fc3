//! The frame of every page: header, navigation, footer.

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};
use strum::VariantArray;

use super::{assets, glyph, words};
use crate::{build_info, clock, web::Ops};

/// A section of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub(super) enum Section {
    /// Failing checks and events.
    Overview,
    /// Watched users and addresses.
    Watched,
    /// Webhook deliveries.
    Deliveries,
    /// The state of the exporter's parts.
    Health,
}

impl Section {
    /// The URL of the section.
    pub(super) const fn url(self) -> &'static str {
        self.name_and_url().1
    }

    const fn name_and_url(self) -> (&'static str, &'static str) {
        match self {
            Self::Overview => ("Overview", "/"),
            Self::Watched => ("Watched", "/watched"),
            Self::Deliveries => ("Deliveries", "/deliveries"),
            Self::Health => ("Health", "/health"),
        }
    }
}

/// The position of a page in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// It is the page of this section.
    At(Section),
    /// It is below this section.
    Under(Section),
}

impl Position {
    /// The value of `aria-current` of a section's link.
    fn aria_current(self, link: Section) -> Option<&'static str> {
        match self {
            Self::At(section) if section == link => Some("page"),
            Self::Under(section) if section == link => Some("true"),
            _ => None,
        }
    }
}

/// Renders a page. `seq` is the newest event that the page reflects.
pub(super) fn render_page(
    ops: &Ops,
    place: Position,
    title: &str,
    seq: i64,
    content: &Markup,
) -> Response {
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
                (build_info::VERSION) " (" (build_info::REVISION) "), up for " (uptime)
                "; times on hover are UTC"
            }
        }
    };
    let body = html! {
        body data-seq=(seq) {
            (glyph::sprite())
            a .skip href="#main" { "Skip to the content" }
            (page_header(ops.sources.scope.borrow().tenant_name.as_deref(), Some(place)))
            main #main tabindex="-1" { (content) }
            (footer)
            script src=(assets::asset_url("page.js")) defer {}
        }
    };
    ([(header::CACHE_CONTROL, "no-store")], Html(html_document(title, &body))).into_response()
}

/// Renders an error page: the problem, and links to other pages.
pub(super) fn render_failure(status: StatusCode, detail: &str) -> Html<String> {
    let title = status.canonical_reason().unwrap_or("Failure").to_lowercase();
    let title = words::sentence_case(&title);
    let body = html! {
        body {
            a .skip href="#main" { "Skip to the content" }
            (page_header(None, None))
            main #main tabindex="-1" {
                div .title { h1 { (title) } p .lead { (words::sentence_case(detail)) "." } }
                section .card aria-labelledby="where-title" {
                    div .head { h2 #where-title { "Where to go" } }
                    ul .advice {
                        li { a href="/" { "Overview" } ": the checks that users fail, and what happened." }
                        li { a href="/watched" { "Watched" } ": users and addresses that are watched." }
                        li { a href="/deliveries" { "Deliveries" } ": each with its number." }
                        li { "The search field above finds a user, a check or an address by a part of its name." }
                    }
                }
            }
        }
    };
    Html(html_document(&title, &body))
}

/// The header of every page; `place` marks the current section.
fn page_header(tenant: Option<&str>, place: Option<Position>) -> Markup {
    html! {
        header .top {
            (home_link(tenant))
            nav aria-label="Pages" {
                ul {
                    @for section in Section::VARIANTS {
                        @let (name, address) = section.name_and_url();
                        @let mark = place.and_then(|place| place.aria_current(*section));
                        li { a href=(address) aria-current=[mark] { (name) } }
                    }
                }
            }
            form .find action="/find" method="get" role="search" aria-label="Find" {
                label .unseen for="find" { (FIND) }
                input #find name="q" type="search" placeholder=(FIND) maxlength="320"
                    autocomplete="off" spellcheck="false";
            }
            span #live {}
        }
    }
}

/// The label of the search field.
const FIND: &str = "Find a user, check or address";

/// The logo with the names of the program and the tenant, linked to the overview.
fn home_link(tenant: Option<&str>) -> Markup {
    html! {
        a .name href="/" {
            svg viewBox="0 0 16 16" aria-hidden="true" {
                path d="M8 0l7 2.6v5C15 12 12 15 8 16c-4-1-7-4-7-8.4v-5z" {}
                path .cut d="M5 10.5V8M8 10.5v-5M11 10.5V7" {}
            }
            "cii-exporter"
            @if let Some(tenant) = tenant { " " small { (tenant) } }
        }
    }
}

fn html_document(title: &str, body: &Markup) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · cii-exporter" }
                link rel="icon" href=(assets::asset_url("icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(assets::asset_url("page.css"));
            }
            (body)
        }
    };
    replace_control_characters(document.into_string())
}

/// Replaces control characters, and those that change the direction of text: a name from outside
/// could otherwise reorder the words around it.
fn replace_control_characters(document: String) -> String {
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
        let document = html_document(title, &html! {});
        assert!(document.contains("a\u{fffd}b\u{fffd}c\u{fffd}[31m\u{fffd}d é \u{5d0}\n"));
    }
}
