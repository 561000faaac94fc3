//! The interface that runs statements.

use std::{fmt::Debug, ops::ControlFlow};

use super::{Bulk, Param, Row};
use crate::store::{SqlError, SqlErrorKind, StoreError};

/// Takes the rows of a [`Bulk`], one after the other.
pub(in crate::store) type Put<'a> = dyn FnMut(&[Param<'_>]) -> Result<(), StoreError> + 'a;

/// A connection to a database. An engine caches the statements that it prepared.
///
/// A callback that takes a row may run other statements.
pub(in crate::store) trait Connection: Debug + Send {
    /// Whether it can be used, as far as is known.
    fn is_open(&self) -> bool;

    /// Begins a read transaction: everything read until its end is from one moment.
    fn begin_reading(&self) -> Result<(), StoreError>;

    /// Ends the read transaction.
    fn end_reading(&self) -> Result<(), StoreError>;

    /// Runs queries that follow next in the same words. A remote engine sends all of them and waits
    /// for their answers together. In this run they return no rows, so a query that needs another's
    /// answer cannot be among them; results are ignored.
    ///
    /// An engine in this process has no benefit from it and does nothing.
    fn foresee(&self, _questions: &mut dyn FnMut()) {}

    /// Writes a row without changing it, so that a commit shows whether the store can commit.
    fn touch(&self) -> Result<(), StoreError>;

    /// Runs a query, and passes each row to the callback until it breaks.
    fn query(
        &self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError>;

    /// Runs a statement without a result; returns the number of changed rows.
    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize, StoreError>;

    /// Runs a statement whose count is not needed. An engine may continue before it is done: an
    /// error is then returned by a later statement, at the latest by the commit.
    fn send(&self, sql: &str, params: &[Param<'_>]) -> Result<(), StoreError>;

    /// Writes the rows that `rows` puts, in their order or at once. As with [`send`](Self::send),
    /// an engine may continue before it is done. No two of them may have the same key.
    fn write(
        &self,
        bulk: &Bulk,
        rows: &mut dyn FnMut(&mut Put<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

impl dyn Connection + '_ {
    /// Passes each row to `each`.
    pub(in crate::store) fn each(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut take: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.query(sql, params, &mut |row| take(row).map(ControlFlow::Continue))
    }

    /// The result of `read` for each row.
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

    /// The result of `read` for the first row, if there is one.
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

    /// The result of `read` for the first row of a query that always returns one.
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

    /// Whether the query returns a row.
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
