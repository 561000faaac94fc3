//! The examples in `deploy/` name settings that exist.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use crate::harness::{Setup, free_port, tool, until};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const EXAMPLES: [&str; 3] =
    ["Dockerfile", "deploy/docker-compose.yml", "deploy/systemd/cii-exporter.service"];
/// What a replica has of a database on a server.
const OF_SERVER: [&str; 2] = ["CII_EXPORTER_STORE__URL", "CII_EXPORTER_STORE__PASSWORD_FILE"];

fn variables() -> BTreeSet<String> {
    let text = EXAMPLES.map(|file| fs::read_to_string(Path::new(ROOT).join(file)).unwrap());
    text.concat()
        .split(|letter: char| !letter.is_ascii_uppercase() && letter != '_')
        .filter(|word| word.starts_with("CII_EXPORTER_") && word.contains("__"))
        // Those stand in the place of STORE__PATH, and are tried with the rest of their service.
        .filter(|word| !OF_SERVER.contains(word))
        .map(str::to_owned)
        .collect()
}

#[test]
fn packages_are_built_without_the_demo() {
    for file in ["Dockerfile", "docs/installing.md"] {
        let text = fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
        let builds: Vec<_> = text.lines().filter(|line| line.contains("cargo build")).collect();
        assert!(!builds.is_empty(), "{file} builds");
        assert!(builds.iter().all(|line| line.contains("--no-default-features")), "{builds:?}");
    }
}

#[tokio::test]
async fn every_variable_of_the_examples_is_a_setting() {
    let folder = tempfile::TempDir::new().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "a-secret-of-the-tests").unwrap();
    let config = folder.path().join("config.toml");
    let api = "[api]\nurl = \"https://api.example.com/graphql\"\n\
               token_url = \"https://login.example.com/oauth/token\"\nclient_id = \"client\"\n";
    fs::write(&config, api).unwrap();
    let names = variables();
    assert!(names.contains("CII_EXPORTER_WEBHOOK__SECRETS_FILE"), "{names:?}");
    let mut command = Setup::command(&["check-config"], &config);
    for name in &names {
        let value = match name.rsplit('_').next().unwrap() {
            "FILE" => secret.display().to_string(),
            "PATH" => folder.path().join("store.db").display().to_string(),
            "UNAUTHENTICATED" => "true".to_owned(),
            "HOSTS" => "exporter".to_owned(),
            "LISTEN" if name.contains("OPS") => "127.0.0.1:9847".to_owned(),
            "LISTEN" => "127.0.0.1:8847".to_owned(),
            _ => "http://127.0.0.1:4318".to_owned(),
        };
        command.env(name, value);
    }
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for name in &names {
        assert!(said.contains(name), "{name} has no effect:\n{said}");
    }
}

#[tokio::test]
async fn the_unit_s_credentials_are_settings() {
    let unit = Path::new(ROOT).join("deploy/systemd/cii-exporter.service");
    let unit = fs::read_to_string(&unit).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let config = folder.path().join("config.toml");
    let api = "[api]\nurl = \"https://api.example.com/graphql\"\n\
               token_url = \"https://login.example.com/oauth/token\"\nclient_id = \"client\"\n";
    fs::write(&config, api).unwrap();
    let credentials = unit.lines().filter_map(|line| line.strip_prefix("LoadCredential="));
    let names: Vec<_> = credentials.map(|line| line.split_once(':').unwrap().0).collect();
    assert_eq!(names.len(), 2);
    for name in &names {
        fs::write(folder.path().join(name), "a-secret-of-the-tests").unwrap();
    }
    let mut command = Setup::command(&["check-config"], &config);
    let output = command.env("CREDENTIALS_DIRECTORY", folder.path()).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for name in &names {
        let path = folder.path().join(name);
        assert!(said.contains(path.to_str().unwrap()), "{name} has no effect:\n{said}");
    }
}

