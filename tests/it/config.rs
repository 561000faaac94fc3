//! `check-config` and the command line.

use std::process::Output;

use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::Setup;

async fn check(config: &str, environment: &[(&str, &str)]) -> (i32, String, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cii-exporter"))
        .args(["check-config", "--config"])
        .arg(&file)
        .envs(environment.iter().copied())
        .output()
        .await
        .unwrap();
    texts(&output)
}

fn texts(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

const MINIMAL: &str = "[webhook]\nsecrets = [\"do-not-show-this\"]\n";

#[tokio::test]
async fn a_good_configuration_is_printed_without_its_secrets() {
    let (code, output, errors) = check(MINIMAL, &[]).await;
    assert_eq!(code, 0, "{errors}");
    assert!(output.contains("127.0.0.1:8847") && output.contains("x-api-client-token"), "{output}");
    assert!(!output.contains("do-not-show-this") && !errors.contains("do-not-show-this"));
}

#[tokio::test]
async fn a_wrong_key_is_named_with_its_line_and_what_was_meant() {
    let (code, _, errors) = check("[webhook]\nsecrets = [\"s\"]\n\nlissten = \"x\"\n", &[]).await;
    assert_eq!(code, 64);
    assert!(errors.contains("config.toml:4"), "{errors}");
    assert!(errors.contains("lissten") && errors.contains("listen"), "{errors}");
}

#[tokio::test]
async fn the_environment_wins_and_a_secret_can_come_from_a_file() {
    let folder = TempDir::new().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "from-a-file\n").unwrap();
    let environment = [
        ("CII_EXPORTER_OPS__LISTEN", "127.0.0.1:1234"),
        ("CII_EXPORTER_WEBHOOK__SECRETS_FILE", secret.to_str().unwrap()),
    ];
    let (code, output, errors) = check("[ops]\nlisten = \"127.0.0.1:1\"\n", &environment).await;
    assert_eq!(code, 0, "{errors}");
    assert!(output.contains("127.0.0.1:1234") && !output.contains("from-a-file"), "{output}");
}

#[tokio::test]
async fn what_the_standard_variables_of_otlp_say_wrongly_is_told_before_the_daemon_is_started() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "bogus"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "no URL"),
    ] {
        let (code, _, errors) = check(MINIMAL, &[endpoint, (variable, value)]).await;
        assert!(code == 64 && errors.contains(variable), "{code} {errors}");
    }
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "lz4"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,do-not-show-that"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b,do-not-show-that"),
    ] {
        let (code, output, errors) = check(MINIMAL, &[endpoint, (variable, value)]).await;
        assert!(code == 0 && errors.contains(&format!("warning: {variable}")), "{code} {errors}");
        assert!(!(output + &errors).contains("do-not-show"), "{errors}");
    }
}

#[tokio::test]
async fn a_variable_can_name_the_configuration() {
    let run = async |arguments: &[&str], file: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cii-exporter"));
        texts(&command.args(arguments).env("CII_EXPORTER_CONFIG", file).output().await.unwrap())
    };
    let (code, _, errors) = run(&["check-config"], "/nowhere/of-the-variable.toml").await;
    assert!(code == 64 && errors.contains("/nowhere/of-the-variable.toml"), "{errors}");
    let option = ["check-config", "--config", "/nowhere/of-the-option.toml"];
    let (code, _, errors) = run(&option, "/nowhere/of-the-variable.toml").await;
    assert!(code == 64 && errors.contains("/nowhere/of-the-option.toml"), "{errors}");
}

#[tokio::test]
async fn the_example_is_a_configuration() {
    let example = include_str!("../../config.example.toml");
    let environment =
        [("CII_EXPORTER_WEBHOOK__SECRETS", "s"), ("CII_EXPORTER_API__CLIENT_SECRET", "s")];
    // As it is, it says what is to be filled in.
    let (code, _, errors) = check(example, &environment).await;
    assert!(code == 64 && errors.contains("api.client_id: still holds a placeholder"), "{errors}");
    let environment = [environment[0], environment[1], ("CII_EXPORTER_API__CLIENT_ID", "i")];
    let (code, _, errors) = check(example, &environment).await;
    assert_eq!(code, 0, "{errors}");
}

