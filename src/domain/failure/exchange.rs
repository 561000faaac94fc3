//! Detection of checks that were renamed in the service. Answers that list failing checks by title
//! have another text then, although nothing changed for any user.
//!
//! While a rename is uncertain, no failure ends or opens. The pending state is stored with the
//! user, so that it survives a restart.
//! the user, so that it survives the process.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Timestamp;

/// How long an exchange may stay unexplained; after that, the answers are taken literally.
pub(super) const PATIENCE: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// How many users must exchange a title for the same text in one run before the check counts as
/// renamed.
const ENOUGH: usize = 3;

/// The texts that answers about a user have in the place of checks that they listed by title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// When the first such answer was requested.
    pub since: Timestamp,
    /// When the newest such answer was requested.
    pub last_at: Timestamp,
    /// Texts that no known check explains.
    pub texts: BTreeSet<String>,
    /// The absent checks, by number.
    pub checks: BTreeSet<i64>,
}

/// The checks that were renamed, each with its new title, as the exchanges of a run show: at least
/// three users lack the check and have the text, and no other check and no other text fits as well.
/// `has_check` returns whether a user was listed or named with the check's own title since the run
/// began.
pub fn find_renamed_checks<'a>(
    exchanges: impl IntoIterator<Item = &'a Exchange>,
    run_begun_at: Timestamp,
    has_check: impl Fn(i64) -> bool,
) -> BTreeMap<i64, String> {
    let mut users = BTreeMap::<(i64, &str), usize>::new();
    for exchange in exchanges {
        if exchange.last_at < run_begun_at {
            continue;
        }
        for check in &exchange.checks {
            for text in &exchange.texts {
                *users.entry((*check, text)).or_default() += 1;
            }
        }
    }
    users.retain(|(check, _), users| *users >= ENOUGH && !has_check(*check));
    let fits_once = |(check, text): &(i64, &str)| {
        let rivals = users.keys().filter(|(other, title)| other == check || title == text);
        rivals.count() == 1
    };
    let certain = users.keys().filter(|pair| fits_once(pair));
    certain.map(|(check, text)| (*check, (*text).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(last_at: i64, checks: &[i64], texts: &[&str]) -> Exchange {
        let at = Timestamp::from_timestamp(last_at, 0).unwrap();
        let texts = texts.iter().map(|&text| text.to_owned()).collect();
        Exchange { since: at, last_at: at, texts, checks: checks.iter().copied().collect() }
    }

    fn of(exchanges: &[Exchange], had: &[i64]) -> Vec<(i64, String)> {
        let begun = Timestamp::from_timestamp(100, 0).unwrap();
        find_renamed_checks(exchanges, begun, |check| had.contains(&check)).into_iter().collect()
    }

    #[test]
    fn three_users_of_one_run_tell_a_rename_and_two_do_not() {
        let one = exchange(100, &[1], &["B"]);
        let three = [one.clone(), one.clone(), one.clone()];
        assert_eq!(of(&three, &[]), [(1, "B".to_owned())]);
        assert_eq!(of(&three, &[1]), [], "somebody has it still");
        assert_eq!(of(&three[..2], &[]), []);
        assert_eq!(of(&[one.clone(), one.clone(), exchange(99, &[1], &["B"])], &[]), []);
    }

    #[test]
    fn what_fits_twice_is_not_certain() {
        let two_checks = exchange(100, &[1, 2], &["B"]);
        assert_eq!(of(&[two_checks.clone(), two_checks.clone(), two_checks.clone()], &[]), []);
        let two_texts = exchange(100, &[1], &["B", "C"]);
        assert_eq!(of(&[two_texts.clone(), two_texts.clone(), two_texts.clone()], &[]), []);
        // One user with a single exchange proves no more than the others do.
        let clear = exchange(100, &[1], &["B"]);
        assert_eq!(
            of(&[clear.clone(), clear.clone(), clear, two_checks], &[]),
            [(1, "B".to_owned())]
        );
    }
}
