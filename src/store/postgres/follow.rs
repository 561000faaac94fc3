//! What the other replicas committed.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::{sync::watch, task::AbortHandle};

use super::{Replica, Way, notices, session::Session, standby_waits::StandbyWaits};
use crate::{
    ledger::Touched,
    store::{
        StoreError,
        row::touched,
        sql::{Connection, params},
    },
};

/// Commits that are read one by one; of more, everything is read anew.
const MOST: i64 = 1000;

/// How often it is looked at what costs more: the size of the tables.
const SIZE_EVERY: Duration = Duration::from_mins(1);

/// What is asked at each look.
///
/// The statements that wait for a standby are told apart by their session and when they began. Other
/// users' sessions do not show what they wait for. The view `pg_stat_activity` looks up names that
/// nobody needs here.
const NEWS: &str = "SELECT commits, event, standbys <> '',
        CASE WHEN standbys = '' THEN '' ELSE array_to_string(ARRAY(
            SELECT session.pid || '@' || extract(epoch FROM session.query_start)
            FROM pg_stat_get_activity(NULL) AS session
            WHERE session.wait_event = 'SyncRep'
            AND session.datid = (
                SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())), ' ')
        END,
        current_setting('server_version')
    FROM head, current_setting('synchronous_standby_names') AS names (standbys)";

/// What a look saw of the server.
#[derive(Debug, Clone)]
pub struct Sight {
    /// When the server last answered.
    pub at: Instant,
    /// Why it does not answer now.
    pub error: Option<StoreError>,
    /// Whether each commit waits for a standby: else a failover can lose what was acknowledged.
    pub is_synchronous: bool,
    /// Whether a commit waits for a standby that does not confirm it.
    pub waits_for_standby: bool,
    /// The version that the server says it has.
    pub version: String,
}

/// What the thread tells of what it saw.
pub(in crate::store) trait Audience: Send {
    /// Another replica committed this. An erasure took a person out.
    fn on_commit(&self, touched: Touched, is_erasure: bool);
    /// The number of the newest event.
    fn on_newest_event(&self, seq: i64);
    /// The size of all tables, in bytes.
    fn on_size(&self, bytes: u64);
    /// Whether each commit waits for a standby.
    fn on_standby(&self, is_synchronous: bool);
    /// What came of a look.
    fn on_look(&self, outcome: Result<(), &StoreError>);
}

/// The thread that looks. Dropped, it ends.
pub(in crate::store) struct Follower {
    state: Arc<State>,
    /// Looks that began after so many requests are done, and what the last one saw.
    done: watch::Receiver<(u64, Sight)>,
    /// The task that wakes it when others commit.
    notices: AbortHandle,
}

#[derive(Default)]
struct State {
    asked: Mutex<Asked>,
    wake: Condvar,
}

#[derive(Default)]
struct Asked {
    requests: u64,
    /// Whether others may have committed since the last look began.
    is_woken: bool,
    is_over: bool,
}

impl Follower {
    /// Begins to look for commits after this number. `store` is the store's id.
    pub(in crate::store) fn start(
        way: &Way,
        replica: &Replica,
        store: &str,
        after: i64,
        audience: impl Audience + 'static,
    ) -> std::io::Result<Self> {
        let state = Arc::<State>::default();
        let sight = Sight {
            at: Instant::now(),
            error: None,
            is_synchronous: true,
            waits_for_standby: false,
            version: String::new(),
        };
        let mut look = Look {
            sized_at: None,
            sight,
            standby_waits: StandbyWaits::default(),
            way: way.clone(),
            replica: replica.clone(),
            session: None,
            after,
            audience,
        };
        look.take_look();
        let (sender, done) = watch::channel((0, look.sight.clone()));
        let asked = state.clone();
        thread::Builder::new()
            .name("store-follower".to_owned())
            .spawn(move || look.run(&asked, &sender))?;
        let woken = state.clone();
        let wake = move || {
            woken.lock().is_woken = true;
            woken.wake.notify_one();
        };
        let exchange =
            notices::exchange_notices(way.server.clone(), replica.clone(), store.to_owned(), wake);
        let notices = way.io.spawn(exchange).abort_handle();
        Ok(Self { state, done, notices })
    }

    /// What the last look saw.
    pub(in crate::store) fn sight(&self) -> Sight {
        self.done.borrow().1.clone()
    }

