mod checks;
mod layers;
mod refused;
mod shown;
mod store;

use std::fs;

use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

use super::*;

const MINIMAL: &str = "[webhook]\nsecrets = [\"s3cret-value\"]\n";

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::from_text("config.toml", text, &variables.iter().copied().collect())
}

fn error(text: &str, variables: &[(&str, &str)]) -> String {
    load(text, variables).unwrap_err().to_string()
}

#[test]
fn a_secret_is_all_that_is_needed() {
    let config = load(MINIMAL, &[]).unwrap();
    assert_eq!(config.webhook.listen.to_string(), "127.0.0.1:8847");
    assert_eq!(config.webhook.header, "x-api-client-token");
    assert_eq!(config.webhook.max_body_bytes, 4_194_304);
    assert_eq!(config.ops.listen.to_string(), "127.0.0.1:9847");
    assert!(config.api.is_none() && config.otlp.is_none() && config.watch.failing_users);
    assert_eq!(config.sync.ips.schedule.pattern(), "0 0 * * * *");
    assert_eq!(config.sync.users.schedule.pattern(), "0 0 * * * *");
    assert!(config.sync.tenant.is_some(), "the tenant is listed unless the operator says no");
    let message = error("", &[]);
    assert!(message.contains("webhook.secrets: is missing"), "{message}");
}

#[test]
fn everything_wrong_is_told_at_once_each_with_its_line() {
    let text = "[webhook]\nsecrets = [\"s\"]\nlissten = \"x\"\nmax_body_bytes = \"4MB\"\n\
                path = \"no-slash\"\n[watch]\nips = [\"10.0.0.0/8\"]\n[api]\nurl = \"ftp://x\"\n\
                [sync.users]\nschedule = \"every day\"\n";
    let message = error(text, &[]);
    for expected in [
        "config.toml:3: webhook.lissten: there is no such setting; did you mean webhook.listen?",
        "config.toml:4: webhook.max_body_bytes: expected a whole number from 1024 to 268435456, \
         found \"4MB\"; did you mean 4194304?",
        "config.toml:5: webhook.path: expected a path",
        "config.toml:7: watch.ips: \"10.0.0.0/8\" is a range",
        "config.toml:9: api.url: expected a URL",
        "api.token_url: is missing",
        "api.client_secret: is missing: set it in the file, or CII_EXPORTER_API__CLIENT_SECRET",
        "config.toml:11: sync.users.schedule: expected second, minute",
    ] {
        assert!(message.contains(expected), "{expected}\nis not in\n{message}");
    }
    let message = error("a = [\n\n", &[]);
    assert!(message.contains("config.toml:") && message.contains("is no TOML"), "{message}");
}

#[test]
fn the_environment_wins_over_the_file() {
    let variables = [
        ("CII_EXPORTER_OPS__LISTEN", "127.0.0.1:1"),
        ("CII_EXPORTER_WATCH__USERS", "a@example.com, b"),
        ("CII_EXPORTER_WATCH__IPS", "[\"192.0.2.1\"]"),
        ("CII_EXPORTER_WATCH__FAILING_USERS", "false"),
        ("CII_EXPORTER_SYNC__USERS__SCHEDULE", "0 0 * * * *"),
        ("CII_EXPORTER_WEBHOOK__SECRETS", "one,two"),
        ("CII_EXPORTER_BINARY", "is not a setting"),
    ];
    let config = load(MINIMAL, &variables).unwrap();
    assert_eq!(config.ops.listen.port(), 1);
    assert_eq!((config.watch.users.len(), config.watch.ips.len()), (2, 1));
    assert_eq!(config.sync.users.schedule.pattern(), "0 0 * * * *");
    assert!(!config.watch.failing_users);
    let secrets: Vec<_> = config.webhook.secrets.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, ["one", "two"]);

    let message = error(MINIMAL, &[("CII_EXPORTER_WEBHOOK__LISSTEN", "x")]);
    assert!(
        message.contains("CII_EXPORTER_WEBHOOK__LISSTEN") && message.contains("webhook.listen?"),
        "{message}"
    );
}