#[tokio::test]
async fn the_last_line_is_the_verdict() {
    let variable = ("CII_EXPORTER_WEBHOOK__SECRETS", "do-not-show-this");
    for (config, environment, verdict) in [
        ("", &[variable][..], "the configuration is good"),
        // Others can read the file.
        (MINIMAL, &[], "the configuration is good, with 1 warning"),
    ] {
        let (code, _, errors) = check(config, environment).await;
        assert_eq!((code, errors.lines().last()), (0, Some(verdict)), "{errors}");
    }
}

#[tokio::test]
async fn a_mistake_is_quoted_with_what_was_meant_and_a_placeholder_is_refused() {
    let api = "[api]\nregion = \"us\"\nclient_id = \"the-client-id\"\n";
    let sync = "[sync]\ntime_zone = \"Europe/Berln\"\n[sync.users]\nschedule = \"*/5 * * * *\"\n";
    let (code, _, errors) = check(&format!("[webhook]\nsecrets = [\"…\"]\n{api}{sync}"), &[]).await;
    assert_eq!(code, 64);
    for expected in [
        "config.toml:2: webhook.secrets: still holds a placeholder",
        "config.toml:5: api.client_id: still holds a placeholder",
        "CII_EXPORTER_API__CLIENT_SECRET; or api.client_secret_file",
        "did you mean \"Europe/Berlin\"?",
        "found \"*/5 * * * *\"",
    ] {
        assert!(errors.contains(expected), "{expected}\nis not in\n{errors}");
    }
}

#[tokio::test]
async fn whoever_reads_no_further_has_what_they_wanted() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, MINIMAL).unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_cii-exporter"));
    command.args(["check-config", "--config"]).arg(&file).stdout(writer);
    let (code, _, errors) = texts(&command.output().await.unwrap());
    assert!(code == 0 && !errors.contains("panicked"), "{code}: {errors}");
}

#[tokio::test]
async fn exit_codes_tell_usage_from_failure() {
    let exporter = env!("CARGO_BIN_EXE_cii-exporter");
    let run = async |arguments: &[&str]| {
        texts(&Command::new(exporter).args(arguments).output().await.unwrap())
    };
    let (code, output, _) = run(&["--help"]).await;
    assert!(code == 0 && output.contains("check-config") && output.contains("demo"), "{output}");
    assert_eq!(run(&["--wrong"]).await.0, 64);
    let (code, _, errors) = run(&["run", "--config", "/nowhere/config.toml"]).await;
    assert!(code == 64 && errors.contains("/nowhere/config.toml"), "{errors}");
    // The address is no address of this machine.
    let (code, _, errors) = {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("c.toml");
        let database = folder.path().join("store.db");
        let text = format!("{MINIMAL}listen = \"192.0.2.1:1\"\n[store]\npath = {database:?}\n");
        std::fs::write(&file, text).unwrap();
        run(&["run", "--config", file.to_str().unwrap()]).await
    };
    assert!(code == 1 && errors.contains("192.0.2.1:1"), "{errors}");
}

#[tokio::test]
async fn a_start_says_what_runs_where_and_what_is_off() {
    let exporter = Setup::new().start().await;
    let (log, store) = (exporter.log(), exporter.database().display().to_string());
    let ops = exporter.ops_url.clone();
    for expected in
        [env!("CARGO_PKG_VERSION"), &store, "([api])", "([otlp])", &exporter.webhook_url, &ops]
    {
        let is_told = |line: &str| line.contains("INFO") && line.contains(expected);
        assert!(log.lines().any(is_told), "{expected} is not in\n{log}");
    }
}

#[tokio::test]
async fn a_command_in_another_folder_makes_no_stray_database() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, MINIMAL).unwrap();
    for arguments in [
        &["watch", "add", "user", "a@example.com"][..],
        &["watch", "remove", "user", "a@example.com"],
        &["purge", "user", "a@example.com", "--yes"],
        &["checks", "forget", "no-mfa"],
    ] {
        let mut command = Setup::command(arguments, &file);
        let (code, output, errors) =
            texts(&command.current_dir(folder.path()).output().await.unwrap());
        assert!(code != 0 && !output.contains("is watched"), "{arguments:?}: {output}");
        assert!(errors.contains("there is no database at "), "{arguments:?}: {errors}");
        let stray = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(stray, 1, "{arguments:?}");
    }
}
