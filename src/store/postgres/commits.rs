//! The log of commits. After a lost connection it shows whether a commit took place.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{Postgres, failure, session::Session};
use crate::store::{
    SqlError, SqlErrorKind, StoreError,
    sql::{Connection, params},
};

/// The first pause between two attempts to find out whether a commit took place.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause.
const PAUSE: Duration = Duration::from_secs(1);

/// Adds a commit to the log, within its transaction.
pub(super) const ADD: &str = "WITH numbered AS (
        UPDATE head SET commits = commits + 1 RETURNING commits)
    INSERT INTO commit_log (number, id, replica, touched, is_erasure)
    SELECT commits, ?1, ?2, ?3, ?4 FROM numbered";

/// Removes entries that no replica needs any more: replicas read the log every second, and one that
/// lost a connection reads it at once. The oldest entries have the lowest numbers, so that only
/// rows to remove are read.
pub(super) const SWEEP: &str = "DELETE FROM commit_log
    WHERE number < (SELECT min(number) FROM commit_log) + ?1
    AND number < (SELECT commits FROM head)
    AND committed_at < transaction_timestamp() - INTERVAL '15 minutes'";

/// The number of commits after which old entries are removed, whatever the retention.
pub(super) const SWEEP_EVERY: usize = 64;

/// Whether a commit is in the log. If it is, the entry is updated, so that the look-up's own commit
/// waits for the standbys.
pub(super) fn confirm_commit(session: &Session, id: &str) -> Result<bool, StoreError> {
    let sql = "UPDATE commit_log SET looked_up = looked_up + 1 WHERE id = ?1";
    Ok(session.execute(sql, params![id])? > 0)
}

/// Looks up whether a commit took place until that is known; none when it could not be found out
/// within the time.
pub(super) fn find_out(
    limit: Duration,
    mut took_place: impl FnMut() -> Result<bool, StoreError>,
) -> Option<bool> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        match took_place() {
            Ok(found) => return Some(found),
            Err(error) => tracing::debug!(%error, "what became of a commit is not known yet"),
        }
        if begun.elapsed() + pause >= limit {
            return None;
        }
        thread::sleep(pause);
        pause = PAUSE.min(pause * 2);
    }
}

impl Postgres {
    /// Finds out whether the commit with this id took place, and makes sure that it is durable.
    ///
    /// Under the lock, no commit is in progress. Reading the entry is not enough: the commit may
    /// exist only on this server, because the connection was lost while it waited for the standby.
    /// So the look-up writes and commits, too: the standby receives commits in order, and one that
    /// has the later commit has the earlier one.
    ///
    /// # Errors
    /// When it did not take place, or that cannot be found out.
    pub(super) fn look_up(&mut self, id: &str) -> Result<(), StoreError> {
        let found = find_out(self.way.limits.look_up, || {
            self.session = None;
            self.look_up_once(id)
        });
        match found {
            Some(true) => Ok(()),
            Some(false) => Err(SqlError::new(
                SqlErrorKind::Unreachable,
                "the connection was lost before the commit, and nothing of it is stored",
            )
            .into()),
            None => {
                self.session = None;
                Err(failure::unknown_outcome())
            }
        }
    }

    fn look_up_once(&mut self, id: &str) -> Result<bool, StoreError> {
        let level = self.way.server.commit_level();
        let session = self.connect_if_lost()?;
        session.begin_writing(level)?;
        let found = confirm_commit(session, id)?;
        session.commit()?;
        Ok(found)
    }
}
