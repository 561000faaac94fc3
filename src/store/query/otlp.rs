//! The state of the OTLP delivery, and the events that wait for it.

use super::Reader;
use crate::{
    domain::Timestamp,
    store::{
        StoreError,
        shared::{OTLP, count_public_up_to},
        sql::params,
    },
};

/// The events that wait for the OTLP delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// The number of events, including those to send on purpose.
    pub pending: u64,
    /// When the oldest of them was observed. Events to send on purpose do not count: they are old
    /// already when they begin to wait.
    pub oldest: Option<Timestamp>,
    /// Events that the collector always refuses.
    pub parked: u64,
}

/// The state of the OTLP delivery, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpStanding {
    /// Whether the daemon has an OTLP delivery.
    pub enabled: bool,
    /// Everything up to this number is delivered, parked, or left out.
    pub cursor: i64,
    /// Events that wait; none without an OTLP delivery.
    pub pending_events: u64,
    /// When the oldest of them was observed.
    pub oldest_pending_at: Option<Timestamp>,
    /// Events that the collector always refuses.
    pub parked_events: u64,
    /// Events that were left out, or are being left out because there is no OTLP delivery.
    pub left_out_events: u64,
}

impl Reader {
    /// The state of the OTLP delivery, with or without one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn otlp_standing(&self, enabled: bool) -> Result<OtlpStanding, StoreError> {
        let (Backlog { pending, oldest, parked }, left_out) =
            (self.otlp_backlog()?, self.otlp_left_out()?);
        Ok(OtlpStanding {
            enabled,
            cursor: self.otlp_cursor()?,
            pending_events: if enabled { pending } else { 0 },
            oldest_pending_at: oldest.filter(|_| enabled),
            parked_events: parked,
            // Without a delivery they are not sent: the next start with one begins after them.
            left_out_events: if enabled { left_out } else { left_out + pending },
        })
    }

    /// The number up to which everything is delivered, parked, or left out.
    ///
    /// # Errors
    /// When the database fails.
    pub fn otlp_cursor(&self) -> Result<i64, StoreError> {
        let sql = "SELECT seq FROM cursor WHERE consumer = ?1";
        let cursor = self.sql().optional(sql, params![OTLP], |row| row.get(0))?;
        Ok(cursor.unwrap_or(0))
    }

    /// The numbers of events to send on purpose, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn otlp_resends(&self, limit: usize) -> Result<Vec<i64>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = "SELECT seq FROM otlp_resend ORDER BY seq LIMIT ?1";
        self.sql().all(sql, params![limit], |row| row.get(0))
    }

    /// The events that wait for the OTLP delivery.
    ///
    /// # Errors
    /// When the database fails.
    pub fn otlp_backlog(&self) -> Result<Backlog, StoreError> {
        let cursor = self.otlp_cursor()?;
        let all: i64 = self.sql().one("SELECT public_events FROM head", &[], |row| row.get(0))?;
        let live = u64::try_from(all - count_public_up_to(self.sql(), cursor)?).unwrap_or(0);
        let on_purpose = self.sql().count("SELECT count(*) FROM otlp_resend", &[])?;
        let parked = self.sql().count("SELECT count(*) FROM parked_event", &[])?;
        let oldest = self.sql().optional(
            "SELECT observed_at FROM event WHERE public = 1 AND seq > ?1 ORDER BY seq LIMIT 1",
            params![cursor],
            |row| row.get(0),
        )?;
        Ok(Backlog { pending: live + on_purpose, oldest, parked })
    }

    /// The number of events that were left out because the daemon had no OTLP delivery.
    ///
    /// # Errors
    /// When the database fails.
    pub fn otlp_left_out(&self) -> Result<u64, StoreError> {
        let sql = "SELECT first_seq, last_seq FROM otlp_gap";
        let gaps = self.sql().all(sql, &[], |row| Ok((row.get::<i64>(0)?, row.get(1)?)))?;
        let mut left_out = 0;
        for (first, last) in gaps {
            left_out +=
                count_public_up_to(self.sql(), last)? - count_public_up_to(self.sql(), first - 1)?;
        }
        Ok(u64::try_from(left_out).unwrap_or(0))
    }
}
