//! Mistakes in a configuration: each is told by its key, its value unless that is a secret, what
//! is allowed, and what was probably meant; the last line is the verdict.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _};

use tempfile::TempDir;
use tokio::process::Command;

const SECRETS: &str = "secrets = [\"0123456789abcdef0123456789abcdef\"]\n";
const API: &str = "[api]\nurl = \"https://api.example.org/graphql\"\n\
    token_url = \"https://login.example.org/token\"\nclient_id = \"an-id\"\n\
    client_secret = \"0123456789abcdef\"\n";

/// The exit code, and what was said on standard error.
async fn check(text: &str, arguments: &[&str]) -> (i32, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config.toml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cii-exporter"));
    command.arg("check-config").args(arguments).arg("--config").arg("config.toml");
    let output = command.current_dir(folder.path()).output().await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), errors)
}

/// A good configuration with lines in `[webhook]`, and tables behind it.
fn with(webhook: &str, tables: &str) -> String {
    format!("[webhook]\n{SECRETS}{webhook}\n{tables}")
}

#[tokio::test]
async fn each_mistake_is_told_with_key_value_and_what_was_meant() {
    let tables = |tables: &str| with("", tables);
    let without_secret = API.rsplit_once("client_secret").unwrap().0;
    let url = |url: &str| tables(&API.replace("https://api.example.org/graphql", url));
    let mistakes = [
        (
            tables("[sync.users]\nschedule = \"0 * * * *\""),
            "found \"0 * * * *\"; did you mean \"0 0 * * * *\"?",
        ),
        (tables("[sync.ips]\nschedule = \"hourly\""), "did you mean \"0 0 * * * *\"?"),
        (tables("[sync.tenant]\nschedule = \"0 99 * * * *\""), "\"99\" is no minute"),
        (tables("[sync.service]\nschedule = \"0 0 0 31 2 *\""), "moments that never come"),
        (tables("[sync]\ntime_zone = \"Berlin\""), "did you mean \"Europe/Berlin\"?"),
        (tables("[sync]\nsettle = \"15 minutos\""), "\"15 minutos\" is no time"),
        (tables("[sync]\nsettle = 15"), "found 15; did you mean \"15m\"?"),
        (tables("[sync]\njitter = \"3s\""), "did you mean sync.jitter_seconds?"),
        (tables("[slo]\ncritical = \"7 Tage\""), "slo.critical: expected a time such as \"7d\""),
        (tables("[slo]\nhigh = 7"), "did you mean \"7d\"?"),
        ("[webhook]\n".to_owned(), "webhook.secrets_file or CII_EXPORTER_WEBHOOK__SECRETS"),
        (tables(without_secret), "CII_EXPORTER_API__CLIENT_SECRET; or api.client_secret_file"),
        (
            tables(&API.replace("an-id", "<your-client-id>")),
            "api.client_id: still holds a placeholder",
        ),
        (url("https://<tenant>.example.org"), "api.url: still holds a placeholder"),
        (url("api.example.org/graphql"), "did you mean \"https://api.example.org/graphql\"?"),
        (url("ftp://api.example.org"), "found \"ftp://api.example.org\""),
        (with("max_body_bytes = \"4MB\"", ""), "found \"4MB\"; did you mean 4194304?"),
        (tables("[store]\nretention_days = \"90d\""), "found \"90d\"; did you mean 90?"),
        (tables("[store]\npath = \"/\""), "\"/\" is a folder"),
        (tables("[watch]\nfailing_users = \"yes\""), "found \"yes\"; did you mean true?"),
        (tables("[watch]\nips = [\"10.0.0.0/8\"]"), "\"10.0.0.0/8\" is a range"),
        (tables("[watches]\nusers = []"), "there is no such setting; did you mean watch?"),
        (with("listen = 8847", ""), "did you mean \"127.0.0.1:8847\"?"),
        (with("listen = \"localhost:8847\"", ""), "did you mean \"127.0.0.1:8847\"?"),
        (tables("[ops]\nlisten = \"127.0.0.1\""), "did you mean \"127.0.0.1:9847\"?"),
        (tables("[ops]\nlisten = \"127.0.0.1:8847\""), "beside webhook.listen"),
        (tables("[ops]\nlisten = \"0.0.0.0:9847\""), "ops.allow_unauthenticated = true"),
        (with("allow_from = [\"10.0.0.0/33\"]", ""), "\"10.0.0.0/33\" is no network"),
        (with("header = \"x api token\"", ""), "such as x-api-client-token, found \"x api token\""),
        (with("path = \"webhooks\"", ""), "such as /webhooks/cii, found \"webhooks\""),
        (with("web_config = \"nope.yml\"", ""), "nope.yml: cannot be read: No such file"),
        (tables("[log]\nlevel = \"warning\""), "did you mean \"warn\"?"),
        (tables("[log]\nlevel = \"loud\""), "error, warn, info, debug, trace, off"),
        (
            tables("[otlp]\nendpoint = \"collector:4318\""),
            "did you mean \"https://collector:4318\"?",
        ),
        (tables("[otlp]\nprotocol = \"http\""), "did you mean \"http/protobuf\"?"),
        (with("secrets = []", ""), "duplicate key secrets; keep one of them"),
        (with("listen = 127.0.0.1:8847", ""), "a text stands in straight quotes: listen ="),
        (with("check_ids = [\u{201c}no-mfa\u{201d}]", ""), "a text stands in straight quotes"),
    ];
    for (text, expected) in mistakes {
        let (code, errors) = check(&text, &[]).await;
        assert_eq!(code, 64, "{text}\n{errors}");
        assert!(errors.contains(expected), "{expected}\nis not in\n{errors}");
        let verdict = "the configuration cannot be used: 1 thing is wrong";
        assert_eq!(errors.lines().last(), Some(verdict), "{text}\n{errors}");
        assert!(!errors.contains("0123456789abcdef"), "{errors}");
    }
    let (_, errors) = check("[ops]\nlisten = 1\nlisen = 2\n", &[]).await;
    assert!(errors.ends_with("the configuration cannot be used: 3 things are wrong\n"), "{errors}");
}

