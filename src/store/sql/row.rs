//! Rows of queries.

use super::{Cell, Column};
use crate::store::{SqlError, SqlErrorKind, StoreError};

/// An engine's row.
pub(in crate::store) trait Cells {
    /// The value in a column, counted from 0.
    fn cell(&self, column: usize) -> Result<Cell<'_>, SqlError>;

    /// The name of a column in the query.
    fn name(&self, column: usize) -> &str;
}

/// A row of a query. Values that are borrowed from it are not copied.
pub(in crate::store) struct Row<'a>(&'a dyn Cells);

impl<'a> Row<'a> {
    pub(in crate::store) fn new(cells: &'a dyn Cells) -> Self {
        Self(cells)
    }

    /// Reads a column, counted from 0.
    ///
    /// # Errors
    /// When the value has another type: the row cannot be decoded.
    pub(in crate::store) fn get<T: Column<'a>>(&self, column: usize) -> Result<T, StoreError> {
        T::read(self.0.cell(column)?).map_err(|mismatch| {
            let text = format!("{mismatch}, in the column {}", self.0.name(column));
            SqlError::new(SqlErrorKind::UnreadableRow, &text).into()
        })
    }

    /// Reads a text without copying it.
    pub(in crate::store) fn text(&self, column: usize) -> Result<&'a str, StoreError> {
        self.get(column)
    }

    /// Reads bytes, or those of a text, without copying them.
    pub(in crate::store) fn bytes(&self, column: usize) -> Result<&'a [u8], StoreError> {
        self.get(column)
    }
}
