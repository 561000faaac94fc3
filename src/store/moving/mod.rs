//! Moves a whole database from one engine to another: every row and every number, or nothing.
//!
//! What belongs to an engine is not moved: the version of a schema, the lease, the log of commits.
//! The same code computes a digest of the rows on both sides, and the digests are compared before
//! the copy is kept.

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

/// A table that was copied, with the digests of the rows that were read and of those that were
/// written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTable {
    /// Its name.
    pub name: &'static str,
    /// The number of rows that were read, and the number in the copy.
    pub rows: [u64; 2],
    /// The SHA-256 over the values in the order of the key, in hexadecimal digits, of both.
    pub sha256: [String; 2],
}

impl MovedTable {
    /// Whether the copy has different rows.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.rows[0] != self.rows[1] || self.sha256[0] != self.sha256[1]
    }
}

/// The result of a move.
#[derive(Debug, Clone)]
pub struct Moved {
    /// All tables.
    pub tables: Vec<MovedTable>,
    /// The number of rows in which a text had a NUL character, which PostgreSQL cannot store; it
    /// was replaced by U+FFFD.
    pub rows_with_nul: u64,
    /// The name of the replica that kept running on the database that was read; its commits since
    /// then are not in the copy.
    pub running: Option<String>,
}

/// The progress of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The table.
    pub table: &'static str,
    /// Whether the copy is read and compared; otherwise rows are copied.
    pub is_check: bool,
    /// Rows of the table so far.
    pub rows: u64,
    /// The number of rows of the table.
    pub of: u64,
}

/// Copies a whole database to a place without one: to a new file, or to a server's schema without
/// data, which is created if it is missing.
///
/// With `while_running` it also copies from a server while replicas run there. It blocks on files
/// and servers.
///
/// # Errors
/// When a place cannot be used, or fails meanwhile; then nothing is kept.
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

/// An error, and the side that failed.
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
