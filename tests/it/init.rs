//! `init`: from nothing to a configuration that was tried, without a terminal.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use cii_simulator::{Simulator, webhook::Target};
use cii_test_cluster::{Cluster, Options};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::Command,
};

use crate::harness::{free_port, until};

/// A folder in which somebody begins.
struct Place {
    folder: TempDir,
    webhook: String,
    ops: String,
}

impl Place {
    fn new() -> Self {
        let address = || format!("127.0.0.1:{}", free_port());
        Self { folder: TempDir::new().unwrap(), webhook: address(), ops: address() }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("cii")
    }

    fn url(&self) -> String {
        format!("http://{}/webhooks/cii", self.webhook)
    }

    /// `init` with all that this service needs, and more arguments.
    fn init(&self, simulator: &Simulator, more: &[&str]) -> Command {
        let secret = self.folder.path().join("the-client-secret");
        fs::write(&secret, simulator.client_secret()).unwrap();
        let mut command = exporter();
        command
            .args(["init", "--dir"])
            .arg(self.dir())
            .args(["--api-url", &simulator.graphql_url(), "--token-url", &simulator.token_url()])
            .args(["--client-id", simulator.client_id(), "--client-secret-file"])
            .arg(secret)
            .args(["--webhook-listen", &self.webhook, "--ops-listen", &self.ops])
            .args(more);
        command
    }

    fn webhook_secret(&self) -> String {
        fs::read_to_string(self.dir().join("secrets/webhook-secrets")).unwrap().trim().to_owned()
    }
}

fn exporter() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cii-exporter"));
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn simulator() -> Simulator {
    Simulator::start(cii_simulator::Options { users: 20, ..Default::default() }).await.unwrap()
}

