//! The tenant as it was last counted, and a listing that is under way.

use super::Reader;
use crate::{
    domain::{Login, TenantFigures, TenantId, Timestamp},
    store::{StoreError, row::figures, shared, sql::params},
};

/// A listing of the tenant that did not come to its end yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// When it began.
    pub begun_at: Timestamp,
    /// The token of the page that comes next; none when its last page is in, and its
    /// verdicts are being applied.
    pub page_token: Option<String>,
    /// Up to which stored login they were applied.
    pub position: Option<String>,
}

/// What is known of the tenant's listing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListingState {
    /// The listing that is under way, when one is.
    pub under_way: Option<ListingUnderWay>,
    /// The last one that came to its end; none before the first, and none while
    /// the job is switched off.
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
    /// Pages so far.
    pub pages: u64,
    /// Rows so far that could not be read.
    pub skipped: u64,
}

/// A listing that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingComplete {
    /// When it ended.
    pub at: Timestamp,
    /// Its users.
    pub users: u64,
    /// Rows that could not be read.
    pub skipped: u64,
    /// Whether it told failing checks, and not mostly unreadable rows.
    pub told: bool,
}

impl Reader {
    /// Which tenant deliveries are from; none before the first that tells it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tenant_id(&self) -> Result<Option<TenantId>, StoreError> {
        shared::tenant_id(self.sql())
    }

    /// The listing that is under way, when one is.
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

    /// What is known of the tenant's listing.
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

    /// Users who fail a check, or have a snapshot, and are absent from the last
    /// complete listing; those first whose last answer is the oldest.
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
