//! Removes a person: a change removes what is counted, and an erasure everything else.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Store, StoreError,
    engine::{Erased, Erasure, Place},
};
use crate::{
    blocking,
    domain::{Login, Timestamp},
    ledger::change::ForgetUser,
};

/// Pause between steps, so that queued deliveries are committed.
const PAUSE: Duration = Duration::from_millis(5);

/// Attempts to empty the write-ahead log. Each one waits up to two seconds for readers.
const TRIES: u32 = 5;

/// A request to remove a person.
#[derive(Debug, Clone)]
pub struct Purge {
    /// The person's login.
    pub login: Login,
    /// Whether rows are only counted and not changed.
    pub is_trial: bool,
    /// When it was requested.
    pub at: Timestamp,
}

/// The result of removing a person, or of a trial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purged {
    /// The number of removed rows, by table.
    pub removed: BTreeMap<&'static str, u64>,
    /// The number of rows from which the person was redacted, by table.
    pub redacted: BTreeMap<&'static str, u64>,
    /// The number of rows that name the person afterwards, by table: they were stored meanwhile.
    pub left: BTreeMap<&'static str, u64>,
    /// Whether the service knew the person at the last poll.
    pub is_known_to_service: bool,
    /// Whether the configuration lists the person.
    pub is_configured: bool,
}

impl Store {
    /// Removes a person. Every row with the login in any spelling is removed, and rows that are
    /// also about others are rewritten. Counters stay. After an interruption, another call
    /// continues.
    ///
    /// # Errors
    /// When the database fails; a part may be done then.
    pub async fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        let login = purge.login.clone();
        let standing = self.read(move |reader| reader.purge_standing(&login)).await?;
        let mut purged = Purged {
            is_known_to_service: standing.is_known_to_service,
            is_configured: standing.is_configured,
            ..Purged::default()
        };
        if !purge.is_trial {
            let forget = ForgetUser { login: purge.login.clone(), at: purge.at };
            let forgotten = self.commit(forget).await?;
            for (table, rows) in [
                ("failure", forgotten.failures),
                ("watch", forgotten.reasons),
                ("admin", forgotten.admins),
            ] {
                if rows > 0 {
                    purged.removed.insert(table, rows as u64);
                }
            }
        }
        let erased = self.erase(&purge.login, purge.is_trial).await?;
        // The change removed the rows that are counted; the erasure removed the rest of the same
        // tables.
        add(&mut purged.removed, &erased.removed);
        purged.redacted = erased.redacted;
        if !purge.is_trial {
            let left = self.erase(&purge.login, true).await?;
            purged.left = left.removed;
            add(&mut purged.left, &left.redacted);
            self.meters().purges.inc();
        }
        Ok(purged)
    }

    /// Does all steps of an erasure.
    async fn erase(&self, login: &Login, is_trial: bool) -> Result<Erased, StoreError> {
        let mut all = Erased::default();
        let mut place = Some(Place::Tables);
        let mut tries = 0;
        while let Some(next) = place {
            // A server needs minutes for this, so it runs beside the commits.
            if next == Place::Files
                && let Some(membership) = &self.shared.replica
            {
                let way = membership.way.clone();
                blocking::run(move || way.vacuum()).await.ok_or(StoreError::Closed)??;
                break;
            }
            let erasure = Erasure { login: login.clone(), is_trial, place: next };
            let outcome = self.shared.queue.push_erasure(erasure)?;
            let step = outcome.await.map_err(|_| StoreError::Closed)??;
            add(&mut all.removed, &step.removed);
            add(&mut all.redacted, &step.redacted);
            place = step.next;
            if next == Place::Log && place == Some(Place::Log) {
                tries += 1;
                if tries == TRIES {
                    return Err(StoreError::LogInUse);
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(all)
    }
}

fn add(all: &mut BTreeMap<&'static str, u64>, more: &BTreeMap<&'static str, u64>) {
    for (table, rows) in more {
        *all.entry(table).or_default() += rows;
    }
}
