//! What an operator is shown of a configuration that holds.

use super::*;

#[test]
fn otlp_without_a_setting_is_shown_with_what_turned_it_on() {
    let effective = load(&format!("{MINIMAL}[otlp]\n"), &[]).unwrap().effective();
    assert!(effective.contains("\n[otlp] # config.toml:3\n"), "{effective}");
    let variable = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")];
    let effective = load(MINIMAL, &variable).unwrap().effective();
    assert!(effective.contains("\n[otlp] # OTEL_EXPORTER_OTLP_ENDPOINT\n"), "{effective}");
    assert!(effective.parse::<toml::Table>().unwrap().contains_key("otlp"));
    assert!(!load(MINIMAL, &[]).unwrap().effective().contains("[otlp]"));
}

#[test]
fn each_value_is_shown_with_its_origin() {
    let variables = [("CII_EXPORTER_OPS__LISTEN", "127.0.0.1:1")];
    let effective = load("[webhook]\nsecrets = [\"a\", \"b\"]\n", &variables).unwrap().effective();
    for line in [
        "secrets = [\"<hidden>\", \"<hidden>\"] # config.toml:2",
        "listen = \"127.0.0.1:1\" # CII_EXPORTER_OPS__LISTEN",
        "max_body_bytes = 4194304 # default",
    ] {
        assert!(effective.contains(line), "{line}\nis not in\n{effective}");
    }
}

#[test]
fn what_is_probably_not_meant_is_a_warning() {
    let secret = "0123456789abcdef";
    let warnings = |text: &str| {
        load(&format!("[webhook]\nsecrets = [\"{secret}\"]\n{text}"), &[]).unwrap().warnings()
    };
    assert!(warnings("").is_empty());
    assert!(warnings("[watch]\nusers = [\"a\"]\n")[0].contains("there is no [api]"));
    assert!(
        warnings("[ops]\nlisten = \"0.0.0.0:9847\"\nallow_unauthenticated = true\n")[0]
            .contains("no authentication")
    );
    let api = |url: &str| {
        format!(
            "[api]\nurl = \"{url}\"\ntoken_url = \"https://a\"\nclient_id = \"a\"\n\
             client_secret = \"b\"\n[sync.users]\nschedule = \"* */15 * * * *\"\n"
        )
    };
    let found = warnings(&api("http://api.example"));
    assert!(found[0].contains("api.url is not https"), "{found:?}");
    assert!(found[1].contains("sync.users.schedule begins with *"), "{found:?}");
    assert_eq!(warnings(&api("http://[::1]:1/graphql")).len(), 1);
    let found = load(MINIMAL, &[]).unwrap().warnings();
    assert!(found[0].contains("fewer than 16"), "{found:?}");
    assert!(!found[0].contains("s3cret-value"), "{found:?}");
}
