//! Senders against real receivers that answer by a script.

mod grpc;
mod http;

use std::time::Duration;

use axum::{http::StatusCode, response::IntoResponse};

use super::*;
use crate::{
    config::{Config, OtlpProtocol as Protocol},
    domain::{Event, Login, Timestamp, WatchSubject},
};

/// This number of events.
fn events(count: i64) -> Vec<StoredEvent> {
    let subject = WatchSubject::User(Login::new("a").unwrap());
    let event = Event::watch_changed(&subject, true, Timestamp::UNIX_EPOCH);
    (1..=count)
        .map(|seq| StoredEvent { seq, uid: format!("uid-{seq}"), event: event.clone() })
        .collect()
}

/// A sender to `endpoint` that waits `millis` for an answer.
fn sender(protocol: Protocol, endpoint: &str, millis: u64) -> Sender {
    sender_with(protocol, endpoint, &[("OTEL_EXPORTER_OTLP_TIMEOUT", &millis.to_string())])
}

fn sender_with(protocol: Protocol, endpoint: &str, variables: &[(&str, &str)]) -> Sender {
    let protocol = match protocol {
        Protocol::Grpc => "grpc",
        Protocol::HttpProtobuf => "http/protobuf",
    };
    let text = format!("[webhook]\nsecrets = [\"s\"]\n[otlp]\nprotocol = {protocol:?}\n");
    // Unlike the file's URL, a variable's may have a password.
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    let environment = variables.iter().copied().chain([endpoint]).collect();
    let config = Config::from_text("", &text, &environment).unwrap();
    let origin = Origin { instance_id: "store-1".to_owned(), ..Origin::default() };
    Sender::new(&config.otlp.unwrap(), origin).unwrap()
}

/// An address of this machine on which no server listens: no port that programs get by chance.
const NOBODY: &str = "http://127.0.0.1:1";

/// Milliseconds that no answer takes, also on a machine that stalls, or that looks for a name for long.
const PATIENCE: u64 = 60_000;

/// A failure without its description.
fn failure(reason: Reason, seconds: Option<u64>) -> Result<Sent, (Reason, Option<Duration>)> {
    Err((reason, seconds.map(Duration::from_secs)))
}

fn without_words(sent: Result<Sent, SendError>) -> Result<Sent, (Reason, Option<Duration>)> {
    sent.map_err(|error| (error.reason, error.retry_after))
}

fn dropped(rejected: u64, message: &str) -> Sent {
    Sent { rejected, message: Some(message.to_owned()) }
}

/// The environment's headers can be secrets, and debug output can be logged.
#[tokio::test]
async fn a_sender_does_not_show_its_exporter() {
    let sender = sender(Protocol::HttpProtobuf, NOBODY, 1000);
    assert!(!format!("{sender:?}").to_lowercase().contains("user-agent"));
}

#[tokio::test]
async fn headers_and_compression_arrive_as_the_configuration_has_them() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20a%2525b/=,x-team=iam"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ];
    for (protocol, encoding) in
        [(Protocol::HttpProtobuf, "content-encoding"), (Protocol::Grpc, "grpc-encoding")]
    {
        let (endpoint, heard) = http::receiver(|| StatusCode::OK.into_response()).await;
        // The receiver does not speak gRPC, but it recorded the request.
        let _ = sender_with(protocol, &endpoint, &variables).send(events(1)).await;
        let heard = heard.lock().unwrap();
        let headers = &heard[0].1;
        assert_eq!(headers[encoding], "gzip");
        for (name, value) in [("authorization", "Bearer a%25b/="), ("x-team", "iam")] {
            let values: Vec<_> = headers.get_all(name).iter().collect();
            assert_eq!(values, [value], "{protocol:?}");
        }
    }
}
