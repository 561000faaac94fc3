//! Somebody moves, cuts or replaces the database under the running daemon.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::harness::{Body, Setup, read_into};

fn log_of(database: &Path) -> PathBuf {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    PathBuf::from(log)
}

fn cut(file: &Path) {
    fs::OpenOptions::new().write(true).open(file).unwrap().set_len(0).unwrap();
}

/// What somebody does to the database; the second file is a copy from before.
type Deed = fn(&Path, &Path);

const DEEDS: [(&str, Deed); 8] = [
    ("deleted", |database, _| fs::remove_file(database).unwrap()),
    ("log deleted", |database, _| fs::remove_file(log_of(database)).unwrap()),
    ("moved away", |database, _| fs::rename(database, database.with_extension("away")).unwrap()),
    ("a copy moved over it", |database, copy| fs::rename(copy, database).unwrap()),
    ("a copy copied over it", |database, copy| {
        fs::copy(copy, database).unwrap();
    }),
    ("cut", |database, _| cut(database)),
    ("log cut", |database, _| cut(&log_of(database))),
    ("restored without its log", |database, copy| {
        fs::remove_file(log_of(database)).unwrap();
        fs::rename(copy, database).unwrap();
    }),
];

/// Nothing is acknowledged that the next start would not find, and the process ends with
/// what happened and what to do.
#[tokio::test]
async fn what_is_done_to_the_database_is_noticed_before_the_next_acknowledgement() {
    for (what, deed) in DEEDS {
        let mut exporter = Setup::new().start().await;
        let body = |id: &str| Body::new(id, "no-mfa", &[&format!("{id}@example.com")]).json();
        assert_eq!(exporter.deliver(&body("before")).await, 200);
        let database = exporter.database();
        let copy = database.with_extension("copy");
        fs::copy(&database, &copy).unwrap();
        assert_eq!(exporter.deliver(&body("between")).await, 200);
        deed(&database, &copy);
        // Refused, or the daemon is gone already: never a 2xx.
        let answer = exporter.post(body("after").to_string()).await;
        assert!(answer.as_ref().is_none_or(|(status, _)| *status == 503), "{what}: {answer:?}");
        let ended = exporter.ended().await;
        assert_eq!(ended.code(), Some(70), "{what}: {}", exporter.log());
        let log = exporter.log();
        assert!(log.contains("while the exporter ran"), "{what}: {log}");
        assert!(log.contains(&*database.to_string_lossy()), "{what}: {log}");
    }
}

/// Whoever only reads, or holds a lock for a moment, is no trouble.
#[tokio::test]
async fn a_program_that_reads_the_database_is_no_trouble() {
    let exporter = Setup::new().start().await;
    for id in ["1", "2", "3"] {
        let body = Body::new(id, "no-mfa", &["a@example.com"]).json();
        assert_eq!(exporter.deliver(&body).await, 200);
        // All of it, while the daemon runs.
        read_into(&exporter.database(), &exporter.database().with_extension(format!("copy{id}")));
    }
}
