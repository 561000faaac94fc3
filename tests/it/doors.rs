//! Who may deliver: every kind of credential, networks, proxies, and wrong secrets in a row.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Body, Exporter, SECRET, Setup, in_less_than, until};

const KEY: &str = "x-api-client-token";
const BASIC: &str = "[webhook.basic]\nuser = \"cii\"\npassword = [\"pass:word\", \"the other\"]";

/// Delivers with these headers alone; the status, and the answer's headers and body.
async fn send(exporter: &Exporter, id: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, String) {
    let mut given = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        given.append(name, HeaderValue::from_str(value).unwrap());
    }
    let body = Body::new(id, "no-mfa", &["a@example.com"]).json();
    let request = reqwest::Client::new().post(&exporter.webhook_url).headers(given).json(&body);
    let answer = request.send().await.expect("the daemon answers");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (status, headers, answer.text().await.unwrap_or_default())
}

async fn status(exporter: &Exporter, id: &str, headers: &[(&str, &str)]) -> u16 {
    send(exporter, id, headers).await.0
}

#[tokio::test]
async fn a_key_a_password_and_a_token_each_open_the_door() {
    let mut exporter =
        Setup::new().webhook("bearer = [\"token-1\", \"token-2\"]").tables(BASIC).start().await;
    for (id, header) in [
        ("1", (KEY, SECRET)),
        ("2", ("authorization", "Basic Y2lpOnBhc3M6d29yZA==")),
        ("3", ("authorization", "basic Y2lpOnRoZSBvdGhlcg==")),
        ("4", ("authorization", "Bearer token-1")),
        ("5", ("authorization", "bearer token-2")),
    ] {
        assert_eq!(status(&exporter, id, &[header]).await, 200, "{header:?}");
    }
    for headers in [
        vec![],
        vec![(KEY, "token-1")],
        vec![(KEY, SECRET), (KEY, SECRET)],
        vec![("authorization", "Bearer token-1"), ("authorization", "Bearer token-1")],
        vec![("authorization", "Basic Y2lpOndyb25n")],
    ] {
        let (status, given, body) = send(&exporter, "6", &headers).await;
        assert_eq!(status, 401, "{headers:?}");
        let challenges: Vec<_> = given.get_all("www-authenticate").iter().collect();
        assert_eq!(challenges.len(), 3, "{challenges:?}");
        assert!(body.contains(KEY) && body.contains("Basic") && body.contains("Bearer"), "{body}");
        for secret in [SECRET, "token-1", "pass:word"] {
            assert!(!body.contains(secret), "{body}");
        }
    }

    // A reload exchanges each of them.
    exporter.setup().replace("\"token-1\", ", "");
    exporter.setup().replace("\"pass:word\", ", "");
    exporter.setup().write_config();
    let reload = format!("{}/-/reload", exporter.ops_url);
    let answer = reqwest::Client::new().post(reload).send().await.unwrap().text().await.unwrap();
    assert!(answer.contains("\"needs_restart\":[]"), "{answer}");
    assert_eq!(status(&exporter, "7", &[("authorization", "Bearer token-1")]).await, 401);
    assert_eq!(
        status(&exporter, "7", &[("authorization", "Basic Y2lpOnBhc3M6d29yZA==")]).await,
        401
    );
    assert_eq!(status(&exporter, "7", &[("authorization", "Bearer token-2")]).await, 200);
    // The command sends whatever the configuration has.
    let test = exporter.run(&["webhook", "test"]).await;
    assert_eq!(test.code, 0, "{}", test.errors);
}

#[tokio::test]
async fn only_listed_networks_deliver_and_only_listed_proxies_are_believed() {
    let exporter = Setup::new()
        .webhook(
            "allow_from = [\"192.0.2.0/24\", \"2001:db8::/32\"]\ntrusted_proxies = [\"127.0.0.1\"]",
        )
        .start()
        .await;
    let key = (KEY, SECRET);
    for (id, client) in [
        ("1", ("x-forwarded-for", "192.0.2.7")),
        ("2", ("x-forwarded-for", "203.0.113.1, 192.0.2.7")),
        ("3", ("forwarded", "for=\"[2001:db8::7]:4711\";proto=https")),
    ] {
        assert_eq!(status(&exporter, id, &[key, client]).await, 200, "{client:?}");
    }
    for headers in [
        vec![key],
        vec![key, ("x-forwarded-for", "192.0.2.7, 203.0.113.1")],
        vec![key, ("x-forwarded-for", "192.0.2.7, x")],
        vec![key, ("forwarded", "for=unknown")],
        vec![key, ("x-forwarded-for", "203.0.113.1"), ("forwarded", "for=192.0.2.7")],
    ] {
        let (status, _, body) = send(&exporter, "4", &headers).await;
        assert_eq!(status, 401, "{headers:?}");
        assert!(body.contains("webhook.allow_from"), "{body}");
    }
    assert_eq!(exporter.metrics().await.get(REFUSED), Some(5.0));
    exporter.stop().await;

    // The proxy's own address lets in nobody whom it does not name.
    let exporter = Setup::new()
        .webhook("allow_from = [\"127.0.0.0/8\"]\ntrusted_proxies = [\"127.0.0.1\"]")
        .start()
        .await;
    assert_eq!(status(&exporter, "1", &[key]).await, 200);
    for hidden in [
        vec![("x-forwarded-for", "unknown")],
        vec![("forwarded", "for=_hidden")],
        vec![("x-forwarded-for", "127.0.0.1"), ("forwarded", "for=127.0.0.2")],
    ] {
        let headers = [vec![key], hidden].concat();
        assert_eq!(status(&exporter, "2", &headers).await, 401, "{headers:?}");
    }
    exporter.stop().await;

    let exporter = Setup::new().webhook("allow_from = [\"192.0.2.0/24\"]").start().await;
    let pretends = [key, ("x-forwarded-for", "192.0.2.7")];
    assert_eq!(status(&exporter, "1", &pretends).await, 401);
}

