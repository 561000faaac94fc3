//! What counts as delivered over OTLP, what becomes of the rest, and where the
//! delivery begins.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body as HttpBody,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use cii_simulator::collector::{Collector, Refusal};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::harness::{Body, Exporter, Protocol, Receiver, Setup, attribute, names, tool, until};

type Answer = fn() -> Response;

const PENDING: &str = "cii_otlp_pending_events";
const PARKED: &str = "cii_otlp_parked_events";

/// An HTTP receiver that answers everything with what `answer` makes.
struct Scripted {
    answer: Arc<Mutex<Answer>>,
    endpoint: String,
}

impl Scripted {
    async fn start(answer: Answer) -> Self {
        let answer = Arc::new(Mutex::new(answer));
        let current = answer.clone();
        let router = Router::new().fallback(async move |request: Request<HttpBody>| {
            axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
            let answer = *current.lock().unwrap();
            answer()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { answer, endpoint }
    }

    fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }
}

fn failures(reason: &str) -> String {
    format!("cii_otlp_export_failures_total{{reason=\"{reason}\"}}")
}

async fn deliver(exporter: &Exporter, id: &str, user: &str) {
    assert_eq!(exporter.deliver(&Body::new(id, "no-mfa", &[user]).json()).await, 200);
}

/// Waits until the reason has been counted, and makes sure that nothing went.
async fn until_failed(exporter: &Exporter, reason: &str) -> String {
    until(&format!("{reason}\n{}", exporter.log()), || async {
        let metrics = exporter.metrics().await;
        assert_eq!(metrics.get("cii_otlp_exported_events_total"), Some(0.0));
        metrics.get(&failures(reason)).filter(|count| *count >= 1.0)
    })
    .await;
    let metrics = exporter.metrics().await;
    assert_eq!((metrics.get(PENDING), metrics.get(PARKED)), (Some(2.0), Some(0.0)));
    until("the warning", || async {
        let log = exporter.log();
        let line = log.lines().find(|line| line.contains("WARN") && line.contains(reason))?;
        Some(line.to_owned())
    })
    .await
}

#[tokio::test]
async fn a_status_alone_is_no_proof_that_anything_was_taken() {
    let cases: [(&str, Answer, &str); 6] = [
        (
            "not_otlp",
            || ([("content-type", "text/html")], "<html>Sign in</html>").into_response(),
            "text/html",
        ),
        ("not_otlp", || ([("content-type", "text/plain")], "ok").into_response(), "text/plain"),
        (
            "not_otlp",
            || ([("content-type", "application/json")], r#"{"status":"ok"}"#).into_response(),
            "application/json",
        ),
        (
            "not_otlp",
            || ([("content-type", "application/x-protobuf")], "<html>").into_response(),
            "not an OTLP receiver",
        ),
        (
            "redirect",
            || {
                let to = "https://user:secret@login.example.com/x?state=secret";
                (StatusCode::FOUND, [("location", to)]).into_response()
            },
            "login.example.com",
        ),
        ("other", || StatusCode::INTERNAL_SERVER_ERROR.into_response(), "500 Internal"),
    ];
    for (reason, answer, words) in cases {
        let receiver = Scripted::start(answer).await;
        let exporter = Setup::new().sending_to(&receiver.endpoint, Protocol::Http).start().await;
        let metrics = exporter.metrics().await;
        assert_eq!(metrics.get(&failures(reason)), Some(0.0), "present at 0");
        deliver(&exporter, "1", "a@example.com").await;
        let line = until_failed(&exporter, reason).await;
        assert!(line.contains(words) && line.contains(&receiver.endpoint), "{line}");
        assert!(!line.contains("secret"), "{line}");
        let (_, status) = exporter.api("GET", "/otlp", None).await;
        assert_eq!(status["outage"]["reason"], reason);
        let shown = exporter.run(&["otlp", "status"]).await;
        assert!(shown.output.contains(&format!("{reason} since")), "{shown:?}");
        let (_, page) = exporter.get("/health").await;
        assert!(page.contains(words), "the page says why");
        // Repaired: it goes, and the log says so.
        receiver.answers(|| ([("content-type", "application/json")], "{}").into_response());
        exporter.until_metric("cii_otlp_exported_events_total", 2.0).await;
        exporter.until_metric(PENDING, 0.0).await;
        exporter.until_logged("the collector takes events again").await;
        exporter.stop().await;
    }
}

#[tokio::test]
async fn a_partial_success_in_json_is_counted_and_the_collectors_words_are_logged() {
    let receiver = Scripted::start(|| {
        let body = r#"{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too\nold"}}"#;
        ([("content-type", "application/json; charset=utf-8")], body).into_response()
    })
    .await;
    let exporter = Setup::new().sending_to(&receiver.endpoint, Protocol::Http).start().await;
    deliver(&exporter, "1", "a@example.com").await;
    exporter.until_metric(PENDING, 0.0).await;
    let metrics = exporter.metrics().await;
    let dropped = metrics.get(&failures("partial_success")).unwrap();
    assert_eq!(metrics.get("cii_otlp_exported_events_total"), Some(2.0 - dropped));
    exporter.until_logged("too old").await;
    exporter.stop().await;
}

#[tokio::test]
async fn a_collector_that_refuses_everything_gets_it_all_once_it_is_repaired() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let collector = Collector::start().await.unwrap();
        collector.refuse(Refusal::Poison(String::new()));
        let exporter =
            Setup::new().sending_to(&protocol.endpoint_of(&collector), protocol).start().await;
        deliver(&exporter, "1", "a@example.com").await;
        let line = until_failed(&exporter, "refused").await;
        assert!(line.contains("none is parked"), "{line}");
        collector.accept();
        exporter.until_metric(PENDING, 0.0).await;
        assert_eq!(exporter.metrics().await.get(PARKED), Some(0.0));
        assert_eq!(collector.records().len(), 2);
        exporter.stop().await;
    }
}