#[tokio::test]
async fn what_is_allowed_and_probably_not_meant_is_a_warning() {
    let open = "[ops]\nlisten = \"0.0.0.0:9847\"\nallow_unauthenticated = true\n";
    let guarded = format!("{open}read_only = true\n");
    let twice = "[watch]\nusers = [\"a@example.com\", \"A@example.com\"]\n";
    let slips = [
        (format!("{twice}{API}"), "watch.users names something twice: entry 2"),
        (open.to_owned(), "can change the watch list, forget checks, replay deliveries and reload"),
        (guarded, "whoever reaches it sees all; there is no authentication"),
        ("[otlp]\nendpoint = \"http://c:4317\"\n".to_owned(), "otlp.protocol = \"grpc\""),
        ("[sync.users]\nschedule = \"* 0 * * * *\"\n".to_owned() + API, "means every second"),
        (API.replace("https://login", "http://login"), "api.token_url is not https"),
    ];
    for (tables, expected) in slips {
        let (code, errors) = check(&with("", &tables), &[]).await;
        assert_eq!(code, 0, "{tables}\n{errors}");
        assert!(errors.contains(expected), "{expected}\nis not in\n{errors}");
        assert!(!errors.contains("@example.com"), "{errors}");
        assert_eq!(
            errors.lines().last(),
            Some("the configuration is good, with 1 warning"),
            "{errors}"
        );
    }
    let url = "public_url = \"http://hooks.example.org/elsewhere\"";
    let (code, errors) = check(&with(url, ""), &[]).await;
    assert!(code == 0 && errors.ends_with("with 2 warnings\n"), "{errors}");
    assert!(errors.contains("webhook.path is /webhooks/cii"), "{errors}");
}

#[tokio::test]
async fn a_port_that_is_in_use_is_told_by_what_tries_it() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let text = with("", &format!("[ops]\nlisten = \"{address}\"\n"));
    // Nothing is tried without --connect: another machine may be meant.
    assert_eq!(check(&text, &[]).await.0, 0);
    let (code, errors) = check(&text, &["--connect"]).await;
    assert_eq!(code, 1, "{errors}");
    let told = errors.lines().find(|line| line.contains("listeners")).unwrap();
    assert!(told.contains(&format!("ops.listen, {address}")), "{told}");
    assert!(told.contains("set another port"), "{told}");
}
