//! `doctor`, and `check-config --connect`: each fault has its line.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

use cii_simulator::{AppsyncError, Fault, Kind, Options, Simulator, collector::Collector};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{Ended, Exporter, Protocol, SECRET, Setup};

const NEVER: &str = "0 0 0 1 1 *";
const QUIET: &str = "[sync.tenant]\nschedule = \"0 0 0 1 1 *\"\non_start = false\n\
    [sync.service]\nschedule = \"0 0 0 1 1 *\"\non_start = false";

async fn simulator() -> Simulator {
    Simulator::start(Options { users: 5, ..Options::default() }).await.unwrap()
}

fn setup(simulator: &Simulator) -> Setup {
    Setup::new().polling(simulator, NEVER).tables(QUIET)
}

/// What was found about something: the verdicts and texts.
fn found<'a>(ended: &'a Value, check: &str) -> Vec<(&'a str, String)> {
    let checks = ended["checks"].as_array().unwrap().iter();
    let checks = checks.filter(|found| found["check"].as_str().unwrap().starts_with(check));
    checks
        .map(|found| {
            let advice = found["advice"].as_str().unwrap_or_default();
            let text = format!("{} {advice}", found["found"].as_str().unwrap());
            (found["verdict"].as_str().unwrap(), text)
        })
        .collect()
}

/// That there is one finding about something, of this verdict and with these words.
fn holds(ended: &Ended, check: &str, verdict: &str, words: &str) {
    let all = ended.json();
    let found = found(&all, check);
    let is_it = |(found, text): &(&str, String)| *found == verdict && text.contains(words);
    assert!(found.iter().any(is_it), "{check}: {verdict} {words:?} is not in {all:#}");
}

async fn doctor(exporter: &Exporter) -> Ended {
    exporter.run(&["doctor", "--json"]).await
}

#[tokio::test]
async fn a_machine_that_is_well_has_a_line_for_each_part_and_exit_code_0() {
    let simulator = simulator().await;
    let collector = Collector::start().await.unwrap();
    let exporter =
        setup(&simulator).sending_to(&collector.http_endpoint(), Protocol::Http).start().await;
    holds(&doctor(&exporter).await, "prometheus", "warn", "nobody scraped");
    exporter.metrics().await;
    let ended = doctor(&exporter).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    for check in [
        "configuration",
        "files",
        "token",
        "ping",
        "right listEndUsers",
        "right getEndUserState",
        "right getEndUser",
        "right getEndUsersByIp",
        "right getIntegrationsStatus",
        "right listAdminLogins",
        "right getTotalCheckFailingCounts",
        "clock",
        "store",
        "disk",
        "daemon",
        "prometheus",
        "webhook",
        "otlp",
    ] {
        holds(&ended, check, "ok", "");
    }
    holds(&ended, "public webhook", "unknown", "webhook.public_url");
    // A line each for people, and the same beside an effective configuration.
    let told = exporter.run(&["doctor"]).await;
    assert!(told.output.lines().any(|line| line.starts_with("ok         token ")), "{told:?}");
    let checked = exporter.run(&["check-config", "--connect"]).await;
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.errors.contains("ok         ping") && checked.output.contains("[webhook]"));
    let secrets = [SECRET, simulator.client_secret()];
    for said in [&told.output, &told.errors, &checked.output, &checked.errors, &ended.output] {
        assert!(!secrets.iter().any(|secret| said.contains(secret)), "{said}");
    }
    assert!(!ended.output.contains('@'), "nobody is named: {}", ended.output);
    exporter.stop().await;
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_without_the_secret_and_ends_with_1() {
    let simulator = simulator().await;
    let mut setup = setup(&simulator);
    let wrong = "not-the-secret-of-the-client";
    setup.replace(simulator.client_secret(), wrong);
    let ended = setup.run(&["doctor", "--json"]).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    holds(&ended, "token", "fail", "api.client_secret");
    assert!(found(&ended.json(), "ping").is_empty());
    // Nothing runs, and nothing was made.
    holds(&ended, "daemon", "unknown", "none runs");
    holds(&ended, "store", "unknown", "the first start makes it");
    assert!(!setup.database().exists());
    let checked = setup.run(&["check-config", "--connect"]).await;
    assert_eq!(checked.code, 1, "{checked:?}");
    assert!(!format!("{ended:?}{checked:?}").contains(wrong));
}

