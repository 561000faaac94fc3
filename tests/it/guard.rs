//! Who may do what over the ops listener, and that commands work all the same.

use std::os::unix::fs::PermissionsExt as _;

use cii_exporter::config::StorePlace;

use crate::harness::{Exporter, Setup};

/// Asks the ops listener with these headers; the status, and what it says.
async fn ask(
    exporter: &Exporter,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> (u16, String) {
    let method = method.parse().unwrap();
    let url = format!("{}{path}", exporter.ops_url);
    let request = reqwest::Client::new().request(method, url);
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = request.send().await.expect("the daemon answers");
    (answer.status().as_u16(), answer.text().await.unwrap_or_default())
}

/// What changes something, over all of the listener.
const WRITES: [(&str, &str); 8] = [
    ("POST", "/-/reload"),
    ("POST", "/api/v1/watch"),
    ("DELETE", "/api/v1/watch/user/a"),
    ("DELETE", "/api/v1/checks/no-mfa"),
    ("POST", "/api/v1/deliveries/1/replay"),
    ("POST", "/api/v1/webhook-targets"),
    ("POST", "/api/v1/otlp/retry"),
    ("POST", "/api/v1/otlp/backfill"),
];

#[tokio::test]
async fn a_name_that_is_not_ours_reaches_metrics_and_health_only() {
    let mut setup = Setup::new();
    setup = setup.ops("hosts = [\"exporter\"]\npublic_url = \"https://cii.example.com/\"");
    let mut exporter = setup.start().await;
    for path in ["/", "/deliveries", "/api/v1/checks", "/api/v1/changes", "/assets/page.js"] {
        let (status, text) = ask(&exporter, "GET", path, &[("host", "evil.example:9847")]).await;
        assert_eq!(status, 421, "{path}");
        assert!(text.contains("ops.hosts"), "{text}");
    }
    for path in ["/metrics", "/-/healthy", "/-/ready"] {
        let (status, _) = ask(&exporter, "GET", path, &[("host", "cii-exporter.svc")]).await;
        assert_eq!(status, 200, "{path}");
    }
    for host in ["localhost:9847", "exporter:9847", "cii.example.com", "192.0.2.1"] {
        assert_eq!(ask(&exporter, "GET", "/", &[("host", host)]).await.0, 200, "{host}");
    }
    for (method, path) in WRITES {
        let (status, _) = ask(&exporter, method, path, &[("host", "evil.example")]).await;
        assert_eq!(status, 421, "{method} {path}");
    }
    // A reload names other hosts.
    exporter.setup().replace("\"exporter\"", "\"other\"");
    exporter.setup().write_config();
    let (status, text) = ask(&exporter, "POST", "/-/reload", &[]).await;
    assert!(status == 200 && text.contains("\"needs_restart\":[]"), "{text}");
    assert_eq!(ask(&exporter, "GET", "/", &[("host", "exporter")]).await.0, 421);
    assert_eq!(ask(&exporter, "GET", "/", &[("host", "other")]).await.0, 200);
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let exporter = Setup::new().ops("public_url = \"https://cii.example.com/\"").start().await;
    for (method, path) in WRITES {
        for foreign in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let (status, text) = ask(&exporter, method, path, &[foreign]).await;
            assert_eq!(status, 403, "{method} {path} {foreign:?} {text}");
        }
    }
    let own = exporter.ops_url.as_str();
    for origin in [own, "https://cii.example.com"] {
        let headers = [("origin", origin), ("sec-fetch-site", "same-origin")];
        assert_eq!(ask(&exporter, "POST", "/-/reload", &headers).await.0, 200, "{origin}");
    }
}

#[tokio::test]
async fn changes_need_the_token_and_commands_do_not() {
    let mut exporter =
        Setup::new().ops("write_token = [\"the-old-token\", \"the-new-token\"]").start().await;
    for (method, path) in WRITES {
        let (status, text) = ask(&exporter, method, path, &[]).await;
        assert!(status == 401 && text.contains("ops.write_token"), "{method} {path} {text}");
    }
    let token = ("authorization", "Bearer the-new-token");
    assert_eq!(ask(&exporter, "POST", "/-/reload", &[token]).await.0, 200);
    assert_eq!(ask(&exporter, "GET", "/api/v1/watch", &[]).await.0, 200);
    assert_eq!(exporter.run(&["watch", "add", "user", "a@example.com"]).await.code, 0);
    let (_, list) = exporter.api("GET", "/watch", None).await;
    assert_eq!(list["entries"][0]["subject"], "a@example.com");

    exporter.setup().replace("write_token", "read_only = true\nwrite_token");
    exporter.setup().write_config();
    assert_eq!(ask(&exporter, "POST", "/-/reload", &[token]).await.0, 200);
    for (method, path) in WRITES {
        let (status, text) = ask(&exporter, method, path, &[token]).await;
        assert!(status == 403 && text.contains("ops.read_only"), "{method} {path} {text}");
    }
    assert_eq!(exporter.run(&["watch", "remove", "user", "a@example.com"]).await.code, 0);
    let log = exporter.log();
    assert!(!log.contains("the-new-token") && !log.contains("the-old-token"), "{log}");

    // The socket is the owner's alone, and goes with the daemon.
    let place = StorePlace::File(exporter.database());
    let socket = cii_exporter::store::socket_path(&place).unwrap();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let setup = exporter.kill().await;
    assert!(socket.exists(), "a kill leaves it behind");
    setup.start().await.stop().await;
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_listener_that_others_reach_needs_authentication_or_a_word() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9847"] {
        let setup = Setup::new().ops_listen(listen);
        for command in ["check-config", "run"] {
            let ended = setup.run(&[command]).await;
            assert_eq!(ended.code, 64, "{listen} {command} {}", ended.errors);
            assert!(ended.errors.contains("ops.allow_unauthenticated = true"), "{}", ended.errors);
        }
        let setup = setup.ops("allow_unauthenticated = true");
        let ended = setup.run(&["check-config"]).await;
        assert_eq!(ended.code, 0, "{listen} {}", ended.errors);
        assert!(ended.errors.contains("there is no authentication"), "{}", ended.errors);
    }
    for listen in ["127.0.0.1:0", "127.1.2.3:0", "[::1]:0"] {
        assert_eq!(Setup::new().ops_listen(listen).run(&["check-config"]).await.code, 0);
    }
}
