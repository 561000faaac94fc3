//! Senders against real receivers that answer by a script.

mod grpc;
mod http;

use std::time::Duration;

use super::*;
use crate::domain::{Event, Login, Timestamp, WatchSubject};

/// This many events.
fn events(count: i64) -> Vec<StoredEvent> {
    let subject = WatchSubject::User(Login::new("a").unwrap());
    let event = Event::watch_changed(&subject, true, Timestamp::UNIX_EPOCH);
    (1..=count)
        .map(|seq| StoredEvent { seq, uid: format!("uid-{seq}"), event: event.clone() })
        .collect()
}

/// A sender to `endpoint` that waits `millis` for an answer.
fn sender(protocol: Protocol, endpoint: String, millis: u64) -> Sender {
    let settings = OtlpSettings { endpoint: Some(endpoint), protocol: Some(protocol) };
    let variable = |name: &str| (name == "OTEL_EXPORTER_OTLP_TIMEOUT").then(|| millis.to_string());
    sender_with(&settings, variable)
}

fn sender_with(settings: &OtlpSettings, variable: impl Fn(&str) -> Option<String>) -> Sender {
    let attributes = resource::attributes("store-1", &variable).attributes;
    Sender::from_resolved(&settings.resolve(&variable).unwrap(), attributes).unwrap()
}

/// An address of this machine where nobody listens.
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A failure with its words left out.
fn failure(reason: Reason, seconds: Option<u64>) -> Result<Sent, (Reason, Option<Duration>)> {
    Err((reason, seconds.map(Duration::from_secs)))
}

fn without_words(sent: Result<Sent, SendError>) -> Result<Sent, (Reason, Option<Duration>)> {
    sent.map_err(|error| (error.reason, error.retry_after))
}

fn dropped(rejected: u64, message: &str) -> Sent {
    Sent { rejected, message: Some(message.to_owned()) }
}

/// The environment's headers can be secrets, and a debug line goes anywhere.
#[tokio::test]
async fn a_sender_does_not_show_its_exporter() {
    let sender = sender(Protocol::HttpProtobuf, nobody().await, 1000);
    assert!(!format!("{sender:?}").to_lowercase().contains("user-agent"));
}
