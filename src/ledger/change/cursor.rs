//! How far the delivery by OTLP has got, and what it had to leave behind.

use crate::{
    domain::Timestamp,
    ledger::{Change, Command, Facts, Fault, Keys, WholeTable},
};

/// What became of a batch, kept as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordProgress {
    /// Everything in the log up to here is delivered, parked or left out. It never
    /// moves back.
    pub cursor: i64,
    /// Events that were to be sent on purpose, and need not be any more.
    pub resent: Vec<i64>,
    /// Events that the collector refuses for ever, and why.
    pub parked: Option<(Vec<i64>, &'static str)>,
    /// Now.
    pub at: Timestamp,
}

impl Change for RecordProgress {
    type Outcome = ();

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(WholeTable::Otlp);
    }

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        advance_cursor(facts, self.cursor)?;
        if !self.resent.is_empty() {
            facts.command(Command::Resent(self.resent.clone()));
        }
        if let Some((events, reason)) = &self.parked {
            // One that is not in the log cannot have been refused.
            let newest = facts.head().event;
            let events = events.iter().copied().filter(|seq| *seq <= newest).collect();
            facts.command(Command::Park { events, reason, at: self.at });
        }
        Ok(())
    }
}

/// Moves the cursor, forward only.
pub(super) fn advance_cursor(facts: &mut Facts, cursor: i64) -> Result<(), Fault> {
    let mut otlp = facts.otlp.get(&())?.cloned().unwrap_or_default();
    otlp.cursor = otlp.cursor.max(cursor);
    facts.otlp.put((), otlp);
    Ok(())
}
