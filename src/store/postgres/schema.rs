//! The versions of the schema, and the check whether this exporter can use an existing one.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{Limits, Server, session::Session};
use crate::store::{
    StoreError,
    sql::{Connection, params},
};

/// One script per version, in order; a released script never changes.
const SCRIPTS: [&str; 3] = [
    include_str!("schema/0001_initial.sql"),
    include_str!("schema/0002_deliveries_go.sql"),
    include_str!("schema/0003_event_hour.sql"),
];

/// The oldest supported server: older ones get no fixes, or soon will not.
const OLDEST_SERVER: i64 = 150_000;

/// The key of the advisory lock under which a schema is created or upgraded, so that replicas that
/// start together do not both do it. Advisory locks have only numbers; this one spells `cii`.
const LOCK: i64 = 0x63_6969;

/// The limit of a statement that creates or upgrades the schema.
const PATIENCE: Duration = Duration::from_mins(10);

/// How long it is retried while a lock is held, by another replica that upgrades, or by a long read
/// such as a backup.
const TRIED: Duration = Duration::from_mins(10);

/// The pause between two attempts, in which other replicas can write.
const PAUSE: Duration = Duration::from_secs(1);

/// Creates or upgrades the schema, completely or not at all; returns the version it had, 0 when it
/// is new.
///
/// # Errors
/// When the server is too old, the schema belongs to another program or a newer exporter, or the
/// server fails.
pub(super) fn migrate(
    session: &Session,
    server: &Server,
    upgrade: bool,
) -> Result<usize, StoreError> {
    check_server(session, server)?;
    retry_while_locked(|| {
        let begun = begin_patient(session, server);
        match begun.and_then(|()| make_or_upgrade(session, server, upgrade)) {
            Ok(found) => {
                session.commit()?;
                if (1..SCRIPTS.len()).contains(&found) {
                    tracing::info!("the database is up to date");
                }
                Ok(found)
            }
            Err(error) => {
                session.roll_back();
                Err(error)
            }
        }
    })
}

/// Begins a transaction in which the schema exists; it is created if there was none. No other
/// process creates or upgrades one until the transaction ends.
///
/// # Errors
/// As for [`migrate`], and when the schema is an older exporter's.
pub(super) fn begin(session: &Session, server: &Server) -> Result<(), StoreError> {
    check_server(session, server)?;
    retry_while_locked(|| {
        let begun = begin_patient(session, server);
        let made = begun.and_then(|()| make_or_upgrade(session, server, false).map(drop));
        if made.is_err() {
            session.roll_back();
        }
        made
    })
}

