//! What runs statements.

use std::{fmt::Debug, ops::ControlFlow};

use super::{Bulk, Param, Row};
use crate::store::{SqlError, SqlErrorKind, StoreError};

/// What takes the rows of a [`Bulk`], one after the other.
pub(in crate::store) type Put<'a> = dyn FnMut(&[Param<'_>]) -> Result<(), StoreError> + 'a;

/// A connection to a database. An engine keeps the statements that it prepared.
///
/// What takes a row may run other statements meanwhile.
pub(in crate::store) trait Connection: Debug + Send {
    /// Whether it can be used, as far as is known.
    fn is_open(&self) -> bool;

    /// Begins to read: until the end of it, all that is read is of one moment.
    fn begin_reading(&self) -> Result<(), StoreError>;

    /// Ends to read.
    fn end_reading(&self) -> Result<(), StoreError>;

    /// Runs questions that are asked again next, in the same words: an engine that is away sends
    /// them all, and waits for their answers together. Here they have no rows yet, so that what
    /// needs another's answer is not among them; what comes of them is no matter.
    ///
    /// One in this process has nothing to win.
    fn foresee(&self, _questions: &mut dyn FnMut()) {}

    /// Writes something that changes nothing, so that a commit shows whether one is possible.
    fn touch(&self) -> Result<(), StoreError>;

    /// Runs a statement that gives rows, and hands each of them on until it is told to stop.
    fn query(
        &self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError>;

    /// Runs a statement that gives no rows; returns how many it changed.
    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize, StoreError>;

    /// Runs a statement of which nobody asks what it did. An engine may go on before it is done:
    /// what it fails with is then told by a later one, at the latest by the commit.
    fn send(&self, sql: &str, params: &[Param<'_>]) -> Result<(), StoreError>;

    /// Writes the rows that `rows` puts, in their order or at once; as [`send`](Self::send), an
    /// engine may go on before it is done. No two of them may have the same key.
    fn write(
        &self,
        bulk: &Bulk,
        rows: &mut dyn FnMut(&mut Put<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

impl dyn Connection + '_ {
    /// Hands each row on.
    pub(in crate::store) fn each(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut take: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.query(sql, params, &mut |row| take(row).map(ControlFlow::Continue))
    }

    /// What `read` makes of each row.
    pub(in crate::store) fn all<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each(sql, params, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// What `read` makes of the first row, when there is one.
    pub(in crate::store) fn optional<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.query(sql, params, &mut |row| {
            found = Some(read(row)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// What `read` makes of the first row of a statement that always gives one.
    pub(in crate::store) fn one<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let none = || SqlError::new(SqlErrorKind::Other, "a row is missing that is always there");
        self.optional(sql, params, read)?.ok_or_else(|| none().into())
    }

    /// The texts in the first column.
    pub(in crate::store) fn texts(
        &self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<String>, StoreError> {
        self.all(sql, params, |row| row.get(0))
    }

    /// A number that is never negative.
    pub(in crate::store) fn count(
        &self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<u64, StoreError> {
        self.one(sql, params, |row| row.get(0))
    }

    /// Whether there is a row.
    pub(in crate::store) fn exists(
        &self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<bool, StoreError> {
        Ok(self.optional(sql, params, |_| Ok(()))?.is_some())
    }

    /// Writes the rows that `rows` puts.
    pub(in crate::store) fn write_all(
        &self,
        bulk: &Bulk,
        mut rows: impl FnMut(&mut Put<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.write(bulk, &mut rows)
    }
}
