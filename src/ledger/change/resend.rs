//! Where the OTLP delivery begins, and which events are sent on purpose.

use super::cursor::advance_cursor;
use crate::{
    domain::Timestamp,
    ledger::{
        Change, Command, EventSlice, Facts, Fault, Gap, GapSlice, Keys, NextParked, WholeTable,
    },
};

/// Records a start of the daemon, with or without an OTLP delivery. After a start without one, the
/// next delivery begins with new events.
#[derive(Debug, Clone, Copy)]
pub struct BeginOtlp {
    /// Whether the daemon has an OTLP delivery.
    pub is_on: bool,
}

/// Requests that parked events are sent again, a number of them per change. An event that is
/// refused again meanwhile is parked below the position, and stays parked.
#[derive(Debug, Clone, Copy)]
pub struct RetryParked {
    /// Parked events with higher numbers are sent.
    pub after: i64,
    /// The maximum number of events.
    pub limit: usize,
}

/// Requests that events are sent which were left out since a moment, because the daemon had no OTLP
/// delivery. They are requested a number per change, oldest first. An event that was requested is
/// no longer left out, so that an interrupted backfill continues when it is started again.
#[derive(Debug, Clone, Copy)]
pub struct Backfill {
    /// The moment from which events are sent.
    pub since: Timestamp,
    /// The position up to which events were requested before.
    pub place: BackfillPlace,
    /// The maximum number of events to look at.
    pub limit: usize,
}

/// The position of a backfill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackfillPlace {
    /// The number up to which events were looked at.
    pub after: i64,
    /// Whether the first event since the moment was found. All events after it are sent, whatever
    /// their moments are.
    pub is_begun: bool,
}

/// The result of requesting a number of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resent<P> {
    /// How many events were requested.
    pub events: u64,
    /// The next position; none when no event is left.
    pub next: Option<P>,
}

impl Change for BeginOtlp {
    /// How many events are left out.
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
        // `was_on` is unknown before the first start of this version. A new database has nothing to
        // leave out, and an older one may have events that wait for a collector: none of them is
        // left out.
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

/// Requests the events of a gap, and removes them from the gaps.
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
