//! Where the delivery by OTLP begins, and what is sent on purpose.

use super::cursor::advance;
use crate::{
    domain::Timestamp,
    ledger::{Change, Command, Facts, Fault, Gap, Keys, Whole},
};

/// A start of the daemon, with or without a delivery by OTLP. After a start
/// without, a delivery begins with what happens from now on.
#[derive(Debug, Clone, Copy)]
pub struct BeginOtlp {
    /// Whether there is a delivery.
    pub is_on: bool,
}

/// A request to send parked events again.
#[derive(Debug, Clone, Copy)]
pub struct RetryParked;

/// A request to send what was left out since a moment, because there was no
/// delivery.
#[derive(Debug, Clone, Copy)]
pub struct Backfill {
    /// The moment.
    pub since: Timestamp,
}

impl Change for BeginOtlp {
    /// How many events are left out thereby.
    type Outcome = u64;

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(Whole::Otlp);
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<u64, Fault> {
        let mut otlp = facts.otlp.get(&())?.cloned().unwrap_or_default();
        let was_on = otlp.was_on.replace(self.is_on);
        let (first, last) = (otlp.cursor + 1, facts.head().event);
        // Before the first start of this version nobody knows: a database that is
        // new has nothing to leave out, and one that is older may have events that
        // wait for a collector. None of them is given up.
        let begins_anew = self.is_on && was_on == Some(false);
        let left_out = facts.head().public_events.saturating_sub(otlp.public_up_to_cursor);
        if begins_anew && left_out > 0 {
            otlp.gaps.insert(Gap { first, last });
        }
        facts.otlp.put((), otlp);
        if !begins_anew {
            return Ok(0);
        }
        advance(facts, last)?;
        Ok(u64::try_from(left_out).unwrap_or(0))
    }
}

impl Change for RetryParked {
    /// How many events that are.
    type Outcome = u64;

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(Whole::Parked);
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<u64, Fault> {
        facts.command(Command::ResendParked);
        Ok(std::mem::take(&mut facts.parked))
    }
}

impl Change for Backfill {
    /// How many events that are.
    type Outcome = u64;

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(Whole::Otlp);
        keys.gap_since = Some(self.since);
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<u64, Fault> {
        let Some(events) = facts.gap_events.take() else { return Ok(0) };
        let mut otlp = facts.otlp.get(&())?.cloned().unwrap_or_default();
        for gap in std::mem::take(&mut otlp.gaps) {
            if gap.last < events.first {
                otlp.gaps.insert(gap);
                continue;
            }
            // What is sent now is left out no longer.
            let first = gap.first.max(events.first);
            facts.command(Command::Resend { first, last: gap.last });
            if gap.first < first {
                otlp.gaps.insert(Gap { first: gap.first, last: first - 1 });
            }
        }
        facts.otlp.put((), otlp);
        Ok(events.public)
    }
}
