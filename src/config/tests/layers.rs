//! Which source of a value counts, and what a change of it means.

use super::*;
use crate::domain::Retention;

const API: &str = "[api]\ntoken_url = \"https://login.example\"\nclient_id = \"a\"\n\
                   client_secret = \"b\"\n";

#[test]
fn a_list_in_the_environment_is_json_or_toml_or_has_commas() {
    for list in ["[\"a\", \"b\"]", "['a', 'b',]", "a,b", " a , b "] {
        let config = load(MINIMAL, &[("CII_EXPORTER_WATCH__USERS", list)]).unwrap();
        assert_eq!(config.watch.users.len(), 2, "{list}");
    }
    let text = format!("{MINIMAL}[watch]\nusers = [\"a\"]\n");
    let config = load(&text, &[("CII_EXPORTER_WATCH__USERS", "")]).unwrap();
    assert!(config.watch.users.is_empty());
}

#[test]
fn a_region_stands_in_for_the_url() {
    let url = |text: &str, variables: &[(&str, &str)]| {
        load(&format!("{API}{text}{MINIMAL}"), variables).unwrap().api.unwrap().url.to_string()
    };
    assert_eq!(url("region = \"eu\"\n", &[]), "https://api.eu.oort.io/graphql");
    assert_eq!(url("", &[("CII_EXPORTER_API__REGION", "us")]), "https://api.oort.io/graphql");
    assert_eq!(url("region = \"au\"\nurl = \"https://x/y\"\n", &[]), "https://x/y");
    let message = error(&format!("{API}region = \"mars\"\n{MINIMAL}"), &[]);
    assert!(message.contains("one of us, eu, au, found \"mars\""), "{message}");
    assert!(!message.contains("is missing"), "{message}");
}

#[test]
fn a_default_written_out_needs_no_restart() {
    let running = load(MINIMAL, &[]).unwrap();
    let text = format!("{MINIMAL}[store]\npath = \"cii-exporter.db\"\n");
    assert!(load(&text, &[]).unwrap().needs_restart(&running).is_empty());
}

#[test]
fn otlp_turned_on_without_a_setting_needs_a_restart() {
    let running = load(MINIMAL, &[]).unwrap();
    let with = |text: &str| load(&format!("{MINIMAL}[otlp]\n{text}"), &[]).unwrap();
    assert_eq!(with("").needs_restart(&running), ["otlp"]);
    assert_eq!(with("protocol = \"grpc\"\n").needs_restart(&running), ["otlp.protocol"]);
    assert_eq!(running.needs_restart(&with("")), ["otlp"]);
}

#[test]
fn a_credential_is_found_by_the_name_of_its_setting_unless_something_else_is_set() {
    let folder = TempDir::new().unwrap();
    let hand_over = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    hand_over("webhook.secrets", "# one is exchanged\nthe-first-of-them\nthe-second-of-them\n");
    hand_over("otlp.headers", "authorization=Bearer%20handed-over\n");
    hand_over("unknown", "is somebody else's");
    let directory = ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap());
    let config = load("", &[directory]).unwrap();
    let secrets = |config: &Config| {
        let secrets = config.webhook.secrets.iter();
        secrets.map(|secret| secret.expose_secret().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(secrets(&config), ["the-first-of-them", "the-second-of-them"]);
    assert!(config.otlp.is_none(), "a credential switches nothing on");
    let otlp = load("[otlp]\n", &[directory]).unwrap().otlp.unwrap();
    assert_eq!(otlp.headers["authorization"].expose_secret(), "Bearer handed-over");
    assert!(
        config.effective_toml().contains("# CREDENTIALS_DIRECTORY"),
        "{}",
        config.effective_toml()
    );
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    for (text, variables) in [
        (MINIMAL, vec![directory]),
        ("", vec![directory, ("CII_EXPORTER_WEBHOOK__SECRETS", "[\"s3cret-value\"]")]),
    ] {
        assert_eq!(secrets(&load(text, &variables).unwrap()), ["s3cret-value"]);
    }
}

#[test]
fn what_a_collector_wants_to_see_can_be_set_beside_the_standard_s_variable() {
    let text = |headers: &str| format!("{MINIMAL}[otlp]\nheaders = {headers}\n");
    let standard = ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=iam");
    let headers = |text: &str| {
        let otlp = load(text, &[standard]).unwrap().otlp.unwrap();
        let headers = otlp.headers.into_iter();
        headers.map(|(name, value)| (name, value.expose_secret().to_owned())).collect::<Vec<_>>()
    };
    let own = headers(&text("[\"Authorization=Bearer%20t0ken\"]"));
    assert_eq!(own, [("authorization".to_owned(), "Bearer t0ken".to_owned())]);
    let none = headers(&format!("{MINIMAL}[otlp]\n"));
    assert_eq!(none, [("x-team".to_owned(), "iam".to_owned())]);
    let message = error(&text("[\"a=b\", \"t0ken\"]"), &[]);
    assert!(message.contains("otlp.headers: entry 2 of 2 is no header"), "{message}");
    assert!(!message.contains("t0ken"), "{message}");
}

#[test]
fn the_file_is_the_named_one_else_that_of_the_environment_else_the_usual_one() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| {
        let file = folder.path().join(name);
        let text = format!("{MINIMAL}[tenant]\nname = {name:?}\n");
        std::fs::write(&file, text).unwrap();
        file
    };
    let (named, of_variable, usual) = (file("named"), file("of-variable"), file("usual"));
    let nowhere = folder.path().join("nowhere");
    let variable: Environment =
        [("CII_EXPORTER_CONFIG", of_variable.to_str().unwrap())].into_iter().collect();
    let none = Environment::default();
    let name = |named, usual: &std::path::Path, environment| {
        Config::load_with_fallback(named, usual, environment).unwrap().tenant.name.unwrap()
    };
    assert_eq!(name(Some(named.as_path()), &usual, &variable), "named");
    assert_eq!(name(None, &usual, &variable), "of-variable");
    assert_eq!(name(None, &usual, &none), "usual");
    // A named file must exist; without one, the error lists the places that were searched.
    assert!(Config::load_with_fallback(Some(&nowhere), &usual, &none).is_err());
    let error = Config::load_with_fallback(None, &nowhere, &none).unwrap_err().to_string();
    for place in ["--config", "CII_EXPORTER_CONFIG", nowhere.to_str().unwrap()] {
        assert!(error.contains(place), "{error}");
    }
    let alone = [("CII_EXPORTER_WEBHOOK__SECRETS", "s")].into_iter().collect();
    assert!(Config::load_with_fallback(None, &nowhere, &alone).is_ok());
}

#[test]
fn each_kind_is_kept_as_long_as_all_unless_something_else_is_said_of_it() {
    let text = format!(
        "{MINIMAL}[store]\nretention_days = 30\nevent_retention_days = 365\n\
         snapshot_retention_days = 0\n"
    );
    let kept = load(&text, &[]).unwrap().store.retention_days;
    assert_eq!((kept.events, kept.deliveries), (Some(365), Some(30)));
    assert_eq!((kept.failures, kept.snapshots), (Some(30), None));
    assert_eq!(load(MINIMAL, &[]).unwrap().store.retention_days, Retention::uniform(Some(90)));
}
