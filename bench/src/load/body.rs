//! The bodies of deliveries: the envelope and the words of a published one.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::Endpoint;
use crate::clock;

/// Bytes of a small delivery's body.
const SMALL_BYTES: usize = 2048;

/// Users of a small delivery; all of them are new.
const SMALL_USERS: u64 = 4;

/// Small deliveries are about this many checks in turn; one digit stands for the check.
const CHECKS: u64 = 10;

const ID: &str = "00000000-0000-0000-0000-000000000000";
const CHECK: &str = "bench-check-#";
const TENANT: &str = "a229bd52-608a-4225-bd01-b2214a3c4127__a7708c35";

/// Never repeats in a run, so that every user and every envelope is new to each database.
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// A number that nobody had.
pub(super) fn next_number() -> u64 {
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// A rendered request with the places that differ from one delivery to the next.
#[derive(Debug, Clone)]
pub(super) struct Template {
    request: Vec<u8>,
    id: usize,
    checks: Vec<usize>,
    /// Where the digits of a login stand, and which of the users it is.
    logins: Vec<(usize, u64)>,
}

impl Template {
    /// A request with a delivery of 2 KB and four users.
    pub(super) fn small(endpoint: &Endpoint) -> Self {
        let logins: Vec<_> = (0..SMALL_USERS).map(marker).collect();
        let unpadded = envelope(ID, CHECK, &logins, true, "").to_string();
        let filler = "x".repeat(SMALL_BYTES.saturating_sub(unpadded.len()));
        let body = envelope(ID, CHECK, &logins, true, &filler).to_string();
        let request = format!("{}{body}", endpoint.head(body.len()));
        let places = |text: &str| request.match_indices(text).map(|(at, _)| at).collect::<Vec<_>>();
        let logins = (0..SMALL_USERS)
            .flat_map(|user| {
                places(&marker(user)).into_iter().map(move |at| (at + LOGIN.len(), user))
            })
            .collect();
        let checks = places(CHECK).into_iter().map(|at| at + CHECK.len() - 1).collect();
        let id = request.find(ID).unwrap_or_default();
        Self { id, checks, logins, request: request.into_bytes() }
    }

    /// The request with an id, a check and users of its own.
    pub(super) fn render(&mut self, number: u64) -> &[u8] {
        let id = uuid(number);
        self.request[self.id..self.id + id.len()].copy_from_slice(id.as_bytes());
        for &at in &self.checks {
            self.request[at] = b'0' + u8::try_from(number % CHECKS).unwrap_or_default();
        }
        for &(at, user) in &self.logins {
            write_digits(&mut self.request[at..at + DIGITS], number * SMALL_USERS + user);
        }
        &self.request
    }
}

/// The body of a delivery that names many users, all of them new.
///
/// It has no `loginDetails`: with them, 50,000 users are more than `webhook.max_body_bytes`.
pub(crate) fn large(users: u64) -> Vec<u8> {
    let first = NUMBER.fetch_add(users.div_ceil(SMALL_USERS), Ordering::Relaxed);
    let logins: Vec<_> = (0..users)
        .map(|user| format!("{LOGIN}{:0DIGITS$}@example.com", first * SMALL_USERS + user))
        .collect();
    let check = CHECK.replace('#', &(first % CHECKS).to_string());
    envelope(&uuid(first), &check, &logins, false, "").to_string().into_bytes()
}

/// A login: this, twelve digits, and a domain.
const LOGIN: &str = "user-";
const DIGITS: usize = 12;

/// A login whose digits are patched later.
fn marker(user: u64) -> String {
    format!("{LOGIN}{user:A>DIGITS$}@example.com")
}

fn write_digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

/// Spread like the random ids of the service, so that an index over them is written as it
/// would be there.
fn uuid(number: u64) -> String {
    let (high, low) = (mix(number), mix(!number));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

/// `SplitMix64`: a permutation of the numbers, so that no two are alike.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn envelope(id: &str, check: &str, logins: &[String], details: bool, filler: &str) -> Value {
    let now = clock::now();
    let provider = format!("[\"providerFailingCheck-no-mfa-{TENANT}\"]");
    let mut detail = json!({
        "id": "b13fb22c-efc3-4764-b22a-b219d1efa27d",
        "checkId": check,
        "title": format!("No MFA Configured ({check})"),
        "severity": "critical",
        "usersFailing": logins,
        "description": [
            "Detects users with no Multi-Factor Authentication (MFA) enabled.",
            format!(
                "MFA requires users to provide something you know, like a password or PIN, or \
                 something you have, like an out-of-band device or a one-time password \
                 provider.{filler}"
            ),
        ],
        "recommendedActions": ["Some system accounts may not have MFA. We recommend \
            categorizing those for easy detection."],
        "published": now.to_rfc3339_opts(SecondsFormat::Millis, true),
    });
    if details {
        let one = |login: &String| {
            json!({
                "login": login,
                "details": [{ "key": "providersFailingChecks", "value": provider }],
            })
        };
        detail["loginDetails"] = logins.iter().map(one).collect();
    }
    json!({
        "version": "0",
        "id": id,
        "detail-type": "FAILED_CHECK",
        "source": TENANT,
        "account": "988897525199",
        "time": now.to_rfc3339_opts(SecondsFormat::Secs, true),
        "region": "us-east-2",
        "detail": detail,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http;

    fn body(request: &[u8]) -> Value {
        serde_json::from_slice(&request[http::end_of_head(request).unwrap()..]).unwrap()
    }

    #[test]
    fn a_small_delivery_is_as_long_as_it_says_and_names_new_users() {
        let endpoint = Endpoint {
            address: "127.0.0.1:1".parse().unwrap(),
            path: "/".to_owned(),
            secret: "secret".to_owned(),
        };
        let mut template = Template::small(&endpoint);
        let mut logins = BTreeSet::new();
        for number in [7, 8] {
            let request = template.render(number).to_vec();
            assert_eq!(request.len() - http::end_of_head(&request).unwrap(), SMALL_BYTES);
            let body = body(&request);
            assert_eq!(body["id"], uuid(number));
            let detail = &body["detail"];
            assert_eq!(detail["checkId"], format!("bench-check-{number}"));
            let named: Vec<_> = detail["usersFailing"].as_array().unwrap().clone();
            let detailed = detail["loginDetails"].as_array().unwrap().iter();
            assert_eq!(named, detailed.map(|one| one["login"].clone()).collect::<Vec<_>>());
            logins.extend(named.iter().map(ToString::to_string));
        }
        assert_eq!(logins.len(), 8);
    }
}