#[tokio::test]
async fn what_is_written_is_private_commented_and_right_and_never_in_place_of_something() {
    let (simulator, place) = (simulator().await, Place::new());
    let made = place.init(&simulator, &[]).output().await.unwrap();
    let text = said(&made);
    assert!(made.status.success(), "{text}");
    for expected in ["ok         token", "ok         ping", "right listEndUsers", "Next:"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let config = place.dir().join("config.toml");
    let written = fs::read_to_string(&config).unwrap();
    assert!(written.lines().filter(|line| line.starts_with('#')).count() > 100);
    // Only those who may see it do.
    let secrets = place.dir().join("secrets");
    assert_eq!((mode(&secrets), mode(&secrets.join("client-secret"))), (0o700, 0o600));
    assert_eq!(mode(&secrets.join("webhook-secrets")), 0o600);
    assert_eq!(place.webhook_secret().len(), 64);
    for secret in [simulator.client_secret(), &place.webhook_secret()] {
        assert!(!written.contains(secret) && !text.contains(secret), "{text}");
    }
    let check = exporter().args(["check-config", "--config"]).arg(&config).output().await.unwrap();
    assert!(said(&check).ends_with("the configuration is good\n"), "{}", said(&check));

    let again = place.init(&simulator, &[]).output().await.unwrap();
    assert_eq!(again.status.code(), Some(64));
    assert!(said(&again).contains("nothing is overwritten"), "{}", said(&again));
    assert_eq!(fs::read_to_string(&config).unwrap(), written);
}

#[tokio::test]
async fn a_server_is_tried_and_written_with_its_password_in_a_file() {
    let (simulator, place) = (simulator().await, Place::new());
    let cluster = Cluster::start(&Options::fast().access("host all all 127.0.0.1/32 password\n"));
    cluster.sql("postgres", "CREATE ROLE exporter LOGIN PASSWORD 's3cret-of-server'");
    cluster.sql("postgres", "CREATE DATABASE cii OWNER exporter");
    let url = cluster.url("cii").replace("postgres@", "exporter@");
    let password = place.folder.path().join("password");
    fs::write(&password, "s3cret-of-server\n").unwrap();
    let file = password.display().to_string();
    let with_password = url.replace("exporter@", "exporter:s3cret-of-server@");
    let nobody = "postgres://exporter@127.0.0.1:1/cii";
    for (more, expected) in [
        (&["--store", &with_password][..], "--store (store.url): holds a password"),
        (&["--store", "mysql://e@a/cii"], "--store (store.url): expected a URL that begins with"),
        (&["--store", &url], "asks for a password, and none is set"),
        (&["--store", nobody], "nobody listens there"),
        (&["--store", "a.db", "--store-password-file", &file], "name a server's URL"),
    ] {
        let refused = place.init(&simulator, more).output().await.unwrap();
        let text = said(&refused);
        assert!(refused.status.code() == Some(64) && text.contains(expected), "{text}");
        assert!(!text.contains("s3cret-of-server") && !place.dir().exists(), "{text}");
    }
    let more = ["--store", url.as_str(), "--store-password-file", file.as_str()];
    let made = place.init(&simulator, &more).output().await.unwrap();
    assert!(made.status.success(), "{}", said(&made));
    let config = place.dir().join("config.toml");
    let written = fs::read_to_string(&config).unwrap();
    assert!(written.contains(&format!("\nurl = \"{url}\"\n")), "{written}");
    assert!(!written.contains("s3cret-of-server"), "{written}");
    assert_eq!(mode(&place.dir().join("secrets/store-password")), 0o600);
    let check = exporter().args(["check-config", "--config"]).arg(&config).output().await.unwrap();
    assert!(said(&check).ends_with("the configuration is good\n"), "{}", said(&check));
}

#[tokio::test]
async fn in_a_checkout_nothing_is_written_unless_told() {
    let (simulator, place) = (simulator().await, Place::new());
    fs::create_dir(place.folder.path().join(".git")).unwrap();
    let refused = place.init(&simulator, &[]).output().await.unwrap();
    assert_eq!(refused.status.code(), Some(64));
    assert!(said(&refused).contains("--in-checkout"), "{}", said(&refused));
    assert!(!place.dir().exists());
    let told = place.init(&simulator, &["--in-checkout"]).output().await.unwrap();
    assert!(told.status.success(), "{}", said(&told));
}

#[tokio::test]
async fn what_is_wrong_is_said_before_anything_is_written() {
    let (simulator, place) = (simulator().await, Place::new());
    let mut command = place.init(&simulator, &[]);
    let wrong = place.folder.path().join("the-client-secret");
    fs::write(&wrong, "another-secret-than-that").unwrap();
    let refused = command.output().await.unwrap();
    let text = said(&refused);
    assert_eq!(refused.status.code(), Some(1), "{text}");
    assert!(text.contains("fail       token") && text.contains("nothing was written"), "{text}");
    assert!(!text.contains("another-secret-than-that") && !place.dir().exists(), "{text}");
    // What is missing is named, since nobody can be asked.
    let dir = place.dir();
    let asked = exporter().args(["init", "--dir"]).arg(&dir).output().await.unwrap();
    assert_eq!(asked.status.code(), Some(64));
    for option in ["--api-url", "--token-url", "--client-id", "--client-secret-file"] {
        assert!(said(&asked).contains(&format!("{option} is missing")), "{}", said(&asked));
    }
    assert!(!dir.exists());
}

#[tokio::test]
async fn what_cannot_be_used_is_told_by_the_option_that_was_typed() {
    let (simulator, place) = (simulator().await, Place::new());
    let folder = place.folder.path();
    let text = folder.join("a-text");
    fs::write(&text, "no database at all, but long enough\n".repeat(99)).unwrap();
    let (folder, text) = (folder.display().to_string(), text.display().to_string());
    let ops = place.ops.clone();
    for (more, expected) in [
        (
            ["--api-url", "api.example.org/graphql"],
            "did you mean \"https://api.example.org/graphql\"?",
        ),
        (["--token-url", "ftp://login.example.org"], "for '--token-url <URL>': expected a URL"),
        (["--client-id", " "], "for '--client-id <ID>': must not be empty"),
        (["--client-id", "<your-client-id>"], "for '--client-id <ID>': this is a placeholder"),
        (["--audience", ""], "for '--audience <TEXT>': must not be empty"),
        (["--store", &folder], "--store (store.path): "),
        (["--store", &text], "--store (store.path): "),
        (["--webhook-listen", &ops], "--ops-listen (ops.listen): "),
        (["--ops-listen", "0.0.0.0:9847"], "--ops-listen (ops.listen): 0.0.0.0:9847 is reached"),
    ] {
        let mut command = exporter();
        command.args(["init", "--dir"]).arg(place.dir()).args(more);
        let secret = place.folder.path().join("the-client-secret");
        fs::write(&secret, simulator.client_secret()).unwrap();
        for (option, value) in [
            ("--api-url", simulator.graphql_url()),
            ("--token-url", simulator.token_url()),
            ("--client-id", simulator.client_id().to_owned()),
            ("--client-secret-file", secret.display().to_string()),
            ("--ops-listen", ops.clone()),
        ] {
            if option != more[0] {
                command.args([option, &value]);
            }
        }
        let refused = command.output().await.unwrap();
        let text = said(&refused);
        assert_eq!(refused.status.code(), Some(64), "{more:?}: {text}");
        assert!(text.contains(expected), "{more:?}: {text}");
        assert!(!place.dir().exists(), "{more:?}");
    }
    // What would be registered in vain is told before anything is written, too.
    let more = ["--public-url", "https://a.example/elsewhere", "--register", "no-mfa"];
    let refused = place.init(&simulator, &more).output().await.unwrap();
    assert_eq!(refused.status.code(), Some(64), "{}", said(&refused));
    assert!(said(&refused).contains("--public-url (webhook.public_url)"), "{}", said(&refused));
    assert!(!place.dir().exists());
}

/// Root can write everywhere, so that somebody else tries.
#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_before_any_question() {
    let place = Place::new();
    let folder = place.folder.path();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = exporter();
    command.args(["init", "--dir"]).arg(place.dir());
    if rustix::process::geteuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
    let refused = command.output().await.unwrap();
    assert_eq!(refused.status.code(), Some(64), "{}", said(&refused));
    let expected = format!("cannot write into {}", folder.display());
    assert!(said(&refused).contains(&expected), "{}", said(&refused));
    assert!(said(&refused).contains("--dir ~/cii"), "{}", said(&refused));
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn whoever_waits_no_longer_keeps_what_was_written_and_no_daemon() {
    let (simulator, place) = (simulator().await, Place::new());
    let url = place.url();
    let mut command = place.init(&simulator, &["--public-url", &url, "--wait", "600s"]);
    let mut waiting = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(waiting.stdout.take().unwrap()).lines();
    while !lines.next_line().await.unwrap().unwrap().contains("Ctrl-C ends the waiting") {}
    let process = waiting.id().unwrap().to_string();
    Command::new("kill").args(["-INT", &process]).status().await.unwrap();
    let mut rest = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        rest += &line;
    }
    let ended = waiting.wait().await.unwrap();
    assert_eq!(ended.code(), Some(1), "{rest}");
    assert!(rest.contains("It is not waited for") && rest.contains("Next:"), "{rest}");
    assert!(place.dir().join("config.toml").exists());
    // A daemon that was killed would leave its address behind.
    let lock = fs::read_to_string(place.dir().join("cii-exporter.db.lock")).unwrap();
    assert_eq!(lock, "");
}

