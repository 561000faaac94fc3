//! Where the delivery by OTLP begins, and what is sent on purpose.

use super::cursor::advance_cursor;
use crate::{
    domain::Timestamp,
    ledger::{
        Change, Command, EventSlice, Facts, Fault, Gap, GapSlice, Keys, NextParked, WholeTable,
    },
};

/// A start of the daemon, with or without a delivery by OTLP. After a start
/// without, a delivery begins with what happens from now on.
#[derive(Debug, Clone, Copy)]
pub struct BeginOtlp {
    /// Whether there is a delivery.
    pub is_on: bool,
}

/// A request to send parked events again, some of them at a time. What is refused once more
/// meanwhile is parked below the position, and stays so.
#[derive(Debug, Clone, Copy)]
pub struct RetryParked {
    /// Those with higher numbers are sent.
    pub after: i64,
    /// How many at most.
    pub limit: usize,
}

/// A request to send what was left out since a moment, because there was no
/// delivery; some of it at a time, oldest first. What was sent is left out no longer, so that
/// who begins anew goes on where it was broken off.
#[derive(Debug, Clone, Copy)]
pub struct Backfill {
    /// The moment.
    pub since: Timestamp,
    /// How far it was done before.
    pub place: BackfillPlace,
    /// How many numbers of the log are looked at, at most.
    pub limit: usize,
}

/// How far a backfill has got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackfillPlace {
    /// Numbers up to this one were looked at.
    pub after: i64,
    /// Whether the first event since the moment was found: all behind it are sent, whatever their
    /// moments are.
    pub is_begun: bool,
}

/// What a slice of events that are sent on purpose came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resent<P> {
    /// How many events that were.
    pub events: u64,
    /// Where it goes on; nowhere after the last one.
    pub next: Option<P>,
}

impl Change for BeginOtlp {
    /// How many events are left out thereby.
    type Outcome = u64;

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(WholeTable::Otlp);
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
        advance_cursor(facts, last)?;
        Ok(u64::try_from(left_out).unwrap_or(0))
    }
}

impl Change for RetryParked {
    type Outcome = Resent<i64>;

    fn keys(&self, keys: &mut Keys) {
        keys.parked = Some(EventSlice { after: self.after, limit: self.limit });
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<Resent<i64>, Fault> {
        let NextParked { events, is_last } = facts.parked.get()?.clone();
        let resent = Resent {
            events: events.len() as u64,
            next: events.last().copied().filter(|_| !is_last),
        };
        if !events.is_empty() {
            facts.command(Command::ResendParked(events));
        }
        Ok(resent)
    }
}

impl Change for Backfill {
    type Outcome = Resent<BackfillPlace>;

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(WholeTable::Otlp);
        keys.gap = Some(GapSlice {
            events: EventSlice { after: self.place.after, limit: self.limit },
            since: Some(self.since).filter(|_| !self.place.is_begun),
        });
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<Resent<BackfillPlace>, Fault> {
        let Some(slice) = *facts.gap_events.get()? else {
            return Ok(Resent { events: 0, next: None });
        };
        let is_begun = self.place.is_begun || slice.first.is_some();
        if let Some(first) = slice.first {
            send_left_out(facts, Gap { first, last: slice.last })?;
        }
        let next = BackfillPlace { after: slice.last, is_begun };
        Ok(Resent { events: slice.public, next: Some(next) })
    }
}

/// Sends events of a gap, which are left out no longer.
fn send_left_out(facts: &mut Facts, sent: Gap) -> Result<(), Fault> {
    facts.command(Command::Resend { first: sent.first, last: sent.last });
    let mut otlp = facts.otlp.get(&())?.cloned().unwrap_or_default();
    for gap in std::mem::take(&mut otlp.gaps) {
        let (before, behind) = (gap.last.min(sent.first - 1), gap.first.max(sent.last + 1));
        for rest in [Gap { last: before, ..gap }, Gap { first: behind, ..gap }] {
            if rest.first <= rest.last {
                otlp.gaps.insert(rest);
            }
        }
    }
    facts.otlp.put((), otlp);
    Ok(())
}
