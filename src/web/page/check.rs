//! `/checks/{id}`: a check and the users who fail it.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use maud::{Markup, html};

use super::{
    Failure, checks, delivery,
    layout::{self, Position, Section},
    words,
};
use crate::{
    store::{CheckAdvice, CheckState, FailingLogin, KeptDelivery},
    web::{
        Ops, link,
        listing::{self, Listing, Setting},
        problem::Problem,
        query::{Fields, Segment},
    },
};

/// Users of a page.
const SHOWN: usize = 100;

pub(super) async fn page(
    State(ops): State<Arc<Ops>>,
    Segment(id): Segment,
    uri: Uri,
) -> Result<Response, Failure> {
    let mut fields = Fields::of(&uri)?;
    let cursor = fields.take("cursor").unwrap_or_default();
    fields.finish()?;
    let (key, setting) = (id.clone(), Setting::of(&ops));
    let (seq, state, (advice, last), listing, mut users) = ops
        .sources
        .store
        .read(move |reader| {
            let users = reader.failing_logins(&key, &cursor, SHOWN + 1)?;
            let state = reader.check(&key)?;
            let advice = (reader.check_advice(&key)?, reader.last_delivery_of(&key)?);
            Ok((reader.last_seq()?, state, advice, listing::read(reader, &setting)?, users))
        })
        .await?;
    let Some(state) = state else {
        return Err(Problem::not_found(format!(
            "no check has the id {id:?}; the status page lists the checks"
        ))
        .into());
    };
    let next = (users.len() > SHOWN).then(|| users[SHOWN - 1].login.as_str().to_owned());
    users.truncate(SHOWN);
    let content = html! {
        div .title {
            h1 { (state.title) }
            p #summary .lead role="status" data-live {
                (words::severity(&state.severity)) " "
                @if state.failing == 0 {
                    "Nobody is known to fail the check"
                } @else {
                    (words::count(state.failing, "user is known to fail", "users are known to fail")) " the check"
                }
                "; last change " (words::ago(state.last_event_at)) "."
            }
        }
        (told(&id, &state, &advice, last.as_ref()))
        section #users .card aria-labelledby="users-title" data-live {
            div .head { h2 #users-title { "Who fails it" } }
            (table(&users, &listing))
            @if let Some(next) = next {
                p .end { a href={ (link::to("checks", &id)) "?cursor=" (link::segment(&next)) } { "More users" } }
            }
        }
    };
    Ok(layout::page(&ops, Position::Under(Section::Overview), &state.title, seq, &content))
}

/// The check's description and advice, and its counts.
fn told(id: &str, state: &CheckState, advice: &CheckAdvice, last: Option<&KeptDelivery>) -> Markup {
    html! {
        section .card aria-labelledby="about-title" {
            div .head { h2 #about-title { "About the check" } }
            @for sentence in &advice.description { p { (sentence) } }
            @if !advice.recommended_actions.is_empty() {
                h3 { "What to do" }
                ul { @for action in &advice.recommended_actions { li { (action) } } }
            }
            dl .list {
                dt { "Id" } dd { code { (id) } }
                dt { "Counted" } dd {
                    (words::count(state.failures, "failure", "failures")) " found, "
                    (state.resolutions) " of them ended: no longer failing"
                }
                (delivery::last(last))
                dt { "More" } dd {
                    a href={ "/?check_id=" (link::segment(id)) "#events" } { "Events" }
                    a href={ "/api/v1" (link::to("checks", id)) "/users" } { "JSON" }
                }
            }
        }
    }
}

fn table(users: &[FailingLogin], listing: &Listing) -> Markup {
    html! {
        @if users.is_empty() {
            p .soft { (checks::nobody("No user is known to fail it", listing)) }
        } @else {
            div .table {
                table .stack {
                    thead {
                        tr {
                            th scope="col" { "User" }
                            th scope="col" { "Began" }
                            th scope="col" .minor { "Last reported" }
                        }
                    }
                    tbody {
                        @for user in users {
                            tr {
                                th scope="row" { (words::subject("users", user.login.as_str(), user.login.spelling())) }
                                td data-is="began" { (words::began(user.since, user.is_dated)) }
                                td .minor { (words::ago(user.reported_at)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
