//! The lease: decides which replica is the leader.
//!
//! It is a row, and only the server's clock decides whether it has expired, so that the clocks of
//! machines do not matter. Its holder renews it without the lock of the groups: a large group of
//! another replica must not make it expire. A replica takes it over under that lock, and writes the
//! fence into the row of numbers. What a former holder still tries to commit finds another fence,
//! and fails.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{Replica, Way, schema, session::Session};
use crate::store::{
    Standing, StoreError,
    sql::{Connection, params},
};

/// The duration of a term, in milliseconds. Together with [`EVERY`] it bounds how long there is no
/// leader after the holder's end.
const TERM_MS: i64 = 10_000;

/// How often it is renewed, or checked.
const EVERY: Duration = Duration::from_secs(2);

/// After this time without a renewal, a holder stops acting: that is before another replica can
/// take the lease.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(7);

/// The limit of one of its statements, and of connecting.
const PATIENCE: Duration = Duration::from_secs(2);

/// The thread that takes the lease and renews it. Dropping it gives the lease back and ends the
/// thread.
pub(in crate::store) struct Lease {
    standing: watch::Receiver<Standing>,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    is_over: Mutex<bool>,
    wake: Condvar,
}

impl Lease {
    /// Tries to take the lease at once, and keeps trying. `name` identifies the holder to
    /// operators.
    pub(in crate::store) fn start(
        way: &Way,
        replica: &Replica,
        name: &str,
    ) -> std::io::Result<Self> {
        let mut candidate = Candidate {
            way: way.clone(),
            // The thread has an id of its own: a term must not end when the id of commits changes.
            id: replica.id(),
            name: name.to_owned(),
            session: None,
            fence: None,
            renewed_at: Instant::now(),
        };
        let (sender, standing) = watch::channel(candidate.step());
        let (until, acts_until) = watch::channel(candidate.acts_until());
        drop(way.io.spawn(step_down_in_time(acts_until, sender.clone())));
        let state = Arc::<State>::default();
        let told = state.clone();
        let thread = thread::Builder::new()
            .name("store-lease".to_owned())
            .spawn(move || candidate.run(&told, &sender, &until))?;
        Ok(Self { standing, state, thread: Some(thread) })
    }

    /// This process's standing.
    pub(in crate::store) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        *self.state.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.state.wake.notify_one();
        // Lets another replica take over at once. It takes no longer than its statements may.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&*self.standing.borrow()).finish()
    }
}

/// A replica that tries to hold the lease.
struct Candidate {
    way: Way,
    id: String,
    name: String,
    session: Option<Session>,
    /// The fence of its term; none while another replica holds the lease.
    fence: Option<i64>,
    /// When the last successful renewal was sent.
    renewed_at: Instant,
}

impl Candidate {
    fn run(
        mut self,
        state: &State,
        standing: &watch::Sender<Standing>,
        until: &watch::Sender<Option<Instant>>,
    ) {
        loop {
            let over = state.is_over.lock().unwrap_or_else(PoisonError::into_inner);
            let (over, _) = state
                .wake
                .wait_timeout_while(over, EVERY, |over| !*over)
                .unwrap_or_else(PoisonError::into_inner);
            if *over {
                self.give_back();
                return;
            }
            drop(over);
            let now = self.step();
            until.send_replace(self.acts_until());
            standing.send_if_modified(|before| {
                let is_news = *before != now;
                *before = now;
                is_news
            });
        }
    }

    /// Until when this process may act as the holder without another renewal.
    fn acts_until(&self) -> Option<Instant> {
        self.fence.map(|_| self.renewed_at + GIVEN_UP_AFTER)
    }

    /// Renews the lease, or takes it when it has expired.
    ///
    /// A database that rejects writes is treated like one that does not answer: the lease expires,
    /// because nothing done under it could be committed. Each further step uses a new session,
    /// which does not have the old one's settings.
    fn step(&mut self) -> Standing {
        let sent_at = Instant::now();
        match self.renew_or_take() {
            Ok(standing) => {
                if standing.is_leader() {
                    self.renewed_at = sent_at;
                }
                standing
            }
            Err(error) => {
                tracing::debug!(%error, "who leads is not known");
                self.session = None;
                match self.fence {
                    Some(fence) if self.renewed_at.elapsed() < GIVEN_UP_AFTER => {
                        Standing::Leader { fence: Some(fence) }
                    }
                    _ => {
                        self.fence = None;
                        Standing::Unknown
                    }
                }
            }
        }
    }

