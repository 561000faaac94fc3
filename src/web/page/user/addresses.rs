//! Where a user was seen: from when, until when, and where on Earth.

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

/// Addresses of the table.
const SHOWN: usize = 100;

/// Entries of the log that are looked at.
const MOVES: usize = 2_000;

/// For how long an address, or a country, is called new.
const NEW: TimeDelta = TimeDelta::days(7);

/// An address with what is known of it.
pub(super) struct Seen {
    sighting: Sighting,
    /// Whether it has a page: somebody asks about it.
    has_page: bool,
    /// How many users it has, where that is known.
    users: Option<u64>,
    /// When anybody first looked at the user.
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
            // Each is a look-up: those that are not shown need none.
            let has_page = number < SHOWN && reader.is_known_ip(&sighting.ip)?;
            let users = if has_page { reader.users_at(&sighting.ip)? } else { None };
            Ok(Seen { sighting, has_page, users, looked_at })
        })
        .collect()
}

/// How many there are, and how many of them are new.
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
                // Of an address that nobody asks about there is no page.
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