#[tokio::test]
async fn what_is_refused_alone_waits_and_is_parked_when_another_is_taken() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let collector = Collector::start().await.unwrap();
        collector.refuse(Refusal::Poison("Title of no-mfa".to_owned()));
        let exporter =
            Setup::new().sending_to(&protocol.endpoint_of(&collector), protocol).start().await;
        deliver(&exporter, "1", "a@example.com").await;
        until_failed(&exporter, "refused").await;
        let other = Body::new("2", "other", &["b@example.com"]);
        assert_eq!(exporter.deliver(&other.json()).await, 200);
        exporter.until_metric(PENDING, 0.0).await;
        assert_eq!(exporter.metrics().await.get(PARKED), Some(2.0));
        assert_eq!(collector.records().len(), 2);
        exporter.stop().await;
    }
}

#[tokio::test]
async fn parked_events_are_sent_again_when_somebody_wants_it() {
    let collector = Collector::start().await.unwrap();
    let poison = || collector.refuse(Refusal::Poison("poison@example.com".to_owned()));
    poison();
    let setup = Setup::new().sending_to(&collector.http_endpoint(), Protocol::Http);
    let exporter = setup.start().await;
    deliver(&exporter, "1", "poison@example.com").await;
    exporter.until_metric(PARKED, 1.0).await;
    exporter.until_metric(PENDING, 0.0).await;
    let status = exporter.run(&["otlp", "status", "--json"]).await;
    assert_eq!(status.json()["parked_events"], 1, "{status:?}");

    // Refused again: parked again, since others are taken.
    let ended = exporter.run(&["otlp", "retry"]).await;
    assert_eq!((ended.code, ended.output.trim()), (0, "1 parked events are sent again."));
    deliver(&exporter, "2", "b@example.com").await;
    exporter.until_metric(PARKED, 1.0).await;
    exporter.until_metric(PENDING, 0.0).await;

    collector.accept();
    exporter.run(&["otlp", "retry"]).await;
    exporter.until_metric(PARKED, 0.0).await;
    exporter.until_metric(PENDING, 0.0).await;
    assert_eq!(collector.records().len(), 4);
    assert!(collector.records()[3].body().contains("poison@example.com"));
    let ended = exporter.run(&["otlp", "retry"]).await;
    assert!(ended.output.contains("No event is parked"), "{ended:?}");

    // Without a running daemon, it goes with the next start.
    poison();
    deliver(&exporter, "3", "another-poison@example.com").await;
    exporter.until_metric(PARKED, 1.0).await;
    exporter.until_metric(PENDING, 0.0).await;
    let setup = exporter.stop().await;
    collector.accept();
    let ended = setup.run(&["otlp", "retry"]).await;
    assert_eq!((ended.code, ended.output.trim()), (0, "1 parked events are sent again."));
    let exporter = setup.start().await;
    exporter.until_metric(PENDING, 0.0).await;
    assert_eq!(collector.records().len(), 6);
    exporter.stop().await;
}

