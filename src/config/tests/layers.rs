//! Which source of a value counts, and what a change of it means.

use super::*;

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
