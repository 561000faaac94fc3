//! `web-config.yml` in exporter-toolkit's format: TLS, client certificates, users, for both
//! listeners, read again while running.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rcgen::{CertificateParams, CertifiedIssuer, DnType, KeyPair};
use reqwest::{Certificate, Client, ClientBuilder, Identity, Version};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::harness::{Body, Exporter, SECRET, Setup, free_port, until};

/// The hash of a password, at the lowest cost.
fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

/// An authority, and a folder for what it signs.
struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The certificate and the key of a name, as PEM.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names = vec![name.to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Writes the server's certificate and key.
    fn serve(&self, name: &str) {
        let (certificate, key) = self.sign(name);
        std::fs::write(self.path("server.crt"), certificate).unwrap();
        std::fs::write(self.path("server.key"), key).unwrap();
    }

    /// Writes the configuration, all of it at once: the daemon looks at it at any time.
    fn config(&self, text: &str) -> PathBuf {
        self.replace("web-config.yml", text);
        self.path("web-config.yml")
    }

    fn replace(&self, name: &str, text: &str) {
        let new = self.path(&format!("{name}.new"));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.path(name)).unwrap();
    }

    fn client(&self) -> ClientBuilder {
        let authority = Certificate::from_pem(self.issuer.pem().as_bytes()).unwrap();
        Client::builder().tls_certs_only([authority]).pool_max_idle_per_host(0)
    }

    fn identity(&self, name: &str) -> Identity {
        let (certificate, key) = self.sign(name);
        Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap()
    }
}

const TLS: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

/// When an answer comes that waits for no password, also on a busy machine.
const IN_TIME: Duration = Duration::from_secs(20);

/// A user whose password takes minutes to compare.
const SLOW: &str = "$2y$19$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG";

const UP: &str = "cii_web_config_up{listener=\"webhook\"}";

fn line(path: &Path) -> String {
    format!("web_config = \"{}\"", path.display())
}

async fn get(client: &Client, exporter: &Exporter, path: &str) -> Option<(u16, Version)> {
    let answer = client.get(format!("{}{path}", exporter.ops_url)).send().await.ok()?;
    Some((answer.status().as_u16(), answer.version()))
}

#[tokio::test]
async fn tls_is_spoken_and_certificates_are_read_again() {
    let authority = Authority::new("first");
    authority.serve("localhost");
    let config = authority.config(TLS);
    let exporter = Setup::new()
        .ops(&line(&config))
        .webhook(&line(&config))
        .start_with(authority.client().build().unwrap())
        .await;
    assert!(exporter.ops_url.starts_with("https://"), "{}", exporter.ops_url);
    let client = authority.client().build().unwrap();
    assert_eq!(get(&client, &exporter, "/metrics").await, Some((200, Version::HTTP_2)));
    let old = authority.client().http1_only().build().unwrap();
    assert_eq!(get(&old, &exporter, "/metrics").await, Some((200, Version::HTTP_11)));
    let plain = exporter.ops_url.replace("https", "http");
    assert!(reqwest::get(format!("{plain}/metrics")).await.is_err());
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a"]).json()).await, 200);
    // Commands need no certificate.
    let ended = exporter.run(&["watch", "add", "user", "a@example.com"]).await;
    assert_eq!(ended.code, 0, "{}", ended.errors);

    // Half of an exchange keeps what was before; all of it is taken.
    let other = Authority::new("second");
    let (certificate, key) = other.sign("localhost");
    std::fs::write(authority.path("server.crt"), certificate).unwrap();
    let wrong =
        || async { exporter.log().contains("the web configuration is wrong").then_some(()) };
    until("the log", || async {
        get(&client, &exporter, "/metrics").await;
        wrong().await
    })
    .await;
    assert_eq!(get(&client, &exporter, "/-/healthy").await.unwrap().0, 200);
    std::fs::write(authority.path("server.key"), key).unwrap();
    let new = other.client().build().unwrap();
    until("the new certificate", || async { get(&new, &exporter, "/-/healthy").await }).await;
    assert!(get(&client, &exporter, "/-/healthy").await.is_none());
    exporter.stop().await;
}

