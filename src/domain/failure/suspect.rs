//! A service that suddenly reports many users as unknown is more likely at fault than the users are
//! gone.

use super::super::Timestamp;

/// The number of users that may become unknown in one run without suspicion.
const FEW: usize = 3;

/// The inverse of the share of requested users that may become unknown in one run.
const TENTH: usize = 10;

/// How long a suspicion lasts while other users are answered.
const HOLDS: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// The users that a run or a listing reported as unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Missing {
    /// Users that were requested, or were known before.
    pub asked: usize,
    /// Those of them that are unknown now and were not before.
    pub newly_unknown: usize,
    /// Whether the service knew at least one user.
    pub knows_somebody: bool,
    /// Since when the service is suspected because of one of them.
    pub suspect_since: Option<Timestamp>,
}

impl Missing {
    /// Whether so many are missing that no failure may end because of it.
    #[must_use]
    pub fn is_suspect(&self, now: Timestamp) -> bool {
        let are_many = self.newly_unknown > FEW && self.newly_unknown * TENTH > self.asked;
        let is_lifted =
            self.knows_somebody && self.suspect_since.is_some_and(|since| now - since > HOLDS);
        are_many && !is_lifted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_tenth_and_more_than_three_are_suspect() {
        let now = Timestamp::UNIX_EPOCH;
        for (asked, newly_unknown, is_suspect) in [
            (3, 3, false),
            (4, 4, true),
            (40, 4, false),
            (39, 4, true),
            (100, 10, false),
            (100, 11, true),
        ] {
            let missing =
                Missing { asked, newly_unknown, knows_somebody: true, suspect_since: None };
            assert_eq!(missing.is_suspect(now), is_suspect, "{newly_unknown} of {asked}");
        }
    }

    #[test]
    fn it_is_lifted_after_a_day_while_others_are_answered() {
        let since = Timestamp::UNIX_EPOCH;
        let missing = Missing {
            asked: 20,
            newly_unknown: 5,
            knows_somebody: true,
            suspect_since: Some(since),
        };
        let day = chrono::TimeDelta::hours(24);
        assert!(missing.is_suspect(since + day));
        let later = since + day + chrono::TimeDelta::seconds(1);
        assert!(!missing.is_suspect(later));
        assert!(Missing { knows_somebody: false, ..missing }.is_suspect(later));
    }
}
