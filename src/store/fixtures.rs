//! Changes that tests of several rooms commit.

use std::path::Path;

use super::{Store, StoreError};
use crate::{
    domain::{
        CheckFilter, IpAddress, Login, NullLists, Timestamp, UserObservation, WatchSubject,
        failure::FailureAnswer,
    },
    ledger::change::{
        ApplyVerdicts, ConfigureWatch, ListingEnd, ListingProgress, RecordAnswer,
        RecordListingPage, WatchOutcome,
    },
};

/// An answer with failing checks only.
pub(crate) fn checks_only(answer: FailureAnswer) -> RecordAnswer {
    let login = answer.login.clone();
    let filter = CheckFilter::default();
    RecordAnswer { login, state: None, checks: Some(answer), filter, end: None }
}

/// An answer with a user's state only.
pub(crate) fn state_only(
    login: Login,
    observation: UserObservation,
    at: Timestamp,
) -> RecordAnswer {
    let state = Some((observation, at));
    RecordAnswer { login, state, checks: None, filter: CheckFilter::default(), end: None }
}

/// Replaces the entries of the watch list that come from the configuration.
pub(crate) async fn watch(
    store: &Store,
    users: impl IntoIterator<Item = Login>,
    ips: impl IntoIterator<Item = IpAddress>,
    at: Timestamp,
) -> Result<WatchOutcome, StoreError> {
    let users = users.into_iter().map(WatchSubject::User);
    let configured = users.chain(ips.into_iter().map(WatchSubject::Ip)).collect();
    store.commit(ConfigureWatch { configured, at }).await
}

/// Commits the last page of a listing, and applies its verdicts, two users at a time.
pub(crate) async fn list(
    store: &Store,
    page: RecordListingPage,
) -> Result<Option<ListingEnd>, StoreError> {
    let at = page.answered_at;
    store.commit(page).await?;
    let mut after = None;
    loop {
        let slice = ApplyVerdicts {
            after,
            limit: 2,
            filter: CheckFilter::default(),
            null_lists: NullLists::default(),
            at,
            is_suspect: false,
            settle: chrono::TimeDelta::zero(),
        };
        match store.commit(slice).await? {
            ListingProgress::Upto(login) => after = Some(login),
            ListingProgress::Ended(end) => return Ok(Some(end)),
            ListingProgress::NothingToDo => return Ok(None),
        }
    }
}

/// Sets of checks whose stored number of people is wrong; there should be none.
pub(crate) fn miscounted_check_sets(path: &Path) -> Vec<String> {
    let counted = "SELECT checks, people FROM check_set";
    let failing = "SELECT checks, count(*) FROM (
            SELECT json_group_array(check_number ORDER BY check_number) AS checks
            FROM failure GROUP BY login)
        GROUP BY checks";
    let sql = format!(
        "SELECT checks FROM (SELECT * FROM ({counted}) EXCEPT SELECT * FROM ({failing}))
         UNION SELECT checks FROM (SELECT * FROM ({failing}) EXCEPT SELECT * FROM ({counted}))"
    );
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut select = connection.prepare(&sql).unwrap();
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}