#[tokio::test]
async fn an_api_that_cannot_be_reached_is_told_by_the_option_that_names_it() {
    let (simulator, place) = (simulator().await, Place::new());
    let secret = place.folder.path().join("the-client-secret");
    fs::write(&secret, simulator.client_secret()).unwrap();
    let nobody = "http://127.0.0.1:1/token";
    let mut command = exporter();
    command
        .args(["init", "--dir"])
        .arg(place.dir())
        .args(["--api-url", &simulator.graphql_url(), "--token-url", nobody])
        .args(["--client-id", simulator.client_id(), "--client-secret-file"])
        .arg(secret);
    let refused = command.output().await.unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("the server at --token-url (api.token_url)"),
        "{}",
        said(&refused)
    );
}

#[tokio::test]
async fn registering_brings_the_test_message_which_is_awaited_and_kept() {
    let (simulator, place) = (simulator().await, Place::new());
    let url = place.url();
    let more = ["--public-url", &url, "--register", "no-mfa"];
    let made = place.init(&simulator, &more).output().await.unwrap();
    let text = said(&made);
    assert!(made.status.success(), "{text}");
    for expected in
        [&*url, "x-api-client-token", &place.webhook_secret(), "registered as ", "It came, from"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let config = place.dir().join("config.toml");
    let run = async |arguments: &[&str]| {
        let output =
            exporter().args(arguments).arg("--config").arg(&config).output().await.unwrap();
        said(&output)
    };
    assert!(run(&["webhook", "list"]).await.contains(&url));
    assert!(run(&["deliveries"]).await.contains("test"));
}

#[tokio::test]
async fn a_target_that_is_made_in_the_console_is_awaited_for_as_long_as_told() {
    let (simulator, place) = (simulator().await, Place::new());
    let url = place.url();
    let mut command = place.init(&simulator, &["--public-url", &url, "--wait", "600s"]);
    let waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let secret = place.dir().join("secrets/webhook-secrets");
    let is_whole = || fs::read_to_string(&secret).is_ok_and(|text| text.ends_with('\n'));
    until("the secret", || async { is_whole().then_some(()) }).await;
    // Somebody copies what is shown.
    let target = Target {
        url: url.clone(),
        header: "x-api-client-token".to_owned(),
        secret: place.webhook_secret(),
        check_ids: Vec::new(),
    };
    let http = reqwest::Client::new();
    until("an answer of the listener", || async {
        let test = serde_json::json!({ "id": "1", "detail-type": "WebhookTest", "detail": {},
            "source": "the-console", "version": "0" });
        let request = http.post(&target.url).header(target.header.as_str(), &target.secret);
        let answer = request.json(&test).send().await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
    let ended = waiting.wait_with_output().await.unwrap();
    assert!(ended.status.success(), "{}", said(&ended));
    assert!(said(&ended).contains("It came, from the-console"), "{}", said(&ended));

    let place = Place::new();
    let url = place.url();
    let late = place.init(&simulator, &["--public-url", &url, "--wait", "1ms"]);
    let ended = { late }.output().await.unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", said(&ended));
    assert!(said(&ended).contains("It did not come"), "{}", said(&ended));
}

#[tokio::test]
async fn for_the_unit_secrets_and_database_are_left_to_it_and_a_secret_can_come_from_a_pipe() {
    let (simulator, place) = (simulator().await, Place::new());
    let mut command = exporter();
    command
        .args(["init", "--systemd", "--dir"])
        .arg(place.dir())
        .args(["--api-url", &simulator.graphql_url(), "--token-url", &simulator.token_url()])
        .args(["--client-id", simulator.client_id(), "--client-secret-file", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(simulator.client_secret().as_bytes()).await.unwrap();
    drop(stdin);
    let made = child.wait_with_output().await.unwrap();
    assert!(made.status.success(), "{}", said(&made));
    let written = fs::read_to_string(place.dir().join("config.toml")).unwrap();
    let is_set = |name: &str| written.lines().any(|line| line.starts_with(&format!("{name} = ")));
    assert!(!is_set("secrets_file") && !is_set("client_secret_file"), "{written}");
    let kept = fs::read_to_string(place.dir().join("secrets/client-secret")).unwrap();
    assert_eq!(kept.trim(), simulator.client_secret());
}
