//! What another program does to the file of a database.
//!
//! Tests ask through the doors: the API, pages, `/metrics`, commands; and what is to be old is made
//! so by the clock (`Setup::ahead`). Here is what no door does: damage, a lock that somebody holds,
//! and files that an older version or another program made.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// Runs statements on a database that no daemon has open.
pub fn alter(path: &Path, statements: &str) {
    let database = Connection::open(path).expect("a database, or none yet");
    database.execute_batch(statements).expect("the statements are right");
}

/// Makes a database of the second version, in which nothing is yet.
pub fn make_older(path: &Path) {
    for script in [
        include_str!("../../../src/store/sqlite/migrations/0001_initial.sql"),
        include_str!("../../../src/store/sqlite/migrations/0002_truth.sql"),
        "PRAGMA user_version = 2",
    ] {
        alter(path, script);
    }
}

/// Reads all of a database that a daemon has open, into a copy.
pub fn read_into(path: &Path, copy: &Path) {
    let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let copy = copy.to_str().expect("UTF-8");
    reader.expect("a database").execute("VACUUM INTO ?1", [copy]).expect("it can be read");
}

/// A lock on a database that keeps others from writing, until it is dropped.
pub struct Lock(Connection);

impl Lock {
    pub fn of(path: &Path) -> Self {
        let database = Connection::open(path).expect("a database");
        database.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes now");
        Self(database)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // It ends with the connection in any case.
        let _ = self.0.execute_batch("ROLLBACK");
    }
}
