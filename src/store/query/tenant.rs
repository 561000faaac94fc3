//! The tenant's figures, and the listing in progress.

use super::Reader;
use crate::{
    domain::{Login, TenantFigures, TenantId, Timestamp},
    store::{StoreError, row::figures, shared, sql::params},
};

/// A listing of the tenant that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// When it began.
    pub begun_at: Timestamp,
    /// The token of the next page; none when the last page is recorded and the verdicts are being
    /// applied.
    pub page_token: Option<String>,
    /// The last stored login to which verdicts were applied.
    pub position: Option<String>,
}

/// The state of the tenant's listings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListingState {
    /// The listing in progress, if there is one.
    pub under_way: Option<ListingUnderWay>,
    /// The last complete listing; none before the first, and none while the job is switched off.
    pub complete: Option<ListingComplete>,
}

impl ListingState {
    /// Whether the failing checks of the whole tenant are known: a complete listing had them.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete.is_some_and(|complete| complete.told)
    }
}

/// The progress of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingUnderWay {
    /// When it began.
    pub since: Timestamp,
    /// Users so far.
    pub users: u64,
    /// Pages so far.
    pub pages: u64,
    /// Rows so far that could not be read.
    pub skipped: u64,
}

/// A complete listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingComplete {
    /// When it ended.
    pub at: Timestamp,
    /// Users that were listed.
    pub users: u64,
    /// Rows that could not be read.
    pub skipped: u64,
    /// Whether its failing checks count: it has some, and most rows could be read.
    pub told: bool,
}

impl Reader {
    /// The tenant that deliveries are from; none before the first delivery that names it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tenant_id(&self) -> Result<Option<TenantId>, StoreError> {
        shared::tenant_id(self.sql())
    }

    /// The listing in progress, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tenant_listing(&self) -> Result<Option<Listing>, StoreError> {
        self.sql().optional(
            "SELECT begun_at, page_token, position FROM listing WHERE state = 'under_way'",
            &[],
            |row| {
                let (begun_at, page_token) = (row.get(0)?, row.get(1)?);
                Ok(Listing { begun_at, page_token, position: row.get(2)? })
            },
        )
    }

    /// The state of the tenant's listings.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tenant_listing_state(&self) -> Result<ListingState, StoreError> {
        let under_way = self.sql().optional(
            "SELECT begun_at, users, pages, skipped FROM listing WHERE state = 'under_way'",
            &[],
            |row| {
                let (users, pages, skipped) = (row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(ListingUnderWay { since: row.get(0)?, users, pages, skipped })
            },
        )?;
        let complete = self.sql().optional(
            "SELECT ended_at, users, skipped, is_verdict FROM listing WHERE state = 'done'",
            &[],
            |row| {
                let (users, skipped, told) = (row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(ListingComplete { at: row.get(0)?, users, skipped, told })
            },
        )?;
        Ok(ListingState { under_way, complete })
    }

    /// Users who fail a check or have a snapshot, and are absent from the last complete listing;
    /// those with the oldest answer first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn absent_from_listing(&self, limit: usize) -> Result<Vec<Login>, StoreError> {
        self.logins(
            "SELECT login FROM (
                SELECT login FROM failure UNION SELECT login FROM user_snapshot
             ) AS known
             LEFT JOIN failure_answer AS answer USING (login)
             WHERE NOT EXISTS (
                SELECT 1 FROM listing_member AS m WHERE m.login = known.login
                AND m.listing = (SELECT number FROM listing WHERE state = 'done'))
             ORDER BY coalesce(answer.as_of, 0), login LIMIT ?1",
            params![limit],
        )
    }

    /// The figures of the last complete listing; none before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tenant_figures(&self) -> Result<TenantFigures, StoreError> {
        let sql = "SELECT figures FROM listing WHERE state = 'done'";
        let figures = self.sql().optional(sql, &[], |row| {
            figures::decode(row.text(0)?)
                .map_err(|error| StoreError::corrupt("listing", "done", error))
        })?;
        Ok(figures.unwrap_or_default())
    }
}
