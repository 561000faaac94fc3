//! A `store.path` at which there is no database: each command says what is there, and what to do.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::Value;

use crate::harness::{Body, Ended, Setup, alter};

/// Commands that read a database, and make none.
const READING: [&[&str]; 8] = [
    &["report", "--since", "1d"],
    &["user", "a@example.com", "--history"],
    &["watch", "list"],
    &["db", "check"],
    &["export", "openmetrics", "--since", "1d"],
    &["deliveries"],
    &["otlp", "status"],
    &["webhook", "list"],
];

/// Commands that write into one.
const WRITING: [&[&str]; 3] = [
    &["watch", "add", "user", "a@example.com"],
    &["checks", "forget", "no-mfa"],
    &["purge", "user", "a@example.com", "--yes"],
];

async fn run(arguments: &[&str], database: &Path, setup: &Setup) -> Ended {
    setup.write_config();
    let mut command = Setup::command(arguments, &setup.config_file());
    command.env("CII_EXPORTER_STORE__PATH", database);
    ended(command).await
}

async fn ended(mut command: tokio::process::Command) -> Ended {
    let output = command.output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended {
        code: output.status.code().unwrap_or(-1),
        output: text(&output.stdout),
        errors: text(&output.stderr),
    }
}

#[tokio::test]
async fn what_is_no_database_is_named_with_what_to_do() {
    let setup = Setup::new();
    let path = |name: &str| setup.database().with_file_name(name);
    fs::write(path("text"), "no database at all, but long enough\n".repeat(99)).unwrap();
    fs::write(path("empty"), "").unwrap();
    alter(&path("other"), "CREATE TABLE invoice (id INTEGER)");
    let cases = [
        ("text", "is no SQLite database", "set store.path"),
        ("other", "is the database of another program", "set store.path"),
        ("empty", "is empty, and no database yet", "`cii-exporter run`"),
        ("none", "there is no database at", "`cii-exporter run`"),
        ("nowhere/db", "there is no folder", "make it"),
        ("text/db", "there is no folder", "correct store.path"),
    ];
    for (name, what, advice) in cases {
        let file = path(name);
        // One that writes makes a database where there can be one.
        let is_writing_refused = !["empty", "none"].contains(&name);
        for arguments in READING.iter().chain(WRITING.iter().filter(|_| is_writing_refused)) {
            let ended = run(arguments, &file, &setup).await;
            assert_eq!(ended.code, 1, "{arguments:?} of {name}: {ended:?}");
            for expected in [what, advice, &file.display().to_string()] {
                let errors = &ended.errors;
                assert!(errors.contains(expected), "{arguments:?} of {name}: {errors}");
            }
            assert_eq!(ended.errors.lines().count(), 1, "{arguments:?} of {name}: {ended:?}");
        }
    }
    for (name, what, _) in cases.iter().filter(|(name, ..)| !["empty", "none"].contains(name)) {
        let ended = run(&["run"], &path(name), &setup).await;
        assert!(ended.code == 1 && ended.errors.contains(what), "{name}: {ended:?}");
    }
}

#[tokio::test]
async fn a_folder_in_the_place_of_the_database_is_a_fault_of_the_configuration() {
    let setup = Setup::new();
    let folder = setup.database().with_file_name("data");
    fs::create_dir(&folder).unwrap();
    let slash = setup.database().with_file_name("not-there-yet/");
    let others: [&[&str]; 3] = [&["run"], &["check-config"], &["doctor"]];
    for arguments in READING.iter().chain(&WRITING).chain(&others) {
        for path in [&folder, &slash] {
            let ended = run(arguments, path, &setup).await;
            assert_eq!(ended.code, 64, "{arguments:?}: {ended:?}");
            let inside = format!("{:?}", path.join("cii-exporter.db"));
            for expected in ["CII_EXPORTER_STORE__PATH: store.path", "is a folder", &inside] {
                assert!(ended.errors.contains(expected), "{arguments:?}: {ended:?}");
            }
        }
    }
    // Nothing was made of it, or beside it.
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert!(!folder.with_extension("lock").exists());
}

#[tokio::test]
async fn doctor_says_one_thing_of_a_folder_that_is_not_there() {
    let setup = Setup::new();
    let file = setup.database().with_file_name("nowhere").join("db");
    let ended = run(&["doctor", "--json"], &file, &setup).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    let of = |check: &str| -> Vec<Value> {
        let all = ended.json()["checks"].as_array().unwrap().clone();
        all.into_iter().filter(|finding| finding["check"] == check).collect()
    };
    let (store, disk) = (of("store"), of("disk"));
    assert_eq!((store.len(), disk.len()), (1, 1), "{ended:?}");
    assert_eq!((&store[0]["verdict"], &disk[0]["verdict"]), (&"fail".into(), &"unknown".into()));
    let found = store[0]["found"].as_str().unwrap();
    assert!(found.contains("there is no folder") && found.contains("make it"), "{found}");
    assert!(!ended.output.contains("the first start makes it"), "{}", ended.output);
}

/// A page in the middle is met only by some commands, and late.
#[tokio::test]
async fn damage_that_is_met_late_names_the_file_and_what_to_do() {
    let exporter = Setup::new().start().await;
    let users: Vec<_> = (0..200).map(|number| format!("u{number}@example.com")).collect();
    let users: Vec<_> = users.iter().map(String::as_str).collect();
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &users).json()).await, 200);
    let setup = exporter.stop().await;
    let mut bytes = fs::read(setup.database()).unwrap();
    let (middle, end) = (bytes.len() / 3 / 4096 * 4096, bytes.len());
    bytes[middle..end].fill(0x5a);
    fs::write(setup.database(), bytes).unwrap();
    let file = setup.database().display().to_string();
    let mut failed = 0;
    for arguments in READING.iter().filter(|arguments| arguments[0] != "db") {
        let ended = setup.run(arguments).await;
        if ended.code == 0 {
            continue;
        }
        failed += 1;
        assert_eq!(ended.code, 1, "{arguments:?}: {ended:?}");
        for expected in [&*file, "it is damaged", "`cii-exporter db check`"] {
            assert!(ended.errors.contains(expected), "{arguments:?}: {ended:?}");
        }
    }
    assert!(failed > 1, "nothing is damaged");
}

/// Root reads everything, so that somebody else looks here.
#[tokio::test]
async fn a_database_that_is_somebody_elses_is_told_from_a_damaged_one() {
    let setup = Setup::new();
    let stopped = setup.start().await.stop().await;
    let database = stopped.database();
    fs::set_permissions(&database, fs::Permissions::from_mode(0o000)).unwrap();
    let folder = database.parent().unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let config = stopped.config_file();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
    for arguments in READING {
        let mut command = Setup::command(arguments, &config);
        command.env("CII_EXPORTER_STORE__PATH", &database);
        if rustix::process::geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        let ended = ended(command).await;
        assert_eq!(ended.code, 1, "{arguments:?}: {ended:?}");
        assert!(ended.errors.contains("cannot read"), "{arguments:?}: {ended:?}");
        assert!(ended.errors.contains("as the daemon's user"), "{arguments:?}: {ended:?}");
    }
}
