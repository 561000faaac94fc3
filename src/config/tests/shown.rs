//! What an operator is shown of a configuration that holds.

use super::*;

#[test]
fn otlp_without_a_setting_is_shown_with_what_turned_it_on() {
    let effective = load(&format!("{MINIMAL}[otlp]\n"), &[]).unwrap().effective_toml();
    assert!(effective.contains("\n[otlp] # config.toml:3\n"), "{effective}");
    let variable = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")];
    let effective = load(MINIMAL, &variable).unwrap().effective_toml();
    assert!(effective.contains("\n[otlp] # OTEL_EXPORTER_OTLP_ENDPOINT\n"), "{effective}");
    assert!(effective.parse::<toml::Table>().unwrap().contains_key("otlp"));
    assert!(!load(MINIMAL, &[]).unwrap().effective_toml().contains("[otlp]"));
}

#[test]
fn each_value_is_shown_with_its_origin() {
    let variables = [("CII_EXPORTER_OPS__LISTEN", "127.0.0.1:1")];
    let effective =
        load("[webhook]\nsecrets = [\"a\", \"b\"]\n", &variables).unwrap().effective_toml();
    for line in [
        "secrets = [\"<hidden>\", \"<hidden>\"] # config.toml:2",
        "listen = \"127.0.0.1:1\" # CII_EXPORTER_OPS__LISTEN",
        "max_body_bytes = 4194304 # default",
    ] {
        assert!(effective.contains(line), "{line}\nis not in\n{effective}");
    }
}

#[test]
fn files_with_keys_and_passwords_that_others_can_read_are_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    };
    let hash = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG";
    let tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
    let users = format!("basic_auth_users:\n  cii: {hash}\n");
    for (mode, is_open) in [(0o644, true), (0o640, true), (0o600, false)] {
        let files = [
            write("users.yml", &users, mode),
            write("server.key", "", mode),
            write("client.key", "", mode),
        ];
        let [key, certificate] = [&files[2], &write("client.crt", "", 0o644)];
        let certificates = [write("tls.yml", tls, 0o644), write("server.crt", "", 0o644)];
        let text = format!(
            "[webhook]\nsecrets = [\"0123456789abcdef\"]\nweb_config = \"{}\"\n[ops]\n\
             web_config = \"{}\"\n[otlp]\n",
            files[0], certificates[0]
        );
        let variables = [
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", key.as_str()),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certificate),
        ];
        let warnings = load(&text, &variables).unwrap().warnings();
        for (file, holds) in files.iter().zip([
            "webhook.web_config",
            "the key of ops.web_config",
            "OTEL_EXPORTER_OTLP_CLIENT_KEY",
        ]) {
            let expected = format!("{file} holds {holds}, and its mode {mode:04o}");
            let is_told = warnings.iter().any(|warning| warning.starts_with(&expected));
            assert_eq!(is_told, is_open, "{expected}: {warnings:?}");
        }
        assert_eq!(warnings.len(), if is_open { 3 } else { 0 }, "{warnings:?}");
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
