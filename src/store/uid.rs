//! Ids of events.

use uuid::{ContextV7, Uuid};

use crate::domain::Timestamp;

/// Gives events their ids: UUIDs of version 7.
///
/// An id is created when its event is saved, and stored with it. An id derived from the event's
/// number would not be unique: after a backup is restored, the numbers of the lost events are given
/// again.
#[derive(Debug, Default)]
pub(in crate::store) struct Uids(ContextV7);

impl Uids {
    pub(in crate::store) fn new() -> Self {
        Self::default()
    }

    /// The next id. Ids of one process rise in the order in which they are created, even when the
    /// clock is set back.
    pub(in crate::store) fn next(&self, now: Timestamp) -> Uuid {
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let moment = uuid::Timestamp::from_unix(&self.0, seconds, now.timestamp_subsec_nanos());
        Uuid::new_v7(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_also_within_a_moment_and_when_the_clock_is_set_back() {
        let uids = Uids::new();
        let later = Timestamp::from_timestamp(1_700_000_000, 0).unwrap();
        let earlier = Timestamp::from_timestamp(1_600_000_000, 0).unwrap();
        let ids: Vec<_> = [later, later, earlier, later].map(|now| uids.next(now)).into();
        assert!(ids.is_sorted_by(|left, right| left < right), "{ids:?}");
        assert_eq!(ids[0].get_version_num(), 7);
    }
}
