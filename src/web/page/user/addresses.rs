//! The addresses of a user: place, first seen, last seen.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use maud::{Markup, html};

use crate::{
    domain::{Sighting, Timestamp, sightings},
    store::{Reader, StoreError, UserRecord},
    web::page::{
        glyph::{self, Glyph},
        words,
    },
};

/// Most rows of the table.
const SHOWN: usize = 100;

/// Most events that are read to date the addresses.
const MOVES: usize = 2_000;

/// How long an address, or a country, counts as new.
const NEW: TimeDelta = TimeDelta::days(7);

/// An address of the user with the data of its row.
pub(super) struct Seen {
    sighting: Sighting,
    /// Whether it has a page: only watched addresses do.
    has_page: bool,
    /// The number of its users; `None` when unknown.
    users: Option<u64>,
    /// When the user was first polled. Addresses of that answer may be older.
    looked_at: Timestamp,
}

/// Reads the addresses of a user, the newest first; none before the first answer.
pub(super) fn read_addresses(
    reader: &Reader,
    login: &str,
    record: Option<&UserRecord>,
) -> Result<Vec<Seen>, StoreError> {
    let Some(record) = record else { return Ok(Vec::new()) };
    let none = BTreeMap::new();
    let current = record.state.ip_addresses.as_ref().unwrap_or(&none);
    let moves = reader.address_moves(login, MOVES)?;
    let looked_at = record.first_observed_at;
    let sightings = sightings(current, record.observed_at, &moves).into_iter();
    sightings
        .enumerate()
        .map(|(number, sighting)| {
            // Each is a query, so it is made only for the rows that are shown.
            let has_page = number < SHOWN && reader.is_known_ip(&sighting.ip)?;
            let users = if has_page { reader.users_at(&sighting.ip)? } else { None };
            Ok(Seen { sighting, has_page, users, looked_at })
        })
        .collect()
}

/// The number of addresses, and of new ones.
pub(super) fn figure(seen: &[Seen], now: Timestamp) -> Markup {
    let current: Vec<_> = seen.iter().filter(|seen| seen.sighting.is_current).collect();
    let new = current.iter().filter(|seen| is_new(seen.sighting.first, now)).count();
    let is_abroad = current.iter().any(|seen| is_new(seen.sighting.new_country_at, now));
    html! {
        (current.len())
        @if new > 0 {
            small { (new) " new in 7 days" @if is_abroad { ", in a new country" } }
        }
    }
}

fn is_new(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| now - at < NEW)
}

pub(super) fn section(seen: &[Seen], has_record: bool, now: Timestamp) -> Markup {
    html! {
        @if has_record {
            section #ips .card aria-labelledby="ips-title" data-live {
                div .head {
                    h2 #ips-title { "Addresses" }
                    @if !seen.is_empty() { p .soft { "the newest first" } }
                }
                @if seen.is_empty() { p .soft { "None is known." } } @else { (table(seen, now)) }
            }
        }
    }
}

fn table(seen: &[Seen], now: Timestamp) -> Markup {
    html! {
        table .stack {
            caption .unseen { "Addresses that the user came from" }
            thead {
                tr {
                    th scope="col" { "Address" }
                    th scope="col" { "Place" }
                    th scope="col" { "First seen" }
                    th scope="col" { "Last seen" }
                    th scope="col" .number { "Users" }
                }
            }
            tbody { @for seen in seen.iter().take(SHOWN) { (row(seen, now)) } }
        }
        @if seen.len() > SHOWN { p .end { "And " (seen.len() - SHOWN) " more; the JSON has them all" } }
    }
}

fn row(seen: &Seen, now: Timestamp) -> Markup {
    let Sighting { ip, place, first, last, is_current, new_country_at } = &seen.sighting;
    html! {
        tr {
            th scope="row" {
                // An address that is not watched has no page.
                @if seen.has_page { (words::subject_link("ips", ip, ip)) } @else { (words::breakable(ip)) }
            }
            td {
                (place) " "
                @if is_new(*new_country_at, now) { (glyph::chip(Some(Glyph::New), "new country", false)) }
                @else if is_new(*first, now) { (glyph::chip(Some(Glyph::New), "new", false)) }
            }
            td data-is="first" {
                @match first {
                    Some(first) => (words::ago(*first)),
                    None => { (words::ago(seen.looked_at)) " or before" },
                }
            }
            td data-is="last" {
                (words::ago(*last))
                @if !is_current { " " (glyph::chip(None, "gone", false)) }
            }
            td .number data-is="users" { @if let Some(users) = seen.users { (words::number(users)) } }
        }
    }
}
