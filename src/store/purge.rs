//! A person is forgotten: by a change what is counted, by an erasure all else.

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

/// How often emptying the log is tried. Each try waits for readers for two seconds itself.
const TRIES: u32 = 5;

/// A request to forget a person.
#[derive(Debug, Clone)]
pub struct Purge {
    /// Who.
    pub login: Login,
    /// Whether nothing is to change: it is only counted what would.
    pub is_trial: bool,
    /// When.
    pub at: Timestamp,
}

/// What forgetting a person did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purged {
    /// Rows that went, by table.
    pub removed: BTreeMap<&'static str, u64>,
    /// Rows that do not name the person any more, by table.
    pub redacted: BTreeMap<&'static str, u64>,
    /// Rows that name the person afterwards, by table: what came in meanwhile.
    pub left: BTreeMap<&'static str, u64>,
    /// Whether the service still knew the person when it was last asked.
    pub is_known_to_service: bool,
    /// Whether the configuration lists the person.
    pub is_configured: bool,
}

impl Store {
    /// Forgets a person: everything that is stored under the login in any spelling goes, and
    /// what is about others, too, is rewritten. Counters stay. It may be called again, and
    /// goes on where a call before it was broken off.
    ///
    /// # Errors
    /// When the database fails; part of it may be done then.
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
        // What is counted elsewhere went first; the rest of the table by its rows.
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
            // Beside what is committed: a server needs minutes for it.
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
