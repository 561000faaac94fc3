//! How far the OTLP delivery has got, and what it had to leave behind.

use rusqlite::{Savepoint, params};

use super::{Reply, Transact, Write};
use crate::{
    clock,
    store::{Store, StoreError, moment::to_micros},
};

/// The name of the OTLP delivery among the receivers of the log.
pub(in crate::store) const OTLP: &str = "otlp";

/// Everything up to `seq` is delivered or parked.
#[derive(Debug)]
pub(in crate::store) struct AdvanceCursor {
    seq: i64,
}

/// The collector refuses the event `seq` for ever.
#[derive(Debug)]
pub(in crate::store) struct ParkEvent {
    seq: i64,
    reason: &'static str,
}

impl Store {
    /// Notes that everything up to `seq` was delivered or parked.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn advance_otlp(&self, seq: i64) -> Result<(), StoreError> {
        self.write(AdvanceCursor { seq }).await
    }

    /// Notes that the collector refuses an event for ever.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn park_otlp(&self, seq: i64, reason: &'static str) -> Result<(), StoreError> {
        self.write(ParkEvent { seq, reason }).await
    }
}

impl Transact for AdvanceCursor {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::Cursor(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        tx.prepare_cached(
            "INSERT INTO cursor (consumer, seq) VALUES (?1, ?2)
             ON CONFLICT (consumer) DO UPDATE SET seq = max(seq, excluded.seq)",
        )?
        .execute(params![OTLP, self.seq])?;
        Ok(())
    }
}

impl Transact for ParkEvent {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::Park(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        tx.prepare_cached(
            "INSERT OR IGNORE INTO parked_event (seq, reason, parked_at) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![self.seq, self.reason, to_micros(clock::now())])?;
        Ok(())
    }
}