#[test]
fn a_secret_comes_from_its_file_and_the_later_source_wins() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, "first\n\nsecond\n").unwrap();
    let file = file.to_str().unwrap();
    let secrets = |config: Config| -> Vec<String> {
        config.webhook.secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect()
    };
    let of_file = format!("[webhook]\nsecrets_file = {file:?}\n");
    assert_eq!(secrets(load(&of_file, &[]).unwrap()), ["first", "second"]);
    let variable = [("CII_EXPORTER_WEBHOOK__SECRETS", "third")];
    assert_eq!(secrets(load(&of_file, &variable).unwrap()), ["third"]);
    let variable = [("CII_EXPORTER_WEBHOOK__SECRETS_FILE", file)];
    assert_eq!(secrets(load(MINIMAL, &variable).unwrap()), ["first", "second"]);
    let message = error(&format!("{MINIMAL}secrets_file = {file:?}\n"), &[]);
    assert!(message.contains("keep one of the two"), "{message}");
    let message = error("[webhook]\nsecrets_file = \"/nowhere\"\n", &[]);
    assert!(message.contains("cannot read /nowhere"), "{message}");
}

#[test]
fn a_byte_order_mark_in_a_secret_s_file_is_dropped() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (many, one) = (
        file("many", "\u{feff}first\r\n\u{feff}second\r\n"),
        file("one", "\u{feff}the secret\r\n"),
    );
    let text = format!(
        "[webhook]\nsecrets_file = {many:?}\n[api]\nurl = \"https://a.example\"\n\
         token_url = \"https://a.example\"\nclient_id = \"c\"\nclient_secret_file = {one:?}\n"
    );
    let config = load(&text, &[]).unwrap();
    let secrets: Vec<_> = config.webhook.secrets.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, ["first", "second"]);
    assert_eq!(config.api.unwrap().client_secret.expose_secret(), "the secret");
    let empty = file("empty", "\u{feff}\r\n");
    let message = error(&format!("[webhook]\nsecrets_file = {empty:?}\n"), &[]);
    assert!(message.contains("is empty"), "{message}");
}

#[test]
fn a_secret_is_never_shown() {
    let config = load(MINIMAL, &[]).unwrap();
    let effective = config.effective_toml();
    assert!(effective.contains("secrets = [\"<hidden>\"] # config.toml:2"), "{effective}");
    assert!(effective.parse::<toml::Table>().is_ok(), "{effective}");
    let texts = [effective, format!("{config:?}")];
    // The values by path hold secrets, too, and Debug must not print them.
    assert!(texts.iter().all(|text| !text.contains("s3cret-value")), "{texts:?}");
    let message =
        error("[api]\nclient_secret = 1234567\n[webhook]\nsecrets = \"t0psecret\"\n", &[]);
    assert!(!message.contains("1234567") && !message.contains("t0psecret"), "{message}");
}

#[test]
fn otlp_is_on_with_its_table_or_a_standard_variable() {
    let otlp = load(&format!("{MINIMAL}[otlp]\n"), &[]).unwrap().otlp.unwrap();
    assert_eq!(otlp.endpoint.as_str(), "http://localhost:4318/v1/logs");
    let variable = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")];
    assert!(load(MINIMAL, &variable).unwrap().otlp.is_some());
    let text = format!("{MINIMAL}[otlp]\nprotocol = \"grpc\"\n");
    assert_eq!(load(&text, &[]).unwrap().otlp.unwrap().protocol, OtlpProtocol::Grpc);
    let message = error(&format!("{MINIMAL}[otlp]\nprotocol = \"http/json\"\n"), &[]);
    assert!(message.contains("one of http/protobuf, grpc, found \"http/json\""), "{message}");
}

#[test]
fn what_waits_for_a_restart_is_named() {
    let running = load(MINIMAL, &[]).unwrap();
    let text = "[webhook]\nsecrets = [\"other\"]\npath = \"/x\"\n[watch]\nusers = [\"a\"]\n";
    assert_eq!(load(text, &[]).unwrap().needs_restart(&running), ["webhook.path"]);
}

