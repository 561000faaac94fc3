//! What the other replicas committed.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::sync::watch;

use super::{Replica, Way};
use crate::{
    ledger::Touched,
    store::{
        StoreError,
        row::touched,
        sql::{Connection, params},
    },
};

/// How often it is looked at what others committed, when nobody asks.
const EVERY: Duration = Duration::from_secs(1);

/// Commits that are read one by one; of more, everything is read anew.
const MOST: i64 = 1000;

/// What the thread tells of what it saw.
pub(in crate::store) trait Audience: Send {
    /// Another replica committed this. An erasure took a person out.
    fn committed(&self, touched: Touched, is_erasure: bool);
    /// The number of the newest event.
    fn newest_event(&self, seq: i64);
    /// What came of a look.
    fn looked(&self, outcome: Result<(), &StoreError>);
}

/// The thread that looks. Dropped, it ends.
pub(in crate::store) struct Follower {
    state: Arc<State>,
    /// Looks that began after so many requests are done.
    done: watch::Receiver<u64>,
}

#[derive(Default)]
struct State {
    asked: Mutex<Asked>,
    wake: Condvar,
}

#[derive(Default)]
struct Asked {
    requests: u64,
    is_over: bool,
}

impl Follower {
    /// Begins to look for commits after this number.
    pub(in crate::store) fn start(
        way: &Way,
        replica: &Replica,
        after: i64,
        audience: impl Audience + 'static,
    ) -> std::io::Result<Self> {
        let state = Arc::<State>::default();
        let (sender, done) = watch::channel(0);
        let look = Look {
            way: way.clone(),
            replica: replica.clone(),
            connection: None,
            after,
            audience,
        };
        let asked = state.clone();
        thread::Builder::new()
            .name("store-follower".to_owned())
            .spawn(move || look.live(&asked, &sender))?;
        Ok(Self { state, done })
    }

    /// Resolves when a look is over that began after this call.
    pub(in crate::store) async fn look(&self) {
        let request = {
            let mut asked = self.state.lock();
            asked.requests += 1;
            asked.requests
        };
        self.state.wake.notify_one();
        // The thread only ends with the store.
        let _ = self.done.clone().wait_for(|done| *done >= request).await;
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.state.lock().is_over = true;
        self.state.wake.notify_one();
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follower")
    }
}

impl State {
    fn lock(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread does.
struct Look<A> {
    way: Way,
    replica: Replica,
    connection: Option<Box<dyn Connection>>,
    /// The number of the last commit that was looked at.
    after: i64,
    audience: A,
}

impl<A: Audience> Look<A> {
    fn live(mut self, state: &State, done: &watch::Sender<u64>) {
        let mut served = 0;
        loop {
            let upto = {
                let asked = state.lock();
                let waits = |asked: &mut Asked| !asked.is_over && asked.requests <= served;
                let (asked, _) = state
                    .wake
                    .wait_timeout_while(asked, EVERY, waits)
                    .unwrap_or_else(PoisonError::into_inner);
                if asked.is_over {
                    return;
                }
                asked.requests
            };
            let looked = self.look();
            if looked.is_err() {
                self.connection = None;
            }
            self.audience.looked(looked.as_ref().map(|_| ()));
            served = upto;
            done.send_replace(served);
        }
    }

    fn look(&mut self) -> Result<(), StoreError> {
        if self.connection.as_ref().is_none_or(|connection| !connection.is_open()) {
            self.connection = Some(self.way.reader()?);
        }
        let Some(connection) = self.connection.as_deref() else { return Ok(()) };
        connection.begin_reading()?;
        let news = news(connection, self.after);
        connection.end_reading()?;
        let (newest, event, commits) = news?;
        let own = self.replica.id();
        // Those between are missing where the log was cleared, or there are too many.
        let expected = usize::try_from(newest - self.after).unwrap_or(usize::MAX);
        if expected != commits.len() {
            self.audience.committed(Touched { is_anew: true, ..Touched::default() }, true);
        } else {
            for commit in commits {
                if commit.replica != own {
                    self.audience.committed(commit.touched, commit.is_erasure);
                }
            }
        }
        self.after = newest;
        self.audience.newest_event(event);
        Ok(())
    }
}

struct Commit {
    replica: String,
    touched: Touched,
    is_erasure: bool,
}

/// The numbers of the newest commit and event, and the commits after this one.
fn news(
    connection: &dyn Connection,
    after: i64,
) -> Result<(i64, i64, Vec<Commit>), StoreError> {
    let (newest, event) =
        connection.one("SELECT commits, event FROM head", &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if newest == after || newest - after > MOST {
        return Ok((newest, event, Vec::new()));
    }
    let commits = connection.all(
        "SELECT replica, touched, is_erasure FROM commit_log WHERE number > ?1 ORDER BY number",
        params![after],
        |row| {
            // What a newer exporter touched may have no word here yet.
            let anew = |_| Touched { is_anew: true, ..Touched::default() };
            let touched = touched::decode(row.text(1)?).unwrap_or_else(anew);
            Ok(Commit { replica: row.get(0)?, touched, is_erasure: row.get(2)? })
        },
    )?;
    Ok((newest, event, commits))
}
