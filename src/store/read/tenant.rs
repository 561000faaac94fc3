//! The tenant as it was last counted, and a listing that is under way.

use rusqlite::OptionalExtension;

use super::Reader;
use crate::{
    domain::{Dimension, TenantFigures, Timestamp},
    store::{StoreError, moment::from_micros},
};

/// A listing of the tenant that did not come to its end yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// When it began.
    pub begun_at: Timestamp,
    /// The token of the page that comes next.
    pub page_token: String,
}

impl Reader {
    /// The listing that is under way, when one is.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tenant_listing(&self) -> Result<Option<Listing>, StoreError> {
        let row = self
            .connection
            .prepare_cached("SELECT begun_at, page_token FROM tenant_listing")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((begun_at, page_token)) = row else { return Ok(None) };
        Ok(Some(Listing { begun_at: from_micros(begun_at)?, page_token }))
    }

    /// Whether the last listing that came to its end told who fails what.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tenant_is_known(&self) -> Result<bool, StoreError> {
        let mut select =
            self.connection.prepare_cached("SELECT is_verdict FROM tenant_complete")?;
        Ok(select.query_row([], |row| row.get(0)).optional()?.unwrap_or(false))
    }

    /// The figures of the last complete listing; none before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tenant_figures(&self) -> Result<TenantFigures, StoreError> {
        let mut select =
            self.connection.prepare_cached("SELECT dimension, value, count FROM tenant_figure")?;
        let mut rows = select.query([])?;
        let mut figures = TenantFigures::new();
        while let Some(row) = rows.next()? {
            let dimension = Dimension::parse(&row.get::<_, String>(0)?)
                .ok_or(StoreError::Corrupt("tenant figure"))?;
            figures.insert((dimension, row.get(1)?), row.get(2)?);
        }
        Ok(figures)
    }
}
