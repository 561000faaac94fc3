//! The pages, as texts.

use chrono::TimeDelta;

use super::{PORT, holds, outline::outline};
use crate::{
    harness::{Body, Setup},
    pages::until_listed,
};

/// What the machine and the run decide.
const REDACTED: [(&str, &str); 6] = [
    PORT,
    (r"\d[\d.]* [kM]?B\b", "[size]"),
    (r"\d+ commits", "[number] commits"),
    (r"up for \d+ s", "up for [seconds] s"),
    (r"\d{4}-\d\d-\d\d \|", "[day] |"),
    (r"\d\d? [A-Z][a-z]{2} \d\d? [A-Z][a-z]{2} today", "[day] [day] today"),
];

/// What differs between pages, from the title of the page to the end of what it is about.
fn main(page: &str) -> String {
    let (_, rest) = page.split_once("<main").unwrap();
    format!("<main{}", rest.split_once("</main>").unwrap().0)
}

#[tokio::test]
async fn pages_say_what_they_said() {
    // At noon: no day begins while this runs.
    let now = cii_exporter::clock::now();
    let noon = now.date_naive().and_hms_opt(12, 0, 0).unwrap().and_utc();
    let exporter = Setup::new()
        .in_file()
        .ahead(noon - now)
        .watch("users = [\"zoe@example.com\"]\nips = [\"203.0.113.7\"]")
        .start()
        .await;
    for (number, check, users) in [
        (1, "no-mfa", &["ann@example.com", "<b>bob</b>"][..]),
        (2, "mfa-flood", &["ann@example.com"]),
    ] {
        // By the daemon's clock: in the afternoon, now is ahead of it.
        let published = noon + TimeDelta::milliseconds(number);
        let published = published.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let body = Body::new(&number.to_string(), check, users).json_of(&published);
        assert_eq!(exporter.deliver(&body).await, 200);
    }
    assert_eq!(exporter.post("no JSON").await.unwrap().0, 400);
    until_listed(&exporter, 3).await;
    for (name, path, status) in [
        ("overview", "/", 200),
        ("check", "/checks/no-mfa", 200),
        ("user", "/users/ann@example.com", 200),
        ("address", "/ips/203.0.113.7", 200),
        ("watched", "/watched", 200),
        ("deliveries", "/deliveries", 200),
        ("delivery", "/deliveries/1", 200),
        ("refused-delivery", "/deliveries/3", 200),
        ("health", "/health", 200),
        ("found", "/find?q=example", 200),
        ("unknown-user", "/users/nobody", 404),
    ] {
        let (answered, page) = exporter.get(path).await;
        assert_eq!(answered, status, "{path}: {page}");
        // What is around them is the same on all.
        let text = if path == "/" { outline(&page) } else { outline(&main(&page)) };
        holds(&format!("page-{name}"), &text, &REDACTED);
    }
}
