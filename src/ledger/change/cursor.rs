//! The position of the OTLP delivery, and the events that it parked.

use crate::{
    domain::Timestamp,
    ledger::{Change, Command, Facts, Fault, Keys, WholeTable},
};

/// Records the outcome of a batch, as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordProgress {
    /// Everything in the log up to this number is delivered, parked or left out. The cursor never
    /// moves back.
    pub cursor: i64,
    /// Events that are removed from the list of those to send on purpose.
    pub resent: Vec<i64>,
    /// Events that the collector always refuses, and why.
    pub parked: Option<(Vec<i64>, &'static str)>,
    /// When the outcome was known.
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
            // The collector cannot have refused an event that is not in the log.
            let newest = facts.head().event;
            let events = events.iter().copied().filter(|seq| *seq <= newest).collect();
            facts.command(Command::Park { events, reason, at: self.at });
        }
        Ok(())
    }
}

/// Moves the cursor forward; a smaller number changes nothing.
pub(super) fn advance_cursor(facts: &mut Facts, cursor: i64) -> Result<(), Fault> {
    let mut otlp = facts.otlp.get(&())?.cloned().unwrap_or_default();
    otlp.cursor = otlp.cursor.max(cursor);
    facts.otlp.put((), otlp);
    Ok(())
}