    fn renew_or_take(&mut self) -> Result<Standing, StoreError> {
        let session = match &mut self.session {
            Some(session) if session.is_open() => session,
            none => none.insert(self.way.connect_within(PATIENCE)?),
        };
        if let Some(fence) = self.fence {
            if renew(session, &self.id, fence)? {
                return Ok(Standing::Leader { fence: Some(fence) });
            }
            self.fence = None;
        }
        session.begin_reading()?;
        let held = load_other_holder(session, &self.id);
        session.end_reading()?;
        let (leader, is_over) = held?;
        if is_over && let Some(fence) = self.way.take_lease(session, &self.id, &self.name)? {
            self.fence = Some(fence);
            return Ok(Standing::Leader { fence: Some(fence) });
        }
        Ok(Standing::Follower { leader: leader.filter(|_| !is_over) })
    }

    fn give_back(&mut self) {
        let (Some(fence), Some(session)) = (self.fence, &self.session) else { return };
        let given = session.begin_local().and_then(|()| {
            session.execute(
                "UPDATE lease SET holder = NULL, name = NULL, expires_at = '-infinity'
                 WHERE holder = ?1 AND fence = ?2",
                params![self.id, fence],
            )?;
            session.commit()
        });
        if let Err(error) = given {
            tracing::debug!(%error, "the lease is not given back; it ends by itself");
        }
    }
}

/// Ends the leadership when its time is over, even while a step of the thread hangs.
async fn step_down_in_time(
    mut acts_until: watch::Receiver<Option<Instant>>,
    standing: watch::Sender<Standing>,
) {
    loop {
        let until = *acts_until.borrow_and_update();
        if let Some(until) = until {
            tokio::select! {
                changed = acts_until.changed() => if changed.is_err() { return } else { continue },
                () = tokio::time::sleep_until(until.into()) => {}
            }
            standing.send_if_modified(|standing| {
                let is_leader = standing.is_leader();
                if is_leader {
                    *standing = Standing::Unknown;
                }
                is_leader
            });
        }
        if acts_until.changed().await.is_err() {
            return;
        }
    }
}

/// The name of another replica that holds the lease, and whether the lease has expired. A replica
/// that gave the lease up early stays in the row until then, and must not follow itself.
fn load_other_holder(
    session: &dyn Connection,
    id: &str,
) -> Result<(Option<String>, bool), StoreError> {
    let sql = "SELECT CASE WHEN holder <> ?1 THEN name END, expires_at < clock_timestamp()
        FROM lease";
    session.one(sql, params![id], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Renews the lease; returns whether it is still held.
fn renew(session: &Session, id: &str, fence: i64) -> Result<bool, StoreError> {
    session.begin_local()?;
    let renewed = session.execute(
        "UPDATE lease SET expires_at = clock_timestamp() + ?3 * INTERVAL '1 millisecond'
         WHERE holder = ?1 AND fence = ?2",
        params![id, fence, TERM_MS],
    )?;
    session.commit()?;
    Ok(renewed > 0)
}

impl Way {
    /// Takes the expired lease; returns the fence of the new term, or none when another replica was
    /// faster.
    fn take_lease(
        &self,
        session: &Session,
        id: &str,
        name: &str,
    ) -> Result<Option<i64>, StoreError> {
        let begun = session.begin_writing(self.server.commit_level())?;
        if let Err(error) = schema::check_known(begun.schema_version, &self.server) {
            session.roll_back();
            return Err(error);
        }
        let taken: Result<Option<i64>, StoreError> = (|| {
            let fence = (session as &dyn Connection).optional(
                "UPDATE lease SET holder = ?1, name = ?2, fence = fence + 1,
                    expires_at = clock_timestamp() + ?3 * INTERVAL '1 millisecond'
                 WHERE expires_at < clock_timestamp() RETURNING fence",
                params![id, name, TERM_MS],
                |row| row.get(0),
            )?;
            if let Some(fence) = fence {
                session.execute("UPDATE head SET fence = ?1", params![fence])?;
            }
            Ok::<Option<i64>, StoreError>(fence)
        })();
        match taken {
            Ok(Some(fence)) => session.commit().map(|()| Some(fence)),
            taken => {
                session.roll_back();
                taken
            }
        }
    }
}