    /// Resolves when a look is over that began after this call; what it saw.
    pub(in crate::store) async fn look(&self) -> Sight {
        let request = {
            let mut asked = self.state.lock();
            asked.requests += 1;
            asked.requests
        };
        self.state.wake.notify_one();
        // The thread only ends with the store.
        let _ = self.done.clone().wait_for(|(done, _)| *done >= request).await;
        self.sight()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.notices.abort();
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
    session: Option<Session>,
    /// The number of the last commit that was looked at.
    after: i64,
    sized_at: Option<Instant>,
    sight: Sight,
    standby_waits: StandbyWaits,
    audience: A,
}

impl<A: Audience> Look<A> {
    fn run(mut self, state: &State, done: &watch::Sender<(u64, Sight)>) {
        let mut served = 0;
        loop {
            let upto = {
                let asked = state.lock();
                let waits = |asked: &mut Asked| {
                    !asked.is_over && !asked.is_woken && asked.requests <= served
                };
                let (mut asked, _) = state
                    .wake
                    .wait_timeout_while(asked, self.way.limits.look, waits)
                    .unwrap_or_else(PoisonError::into_inner);
                asked.is_woken = false;
                if asked.is_over {
                    return;
                }
                asked.requests
            };
            self.take_look();
            served = upto;
            done.send_replace((served, self.sight.clone()));
        }
    }

    /// Takes a look.
    fn take_look(&mut self) {
        let looked = self.look();
        if looked.is_err() {
            self.session = None;
            self.sight.waits_for_standby = false;
        }
        let away = StoreError::StandbyAway;
        let outcome = looked.as_ref().copied();
        // Also a replica that commits nothing itself tells then that it could not.
        self.audience.on_look(if self.sight.waits_for_standby { Err(&away) } else { outcome });
        self.sight.error = looked.err();
    }

    fn look(&mut self) -> Result<(), StoreError> {
        if self.session.as_ref().is_none_or(|session| !session.is_open()) {
            self.session = Some(self.way.connect()?);
        }
        let Some(session) = &self.session else { return Ok(()) };
        let is_sized = self.sized_at.is_some_and(|sized_at| sized_at.elapsed() < SIZE_EVERY);
        let begun = Instant::now();
        // A scrape waits for this: the begin goes with the question.
        session.begin_reading_ahead()?;
        let news = news(session, self.after)
            .and_then(|news| Ok((news, if is_sized { None } else { Some(size(session)?) })));
        session.end_reading()?;
        let (news, size) = news?;
        let News { newest, event, commits, is_synchronous, waiting, version } = news;
        (self.sight.at, self.sight.is_synchronous) = (begun, is_synchronous);
        self.sight.waits_for_standby = self.standby_waits.record(&waiting, begun);
        self.sight.version = version;
        self.audience.on_standby(is_synchronous);
        if let Some(bytes) = size {
            self.sized_at = Some(begun);
            self.audience.on_size(bytes);
        }
        let own = self.replica.id();
        // Those between are missing where the log was cleared, or there are too many.
        let expected = usize::try_from(newest - self.after).unwrap_or(usize::MAX);
        if expected == commits.len() {
            for commit in commits {
                if commit.replica != own {
                    self.audience.on_commit(commit.touched, commit.is_erasure);
                }
            }
        } else {
            self.audience.on_commit(Touched::everything(), true);
        }
        self.after = newest;
        self.audience.on_newest_event(event);
        Ok(())
    }
}

/// What is new.
struct News {
    newest: i64,
    event: i64,
    commits: Vec<Commit>,
    is_synchronous: bool,
    /// The statements that wait for a standby.
    waiting: String,
    version: String,
}

struct Commit {
    replica: String,
    touched: Touched,
    is_erasure: bool,
}

/// The size of the tables, with their indexes.
fn size(connection: &dyn Connection) -> Result<u64, StoreError> {
    connection.count(
        "SELECT CAST(coalesce(sum(pg_total_relation_size(oid)), 0) AS BIGINT)
         FROM pg_catalog.pg_class WHERE relkind = 'r'
         AND relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class
                             WHERE oid = to_regclass('head'))",
        &[],
    )
}

/// The numbers of the newest commit and event, and the commits after this one.
fn news(connection: &dyn Connection, after: i64) -> Result<News, StoreError> {
    let mut news = connection.one(NEWS, &[], |row| {
        Ok(News {
            newest: row.get(0)?,
            event: row.get(1)?,
            commits: Vec::new(),
            is_synchronous: row.get(2)?,
            waiting: row.get(3)?,
            version: row.get(4)?,
        })
    })?;
    if news.newest == after || news.newest - after > MOST {
        return Ok(news);
    }
    let commits = connection.all(
        "SELECT replica, touched, is_erasure FROM commit_log WHERE number > ?1 ORDER BY number",
        params![after],
        |row| {
            // What a newer exporter touched may have no word here yet.
            let anew = |_| Touched::everything();
            let touched = touched::decode(row.text(1)?).unwrap_or_else(anew);
            Ok(Commit { replica: row.get(0)?, touched, is_erasure: row.get(2)? })
        },
    )?;
    news.commits = commits;
    Ok(news)
}
