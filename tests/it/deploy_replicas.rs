//! The examples for several replicas: the balancer does what its comments say, and Kubernetes takes
//! the manifest.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use cii_test_cluster::{Cluster, Options, Stop};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::harness::{Body, Exporter, SECRET, Setup, free_port, tool, until};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const MANIFEST: &str = "deploy/kubernetes/cii-exporter.yaml";

/// nginx with the example in front of two replicas; dropping it kills it.
struct Balancer {
    _folder: TempDir,
    _nginx: Child,
    webhook_url: String,
    ops_url: String,
    http: reqwest::Client,
}

fn authority(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    rest.split('/').next().unwrap().to_owned()
}

impl Balancer {
    async fn before(one: &Exporter, other: &Exporter) -> Self {
        let folder = TempDir::new().unwrap();
        let (webhook, ops) = (format!("127.0.0.1:{}", free_port()), free_port());
        let ops = format!("127.0.0.1:{ops}");
        let example = Path::new(ROOT).join("deploy/proxy/nginx-replicas.conf");
        let mut site = fs::read_to_string(example).unwrap();
        for (old, new) in [
            ("exporter-1:8847", authority(&one.webhook_url)),
            ("exporter-2:8847", authority(&other.webhook_url)),
            ("exporter-1:9847", authority(&one.ops_url)),
            ("exporter-2:9847", authority(&other.ops_url)),
            ("listen 8847", format!("listen {webhook}")),
            ("listen 9847", format!("listen {ops}")),
        ] {
            assert!(site.contains(old), "{old}");
            site = site.replace(old, &new);
        }
        let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let folders = folders.map(|kind| format!("{kind}_temp_path {kind};\n")).concat();
        let around = format!(
            "daemon off;\nmaster_process off;\npid nginx.pid;\nevents {{}}\n\
             http {{\naccess_log off;\n{folders}"
        );
        fs::write(folder.path().join("nginx.conf"), format!("{around}{site}}}\n")).unwrap();
        let nginx = Command::new(tool("debian/usr/sbin/nginx"))
            .arg("-p")
            .arg(folder.path())
            .args(["-c", "nginx.conf", "-e", "stderr"])
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let balancer = Self {
            _folder: folder,
            _nginx: nginx,
            webhook_url: format!("http://{webhook}/webhooks/cii"),
            ops_url: format!("http://{ops}"),
            http: reqwest::Client::new(),
        };
        until("nginx", || async { (balancer.get("/").await == 200).then_some(()) }).await;
        balancer
    }

    /// Delivers; the status, and when to come back.
    async fn deliver(&self, id: &str) -> (u16, Option<String>) {
        let body = Body::new(id, "no-mfa", &[&format!("{id}@example.com")]).json();
        let request = self.http.post(&self.webhook_url).header("x-api-client-token", SECRET);
        let answer = request.json(&body).send().await.unwrap();
        let retry_after = answer.headers().get("retry-after");
        (answer.status().as_u16(), retry_after.map(|after| after.to_str().unwrap().to_owned()))
    }

    /// Asks for a page; the status.
    async fn get(&self, path: &str) -> u16 {
        let answer = self.http.get(format!("{}{path}", self.ops_url)).send().await;
        answer.map_or(0, |answer| answer.status().as_u16())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_the_balancer_each_replica_answers_for_the_other() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
    let setup = || Setup::new().at(&database.url);
    let (one, other) = (setup().start().await, setup().start().await);
    let balancer = Balancer::before(&one, &other).await;
    let taken = (200, None);
    for id in ["a", "b", "c", "d"] {
        assert_eq!(balancer.deliver(id).await, taken);
    }
    for replica in [&one, &other] {
        let metrics = replica.metrics().await;
        let accepted = metrics.get("cii_webhook_requests_total{result=\"accepted\"}").unwrap();
        assert!(accepted >= 1.0, "both take some");
    }

    // Both say so, and then both take them at once: neither was set aside.
    let later = (503, Some("5".to_owned()));
    cluster.stop(Stop::Fast);
    assert_eq!(balancer.deliver("e").await, later);
    cluster.start_again();
    for replica in [&one, &other] {
        until("readiness", || async { (replica.get("/-/ready").await.0 == 200).then_some(()) })
            .await;
    }
    for id in ["e", "e", "f"] {
        assert_eq!(balancer.deliver(id).await, taken);
    }

    one.signal("KILL");
    for id in ["g", "g", "h", "i"] {
        assert_eq!(balancer.deliver(id).await, taken, "the other one takes it");
    }
    let failing = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";
    assert_eq!(other.metrics().await.get(failing), Some(9.0), "each once");
    for _ in 0..2 {
        assert_eq!(balancer.get("/").await, 200);
        assert_eq!(balancer.get("/api/v1/checks").await, 200);
        assert_eq!(balancer.get("/metrics").await, 404, "each replica is scraped");
        assert_eq!(balancer.get("/-/ready").await, 404);
    }

    other.signal("KILL");
    for _ in 0..2 {
        assert_eq!(balancer.deliver("j").await, later, "as a replica says it");
    }
}

fn documents() -> Vec<Value> {
    let text = fs::read_to_string(Path::new(ROOT).join(MANIFEST)).unwrap();
    text.split("\n---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect()
}

fn find<'a>(documents: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is_it =
        |document: &&Value| document["kind"] == kind && document["metadata"]["name"] == name;
    documents.iter().find(is_it).unwrap()
}

#[tokio::test]
async fn kubernetes_takes_the_manifest() {
    let mut validate = Command::new(tool("venv/bin/kubernetes-validate"));
    let output = validate.args(["--strict", MANIFEST]).current_dir(ROOT).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches(" passed for resource ").count(), documents().len(), "{said}");
}