/// Retries `work` while a lock is held.
fn retry_while_locked<T>(mut work: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let begun = Instant::now();
    let mut is_told = false;
    loop {
        match work() {
            Err(error) if error.is_locked() && begun.elapsed() < TRIED => {
                if !is_told {
                    tracing::warn!(
                        %error,
                        "the schema is waited for: another replica upgrades it, or somebody reads for \
                         long, such as a backup"
                    );
                    is_told = true;
                }
                thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

/// Begins a transaction under the same lock, which only checks whether there is a schema, and reads
/// it. It waits for the lock no longer than for that of a group.
///
/// # Errors
/// When the server fails, or the lock is held for longer.
pub(super) fn begin_bounded(session: &Session, level: &str) -> Result<(), StoreError> {
    session.begin_alone(LOCK, level, session.limits)
}

/// Begins a transaction under the same lock, with limits for statements that read all rows.
fn begin_patient(session: &Session, server: &Server) -> Result<(), StoreError> {
    let limits = Limits { statement: PATIENCE, ..session.limits };
    session.begin_alone(LOCK, server.commit_level(), limits)
}

fn make_or_upgrade(session: &Session, server: &Server, upgrade: bool) -> Result<usize, StoreError> {
    if let Some(schema) = server.schema() {
        // A user without the right to create a schema can use an existing one.
        let sql = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ?1";
        if !(session as &dyn Connection).exists(sql, params![schema])? {
            session.batch(&format!("CREATE SCHEMA {}", server.quoted_schema()))?;
        }
    }
    let found = version(session, server)?;
    let known = SCRIPTS.len();
    if found > known {
        return Err(StoreError::TooNew { path: server.tables_name().into(), found, known });
    }
    if found > 0 && found < known && !upgrade {
        return Err(StoreError::TooOld(server.tables_name().into()));
    }
    if (1..known).contains(&found) {
        tracing::info!(from = found, to = known, "the database is brought up to date");
    }
    for script in &SCRIPTS[found..] {
        session.batch_within(PATIENCE, script)?;
    }
    if found < known {
        let sql = "UPDATE meta SET value = CAST(?1 AS TEXT) WHERE key = 'schema_version'";
        session.execute(sql, params![known.to_string()])?;
    }
    Ok(found)
}

/// The version of the schema; 0 where there is none.
///
/// # Errors
/// When the tables belong to another program, or the server fails.
fn version(session: &Session, server: &Server) -> Result<usize, StoreError> {
    let session: &dyn Connection = session;
    let is_there = |table: &str| {
        let sql = "SELECT to_regclass(?1) IS NOT NULL";
        session.one(sql, params![table], |row| row.get::<bool>(0))
    };
    if !is_there("meta")? {
        // Without the version, none of these tables is ours: one of the same name belongs to
        // another program.
        for table in tables() {
            if is_there(table)? {
                return Err(StoreError::ForeignTables(server.tables_name()));
            }
        }
        return Ok(0);
    }
    let foreign = || StoreError::ForeignTables(server.tables_name());
    let columns = "SELECT count(*) FROM pg_catalog.pg_attribute
        WHERE attrelid = to_regclass('meta') AND attname IN ('key', 'value')";
    if session.count(columns, &[])? != 2 {
        return Err(foreign());
    }
    let sql = "SELECT value FROM meta WHERE key = 'schema_version'";
    let found: Option<String> = session.optional(sql, &[], |row| row.get(0))?;
    found
        .and_then(|version| version.parse().ok())
        .filter(|version| *version > 0)
        .ok_or_else(foreign)
}

/// The tables that the scripts create.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    let made = SCRIPTS.iter().flat_map(|script| script.split("CREATE TABLE ").skip(1));
    made.filter_map(|statement| statement.split_whitespace().next())
}

/// Checks that a schema of the newest version exists.
pub(super) fn check(session: &Session, server: &Server) -> Result<(), StoreError> {
    check_server(session, server)?;
    let found = version(session, server)?;
    let known = SCRIPTS.len();
    match found {
        0 => Err(StoreError::NoTables(server.tables_name())),
        found if found < known => Err(StoreError::TooOld(server.tables_name().into())),
        found if found > known => {
            Err(StoreError::TooNew { path: server.tables_name().into(), found, known })
        }
        _ => Ok(()),
    }
}

/// Checks that no newer exporter upgraded the schema, which can happen while replicas run.
///
/// # Errors
/// When one did.
pub(super) fn check_known(found: usize, server: &Server) -> Result<(), StoreError> {
    let known = SCRIPTS.len();
    if found > known {
        return Err(StoreError::TooNew { path: server.tables_name().into(), found, known });
    }
    Ok(())
}

/// Checks that the server's version is supported.
fn check_server(session: &Session, server: &Server) -> Result<(), StoreError> {
    let session: &dyn Connection = session;
    let sql = "SELECT CAST(current_setting('server_version_num') AS BIGINT),
                      current_setting('server_version')";
    let (number, version) =
        session.one(sql, &[], |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?)))?;
    if is_too_old(number) {
        return Err(StoreError::OldServer { server: server.name(), version });
    }
    Ok(())
}

/// Whether a server is too old by its `server_version_num`: the major version followed by four
/// digits.
const fn is_too_old(number: i64) -> bool {
    number < OLDEST_SERVER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_before_version_15_is_too_old() {
        // The numbers of 9.6.24, 14.19, 15.0, 15.18 and 18.1.
        let numbers = [90_624, 140_019, 150_000, 150_018, 180_001];
        assert_eq!(numbers.map(is_too_old), [true, true, false, false, false]);
        let error = StoreError::OldServer { server: "db/cii".into(), version: "14.19".into() };
        let error = error.to_string();
        assert!(error.contains("14.19") && error.contains("15 or newer"), "{error}");
    }
}
