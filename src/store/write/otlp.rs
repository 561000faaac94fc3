//! Where the OTLP delivery begins, and what is sent on purpose.

use rusqlite::{OptionalExtension, Savepoint};

use super::{
    Reply, Transact, Write,
    cursor::{OTLP, advance},
};
use crate::{
    domain::Timestamp,
    store::{Store, StoreError, moment::to_micros},
};

/// A start of the daemon, with or without an OTLP delivery.
#[derive(Debug)]
pub(in crate::store) struct BeginOtlp {
    is_on: bool,
}

/// A request to send parked events again.
#[derive(Debug)]
pub(in crate::store) struct RetryParked;

/// A request to send what was left out since a moment.
#[derive(Debug)]
pub(in crate::store) struct Backfill {
    since: Timestamp,
}

impl Store {
    /// Notes that the daemon starts with or without an OTLP delivery. After a start
    /// without, a delivery begins with what happens from now on; returns how many
    /// events it thereby leaves out.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn begin_otlp(&self, is_on: bool) -> Result<u64, StoreError> {
        self.write(BeginOtlp { is_on }).await
    }

    /// Has parked events sent again; returns how many.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn retry_otlp(&self) -> Result<u64, StoreError> {
        let events = self.write(RetryParked).await?;
        self.shared.resend.notify_one();
        Ok(events)
    }

    /// Has the events sent that were observed since a moment and left out, because
    /// there was no delivery; returns how many.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn backfill_otlp(&self, since: Timestamp) -> Result<u64, StoreError> {
        let events = self.write(Backfill { since }).await?;
        self.shared.resend.notify_one();
        Ok(events)
    }

    /// Resolves when there is something new to send on purpose; for one waiter.
    pub async fn otlp_resend_requested(&self) {
        self.shared.resend.notified().await;
    }
}

impl Transact for BeginOtlp {
    type Outcome = u64;

    fn with(self, reply: Reply<u64>) -> Write {
        Write::BeginOtlp(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<u64, StoreError> {
        let was_on: Option<bool> =
            tx.query_row("SELECT is_on FROM otlp_start", [], |row| row.get(0)).optional()?;
        tx.execute("INSERT OR REPLACE INTO otlp_start (id, is_on) VALUES (1, ?1)", [self.is_on])?;
        // Before the first start of this version nobody knows: a database that is
        // new has nothing to leave out, and one that is older may have events that
        // wait for a collector. None of them is given up.
        if !self.is_on || was_on != Some(false) {
            return Ok(0);
        }
        let cursor: i64 = tx.query_row(
            "SELECT coalesce(max(seq), 0) FROM cursor WHERE consumer = ?1",
            [OTLP],
            |row| row.get(0),
        )?;
        let last: i64 =
            tx.query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| row.get(0))?;
        let left_out: u64 = tx.query_row(
            "SELECT count(*) FROM event WHERE public = 1 AND seq > ?1",
            [cursor],
            |row| row.get(0),
        )?;
        if left_out > 0 {
            tx.execute(
                "INSERT OR REPLACE INTO otlp_gap (first_seq, last_seq) VALUES (?1, ?2)",
                [cursor + 1, last],
            )?;
        }
        advance(tx, last)?;
        Ok(left_out)
    }
}

impl Transact for RetryParked {
    type Outcome = u64;

    fn with(self, reply: Reply<u64>) -> Write {
        Write::RetryParked(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<u64, StoreError> {
        tx.execute("INSERT OR IGNORE INTO otlp_resend (seq) SELECT seq FROM parked_event", [])?;
        Ok(count(tx.execute("DELETE FROM parked_event", [])?))
    }
}

impl Transact for Backfill {
    type Outcome = u64;

    fn with(self, reply: Reply<u64>) -> Write {
        Write::Backfill(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<u64, StoreError> {
        let first: Option<i64> = tx.query_row(
            "SELECT min(event.seq) FROM otlp_gap
             JOIN event ON event.seq BETWEEN first_seq AND last_seq
             WHERE public = 1 AND observed_at >= ?1",
            [to_micros(self.since)],
            |row| row.get(0),
        )?;
        let Some(first) = first else { return Ok(0) };
        let events = tx.execute(
            "INSERT OR IGNORE INTO otlp_resend (seq)
             SELECT event.seq FROM otlp_gap
             JOIN event ON event.seq BETWEEN max(first_seq, ?1) AND last_seq
             WHERE public = 1",
            [first],
        )?;
        // What is sent now is left out no longer.
        tx.execute("DELETE FROM otlp_gap WHERE first_seq >= ?1", [first])?;
        tx.execute("UPDATE otlp_gap SET last_seq = ?1 - 1 WHERE last_seq >= ?1", [first])?;
        Ok(count(events))
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