#[tokio::test]
async fn switched_on_later_it_begins_now_and_a_backfill_sends_what_was_before() {
    let receiver = Receiver::start().await;
    let exporter = Setup::new().start().await;
    let (status, refusal) = exporter.api("POST", "/otlp/retry", None).await;
    assert_eq!(status, 409, "{refusal}");
    let ended = exporter.run(&["otlp", "backfill", "--since", "30d"]).await;
    assert!(ended.code != 0 && ended.errors.contains("[otlp]"), "{ended:?}");
    deliver(&exporter, "1", "before@example.com").await;
    // Without a delivery nothing waits for one.
    for status in [
        exporter.api("GET", "/otlp", None).await.1,
        exporter.run(&["otlp", "status", "--json"]).await.json(),
    ] {
        assert_eq!((&status["enabled"], &status["pending_events"]), (&json!(false), &json!(0)));
        assert_eq!(status["oldest_pending_at"], json!(null));
        assert!(status["left_out_events"].as_u64() > Some(0), "{status}");
    }
    let setup = exporter.stop().await;

    let exporter = setup.sending(&receiver, Protocol::Http).start().await;
    exporter.until_logged("otlp backfill --since 30d").await;
    deliver(&exporter, "2", "now@example.com").await;
    receiver.until_received(2).await;
    exporter.until_metric(PENDING, 0.0).await;
    let all = format!("{:?}", receiver.received());
    assert!(all.contains("now@example.com") && !all.contains("before@example.com"), "{all}");

    let ended = exporter.run(&["otlp", "backfill", "--since", "2999-01-01T00:00:00Z"]).await;
    assert_eq!(ended.code, 64, "{ended:?}");
    let ended = exporter.run(&["otlp", "backfill", "--since", "30d"]).await;
    assert!(ended.code == 0 && ended.output.starts_with("2 events"), "{ended:?}");
    let received = receiver.until_received(4).await;
    assert_eq!(names(&received)[2..], ["cii.check.delivery", "cii.check.failed"]);
    let again = exporter.run(&["otlp", "backfill", "--since", "30d"]).await;
    assert!(again.output.starts_with("No event was left out"), "{again:?}");
    let (_, status) = exporter.api("GET", "/otlp", None).await;
    assert_eq!((&status["left_out_events"], &status["outage"]), (&json!(0), &json!(null)));

    // A restart without a change sends nothing twice, and leaves nothing out.
    let exporter = exporter.stop().await.start().await;
    deliver(&exporter, "3", "later@example.com").await;
    receiver.until_received(6).await;
    exporter.stop().await;
}

