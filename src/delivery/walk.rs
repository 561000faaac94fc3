//! Decides which records are sent next and what happens to refused ones, without I/O.
//!
//! A refusal can be the fault of the record or of the collector (a wrong receiver, a broken
//! processor). A refused batch is halved until the refused record is alone. Such a record is parked
//! only when other records were accepted after its refusals began. Until then it is *held*: it
//! waits, and is retried as soon as another record is accepted, and from time to time.

use crate::store::BatchLimit;

/// The limits of a batch. gRPC receivers accept messages up to 4 MiB by default. Larger batches are
/// no faster: at 512 events, the fixed cost of a request is a tenth of the whole.
pub(super) const BATCH: BatchLimit = BatchLimit { events: 1024, bytes: 2 * 1024 * 1024 };

/// Maximum number of records that are parked without another one being accepted in between. A
/// collector that breaks while a batch is halved costs no more than these.
const PARKED_AT_MOST: usize = 32;

/// The source of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// The log, from the cursor on.
    Live,
    /// Events that are sent (again) on purpose.
    Resend,
}

/// Records that are sent in one request, by their numbers, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) lane: Lane,
    pub(super) seqs: Vec<i64>,
    /// The number of the first refused request that contained these records.
    since: Option<u64>,
}

/// What happens to a refused part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Its halves are sent.
    Halved,
    /// It is a single record, which is refused for its own fault.
    Parked,
    /// It is a single record, and no other was accepted since: it waits.
    Held,
}

/// The records that were queued and are neither accepted nor parked.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// A stack: the last part is sent next.
    parts: Vec<Part>,
    held: Vec<Part>,
    /// The number of answered requests.
    tries: u64,
    /// The number of the last accepted request; 0 before the first.
    taken_at: u64,
    parked: usize,
}

impl Walk {
    /// Queues records before all others.
    pub(super) fn add_part(&mut self, lane: Lane, seqs: Vec<i64>) {
        if !seqs.is_empty() {
            self.parts.push(Part { lane, seqs, since: None });
        }
    }

    /// The part to send now.
    pub(super) fn next_part(&self) -> Option<&Part> {
        self.parts.last()
    }

    /// Whether no record waits behind the next part.
    pub(super) fn is_last(&self) -> bool {
        self.parts.len() == 1 && self.held.is_empty()
    }

    /// Splits the next part after `last`; the rest waits behind it.
    pub(super) fn split_next(&mut self, last: i64) {
        let Some(mut part) = self.parts.pop() else { return };
        let rest = part.seqs.split_off(part.seqs.partition_point(|seq| *seq <= last));
        if !rest.is_empty() {
            self.parts.push(Part { seqs: rest, ..part });
        }
        self.parts.push(part);
    }

    /// The number of single records that were refused, with no other accepted since.
    pub(super) const fn held_count(&self) -> usize {
        self.held.len()
    }

    /// Whether a record is queued or held.
    pub(super) fn contains(&self, lane: Lane, seq: i64) -> bool {
        let mut parts = self.parts.iter().chain(&self.held);
        parts.any(|part| part.lane == lane && part.seqs.contains(&seq))
    }

    /// The first number of a lane that is neither accepted nor parked.
    pub(super) fn first_seq(&self, lane: Lane) -> Option<i64> {
        let parts = self.parts.iter().chain(&self.held).filter(|part| part.lane == lane);
        parts.filter_map(|part| part.seqs.first()).min().copied()
    }

    /// Records that the next part was accepted. Held records are retried at once.
    pub(super) fn record_taken(&mut self) -> Option<Part> {
        let part = self.parts.pop();
        self.tries += 1;
        self.taken_at = self.tries;
        self.parked = 0;
        self.retry_held();
        part
    }

    /// Removes the next part because its events no longer exist, which proves nothing about the
    /// collector.
    pub(super) fn drop_next(&mut self) {
        self.parts.pop();
    }

