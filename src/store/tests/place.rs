//! Where the store of a test is.
//!
//! `CII_TEST_STORE` decides for all tests that do not choose themselves: `file`, the default,
//! `postgres`, or `pgbouncer`, a server behind a pool that gives each transaction another session.
//! A test that is about files chooses a file, whatever the variable is.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    thread,
    time::{Duration, Instant},
};

use cii_test_cluster::{Cluster, Database, Engine, Pool};
use tempfile::TempDir;

use crate::store::{Reader, Store, StoreError, WriterThread, fixtures, postgres::Server, sqlite};

/// How long a child process may take to start.
const SOON: Duration = Duration::from_mins(1);

static POOL: LazyLock<Pool> = LazyLock::new(|| Cluster::shared().pool());

/// A database of the test's own. Clones are the same database.
#[derive(Clone)]
pub(super) enum TestPlace {
    /// A file in a folder.
    File(Arc<TempDir>),
    /// A database on the shared server, and the URL by which the store gets there.
    Server(Database, String),
}

/// Waits until the lock of a database that was just closed is free: a program that another test
/// starts meanwhile inherits the locks of this process between fork and exec.
pub(super) fn wait_for_lock(database: &Path) {
    let begun = Instant::now();
    while sqlite::lock_file(database).exists()
        && matches!(sqlite::lock(database), Err(StoreError::InUse(_)))
    {
        assert!(begun.elapsed() < SOON, "{} is in use", database.display());
        thread::yield_now();
    }
}

impl TestPlace {
    /// A database on the engine that the tests run on.
    pub(super) fn new() -> Self {
        let engine = Engine::of_environment();
        if engine == Engine::File {
            return Self::file();
        }
        let database = Cluster::shared().create_database();
        let url = match engine {
            Engine::Pool => POOL.url(&database.name),
            Engine::File | Engine::Server => database.url.clone(),
        };
        Self::Server(database, url)
    }

    pub(super) fn file() -> Self {
        Self::File(Arc::new(TempDir::new().unwrap()))
    }

    /// Opens a store there.
    pub(super) fn open(&self) -> (Store, WriterThread) {
        match self {
            Self::File(folder) => {
                wait_for_lock(&file(folder));
                Store::open(&file(folder)).unwrap()
            }
            Self::Server(_, url) => Store::connect(Server::at(url, None)).unwrap(),
        }
    }

    /// A reader, as a command opens it.
    pub(super) fn reader(&self) -> Reader {
        match self {
            Self::File(folder) => Reader::open_existing(&file(folder)).unwrap(),
            Self::Server(_, url) => Reader::connect(Server::at(url, None)).unwrap(),
        }
    }

    /// The folder of one in a file.
    pub(super) fn folder(&self) -> &TempDir {
        match self {
            Self::File(folder) => folder,
            Self::Server(..) => panic!("a test about files chooses a file"),
        }
    }

    /// Runs a statement there, like another program.
    pub(super) fn alter(&self, sql: &str) {
        match self {
            Self::File(folder) => {
                rusqlite::Connection::open(file(folder)).unwrap().execute_batch(sql).unwrap();
            }
            Self::Server(database, _) => {
                Cluster::shared().sql(&database.name, sql);
            }
        }
    }

    /// The number that a query returns there.
    pub(super) fn number(&self, sql: &str) -> i64 {
        match self {
            Self::File(folder) => {
                let connection = rusqlite::Connection::open(file(folder)).unwrap();
                connection.query_row(sql, [], |row| row.get(0)).unwrap()
            }
            Self::Server(database, _) => {
                Cluster::shared().sql(&database.name, sql).parse().unwrap()
            }
        }
    }

    /// Checks that the stored number of people of each set of checks is right.
    pub(super) fn assert_check_sets_are_counted(&self) {
        match self {
            Self::File(folder) => {
                assert_eq!(fixtures::miscounted_check_sets(&file(folder)), Vec::<String>::new());
            }
            Self::Server(database, _) => {
                let failing =
                    "SELECT '[' || string_agg(check_number::text, ',' ORDER BY check_number)
                        || ']' AS checks FROM failure GROUP BY login";
                let wrong = format!(
                    "WITH failing AS (SELECT checks, count(*) AS people FROM ({failing}) AS f
                        GROUP BY checks)
                     SELECT checks FROM failing FULL JOIN check_set AS s USING (checks)
                     WHERE failing.people IS DISTINCT FROM s.people"
                );
                assert_eq!(Cluster::shared().sql(&database.name, &wrong), "");
            }
        }
    }
}

pub(super) fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("store.db")
}
