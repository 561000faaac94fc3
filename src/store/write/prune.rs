//! Forgetting what is too old.

use rusqlite::{Savepoint, params};

use super::{Reply, Transact, Write, cursor::OTLP};
use crate::{
    domain::Timestamp,
    store::{Store, StoreError, moment::to_micros},
};

/// Rows of a table that one transaction removes at most, so that no delivery
/// waits for long.
const AT_ONCE: i64 = 2000;

/// What is older goes; what is open or watched, and what a receiver still has to
/// take, stays.
#[derive(Debug)]
pub(in crate::store) struct Prune {
    before: Timestamp,
    keep_pending: bool,
}

impl Store {
    /// Removes some of what is older than `before`; returns how many rows, 0
    /// when nothing is left to remove. `keep_pending` spares events that wait for
    /// the OTLP delivery.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn prune(&self, before: Timestamp, keep_pending: bool) -> Result<usize, StoreError> {
        self.write(Prune { before, keep_pending }).await
    }
}

impl Transact for Prune {
    type Outcome = usize;

    fn with(self, reply: Reply<usize>) -> Write {
        Write::Prune(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<usize, StoreError> {
        let before = to_micros(self.before);
        let delivered: i64 = if self.keep_pending {
            let select = "SELECT coalesce(max(seq), 0) FROM cursor WHERE consumer = ?1";
            tx.query_row(select, [OTLP], |row| row.get(0))?
        } else {
            i64::MAX
        };
        // Without a delivery nothing waits, whatever somebody wanted sent before.
        if !self.keep_pending {
            tx.execute(
                "DELETE FROM otlp_resend WHERE seq IN (
                    SELECT seq FROM event WHERE observed_at < ?1)",
                [before],
            )?;
        }
        tx.execute(
            "DELETE FROM parked_event WHERE seq IN (
                SELECT seq FROM event WHERE observed_at < ?1 AND seq <= ?2)",
            params![before, delivered],
        )?;
        // The newest event stays: its number tells how far the log has got.
        let events = tx.execute(
            "DELETE FROM event WHERE seq IN (
                SELECT seq FROM event
                WHERE observed_at < ?1 AND seq <= ?2 AND seq < (SELECT max(seq) FROM event)
                AND seq NOT IN (SELECT seq FROM otlp_resend)
                ORDER BY seq LIMIT ?3)",
            params![before, delivered, AT_ONCE],
        )?;
        let failures = tx.execute(
            "DELETE FROM failure WHERE id IN (
                SELECT id FROM failure WHERE resolved_at < ?1 LIMIT ?2)",
            params![before, AT_ONCE],
        )?;
        // A repeat that comes after this would count as new: no sender waits so long.
        let deliveries = tx.execute(
            "DELETE FROM delivery WHERE seq IN (
                SELECT seq FROM delivery AS d
                WHERE received_at < ?1
                AND (status <> 200 OR seq < (SELECT max(seq) FROM delivery WHERE status = 200))
                AND NOT EXISTS (SELECT 1 FROM failure WHERE delivery_seq = d.seq)
                LIMIT ?2)",
            params![before, AT_ONCE],
        )?;
        Ok(events + failures + deliveries + forget_unwatched(tx, before)?)
    }
}

/// Snapshots and polls of what is watched no longer.
fn forget_unwatched(tx: &Savepoint<'_>, before: i64) -> Result<usize, StoreError> {
    let mut removed = 0;
    for statement in [
        "DELETE FROM user_application WHERE login IN (
            SELECT login FROM user_snapshot WHERE observed_at < ?1 AND NOT EXISTS (
                SELECT 1 FROM watch WHERE kind = 'user' AND subject = login))",
        "DELETE FROM user_snapshot WHERE observed_at < ?1 AND NOT EXISTS (
            SELECT 1 FROM watch WHERE kind = 'user' AND subject = login)",
        "DELETE FROM ip_snapshot WHERE observed_at < ?1 AND NOT EXISTS (
            SELECT 1 FROM watch WHERE kind = 'ip' AND subject = ip)",
        "DELETE FROM list_null WHERE last_at < ?1 AND NOT EXISTS (
            SELECT 1 FROM watch WHERE kind = 'user' AND subject = login)",
        "DELETE FROM poll WHERE last_at < ?1 AND NOT EXISTS (
            SELECT 1 FROM watch WHERE watch.kind = poll.kind AND watch.subject = poll.subject)",
    ] {
        removed += tx.execute(statement, [before])?;
    }
    Ok(removed)
}
