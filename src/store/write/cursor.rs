//! How far the OTLP delivery has got, and what it had to leave behind.

use rusqlite::{Savepoint, params};

use super::{Reply, Transact, Write};
use crate::{
    clock,
    store::{Store, StoreError, moment::to_micros},
};

/// The name of the OTLP delivery among the receivers of the log.
pub(in crate::store) const OTLP: &str = "otlp";

/// What became of a batch, kept as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtlpProgress {
    /// Everything in the log up to here is delivered, parked or left out. It never
    /// moves back.
    pub cursor: i64,
    /// Events that were to be sent on purpose, and need not be any more.
    pub resent: Vec<i64>,
    /// Events that the collector refuses for ever, and why.
    pub parked: Option<(Vec<i64>, &'static str)>,
}

/// Keeps an [`OtlpProgress`].
#[derive(Debug)]
pub(in crate::store) struct KeepProgress(OtlpProgress);

impl Store {
    /// Keeps what became of a batch.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn keep_otlp_progress(&self, progress: OtlpProgress) -> Result<(), StoreError> {
        self.write(KeepProgress(progress)).await
    }
}

impl Transact for KeepProgress {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::OtlpProgress(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        let Self(OtlpProgress { cursor, resent, parked }) = self;
        advance(tx, cursor)?;
        let mut done = tx.prepare_cached("DELETE FROM otlp_resend WHERE seq = ?1")?;
        for seq in resent {
            done.execute([seq])?;
        }
        let Some((seqs, reason)) = parked else { return Ok(()) };
        let mut park = tx.prepare_cached(
            "INSERT OR IGNORE INTO parked_event (seq, reason, parked_at) VALUES (?1, ?2, ?3)",
        )?;
        for seq in seqs {
            park.execute(params![seq, reason, to_micros(clock::now())])?;
        }
        Ok(())
    }
}

/// Moves the cursor, forward only.
pub(super) fn advance(tx: &Savepoint<'_>, seq: i64) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO cursor (consumer, seq) VALUES (?1, ?2)
         ON CONFLICT (consumer) DO UPDATE SET seq = max(seq, excluded.seq)",
    )?
    .execute(params![OTLP, seq])?;
    Ok(())
}