#[test]
fn the_example_names_every_setting_with_its_default() {
    let example = include_str!("../../config.example.toml");
    let mut table = "";
    let mut found = Vec::new();
    for line in example.lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            table = name;
        } else if let Some((name, value)) = line.split_once(" = ") {
            found.push((format!("{table}.{name}"), value));
        }
    }
    for key in key::KEYS {
        let values: Vec<_> = found.iter().filter(|(path, _)| path == key.path).collect();
        assert_eq!(values.len(), 1, "{} in {found:?}", key.path);
        if let Some(default) = key.default {
            assert_eq!(values[0].1, default, "{}", key.path);
        }
    }
    let variables = [
        ("CII_EXPORTER_WEBHOOK__SECRETS", "s"),
        ("CII_EXPORTER_API__CLIENT_ID", "i"),
        ("CII_EXPORTER_API__CLIENT_SECRET", "s"),
    ];
    load(example, &variables).unwrap();
}

#[test]
fn lines_that_begin_with_a_hash_are_comments_in_every_file_of_a_secret() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let many = file("many", "# since May\nfirst\n#taken-out\nsecond\n");
    let basic = file("basic", "# both\nwith space \nother\n");
    let one = file("one", "# of the console\nthe secret\n");
    let text = format!(
        "[webhook]\nsecrets_file = {many:?}\nbearer_file = {many:?}\n[webhook.basic]\n\
         user = \"u\"\npassword_file = {basic:?}\n[metrics]\nuser_label = \"hash\"\n\
         hash_key_file = {one:?}\n"
    );
    let config = load(&text, &[]).unwrap();
    let shown = |secrets: &[SecretString]| -> Vec<String> {
        secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect()
    };
    assert_eq!(shown(&config.webhook.secrets), ["first", "second"]);
    assert_eq!(shown(&config.webhook.bearer), ["first", "second"]);
    assert_eq!(shown(&config.webhook.basic.unwrap().passwords), ["with space ", "other"]);
    let UserLabel::Hash(key) = config.metrics.user_label else { panic!("not hashed") };
    assert_eq!(key.expose_secret(), "the secret");
    let comments = file("comments", "# nothing\n");
    let message = error(&format!("[webhook]\nsecrets_file = {comments:?}\n"), &[]);
    assert!(message.contains("has comments only"), "{message}");
}

#[test]
fn one_way_for_a_sender_to_prove_itself_is_enough() {
    load("[webhook]\nbearer = [\"t\"]\n", &[]).unwrap();
    let basic = "[webhook.basic]\nuser = \"u\"\npassword = \"a,b\"\n";
    assert_eq!(load(basic, &[]).unwrap().webhook.basic.unwrap().passwords.len(), 1);
    let variables = [
        ("CII_EXPORTER_WEBHOOK__BASIC__USER", "u"),
        ("CII_EXPORTER_WEBHOOK__BASIC__PASSWORD", "a,b"),
    ];
    assert_eq!(load("", &variables).unwrap().webhook.basic.unwrap().passwords.len(), 1);
    for (text, expected) in [
        ("[webhook]\nbearer = []\n", "webhook.bearer: is missing"),
        ("[webhook]\nbearer = [\"a b\"]\n", "secret 1 of 1 cannot be a Bearer token"),
        ("[webhook.basic]\nuser = \"a:b\"\npassword = \"p\"\n", "must not hold a colon"),
        ("[webhook.basic]\nuser = \"a\"\n", "webhook.basic.password: is missing"),
        ("[webhook.basic]\npassword = \"p\"\n", "webhook.basic.user: is missing"),
        ("[webhook.basic]\nuser = \"a\"\npassword = \"\"\n", "must not be empty"),
    ] {
        let message = error(text, &[]);
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let message = error(&format!("{MINIMAL}allow_from = [\"10.0.0.0/33\"]\n"), &[]);
    assert!(message.contains("config.toml:3: webhook.allow_from: \"10.0.0.0/33\" is no network"));
}