#[tokio::test]
async fn only_clients_with_a_certificate_come_in_where_one_is_wanted() {
    let authority = Authority::new("authority");
    authority.serve("localhost");
    let text = format!(
        "{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  \
         client_allowed_sans: [prometheus.example]\nhttp_server_config:\n  http2: false\n"
    );
    let config = authority.config(&text);
    let known = |name: &str| authority.client().identity(authority.identity(name)).build().unwrap();
    let exporter = Setup::new().ops(&line(&config)).start_with(known("prometheus.example")).await;
    let answer = get(&known("prometheus.example"), &exporter, "/metrics").await;
    assert_eq!(answer, Some((200, Version::HTTP_11)));
    assert!(get(&known("other.example"), &exporter, "/metrics").await.is_none());
    assert!(get(&authority.client().build().unwrap(), &exporter, "/metrics").await.is_none());
    let foreign = Authority::new("foreign").identity("prometheus.example");
    let foreign = authority.client().identity(foreign).build().unwrap();
    assert!(get(&foreign, &exporter, "/metrics").await.is_none());
    assert_eq!(exporter.run(&["watch", "add", "user", "a@example.com"]).await.code, 0);
    // Clients that must show one are authentication enough for any address.
    let setup = Setup::new().ops_listen("0.0.0.0:0").ops(&line(&config));
    let ended = setup.run(&["check-config"]).await;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert!(!ended.errors.contains("authentication"), "{}", ended.errors);
}

