//! Runs statements in SQLite, and converts its values.

use std::{ops::ControlFlow, rc::Rc};

use rusqlite::{
    CachedStatement, ErrorCode, ToSql, params_from_iter,
    types::{ToSqlOutput, Value, ValueRef},
};

use super::migrations;
use crate::store::{
    SqlError, SqlErrorKind, StoreError,
    sql::{Bulk, Cell, Cells, Connection, Param, Put, Row},
};

impl Connection for rusqlite::Connection {
    fn is_open(&self) -> bool {
        true
    }

    fn begin_reading(&self) -> Result<(), StoreError> {
        Ok(self.execute_batch("BEGIN")?)
    }

    fn end_reading(&self) -> Result<(), StoreError> {
        Ok(self.execute_batch("ROLLBACK")?)
    }

    /// Writes the schema's version again. An update of a row would not do, because SQLite skips the
    /// write of a row that does not change.
    fn touch(&self) -> Result<(), StoreError> {
        let version = migrations::version(self)?;
        Ok(self.pragma_update(None, "user_version", version)?)
    }

    fn query(
        &self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(params))?;
        while let Some(row) = rows.next()? {
            if each(&Row::new(row))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize, StoreError> {
        Ok(self.prepare_cached(sql)?.execute(params_from_iter(params))?)
    }

    fn send(&self, sql: &str, params: &[Param<'_>]) -> Result<(), StoreError> {
        Connection::execute(self, sql, params).map(drop)
    }

    /// One statement per row: within one process that costs no more than one statement for many.
    fn write(
        &self,
        bulk: &Bulk,
        rows: &mut dyn FnMut(&mut Put<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // Prepared only when there is a row.
        let mut prepared: Option<CachedStatement<'_>> = None;
        rows(&mut |row| {
            debug_assert!(bulk.takes(row), "other columns than those of {bulk:?}");
            let statement = match &mut prepared {
                Some(statement) => statement,
                none => none.insert(self.prepare_cached(bulk.by_row())?),
            };
            statement.execute(params_from_iter(row))?;
            Ok(())
        })
    }
}

impl Cells for rusqlite::Row<'_> {
    fn cell(&self, column: usize) -> Result<Cell<'_>, SqlError> {
        Ok(match self.get_ref(column)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Integer(number),
            ValueRef::Real(number) => Cell::Real(number),
            ValueRef::Text(text) => Cell::Text(text),
            ValueRef::Blob(bytes) => Cell::Bytes(bytes),
        })
    }

    fn name(&self, column: usize) -> &str {
        self.as_ref().column_name(column).unwrap_or_default()
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Integer(number) => ToSqlOutput::Borrowed(ValueRef::Integer(number)),
            // The error that rusqlite returns for such a number.
            Self::TooLarge => return u64::MAX.to_sql(),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Integers(numbers) => list(numbers.iter().copied().map(Value::Integer)),
            Self::Texts(texts) => list(texts.iter().map(|&text| Value::Text(text.to_owned()))),
        })
    }
}

/// A list for the table-valued function `rarray`: a pointer of this type.
fn list(values: impl Iterator<Item = Value>) -> ToSqlOutput<'static> {
    ToSqlOutput::from_rc(Rc::new(values.collect::<Vec<_>>()), c"rarray")
}

impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> Self {
        let kind = match &error {
            rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..) => SqlErrorKind::UnreadableRow,
            rusqlite::Error::ToSqlConversionFailure(_) | rusqlite::Error::NulError(_) => {
                SqlErrorKind::Data
            }
            error => error.sqlite_error_code().map_or(SqlErrorKind::Other, kind),
        };
        Self::new(kind, &error)
    }
}

fn kind(code: ErrorCode) -> SqlErrorKind {
    match code {
        ErrorCode::DiskFull => SqlErrorKind::DiskFull,
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => SqlErrorKind::Io,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => SqlErrorKind::Locked,
        ErrorCode::DatabaseCorrupt => SqlErrorKind::Corrupt,
        ErrorCode::NotADatabase => SqlErrorKind::NotADatabase,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => SqlErrorKind::ReadOnly,
        ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig => {
            SqlErrorKind::Data
        }
        _ => SqlErrorKind::Other,
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        SqlError::from(error).into()
    }
}
