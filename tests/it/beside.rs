//! Commands beside a daemon that gets its configuration from a unit of systemd.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, chown, symlink},
    path::PathBuf,
};

use cii_simulator::{Options, Simulator};
use tempfile::TempDir;
use tokio::process::Command;

const SECRET: &str = "the-secret-of-the-webhook";

/// The documented layout, in a folder of its own.
struct Layout {
    folder: TempDir,
}

/// How a command ended, and what it said.
#[derive(Debug)]
struct Ended {
    code: i32,
    output: String,
    errors: String,
}

impl Layout {
    /// A configuration without secrets, and the unit that has all of them.
    fn new(simulator: Option<&Simulator>) -> Self {
        let layout = Self { folder: TempDir::new().unwrap() };
        let api = simulator.map_or_else(
            || "url = \"http://127.0.0.1:9/\"\ntoken_url = \"http://127.0.0.1:9/\"".to_owned(),
            |service| {
                format!("url = {:?}\ntoken_url = {:?}", service.graphql_url(), service.token_url())
            },
        );
        layout.write("config.toml", &format!("[api]\n{api}\nclient_id = \"simulator-client\"\n"));
        layout.write("webhook-secrets", SECRET);
        layout.write("client-secret", simulator.map_or("x", |service| service.client_secret()));
        layout.write("environment", "CII_EXPORTER_TENANT__NAME=\"of the file\"\n");
        layout.set_unit("");
        layout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The unit as it is shipped, with the paths of this folder, and more lines.
    fn set_unit(&self, more: &str) {
        let unit = include_str!("../../deploy/systemd/cii-exporter.service");
        let path = |name: &str| self.path(name).display().to_string();
        let unit = [
            ("%S/cii-exporter/cii-exporter.db", path("store.db")),
            ("/etc/cii-exporter/config.toml", path("config.toml")),
            ("/etc/cii-exporter/secrets/webhook-secrets", path("webhook-secrets")),
            ("/etc/cii-exporter/secrets/client-secret", path("client-secret")),
            ("/etc/cii-exporter/environment", path("environment")),
        ]
        .into_iter()
        .fold(unit.to_owned(), |unit, (old, new)| {
            assert!(unit.contains(old), "{old}");
            unit.replace(old, &new)
        });
        self.write("the.service", &unit.replace("[Install]", &format!("{more}\n[Install]")));
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cii-exporter"));
        command.args(arguments).env("CII_EXPORTER_UNIT", self.path("the.service"));
        let output = command.current_dir("/").kill_on_drop(true).output().await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended {
            code: output.status.code().unwrap_or(-1),
            output: text(&output.stdout),
            errors: text(&output.stderr),
        }
    }
}

/// Commands that read the database, or change it while no daemon runs.
const OF_THE_DATABASE: [&[&str]; 11] = [
    &["watch", "add", "user", "a@example.com"],
    &["watch", "list"],
    &["watch", "remove", "user", "a@example.com"],
    &["user", "--history", "a@example.com"],
    &["deliveries"],
    &["webhook", "list"],
    &["otlp", "status"],
    &["db", "check"],
    &["export", "openmetrics", "--since", "1d"],
    &["purge", "user", "b@example.com", "--yes"],
    &["health"],
];

#[tokio::test]
async fn commands_find_configuration_variables_and_secrets_by_the_unit() {
    let simulator = Simulator::start(Options { users: 5, ..Options::default() }).await.unwrap();
    let layout = Layout::new(Some(&simulator));
    let checked = layout.run(&["check-config"]).await;
    assert_eq!(checked.code, 0, "{checked:?}");
    for expected in ["store.db", "of the file", "<hidden>", "webhook-secrets"] {
        assert!(checked.output.contains(expected), "{expected}: {checked:?}");
    }
    assert!(!checked.output.contains(SECRET), "{checked:?}");
    for arguments in OF_THE_DATABASE {
        let ended = layout.run(arguments).await;
        // No daemon runs that could be healthy, and nobody is known who could be forgotten.
        assert_ne!(ended.code, 64, "{arguments:?}: {ended:?}");
    }
    assert!(layout.path("store.db").exists());
    let login = simulator.tenant(|tenant| tenant.logins().first().unwrap().clone());
    let card = layout.run(&["user", &login]).await;
    assert_eq!(card.code, 0, "{card:?}");
}

#[tokio::test]
async fn secrets_that_only_the_unit_can_read_are_asked_for_by_who_needs_them_alone() {
    let layout = Layout::new(None);
    fs::remove_file(layout.path("webhook-secrets")).unwrap();
    fs::remove_file(layout.path("client-secret")).unwrap();
    let checked = layout.run(&["check-config"]).await;
    assert_eq!(checked.code, 0, "{checked:?}");
    for secret in ["webhook.secrets", "api.client_secret"] {
        let note = |line: &str| {
            line.starts_with(&format!("note: {secret}: cannot be read here"))
                && line.ends_with("the.service gives it to the daemon")
        };
        assert!(checked.errors.lines().any(note), "{checked:?}");
    }
    for arguments in OF_THE_DATABASE {
        let ended = layout.run(arguments).await;
        assert_ne!(ended.code, 64, "{arguments:?}: {ended:?}");
    }
    for (arguments, secret) in [
        (&["user", "a@example.com"][..], "api.client_secret"),
        (&["ip", "192.0.2.1"], "api.client_secret"),
        (&["webhook", "test"], "webhook.secrets"),
    ] {
        let ended = layout.run(arguments).await;
        assert_eq!(ended.code, 64, "{ended:?}");
        assert!(ended.errors.contains(&format!("{secret}: cannot be read here")), "{ended:?}");
        assert!(ended.errors.contains("run the command as root"), "{ended:?}");
    }
    // Neither of them needs the other's.
    let ended = layout.run(&["user", "a@example.com"]).await;
    assert!(!ended.errors.contains("webhook.secrets"), "{ended:?}");
    let doctor = layout.run(&["doctor"]).await;
    assert!(doctor.code != 64 && doctor.output.contains("not known  token"), "{doctor:?}");
}

#[tokio::test]
async fn what_is_missing_is_told_with_where_it_was_looked_for() {
    let layout = Layout::new(None);
    layout.set_unit("LoadCredential=\nEnvironmentFile=/nowhere/at-all");
    let checked = layout.run(&["check-config"]).await;
    assert_eq!(checked.code, 64, "{checked:?}");
    for expected in ["webhook.secrets: is missing", "the.service was looked at", "/nowhere/at-all"]
    {
        assert!(checked.errors.contains(expected), "{expected}: {checked:?}");
    }
    // Who needs none of them works all the same.
    assert_eq!(layout.run(&["watch", "add", "ip", "192.0.2.7"]).await.code, 0);
    // A configuration that the unit does not run with is another daemon's.
    layout.write("other.toml", "");
    let other = layout.path("other.toml").display().to_string();
    let checked = layout.run(&["check-config", "--config", &other]).await;
    assert!(checked.errors.contains("no unit of systemd was looked at"), "{checked:?}");
    assert!(checked.errors.contains("CII_EXPORTER_UNIT"), "{checked:?}");
}

#[tokio::test]
async fn files_that_only_the_daemon_can_read_keep_no_command_from_the_database() {
    let layout = Layout::new(None);
    let config = "[webhook]\nsecrets_file = \"/nowhere/secrets\"\nweb_config = \"/nowhere/w.yml\"\n\
        [ops]\nlisten = \"0.0.0.0:0\"\nweb_config = \"/nowhere/o.yml\"\n\
        write_token_file = \"/nowhere/token\"\n\
        [metrics]\nuser_label = \"hash\"\nhash_key_file = \"/nowhere/key\"\n\
        [otlp]\nheaders_file = \"/nowhere/headers\"\n";
    layout.write("config.toml", config);
    layout.set_unit("Environment=OTEL_EXPORTER_OTLP_CLIENT_KEY=/nowhere/client.key");
    for arguments in OF_THE_DATABASE {
        let ended = layout.run(arguments).await;
        assert_ne!(ended.code, 64, "{arguments:?}: {ended:?}");
    }
    // The daemon would not start so.
    let checked = layout.run(&["check-config"]).await;
    assert_eq!(checked.code, 64, "{checked:?}");
    for path in ["secrets", "w.yml", "o.yml", "token", "key", "headers", "client.key"] {
        assert!(checked.errors.contains(&format!("/nowhere/{path}")), "{path}: {checked:?}");
    }
}

#[tokio::test]
async fn what_root_makes_beside_a_daemon_is_the_daemon_s() {
    // Only root can give files away.
    let mine = fs::metadata("/proc/self").unwrap().uid();
    if mine != 0 {
        return;
    }
    let layout = Layout::new(None);
    let copy = layout.folder.path().with_extension("copy");
    let daemon = Some(12_345);
    chown(layout.folder.path(), daemon, daemon).unwrap();
    let run = async |arguments: &[&str]| {
        let ended = layout.run(arguments).await;
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
    };
    run(&["watch", "add", "ip", "192.0.2.7"]).await;
    let owners = || {
        let entries = fs::read_dir(layout.folder.path()).unwrap().map(Result::unwrap);
        let files =
            entries.filter(|entry| entry.file_name().to_string_lossy().contains("store.db"));
        files.map(|entry| (entry.file_name(), entry.metadata().unwrap().uid())).collect::<Vec<_>>()
    };
    assert!(
        owners().len() >= 2 && owners().iter().all(|(_, uid)| *uid == 12_345),
        "{:?}",
        owners()
    );
    // A copy is whose who made it, until it is put in the place of the database.
    run(&["db", "backup", copy.to_str().unwrap()]).await;
    assert_eq!(fs::metadata(&copy).unwrap().uid(), mine);
    run(&["db", "restore", copy.to_str().unwrap()]).await;
    fs::remove_file(&copy).unwrap();
    assert!(owners().iter().all(|(_, uid)| *uid == 12_345), "{:?}", owners());
    // A link that is there already leads to somebody else's file, which stays theirs.
    let other = TempDir::new().unwrap();
    let target = other.path().join("root-s.db");
    fs::write(&target, "").unwrap();
    for name in ["store.db", "store.db.lock"] {
        fs::remove_file(layout.path(name)).unwrap();
        symlink(&target, layout.path(name)).unwrap();
        let _ = layout.run(&["watch", "add", "ip", "192.0.2.8"]).await;
        assert_eq!(fs::metadata(&target).unwrap().uid(), mine, "{name}");
        fs::remove_file(layout.path(name)).unwrap();
    }
}