const REFUSED: &str = "cii_webhook_requests_total{result=\"unauthorized\"}";
const LIMITED: &str = "cii_webhook_limited_total";

#[tokio::test]
async fn wrong_secrets_in_a_row_are_refused_unread_and_a_right_one_still_passes() {
    let exporter = Setup::new().start().await;
    assert_eq!(exporter.metrics().await.get(LIMITED), Some(0.0));
    for number in 0..13 {
        assert_eq!(status(&exporter, "1", &[(KEY, "wrong-secret")]).await, 401, "{number}");
    }
    let metrics = exporter.metrics().await;
    assert_eq!((metrics.get(REFUSED), metrics.get(LIMITED)), (Some(13.0), Some(3.0)));

    // The body is announced and never sent: the answer comes without it, and before the two seconds
    // are over that the rest of a body is waited for.
    let address = exporter.webhook_url.trim_start_matches("http://").split('/').next().unwrap();
    let head = format!(
        "POST /webhooks/cii HTTP/1.1\r\nhost: {address}\r\n{KEY}: wrong-secret\r\n\
         content-length: 1000000\r\n\r\n"
    );
    in_less_than(Duration::from_secs(2), || async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    })
    .await;

    assert_eq!(status(&exporter, "2", &[(KEY, SECRET)]).await, 200);
    let log = exporter.until_logged("one wrong secret after another").await;
    assert_eq!(log.matches("one wrong secret after another").count(), 1, "{log}");
    assert!(!log.contains("wrong-secret"), "{log}");
}

#[tokio::test]
async fn a_sender_that_knocks_at_a_wrong_door_is_logged_with_what_was_expected_and_counts() {
    let exporter = Setup::new().webhook("path = \"/hooks\"").start().await;
    let http = reqwest::Client::new();
    let wrong = exporter.webhook_url.replace("/hooks", "/wrong%0a");
    for _ in 0..3 {
        assert_eq!(http.post(&wrong).body("{}").send().await.unwrap().status(), 404);
        let answer = http.put(&exporter.webhook_url).body("{}").send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["allow"].as_bytes()),
            (405, &b"POST"[..])
        );
        let answer =
            http.post(&exporter.webhook_url).header(KEY, "wrong-secret").send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert!(answer.text().await.unwrap().contains(KEY));
    }
    assert_eq!(http.get(&wrong).send().await.unwrap().status(), 404);
    for reason in ["path", "method"] {
        let series = format!("cii_webhook_misdirected_total{{reason=\"{reason}\"}}");
        exporter.until_metric(&series, 3.0).await;
    }
    until("the log has all", || async {
        (exporter.log().matches("untold=").count() == 3).then_some(())
    })
    .await;
    let log = exporter.log();
    for (said, expected) in [
        ("a wrong path", "expected=\"/hooks\""),
        ("a wrong method", "expected=\"POST\""),
        ("is not authorized", KEY),
    ] {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(said)).collect();
        assert!(lines.len() == 1 && lines[0].contains("WARN"), "{said}: {log}");
        assert!(lines[0].contains(expected), "{}", lines[0]);
    }
    assert!(!log.contains("wrong-secret"), "{log}");
}

#[tokio::test]
async fn check_config_warns_of_what_opens_the_door_too_wide() {
    use std::os::unix::fs::PermissionsExt as _;
    let setup = Setup::new()
        .webhook("header = \"Authorization\"\nbearer = [\"short\"]\ntrusted_proxies = [\"::/0\"]");
    let ended = setup.run(&["check-config"]).await;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    for expected in [
        "webhook.header is authorization",
        "webhook.bearer holds 1 of fewer than 16",
        "webhook.trusted_proxies holds ::/0",
    ] {
        assert!(ended.errors.contains(expected), "{expected}: {}", ended.errors);
    }
    assert!(!ended.errors.contains("its mode"), "{}", ended.errors);

    let secrets = setup.config_file().with_file_name("tokens");
    std::fs::write(&secrets, "a-token-of-some-length\n").unwrap();
    for (mode, warns) in [(0o600, false), (0o640, true), (0o604, true), (0o400, false)] {
        std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(mode)).unwrap();
        let setup = Setup::new().webhook(&format!("bearer_file = {secrets:?}"));
        let ended = setup.run(&["check-config"]).await;
        let expected = format!("tokens holds webhook.bearer, and its mode {mode:04o}");
        assert_eq!(ended.errors.contains(&expected), warns, "{mode:o} {}", ended.errors);
    }
}