#[test]
fn the_parts_of_the_manifest_fit_each_other_and_the_daemon() {
    let documents = documents();
    let deployment = &find(&documents, "Deployment", "cii-exporter")["spec"];
    let pod = &deployment["template"]["spec"];
    let labels = &deployment["template"]["metadata"]["labels"];
    assert_eq!(&deployment["selector"]["matchLabels"], labels);
    let budget = &find(&documents, "PodDisruptionBudget", "cii-exporter")["spec"];
    assert_eq!(&budget["selector"]["matchLabels"], labels);
    assert!(deployment["replicas"].as_u64() > budget["minAvailable"].as_u64());
    for service in ["cii-exporter-webhook", "cii-exporter-ops"] {
        assert_eq!(&find(&documents, "Service", service)["spec"]["selector"], labels);
    }
    // Its variables look like settings, and are none.
    assert_eq!(pod["enableServiceLinks"], false);
    let container = &pod["containers"][0];
    let pause = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap();
    // The daemon ends within 10 seconds.
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() >= pause + 10);
    for volume in pod["volumes"].as_array().unwrap() {
        let (kind, name) = match (&volume["configMap"]["name"], &volume["secret"]["secretName"]) {
            (Value::String(name), _) => ("ConfigMap", name),
            (_, Value::String(name)) => ("Secret", name),
            _ => panic!("{volume}"),
        };
        find(&documents, kind, name);
    }
    let monitor = fs::read_to_string(Path::new(ROOT).join("deploy/kubernetes/monitor.yaml"));
    let monitor: Value = serde_saphyr::from_str(&monitor.unwrap()).unwrap();
    let service = find(&documents, "Service", "cii-exporter-ops");
    assert_eq!(monitor["spec"]["selector"]["matchLabels"], service["metadata"]["labels"]);
    assert_eq!(monitor["spec"]["endpoints"][0]["port"], service["spec"]["ports"][0]["name"]);
    let job = monitor["spec"]["jobLabel"].as_str().unwrap();
    assert_eq!(service["metadata"]["labels"][job], "cii-exporter", "rules ask for this name");
}

/// With the variables of the image, as its user fills it in.
#[tokio::test]
async fn the_configuration_of_the_manifest_is_good() {
    let documents = documents();
    let map = find(&documents, "ConfigMap", "cii-exporter");
    let folder = TempDir::new().unwrap();
    let mut config = map["data"]["config.toml"].as_str().unwrap().to_owned();
    config = config.replace("the-client-id", "an-id");
    let files = [("secrets", "Secret", "cii-exporter", "stringData")];
    let files =
        files.into_iter().chain([("database", "ConfigMap", "cii-exporter-database", "data")]);
    for (place, kind, name, data) in files {
        for file in find(&documents, kind, name)[data].as_object().unwrap().keys() {
            let there = format!("/etc/cii-exporter/{place}/{file}");
            assert!(config.contains(&there), "{there}");
            let here = folder.path().join(file);
            fs::write(&here, "0123456789abcdef0123456789abcdef").unwrap();
            fs::set_permissions(&here, fs::Permissions::from_mode(0o600)).unwrap();
            config = config.replace(&there, here.to_str().unwrap());
        }
    }
    assert!(!config.contains("/etc/cii-exporter"), "{config}");
    let file = folder.path().join("config.toml");
    fs::write(&file, config).unwrap();
    let image = fs::read_to_string(Path::new(ROOT).join("Dockerfile")).unwrap();
    let image = image.split_whitespace().filter_map(|word| word.split_once('='));
    let of_image =
        image.filter(|(name, _)| name.starts_with("CII_EXPORTER_") && name.contains("__"));
    let mut command = Setup::command(&["check-config"], &file);
    let output = command.envs(of_image).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("postgres://cii-db-rw/cii?sslmode=verify-full"), "{said}");
}