    /// Records that the next part was refused.
    pub(super) fn record_refusal(&mut self) -> Refused {
        self.tries += 1;
        let Some(mut part) = self.parts.pop() else { return Refused::Halved };
        let since = *part.since.get_or_insert(self.tries);
        if part.seqs.len() > 1 {
            // Both halves keep `since`, so that a record accepted in one of them proves that the
            // other's refusals are its own.
            let second = part.seqs.split_off(part.seqs.len() / 2);
            self.parts.push(Part { seqs: second, ..part });
            self.parts.push(part);
            Refused::Halved
        } else if self.taken_at > since && self.parked < PARKED_AT_MOST {
            self.parked += 1;
            Refused::Parked
        } else {
            self.held.push(part);
            Refused::Held
        }
    }

    /// Queues all held records before the rest: neighbours together, oldest first.
    pub(super) fn retry_held(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        held.sort_by_key(|part| (part.lane, part.seqs.first().copied()));
        let mut groups: Vec<Part> = Vec::new();
        for part in held {
            match groups.last_mut() {
                Some(group) if group.lane == part.lane && group.seqs.len() < BATCH.events => {
                    group.seqs.extend(part.seqs);
                    // The later of both: a record accepted after it was accepted after each of
                    // them.
                    group.since = group.since.max(part.since);
                }
                _ => groups.push(part),
            }
        }
        self.parts.extend(groups.into_iter().rev());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// The outcomes of records at a collector that accepts a request when `takes` returns true.
    #[derive(Debug, Default)]
    struct Ends {
        taken: BTreeSet<i64>,
        parked: BTreeSet<i64>,
        tries: usize,
    }

    impl Ends {
        /// Sends until no record is queued, or only held ones are left.
        fn send_all(&mut self, walk: &mut Walk, mut takes: impl FnMut(&[i64], usize) -> bool) {
            while let Some(part) = walk.next_part().cloned() {
                self.tries += 1;
                if takes(&part.seqs, self.tries) {
                    self.taken.extend(&walk.record_taken().unwrap().seqs);
                } else if walk.record_refusal() == Refused::Parked {
                    assert!(self.parked.insert(part.seqs[0]), "parked twice");
                }
            }
        }

        fn sent(records: impl IntoIterator<Item = i64>, poison: &[i64]) -> (Self, Walk) {
            let (mut ends, mut walk) = (Self::default(), Walk::default());
            walk.add_part(Lane::Live, records.into_iter().collect());
            ends.send_all(&mut walk, |seqs, _| !seqs.iter().any(|seq| poison.contains(seq)));
            (ends, walk)
        }
    }

    #[test]
    fn poison_among_good_is_parked_wherever_it_is() {
        for poison in
            [vec![1], vec![8], vec![1, 2], vec![7, 8], vec![1, 4, 5, 8], vec![2, 3, 4, 5, 6, 7, 8]]
        {
            let (ends, walk) = Ends::sent(1..=8, &poison);
            assert_eq!(ends.parked, poison.iter().copied().collect(), "{poison:?}");
            assert_eq!((ends.taken.len(), walk.held_count()), (8 - poison.len(), 0));
        }
    }

    #[test]
    fn one_that_stands_alone_is_held_until_another_was_taken_beside_it() {
        let (mut ends, mut walk) = Ends::sent([1], &[1]);
        for _ in 0..5 {
            walk.retry_held();
            ends.send_all(&mut walk, |_, _| false);
        }
        assert_eq!(
            (ends.parked.len(), walk.held_count(), walk.first_seq(Lane::Live)),
            (0, 1, Some(1))
        );
        walk.add_part(Lane::Live, vec![2]);
        ends.send_all(&mut walk, |seqs, _| seqs == [2]);
        assert_eq!((ends.taken, ends.parked), ([2].into(), [1].into()));
        assert_eq!((walk.held_count(), walk.first_seq(Lane::Live)), (0, None));
    }

    #[test]
    fn a_part_that_is_cut_goes_on_where_it_was_cut() {
        let mut walk = Walk::default();
        walk.add_part(Lane::Live, vec![1, 2, 4, 8]);
        assert!(walk.is_last());
        walk.split_next(8);
        assert!(walk.is_last());
        walk.split_next(2);
        assert!(!walk.is_last());
        assert_eq!(walk.record_taken().unwrap().seqs, [1, 2]);
        assert_eq!(walk.record_taken().unwrap().seqs, [4, 8]);
    }

    #[test]
    fn one_that_was_taken_before_the_refusals_began_is_no_proof() {
        let (mut ends, mut walk) = Ends::sent([1, 2], &[]);
        walk.add_part(Lane::Live, vec![3, 4]);
        ends.send_all(&mut walk, |_, _| false);
        assert_eq!((ends.parked.len(), walk.held_count()), (0, 2));
    }

    #[test]
    fn a_collector_that_breaks_in_the_middle_costs_little() {
        let (mut ends, mut walk) = (Ends::default(), Walk::default());
        walk.add_part(Lane::Live, (1..=500).collect());
        ends.send_all(&mut walk, |seqs, try_| try_ < 12 && !seqs.contains(&3));
        assert!(ends.parked.len() <= PARKED_AT_MOST, "{}", ends.parked.len());
        assert_eq!(ends.taken.len() + ends.parked.len() + walk.held_count(), 500);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            count in 1_i64..60,
            poison in proptest::collection::btree_set(1_i64..60, 0..60),
            broken in proptest::collection::vec((0_usize..200, 1_usize..50), 0..4),
        ) {
            let (mut ends, mut walk) = (Ends::default(), Walk::default());
            for chunk in (1..=count).collect::<Vec<_>>().chunks(7) {
                walk.add_part(Lane::Live, chunk.to_vec());
                ends.send_all(&mut walk, |seqs, at| {
                    let is_broken = broken.iter().any(|(from, long)| (*from..from + long).contains(&at));
                    !is_broken && !seqs.iter().any(|seq| poison.contains(seq))
                });
            }
            let held: BTreeSet<_> = walk.held.iter().flat_map(|part| part.seqs.clone()).collect();
            let all: BTreeSet<_> = ends.taken.iter().chain(&ends.parked).chain(&held).copied().collect();
            prop_assert_eq!(all.len(), usize::try_from(count).unwrap());
            prop_assert_eq!(ends.taken.len() + ends.parked.len() + held.len(), all.len());
            prop_assert_eq!(walk.first_seq(Lane::Live), held.first().copied());
        }

        #[test]
        fn one_that_refuses_everything_parks_nothing(batches in proptest::collection::vec(1_i64..40, 1..5)) {
            let (mut ends, mut walk) = (Ends::default(), Walk::default());
            let mut next = 1;
            for batch in batches {
                walk.add_part(Lane::Live, (next..next + batch).collect());
                next += batch;
                ends.send_all(&mut walk, |_, _| false);
                walk.retry_held();
                ends.send_all(&mut walk, |_, _| false);
            }
            prop_assert!(ends.parked.is_empty());
            // The collector was repaired: all records are accepted, in order.
            walk.retry_held();
            ends.send_all(&mut walk, |_, _| true);
            prop_assert_eq!(ends.taken, (1..next).collect());
        }

        #[test]
        fn a_single_poison_among_good_is_parked(count in 2_i64..600, at in 0_i64..600) {
            let poison = 1 + at % count;
            let (ends, walk) = Ends::sent(1..=count, &[poison]);
            prop_assert_eq!(ends.parked, [poison].into());
            prop_assert_eq!((ends.taken.len(), walk.held_count()), (usize::try_from(count - 1).unwrap(), 0));
            prop_assert!(ends.tries < 30, "{} tries", ends.tries);
        }
    }
}
