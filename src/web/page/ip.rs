//! `/ips/{ip}`: who uses an address.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use maud::{Markup, html};

use super::{
    Failure,
    layout::{self, Position, Section},
    polls, words,
};
use crate::{
    store::IpRecord,
    web::{
        Ops, filter, link,
        query::{Fields, Segment},
        subject,
    },
};

pub(super) async fn page(
    State(ops): State<Arc<Ops>>,
    Segment(text): Segment,
    uri: Uri,
) -> Result<Response, Failure> {
    Fields::of(&uri)?.finish()?;
    let ip = filter::ip(&text)?;
    let key = ip.clone();
    let read =
        ops.sources.store.read(move |reader| Ok((reader.last_seq()?, subject::ip(reader, &key)?)));
    let (seq, known) = read.await?;
    let known = known.ok_or_else(|| subject::unknown_ip(&ip))?;
    let content = html! {
        div .title {
            h1 { (ip) }
            p #summary .lead data-live {
                @if known.reasons.is_empty() { (subject::WHY_NO_IP_WATCH) } @else { "watched" }
                @if let Some(record) = &known.record { "; observed " (words::ago(record.observed_at)) }
            }
        }
        (polls::off(&ops, known.record.as_ref().map(|record| record.observed_at)))
        div #poll data-live { @if let Some(poll) = &known.poll { (polls::section(poll)) } }
        section #users .card aria-labelledby="users-title" data-live {
            div .head { h2 #users-title { "Who uses it" } }
            @match &known.record {
                Some(record) => (table(record)),
                None => p .soft { "The service was not asked about the address yet." },
            }
        }
        p .end {
            a href={ "/?ip=" (link::segment(&ip)) "#events" } { "Events" }
            a href={ "/api/v1" (link::to("ips", &ip)) } { "JSON" }
        }
    };
    Ok(layout::page(&ops, Position::Under(Section::Watched), &ip, seq, &content))
}

fn table(record: &IpRecord) -> Markup {
    html! {
        @if record.users.is_empty() {
            p .soft { "Nobody." }
        } @else {
            div .table {
                table .stack {
                    thead {
                        tr {
                            th scope="col" { "User" }
                            th scope="col" { "Since" }
                            th scope="col" .minor { "Console" }
                        }
                    }
                    tbody {
                        @for found in &record.users {
                            tr {
                                th scope="row" {
                                    (words::subject("users", found.login.as_str(), found.login.spelling()))
                                    small { (found.user.display_name) }
                                }
                                td { (words::ago(found.since)) }
                                td .minor { (words::console(found.user.reference_url.as_ref())) }
                            }
                        }
                    }
                }
            }
        }
    }
}
