//! Webhook deliveries that were refused although their secret is right.

use rusqlite::{
    Savepoint, params,
    types::{ToSqlOutput, Value, ValueRef},
};

use super::{Reply, Transact, Write};
use crate::{
    domain::Timestamp,
    store::{Store, StoreError, moment::to_micros},
};

/// Refused deliveries that are kept: this many with their body, and as many of
/// which only the reason is known.
const KEPT: u32 = 100;

/// A refused delivery to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRefused {
    /// When it came.
    pub received_at: Timestamp,
    /// The status of the answer.
    pub status: u16,
    /// The word of the metric `cii_webhook_requests_total`.
    pub result: &'static str,
    /// What the sender was told.
    pub reason: String,
    /// Bytes of the body, as far as they are known.
    pub size: Option<usize>,
    /// The begin of the body, for an answer of 400.
    pub body: Option<Vec<u8>>,
    /// Whether the body is gzip that could not be unpacked.
    pub is_packed: bool,
}

impl Store {
    /// Records a refused delivery, and removes the oldest beyond those that are
    /// kept; its number.
    ///
    /// # Errors
    /// `Busy` at once when too many writes wait; otherwise when the database
    /// cannot commit.
    pub async fn record_refused(&self, record: RecordRefused) -> Result<i64, StoreError> {
        self.write_unless_busy(record).await
    }
}

impl Transact for RecordRefused {
    type Outcome = i64;

    fn with(self, reply: Reply<i64>) -> Write {
        Write::Refused(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<i64, StoreError> {
        tx.prepare_cached(
            "INSERT INTO delivery (received_at, status, outcome, reason, size, is_packed, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            to_micros(self.received_at),
            self.status,
            self.result,
            self.reason,
            self.size,
            self.is_packed,
            self.body.as_deref().map(kept),
        ])?;
        let number = tx.last_insert_rowid();
        for condition in ["body IS NOT NULL", "body IS NULL"] {
            tx.prepare_cached(&format!(
                "DELETE FROM delivery WHERE status <> 200 AND {condition} AND seq NOT IN (
                    SELECT seq FROM delivery WHERE status <> 200 AND {condition}
                    ORDER BY seq DESC LIMIT {KEPT})"
            ))?
            .execute([])?;
        }
        Ok(number)
    }
}

/// Notes what the replay of a refused delivery became.
pub(super) fn mark_replayed(
    tx: &Savepoint<'_>,
    refused: i64,
    number: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE delivery SET replayed_as = ?2 WHERE seq = ?1 AND status <> 200",
        params![refused, number],
    )?;
    Ok(())
}

/// A body as it is kept: text where it is text, so that people can read it.
pub(super) fn kept(body: &[u8]) -> ToSqlOutput<'_> {
    match std::str::from_utf8(body) {
        Ok(text) if !text.contains('\0') => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        _ => ToSqlOutput::Owned(Value::Blob(body.to_vec())),
    }
}