#[tokio::test]
async fn users_are_asked_for_everywhere_and_may_change_things() {
    let authority = Authority::new("authority");
    let first = hash("password");
    let users = format!("basic_auth_users:\n  cii: '{first}'\n");
    let headers = "http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n    \
                   Content-Security-Policy: default-src *\n    \
                   Strict-Transport-Security: max-age=1\n";
    let config = authority.config(&format!("{users}{headers}"));
    let mut default = reqwest::header::HeaderMap::new();
    let value = reqwest::header::HeaderValue::from_static("Basic Y2lpOnBhc3N3b3Jk");
    default.insert("authorization", value);
    let client = Client::builder().default_headers(default).build().unwrap();
    let exporter = Setup::new()
        .ops(&format!("{}\nwrite_token = \"a-token-of-some-length\"", line(&config)))
        .start_with(client.clone())
        .await;
    let stranger = Client::new();
    for path in ["/", "/metrics", "/-/healthy", "/api/v1/checks", "/-/ready"] {
        assert_eq!(get(&stranger, &exporter, path).await.unwrap().0, 401, "{path}");
        let request = stranger.get(format!("{}{path}", exporter.ops_url));
        let wrong = request.basic_auth("cii", Some("wrong")).send().await.unwrap();
        assert_eq!(wrong.status(), 401, "{path}");
        assert!(wrong.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"));
        let answer = client.get(format!("{}{path}", exporter.ops_url)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(&answer.headers()["strict-transport-security"], "max-age=1", "{path}");
        // The page's own are stricter, and stay.
        let [frames, policy] = ["x-frame-options", "content-security-policy"]
            .map(|name| answer.headers()[name].to_str().unwrap());
        if path == "/" {
            assert!(frames == "DENY" && policy.contains("default-src 'none'"), "{frames} {policy}");
        } else {
            assert_eq!((frames, policy), ("sameorigin", "default-src *"), "{path}");
        }
    }
    let reload = format!("{}/-/reload", exporter.ops_url);
    assert_eq!(client.post(&reload).send().await.unwrap().status(), 200);
    assert_eq!(stranger.post(&reload).send().await.unwrap().status(), 401);
    let token = stranger.post(&reload).bearer_auth("a-token-of-some-length");
    assert_eq!(token.send().await.unwrap().status(), 200);
    assert_eq!(exporter.run(&["watch", "add", "user", "a@example.com"]).await.code, 0);

    // A file that was cut short opens no door; another password is taken.
    authority.config(headers);
    until("the log", || async {
        get(&client, &exporter, "/-/healthy").await;
        exporter.log().contains("no users any more").then_some(())
    })
    .await;
    assert_eq!(get(&stranger, &exporter, "/metrics").await.unwrap().0, 401);
    let other = hash("other");
    authority.config(&format!("basic_auth_users:\n  cii: '{other}'\n"));
    until("the other password", || async {
        (get(&client, &exporter, "/metrics").await?.0 == 401).then_some(())
    })
    .await;
    let log = exporter.log();
    assert!(!log.contains(&first) && !log.contains(&other) && !log.contains("a-token-of"), "{log}");
}

#[tokio::test]
async fn users_of_the_webhook_listener_may_deliver_too() {
    let authority = Authority::new("authority");
    let config = authority.config(&format!("basic_auth_users:\n  cii: '{}'\n", hash("password")));
    let exporter = Setup::new().webhook(&line(&config)).start().await;
    let post = |request: reqwest::RequestBuilder, id: &str| {
        let request = request.json(&Body::new(id, "no-mfa", &["a"]).json());
        async move { request.send().await.unwrap().status().as_u16() }
    };
    let client = Client::new();
    let request = || client.post(&exporter.webhook_url);
    assert_eq!(post(request().basic_auth("cii", Some("password")), "1").await, 200);
    assert_eq!(post(request().header("x-api-client-token", SECRET), "2").await, 200);
    assert_eq!(post(request().basic_auth("cii", Some("wrong")), "3").await, 401);
    assert_eq!(post(request(), "4").await, 401);
    let health = exporter.webhook_url.replace("/webhooks/cii", "/-/healthy");
    assert_eq!(client.get(health).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn passwords_that_wait_keep_nobody_out_who_needs_none() {
    let authority = Authority::new("authority");
    let users = format!("basic_auth_users:\n  cii: '{}'\n  slow: '{SLOW}'\n", hash("password"));
    let config = authority.config(&users);
    let exporter = Setup::new()
        .webhook(&format!(
            "{}\nallow_from = [\"192.0.2.0/24\"]\ntrusted_proxies = [\"127.0.0.1\"]",
            line(&config)
        ))
        .start()
        .await;
    let client = Client::builder().timeout(IN_TIME).build().unwrap();
    let deliver = |id: &str, from: &str| {
        let body = Body::new(id, "no-mfa", &["a"]).json();
        client.post(&exporter.webhook_url).header("x-forwarded-for", from).json(&body)
    };
    let status = |request: reqwest::RequestBuilder| async move {
        request.send().await.expect("an answer in time").status().as_u16()
    };
    let known = |id: &str| deliver(id, "192.0.2.1").basic_auth("cii", Some("password"));
    assert_eq!(status(known("1")).await, 200);

    // Each takes a turn, and keeps it when its sender has gone; on a busy machine one may have gone
    // before it had its turn.
    let short = Duration::from_millis(1500);
    let wrong = |from: &str| deliver("3", from).basic_auth("cii", Some("wrong"));
    for _ in 0..2 {
        let slow = deliver("2", "192.0.2.2").basic_auth("slow", Some("x"));
        assert!(slow.timeout(short).send().await.is_err(), "it is compared in no time");
    }
    until("no turn is free", || async {
        if wrong("192.0.2.3").timeout(2 * short).send().await.is_err() {
            return Some(());
        }
        let slow = deliver("2", "192.0.2.2").basic_auth("slow", Some("x"));
        let _ = slow.timeout(short).send().await;
        None
    })
    .await;
    // A password that is remembered, another proof, and whoever is refused anyhow.
    assert_eq!(status(known("4")).await, 200);
    let both = deliver("5", "192.0.2.1").header("x-api-client-token", SECRET);
    assert_eq!(status(both.basic_auth("cii", Some("wrong"))).await, 200);
    assert_eq!(status(wrong("198.51.100.1")).await, 401);
    let health = exporter.webhook_url.replace("/webhooks/cii", "/-/healthy");
    assert_eq!(status(client.get(health).basic_auth("cii", Some("wrong"))).await, 200);
    assert_eq!(status(client.get(&exporter.webhook_url).basic_auth("x", Some("y"))).await, 405);
    for _ in 0..10 {
        let key = deliver("6", "192.0.2.6").header("x-api-client-token", "wrong");
        assert_eq!(status(key).await, 401);
    }
    assert_eq!(status(wrong("192.0.2.6")).await, 401);
    // Of a flood, some wait and the others are told at once.
    let flood = (0..80).map(|_| wrong("192.0.2.7").timeout(IN_TIME / 2).send());
    let answers = futures_util::future::join_all(flood).await;
    let busy = answers.iter().flatten().filter(|answer| answer.status() == 503);
    let busy: Vec<_> = busy.map(|answer| answer.headers()["retry-after"].clone()).collect();
    assert!(busy.len() >= 16, "{}", busy.len());
}

#[tokio::test]
async fn a_token_of_the_ops_listener_waits_for_no_password() {
    let authority = Authority::new("authority");
    let config = authority.config(&format!("basic_auth_users:\n  slow: '{SLOW}'\n"));
    let mut default = reqwest::header::HeaderMap::new();
    let value = reqwest::header::HeaderValue::from_static("Bearer a-token-of-some-length");
    default.insert("authorization", value);
    let client = Client::builder().default_headers(default).timeout(IN_TIME).build().unwrap();
    let exporter = Setup::new()
        .ops(&format!("{}\nwrite_token = \"a-token-of-some-length\"", line(&config)))
        .start_with(client.clone())
        .await;
    let stranger = Client::builder().timeout(Duration::from_millis(1500)).build().unwrap();
    let reload = format!("{}/-/reload", exporter.ops_url);
    let wrong = || stranger.post(&reload).basic_auth("slow", Some("x")).send();
    for _ in 0..3 {
        assert!(wrong().await.is_err(), "the password is compared in no time");
    }
    assert_eq!(client.post(&reload).send().await.unwrap().status(), 200);
    let patient = Client::builder().timeout(IN_TIME).build().unwrap();
    assert_eq!(patient.post(&reload).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_file_that_becomes_right_holds_however_it_was_wrong() {
    let authority = Authority::new("authority");
    authority.serve("localhost");
    let config = authority.config(TLS);
    let exporter = Setup::new().webhook(&line(&config)).start().await;
    assert_eq!(exporter.metrics().await.get(UP), Some(1.0));
    assert_eq!(exporter.metrics().await.get("cii_web_config_up{listener=\"ops\"}"), None);

    // It names files that are not there yet, and nobody sends a request meanwhile.
    authority.config(&TLS.replace("server.", "other."));
    exporter.until_metric(UP, 0.0).await;
    let other = Authority::new("second");
    let (certificate, key) = other.sign("localhost");
    authority.replace("other.crt", &certificate);
    until("the next problem", || async { exporter.log().contains("other.key").then_some(()) })
        .await;
    authority.replace("other.key", &key);
    exporter.until_metric(UP, 1.0).await;
    let client = other.client().build().unwrap();
    let health = exporter.webhook_url.replace("/webhooks/cii", "/-/healthy");
    assert_eq!(client.get(&health).send().await.unwrap().status(), 200);

    // What stays wrong is logged once.
    authority.config("basic_auth_users:\n  cii: hunter2-hunter2\n");
    exporter.until_metric(UP, 0.0).await;
    authority.config("basic_auth_users:\n  ops: hunter2-hunter2\n");
    until("another problem", || async {
        exporter.log().contains(r#"\"ops\" is no bcrypt hash"#).then_some(())
    })
    .await;
    let log = exporter.log();
    assert_eq!(log.matches(r#"\"cii\" is no bcrypt hash"#).count(), 1, "{log}");
    assert_eq!(log.matches("other.crt").count(), 1, "{log}");
}

#[tokio::test]
async fn the_test_message_says_what_to_do_where_only_hashes_are_known() {
    let authority = Authority::new("authority");
    authority.serve("localhost");
    let config =
        authority.config(&format!("{TLS}basic_auth_users:\n  cii: '{}'\n", hash("password")));
    let free = format!("127.0.0.1:{}", free_port());
    let file = authority.path("config.toml");
    let run = async |more: &str| {
        let database = authority.path("store.db");
        let text = format!(
            "[webhook]\nlisten = \"{free}\"\n{}\n{more}\n[store]\npath = {database:?}\n",
            line(&config)
        );
        std::fs::write(&file, text).unwrap();
        let output = Setup::command(&["webhook", "test"], &file).output().await.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, errors) = run("").await;
    assert_eq!(code, Some(64), "{errors}");
    assert!(errors.contains("set webhook.secrets") && errors.contains("curl"), "{errors}");
    // Without a daemon, it is the configuration that says how the listener is reached.
    let (code, errors) = run("secrets = [\"a-secret-of-some-length\"]").await;
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains(&format!("https://{free}/webhooks/cii")), "{errors}");
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_ended() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let authority = Authority::new("authority");
    authority.serve("localhost");
    let config = authority.config(TLS);
    let exporter =
        Setup::new().ops(&line(&config)).start_with(authority.client().build().unwrap()).await;
    let address = exporter.ops_url.trim_start_matches("https://");
    let mut silent = TcpStream::connect(address).await.unwrap();
    silent.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_mins(2), silent.read(&mut [0; 16])).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{ended:?}");
}

#[tokio::test]
async fn check_config_says_what_is_wrong_with_the_files() {
    let authority = Authority::new("authority");
    let other = Authority::new("other");
    authority.serve("localhost");
    std::fs::write(authority.path("other.key"), other.sign("localhost").1).unwrap();
    for (text, expected) in [
        ("tls_server_config:\n  cert_file: nowhere.crt\n  key_file: server.key\n", "nowhere.crt"),
        ("tls_server_config:\n  cert_file: server.crt\n  key_file: other.key\n", "certificate"),
        ("tls_server_config:\n  cert_file: server.crt\n  key_file: server.crt\n", "key"),
        ("basic_auth_users:\n  cii: hunter2-hunter2\n", "no bcrypt hash"),
        ("tls_config: {}\n", "tls_config"),
    ] {
        let config = authority.config(text);
        for setup in [Setup::new().ops(&line(&config)), Setup::new().webhook(&line(&config))] {
            for command in ["check-config", "run"] {
                let ended = setup.run(&[command]).await;
                assert_eq!(ended.code, 64, "{text} {}", ended.errors);
                assert!(ended.errors.contains(expected), "{expected}: {}", ended.errors);
                assert!(ended.errors.contains("web_config"), "{}", ended.errors);
                assert!(!ended.errors.contains("hunter2"), "{}", ended.errors);
            }
        }
    }
}
