//! Checks a request to the ops listener: paths, cursors, filters, limits, bodies.

mod http;

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::oneshot};

use crate::{
    config::{Config, Environment},
    daemon::{ConfigSource, Daemon},
};
use http::{Answer, Connection};

/// Text in recorded deliveries and in inputs. A page that contains it unescaped would let the
/// sender of a delivery inject markup.
const MARKUP: &str = "<fuzz>";

/// Maximum bytes of an answer: a page of a thousand deliveries.
const MAX_BYTES: usize = 8 << 20;

/// The daemon for the requests, started with the first input.
static SERVED: Mutex<Option<Served>> = Mutex::new(None);

/// A running daemon with recorded deliveries.
struct Served {
    ops: Connection,
    stop: oneshot::Sender<()>,
    runtime: Runtime,
    _folder: TempDir,
}

/// Sends a request. The input's first line is the method and the target; the rest is the body.
pub(super) fn check(input: &[u8]) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let (line, body) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut words = line.splitn(2, |byte| *byte == b' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return };
    // Without these, hyper rejects the request before the listener sees it.
    let is_method = ["GET", "HEAD", "POST", "DELETE", "PUT"].map(str::as_bytes).contains(&method);
    if !is_method || target.first() != Some(&b'/') || !target.iter().all(u8::is_ascii_graphic) {
        return;
    }
    let mut served = SERVED.lock().unwrap_or_else(PoisonError::into_inner);
    if served.is_none() {
        *served = Served::start();
    }
    let Some(served) = served.as_mut() else { unreachable!("the daemon starts") };
    let answer = served.ops.send(method, target, body);
    check_answer(&answer, &String::from_utf8_lossy(line));
}

/// Stops the daemon, if one runs, and removes its files.
pub(super) fn stop() {
    let served = SERVED.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(served) = served else { return };
    let _ = served.stop.send(());
    served.runtime.shutdown_timeout(Duration::from_secs(10));
}

fn check_answer(answer: &Answer, request: &str) {
    let Answer { status, content_type, body } = answer;
    let text = String::from_utf8_lossy(body);
    // The daemon works, so every error must be the request's fault.
    assert!(*status < 500 || *status == 503, "{request}: {status} {text}");
    assert!(body.len() <= MAX_BYTES, "{request}: {} bytes", body.len());
    if content_type.contains("json") && !content_type.contains("ndjson") && !body.is_empty() {
        assert!(serde_json::from_slice::<serde_json::Value>(body).is_ok(), "{request}: {text}");
    }
    if content_type.contains("html") {
        assert!(!text.contains(MARKUP), "{request}: somebody else wrote on the page\n{text}");
    }
}

impl Served {
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let text = format!(
            "[webhook]\nlisten = \"127.0.0.1:0\"\nsecrets = [\"the-secret-of-the-sender\"]\n\
             [ops]\nlisten = \"127.0.0.1:0\"\n[watch]\nips = [\"203.0.113.7\"]\n\
             [store]\npath = \"{}\"\n",
            folder.path().join("store.db").display(),
        );
        let load = move || Config::from_text("fuzz", &text, &Environment::default());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .ok()?;
        let daemon = runtime.block_on(Daemon::start(ConfigSource::new(load))).ok()?;
        let addresses = daemon.addresses().clone();
        let (stop, stopped) = oneshot::channel();
        runtime.spawn(daemon.run(async {
            // A dropped sender must not stop the daemon.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        }));
        record_deliveries(addresses.webhook, &addresses.webhook_path);
        Some(Self { ops: Connection::new(addresses.ops), stop, runtime, _folder: folder })
    }
}

/// Records deliveries, so that there is something to find.
fn record_deliveries(webhook: SocketAddr, path: &str) {
    let mut webhook =
        Connection::new(webhook).with_header("x-api-client-token: the-secret-of-the-sender");
    for number in 0..12 {
        let check = ["no-mfa", "a/b c?d#e%", MARKUP][number % 3];
        let body = serde_json::json!({
            "id": format!("d{number}"), "detail-type": "FAILED_CHECK",
            "source": format!("tenant{MARKUP}__20251125"),
            "detail": {
                "checkId": check, "severity": "high",
                "title": format!("A title {MARKUP}"), "description": [MARKUP],
                "usersFailing": [
                    format!("user{number}@example.com"), format!("odd {MARKUP}\"' {number}"), "a/b%"
                ],
                "explainabilityDetails": [{ "key": MARKUP, "value": MARKUP }],
            },
        });
        let answer = webhook.send(b"POST", path.as_bytes(), body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }
    for refused in ["{", "<fuzz>", "[]"] {
        let answer = webhook.send(b"POST", path.as_bytes(), refused.as_bytes());
        assert_eq!(answer.status, 400, "{}", String::from_utf8_lossy(&answer.body));
    }
}
