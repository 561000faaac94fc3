//! A whole database from one engine to another: every row, every number, all of it or nothing.
//!
//! What is an engine's own stays behind: the version of a schema, the lease, the log of commits.
//! What the rows come to is computed by one code on both sides, and compared before anything is
//! kept.

mod digest;
mod error;
mod rows;
mod source;
mod target;

pub use error::{MoveError, Side};

use super::{
    StoreError,
    tables::{TABLES, Table},
};
use crate::config::StorePlace;
use digest::Digest;
use rows::Texts;
use source::Source;
use target::Target;

/// A table that was copied: what the rows come to that were read, and those that were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTable {
    /// Its name.
    pub name: &'static str,
    /// How many rows were read, and how many there are in the copy.
    pub rows: [u64; 2],
    /// The SHA-256 over their values in the order of the key, in hexadecimal digits; likewise.
    pub sha256: [String; 2],
}

impl MovedTable {
    /// Whether the copy has other rows.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.rows[0] != self.rows[1] || self.sha256[0] != self.sha256[1]
    }
}

/// What was copied.
#[derive(Debug, Clone)]
pub struct Moved {
    /// All tables.
    pub tables: Vec<MovedTable>,
    /// Rows of which a text had the character NUL, which PostgreSQL cannot hold; U+FFFD stands
    /// there.
    pub rows_with_nul: u64,
    /// The replica, by name, that went on meanwhile where the rows are: what it committed since is
    /// not in the copy.
    pub running: Option<String>,
}

/// How far the work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The table.
    pub table: &'static str,
    /// Whether the copy is read again and compared; else rows are copied.
    pub is_check: bool,
    /// Rows of the table so far.
    pub rows: u64,
    /// Rows that there are.
    pub of: u64,
}

/// Copies all of a database to a place where there is none: to a new file, or to a server's schema
/// without data, which is made where it is missing.
///
/// `while_running` also copies from a server while replicas run there. Waits for files and servers.
///
/// # Errors
/// When a place cannot be used, or in the middle of it; then nothing is kept.
pub fn move_store(
    from: &StorePlace,
    to: &StorePlace,
    while_running: bool,
    report: &mut dyn FnMut(Progress),
) -> Result<Moved, MoveError> {
    if let (StorePlace::File(_), StorePlace::File(_)) = (from, to) {
        return Err(MoveError::Files);
    }
    let (source, running) = Source::open(from, while_running)?;
    let target = Target::open(to)?;
    let texts = match to {
        StorePlace::File(_) => Texts::Any,
        StorePlace::Server(_) => Texts::WithoutNul,
    };
    let mut digests = Vec::with_capacity(TABLES.len());
    for table in &TABLES {
        let copied = copy_table(&source, &target, table, texts, report);
        digests.push(copied.map_err(|Failure { is_target, source }| {
            let place = if is_target { to } else { from }.to_string();
            MoveError::Broken { place, source }
        })?);
    }
    let mut moved = Moved { tables: Vec::new(), rows_with_nul: 0, running };
    for (table, read) in TABLES.iter().zip(&digests) {
        let written = check_table(&target, table, read.rows(), report);
        let written =
            written.map_err(|source| MoveError::Broken { place: to.to_string(), source })?;
        moved.rows_with_nul += read.rows_replaced();
        moved.tables.push(MovedTable {
            name: table.name(),
            rows: [read.rows(), written.rows()],
            sha256: [read.sha256(), written.sha256()],
        });
    }
    if moved.tables.iter().any(MovedTable::differs) {
        return Err(MoveError::Differs { place: to.to_string(), tables: moved.tables });
    }
    target.keep()?;
    Ok(moved)
}

/// What failed, and on which side.
struct Failure {
    is_target: bool,
    source: StoreError,
}

fn copy_table(
    source: &Source,
    target: &Target,
    table: &'static Table,
    texts: Texts,
    report: &mut dyn FnMut(Progress),
) -> Result<Digest, Failure> {
    let of =
        rows::count(source.sql(), table).map_err(|source| Failure { is_target: false, source })?;
    let (mut digest, mut is_target) = (None, true);
    let written = target.sql().and_then(|connection| {
        connection.write_all(table.bulk(), |put| {
            let mut is_put = true;
            let read = rows::read_each(
                source.sql(),
                table,
                texts,
                |row| {
                    let done = put(row);
                    is_put = done.is_ok();
                    done
                },
                |rows| report(Progress { table: table.name(), is_check: false, rows, of }),
            );
            is_target = read.is_ok() || !is_put;
            digest = Some(read?);
            Ok(())
        })
    });
    written.map_err(|source| Failure { is_target, source })?;
    digest.ok_or(Failure { is_target, source: StoreError::Closed })
}

fn check_table(
    target: &Target,
    table: &'static Table,
    of: u64,
    report: &mut dyn FnMut(Progress),
) -> Result<Digest, StoreError> {
    rows::read_each(
        target.sql()?,
        table,
        Texts::Any,
        |_| Ok(()),
        |rows| report(Progress { table: table.name(), is_check: true, rows, of }),
    )
}