/// Where the tool is there, it rates the unit.
#[test]
fn the_unit_says_when_it_is_ready_and_is_hardened() {
    let unit = Path::new(ROOT).join("deploy/systemd/cii-exporter.service");
    let text = fs::read_to_string(&unit).unwrap();
    for line in ["Type=notify", "WatchdogSec=30s", "RestartPreventExitStatus=64"] {
        assert!(text.lines().any(|found| found == line), "{line}");
    }
    let arguments = ["security", "--offline=true", "--no-pager", "--threshold=20"];
    let mut rating = std::process::Command::new("systemd-analyze");
    let Ok(output) = rating.args(arguments).arg(&unit).output() else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// As their first lines say.
#[tokio::test]
async fn prometheus_takes_the_configurations_with_the_rules_in_the_repository() {
    for file in ["deploy/prometheus.yml", "deploy/prometheus-ha.yml"] {
        let mut promtool = Command::new(tool("debian/usr/bin/promtool"));
        promtool.args(["check", "config", file]).current_dir(ROOT);
        let output = promtool.output().await.unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 rule files found"), "{said}");
    }
}

#[test]
fn what_compose_mounts_is_there() {
    let compose = fs::read_to_string(Path::new(ROOT).join("deploy/docker-compose.yml")).unwrap();
    let mounts = compose.lines().filter_map(|line| line.trim().strip_prefix("- ."));
    let mounts: Vec<_> = mounts.filter_map(|line| line.split_once(':')).collect();
    assert!(mounts.len() > 8, "{mounts:?}");
    for (rest, _) in mounts {
        let file = format!(".{rest}");
        // What only the operator has.
        let is_own = file == "./config.toml";
        assert!(is_own || Path::new(ROOT).join("deploy").join(&file).exists(), "{file}");
    }
    // The templates that Alertmanager's configuration names are beside it there, too.
    let alertmanager = fs::read_to_string(Path::new(ROOT).join("alerts/alertmanager.example.yml"));
    let template = "cii-exporter.tmpl";
    assert!(alertmanager.unwrap().contains(&format!("- {template}")));
    assert!(compose.contains(&format!(":/etc/alertmanager/{template}:ro")));
}

/// Compose takes no list that names something twice.
#[test]
fn compose_names_nothing_twice_and_what_it_refers_to() {
    let text = fs::read_to_string(Path::new(ROOT).join("deploy/docker-compose.yml")).unwrap();
    let compose: Value = serde_saphyr::from_str(&text).unwrap();
    let services = compose["services"].as_object().unwrap();
    for (name, service) in services {
        for list in ["volumes", "ports", "profiles", "secrets", "depends_on"] {
            let entries = service[list].as_array().into_iter().flatten();
            let entries: Vec<_> = entries.map(|entry| entry.as_str().unwrap()).collect();
            let once: BTreeSet<_> = entries.iter().collect();
            assert_eq!(once.len(), entries.len(), "{name}: {list}");
        }
        let volumes: Vec<_> = service["volumes"].as_array().into_iter().flatten().collect();
        let targets = volumes.iter().map(|volume| volume.as_str().unwrap().split(':').nth(1));
        assert_eq!(targets.collect::<BTreeSet<_>>().len(), volumes.len(), "{name}");
        for volume in volumes.iter().map(|volume| volume.as_str().unwrap()) {
            let is_file = volume.starts_with('.');
            let of = volume.split(':').next().unwrap();
            assert!(is_file || compose["volumes"].get(of).is_some(), "{name}: {of}");
        }
        for secret in service["secrets"].as_array().into_iter().flatten() {
            assert!(compose["secrets"].get(secret.as_str().unwrap()).is_some(), "{name}: {secret}");
        }
        for needed in service["depends_on"].as_object().into_iter().flatten() {
            assert!(services.contains_key(needed.0), "{name}: {}", needed.0);
        }
    }
    // Names on the network that other files count on.
    let of = |file: &str| fs::read_to_string(Path::new(ROOT).join("deploy").join(file)).unwrap();
    for (file, url) in [
        ("prometheus.yml", "exporter:9847"),
        ("prometheus.yml", "alertmanager:9093"),
        ("prometheus-ha.yml", "exporter-1:9847"),
        ("prometheus-ha.yml", "exporter-2:9847"),
        ("prometheus-ha.yml", "alertmanager:9093"),
        ("proxy/nginx-replicas.conf", "exporter-1:8847"),
        ("proxy/nginx-replicas.conf", "exporter-2:8847"),
        ("docker-compose.yml", "exporter@postgres/cii"),
        ("grafana-datasources.yml", "http://prometheus:9090"),
        ("grafana-datasources.yml", "http://loki:3100"),
        ("loki.yaml", "http://alertmanager:9093"),
        ("otel-collector.yaml", "http://loki:3100/otlp"),
    ] {
        assert!(of(file).contains(url), "{file}: {url}");
        let host = url.trim_start_matches("http://").split([':', '/']).next().unwrap();
        let host = host.rsplit('@').next().unwrap();
        assert!(services.contains_key(host), "{host}");
    }
    let aliases = &services["prometheus-ha"]["networks"]["default"]["aliases"];
    assert_eq!(aliases[0], "prometheus", "as Grafana calls it");
    assert_eq!(services["exporter-1"], services["exporter-2"], "replicas are alike");
    for service in ["exporter", "exporter-1", "demo"] {
        let revision = &services[service]["build"]["args"]["REVISION"];
        assert_eq!(revision, "${REVISION:-unknown}", "{service}");
    }
}

/// The example of a configuration as its user fills it in, with what image and Compose set.
#[tokio::test]
async fn the_example_is_good_in_the_image_and_in_compose() {
    let folder = tempfile::TempDir::new().unwrap();
    let config = folder.path().join("config.toml");
    let example = include_str!("../../config.example.toml").replace("the-client-id", "an-id");
    fs::write(&config, example).unwrap();
    let image = fs::read_to_string(Path::new(ROOT).join("Dockerfile")).unwrap();
    let image = image.split_whitespace().filter_map(|word| word.split_once('='));
    let of_image: Vec<_> = image
        .filter(|(name, _)| name.starts_with("CII_EXPORTER_") && name.contains("__"))
        .collect();
    assert_eq!(of_image.len(), 4);
    let compose = fs::read_to_string(Path::new(ROOT).join("deploy/docker-compose.yml")).unwrap();
    let compose: Value = serde_saphyr::from_str(&compose).unwrap();
    for (service, place, expected) in [
        // Only what the image does on purpose: its network decides who gets there.
        ("exporter", "/var/lib/cii-exporter/cii-exporter.db", &["ops.allow_unauthenticated"][..]),
        // Nor is the way to the database another one than that network.
        (
            "exporter-1",
            "postgres://postgres/cii",
            &["ops.allow_unauthenticated", "sslmode=disable"],
        ),
    ] {
        let of_compose = compose["services"][service]["environment"].as_object().unwrap();
        let mut command = Setup::command(&["check-config"], &config);
        command.envs(of_image.iter().copied());
        for (name, value) in of_compose {
            let value = value.as_str().unwrap();
            let here = match value.strip_prefix("/run/secrets/") {
                Some(secret) => {
                    let secrets = compose["secrets"].as_object().unwrap();
                    assert!(secrets.contains_key(secret), "{secret}");
                    let file = folder.path().join(secret);
                    fs::write(&file, "0123456789abcdef0123456789abcdef").unwrap();
                    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
                    file.display().to_string()
                }
                None => value.to_owned(),
            };
            command.env(name, here);
        }
        let output = command.output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let warnings: Vec<_> = errors.lines().filter(|line| line.starts_with("warning")).collect();
        assert_eq!(warnings.len(), expected.len(), "{errors}");
        for expected in expected {
            assert!(warnings.iter().any(|warning| warning.contains(expected)), "{errors}");
        }
        let effective = String::from_utf8_lossy(&output.stdout);
        assert!(effective.contains(place), "{effective}");
        for name in of_compose.keys() {
            let said = effective.contains(name.as_str()) || errors.contains(name.as_str());
            assert!(said, "{name} has no effect:\n{effective}");
        }
    }
}

#[tokio::test]
async fn the_inbox_writes_a_line_an_alert() {
    let port = free_port();
    let mut inbox = Command::new(tool("venv/bin/python"))
        .args(["deploy/inbox.py", &port.to_string()])
        .current_dir(ROOT)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let message = serde_json::json!({ "receiver": "security", "alerts": [{
        "status": "firing",
        "labels": { "alertname": "CiiCheckNewlyFailing" },
        "annotations": { "summary": "A check\nfails", "description": "no-mfa: 2 users" },
    }] });
    let url = format!("http://127.0.0.1:{port}/security");
    let http = reqwest::Client::new();
    until("an answer of the inbox", || async {
        http.post(&url).json(&message).send().await.ok()?.status().is_success().then_some(())
    })
    .await;
    let mut lines = BufReader::new(inbox.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    assert_eq!(line, "security | firing | CiiCheckNewlyFailing | A check fails | no-mfa: 2 users");
}

/// As far as it can be seen without the collector and those behind it.
#[test]
fn each_example_of_a_collector_is_whole_and_loses_nothing() {
    let folder = Path::new(ROOT).join("deploy");
    let files = ["splunk-hec", "elastic", "datadog"].map(|name| format!("collector/{name}.yaml"));
    for file in files.iter().map(String::as_str).chain(["otel-collector.yaml"]) {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let config: Value = serde_saphyr::from_str(&text).unwrap();
        let logs = &config["service"]["pipelines"]["logs"];
        for kind in ["receivers", "processors", "exporters"] {
            let defined = config[kind].as_object().unwrap();
            let used: BTreeSet<_> =
                logs[kind].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            // What is not used would be a mistake, too.
            assert_eq!(used, defined.keys().map(String::as_str).collect(), "{file}: {kind}");
        }
        assert_eq!(logs["processors"][0], "memory_limiter", "{file}");
        for (name, exporter) in config["exporters"].as_object().unwrap() {
            let queue = &exporter["sending_queue"];
            let storage = queue["storage"].as_str().unwrap();
            assert!(config["extensions"][storage].is_object(), "{file}: {name}");
            let extensions = config["service"]["extensions"].as_array().unwrap();
            assert!(extensions.iter().any(|extension| extension == storage), "{file}: {name}");
            // That of Elasticsearch has a form of its own.
            let is_for_ever = exporter["retry_on_failure"]["max_elapsed_time"] == "0s"
                || exporter["retry"]["max_retries"].as_u64() > Some(1_000_000);
            assert!(is_for_ever, "{file}: {name}");
        }
        // What is secret comes from the environment.
        for line in text.lines().filter(|line| line.contains("token:") || line.contains("key:")) {
            assert!(line.contains("${env:"), "{file}: {line}");
        }
    }
    // The page names each, and the example of Loki.
    let page = fs::read_to_string(Path::new(ROOT).join("docs/ocsf.md")).unwrap();
    for name in ["splunk-hec.yaml", "elastic.yaml", "datadog.yaml", "otel-collector.yaml"] {
        assert!(page.contains(name), "{name}");
    }
}