#[tokio::test]
async fn the_first_warning_names_the_cause() {
    let mut tls = tls_server().await;
    for protocol in [Protocol::Http, Protocol::Grpc] {
        for (endpoint, words) in [
            ("http://nowhere.invalid:4318", "host name is not resolved"),
            ("http://127.0.0.1:1", "connection is refused"),
            (&tls.1, "of an unknown issuer"),
        ] {
            let exporter = Setup::new().sending_to(endpoint, protocol).start().await;
            deliver(&exporter, "1", "a@example.com").await;
            let line = until_failed(&exporter, "unavailable").await;
            assert!(line.contains(words), "{} {line}", protocol.as_str());
            exporter.stop().await;
        }
    }
    // The configuration takes no URL with a password; a variable may have one.
    let endpoint = "http://user:secret@nowhere.invalid:4318?key=secret";
    let exporter = Setup::new().variable("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).start().await;
    deliver(&exporter, "1", "a@example.com").await;
    let line = until_failed(&exporter, "unavailable").await;
    assert!(line.contains("http://nowhere.invalid:4318"), "{line}");
    assert!(!exporter.log().contains("secret"), "{}", exporter.log());
    exporter.stop().await;
    tls.0.kill().await.unwrap();
}

/// A server with a certificate that nobody signed, and its URL.
async fn tls_server() -> (tokio::process::Child, String) {
    let folder = tempfile::TempDir::new().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
    let made = tokio::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "30", "-subj", "/CN=nobody signed this"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .await
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let program = "
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.set_alpn_protocols(['h2', 'http/1.1'])
server = socket.create_server(('127.0.0.1', 0))
print(server.getsockname()[1], flush=True)
while True:
    client, _ = server.accept()
    try:
        context.wrap_socket(client, server_side=True).close()
    except OSError:
        client.close()
";
    let mut child = tokio::process::Command::new(tool("venv/bin/python"))
        .args(["-c", program])
        .args([&certificate, &key])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = lines.next_line().await.unwrap().unwrap();
    (child, format!("https://127.0.0.1:{port}"))
}

#[tokio::test]
async fn who_the_events_are_from_is_what_the_standard_variables_say() {
    let given = "service.name=attributes,service.instance.id=mine,team=iam%2Csec,sec-ret";
    for protocol in [Protocol::Http, Protocol::Grpc] {
        for (name, expected) in [("cii-prod-eu", "cii-prod-eu"), ("", "attributes")] {
            let receiver = Receiver::start().await;
            let exporter = Setup::new()
                .sending(&receiver, protocol)
                .variable("OTEL_RESOURCE_ATTRIBUTES", given)
                .variable("OTEL_SERVICE_NAME", name)
                .start()
                .await;
            deliver(&exporter, "1", "a@example.com").await;
            let received = receiver.until_received(1).await;
            let attributes = received[0]["resource"]["attributes"].as_array().unwrap();
            let of = |key: &str| {
                let found: Vec<_> =
                    attributes.iter().filter(|attribute| attribute["key"] == key).collect();
                assert_eq!(found.len(), 1, "{key}: {attributes:?}");
                found[0]["value"]["stringValue"].as_str().unwrap().to_owned()
            };
            assert_eq!((of("service.name").as_str(), of("team").as_str()), (expected, "iam,sec"));
            assert_eq!(of("service.instance.id"), "mine");
            assert_eq!(of("service.version"), env!("CARGO_PKG_VERSION"));
            let log = exporter.log();
            assert!(log.contains("OTEL_RESOURCE_ATTRIBUTES") && !log.contains("sec-ret"), "{log}");
            exporter.stop().await;
        }
    }
}

#[tokio::test]
async fn with_ocsf_each_event_is_a_record_of_it_and_without_none_is() {
    for (lines, is_there) in [("ocsf = true", true), ("", false)] {
        let receiver = Receiver::start().await;
        let endpoint = receiver.endpoint(Protocol::Http);
        let table = format!("[otlp]\nendpoint = \"{endpoint}\"\n{lines}");
        let exporter = Setup::new().tables(&table).start().await;
        deliver(&exporter, "1", "ann@example.com").await;
        for line in receiver.until_received(2).await {
            let Some(ocsf) = attribute(&line, "ocsf") else {
                assert!(!is_there, "{line}");
                continue;
            };
            assert!(is_there, "{line}");
            let ocsf: serde_json::Value = serde_json::from_str(ocsf.as_str().unwrap()).unwrap();
            assert_eq!(ocsf["class_uid"], 2003);
            assert_eq!(Some(&ocsf["metadata"]["uid"]), attribute(&line, "log.record.uid").as_ref());
            assert_eq!(ocsf["metadata"]["event_code"], line["record"]["eventName"]);
        }
        exporter.stop().await;
    }
}