#[tokio::test]
async fn what_the_api_client_has_no_right_to_is_named_by_question_and_field() {
    let simulator = simulator().await;
    let faults = simulator.faults();
    faults.add(Fault::graphql(Kind::Error(AppsyncError::unauthorized("x"))).of("listAdminLogins"));
    let counts = AppsyncError::unauthorized("x");
    faults.add(Fault::graphql(Kind::Error(counts)).of("getTotalCheckFailingCounts"));
    let field = |path: Value| {
        let path = path.as_array().unwrap().clone();
        Kind::Error(AppsyncError { path, ..AppsyncError::unauthorized("x") })
    };
    faults.add(Fault::graphql(field(json!(["items", "*", "mfaEnabled"]))).of("listEndUsers"));
    faults.add(Fault::graphql(field(json!(["phoneNumber"]))).of("getEndUserState"));
    let ended = setup(&simulator).run(&["doctor", "--json"]).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    holds(&ended, "right listAdminLogins", "fail", "sync.service.enabled");
    holds(&ended, "right getTotalCheckFailingCounts", "warn", "no right");
    holds(&ended, "right listEndUsers", "warn", "mfaEnabled");
    holds(&ended, "right getEndUserState", "warn", "phoneNumber");
    holds(&ended, "right getEndUser", "ok", "");
}

#[tokio::test]
async fn a_way_that_is_closed_is_told_with_what_closes_it() {
    let simulator = simulator().await;
    // No port that programs get by chance.
    let nobody = "http://127.0.0.1:1";
    let mut exporter = setup(&simulator).sending_to(nobody, Protocol::Http).start().await;
    let listener = exporter.webhook_url.clone();
    for (url, verdict, words) in [
        (listener.clone(), "ok", "took a test message"),
        (listener.replace("/webhooks/cii", "/elsewhere"), "fail", "webhook.path"),
        (format!("{nobody}/webhooks/cii"), "fail", "cannot be reached"),
        (simulator.graphql_url(), "fail", "not"),
    ] {
        exporter.setup().set_webhook(&format!("public_url = \"{url}\""));
        let ended = doctor(&exporter).await;
        holds(&ended, "public webhook", verdict, words);
        // What is wrong is in between: the listener itself takes messages.
        let of_listener = found(&ended.json(), "webhook").len();
        assert_eq!(of_listener, usize::from(verdict == "fail"), "{ended:?}");
        holds(&ended, "otlp", "fail", "connection is refused");
        assert_eq!(ended.code, 1);
    }
    let option = exporter.run(&["doctor", "--json", "--webhook-url", &listener]).await;
    holds(&option, "public webhook", "ok", "took a test message");
    exporter.stop().await;
}

#[tokio::test]
async fn a_wrong_clock_an_open_file_and_a_damaged_database_are_told() {
    let simulator = simulator().await;
    // A service in the year 2000, which answers nothing else.
    let service = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/graphql", service.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = service.accept().await {
            let _ = connection.read(&mut [0; 4096]).await;
            let answer = "HTTP/1.1 403 Forbidden\r\ndate: Sat, 01 Jan 2000 00:00:00 GMT\r\n\
                          content-length: 0\r\nconnection: close\r\n\r\n";
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    let exporter = setup(&simulator).start().await;
    let mut setup = exporter.stop().await;
    let database = setup.database();
    std::fs::set_permissions(&database, Permissions::from_mode(0o644)).unwrap();
    let mut bytes = std::fs::read(&database).unwrap();
    bytes[8192..].fill(0xff);
    std::fs::write(&database, bytes).unwrap();
    setup.replace(&simulator.graphql_url(), &url);
    let ended = setup.run(&["doctor", "--json"]).await;
    holds(&ended, "clock", "fail", "ahead of");
    holds(&ended, "ping", "fail", "403");
    holds(&ended, "files", "warn", "chmod 600");
    holds(&ended, "store", "fail", "");
    assert_eq!(ended.code, 1);
}
