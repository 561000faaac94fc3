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

/// What is known of the tenant's listing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListingState {
    /// The listing that is under way, when one is.
    pub under_way: Option<ListingUnderWay>,
    /// The last one that came to its end; none before the first.
    pub complete: Option<ListingComplete>,
}

impl ListingState {
    /// Whether who fails what is known of the tenant: a listing came to its end
    /// that told failing checks.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete.is_some_and(|complete| complete.told)
    }
}

/// How far a listing has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingUnderWay {
    /// When it began.
    pub since: Timestamp,
    /// Users so far.
    pub users: u64,
}

/// A listing that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingComplete {
    /// When it ended.
    pub at: Timestamp,
    /// Its users.
    pub users: u64,
    /// Whether it told failing checks.
    pub told: bool,
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

    /// What is known of the tenant's listing.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tenant_listing_state(&self) -> Result<ListingState, StoreError> {
        let under_way = self.tenant_listing()?.map(|listing| {
            let users = self.count("SELECT count(*) FROM tenant_staged", [])?;
            Ok::<_, StoreError>(ListingUnderWay { since: listing.begun_at, users })
        });
        let complete = self
            .connection
            .prepare_cached("SELECT completed_at, is_verdict FROM tenant_complete")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let complete = complete.map(|(at, told)| {
            let users = self.count(
                "SELECT coalesce(sum(count), 0) FROM tenant_figure WHERE dimension = 'status'",
                [],
            )?;
            Ok::<_, StoreError>(ListingComplete { at: from_micros(at)?, users, told })
        });
        Ok(ListingState { under_way: under_way.transpose()?, complete: complete.transpose()? })
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
