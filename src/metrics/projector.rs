//! Keeps the view current: a commit names the subjects that it touched, and their
//! rows are read again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Scope,
    applications::Applications,
    describe::{self, Known},
    label,
    people::People,
    sample::Sample,
    view::{Subject, View},
};
use crate::{
    clock,
    config::UserSeries,
    domain::{CheckId, Login, Timestamp, WatchStanding},
    ledger::{self, Touched},
    store::{Reader, Store, StoreError, UserView, readable},
};

/// Pause before a store that could not be read is read again.
const RETRY: Duration = Duration::from_secs(1);

/// Pause between rounds while nobody scrapes: what a stream of deliveries touches
/// again and again is read once a round.
const SPACING: Duration = Duration::from_millis(250);

/// How long to wait at most until the clock is looked at again for what changes with time.
const CLOCK_CHECK: Duration = Duration::from_mins(1);

/// A subject's new samples.
type Replacement = (Subject, Vec<Sample>);

/// What is counted over many subjects, and kept between rounds.
#[derive(Debug, Default)]
struct Totals {
    people: People,
    applications: Applications,
    /// Checks whose samples change with time alone, and when.
    due: BTreeMap<CheckId, Timestamp>,
}

/// How far the view has got.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    /// The number of the newest commit that it shows.
    pub(super) commit: u64,
    /// When it had got so far.
    pub(super) at: Instant,
}

/// What an exposition needs of its projector.
#[derive(Debug, Clone)]
pub(super) struct Projection {
    pub(super) view: Arc<Mutex<View>>,
    pub(super) reached: watch::Receiver<Reached>,
    /// Rings when somebody wants the view to be current now.
    pub(super) hurry: Arc<Notify>,
}

/// Follows commits and updates the view.
#[derive(Debug)]
pub struct Projector {
    store: Store,
    view: Arc<Mutex<View>>,
    totals: Arc<Mutex<Totals>>,
    scope: watch::Receiver<Scope>,
    reached: watch::Sender<Reached>,
    hurry: Arc<Notify>,
    /// The number of the newest commit whose subjects were taken from the store, which
    /// hands them out once.
    taken: u64,
    /// What was taken and is not in the view yet: a round that fails is made again.
    pending: Option<Pending>,
}

/// What a round has to do.
#[derive(Debug, Clone)]
enum Pending {
    Everything,
    Some(Touched),
}

impl Projector {
    /// Builds the view from the store.
    pub(super) async fn rebuild(
        store: Store,
        scope: watch::Receiver<Scope>,
    ) -> Result<(Self, Projection), StoreError> {
        let commit = *store.changes().borrow();
        let reached = watch::Sender::new(Reached { commit, at: Instant::now() });
        let mut projector = Self {
            store,
            view: Arc::default(),
            totals: Arc::default(),
            scope,
            reached,
            hurry: Arc::default(),
            taken: commit,
            pending: Some(Pending::Everything),
        };
        projector.round(commit).await?;
        let projection = Projection {
            view: projector.view.clone(),
            reached: projector.reached.subscribe(),
            hurry: projector.hurry.clone(),
        };
        Ok((projector, projection))
    }

    /// Follows commits until told to stop.
    ///
    /// # Errors
    /// When the store was closed under it.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), StoreError> {
        let mut changes = self.store.changes();
        let mut scope = self.scope.clone();
        while !stop.is_cancelled() {
            let newest = *changes.borrow_and_update();
            if scope.has_changed().unwrap_or(false) {
                scope.mark_unchanged();
                self.pending = Some(Pending::Everything);
            }
            if self.reached.borrow().commit < newest || self.pending.is_some() {
                match self.follow().await {
                    Ok(()) => {}
                    Err(StoreError::Closed) => return Err(StoreError::Closed),
                    Err(error) => {
                        tracing::error!(%error, "the metrics cannot be updated; the store is read again in a second");
                        tokio::time::sleep(RETRY).await;
                        continue;
                    }
                }
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = self.hurry.notified() => {}
                    () = tokio::time::sleep(SPACING) => {}
                }
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                changed = changes.changed() => if changed.is_err() { return Ok(()) },
                Ok(()) = scope.changed() => self.pending = Some(Pending::Everything),
                () = tokio::time::sleep(self.until_due()) => self.take_due(),
            }
        }
        Ok(())
    }

    /// How long until samples change with time alone. A wall clock can be set, so it is looked
    /// at again before long.
    fn until_due(&self) -> Duration {
        let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        let next = totals.due.values().min().copied();
        drop(totals);
        let away = next.map(|at| (at - clock::now()).to_std().unwrap_or_default());
        away.map_or(CLOCK_CHECK, |away| away.min(CLOCK_CHECK))
    }

    /// Adds the checks whose samples have changed with time to what is to be read.
    fn take_due(&mut self) {
        let now = clock::now();
        let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        let due = totals.due.iter().filter(|(_, at)| **at <= now);
        let due: BTreeSet<_> = due.map(|(id, _)| ledger::Subject::Check(id.clone())).collect();
        drop(totals);
        if due.is_empty() {
            return;
        }
        match self.pending.get_or_insert(Pending::Some(Touched::default())) {
            Pending::Some(touched) => touched.subjects.extend(due),
            Pending::Everything => {}
        }
    }

    /// One round: reads again what the commits since the last one touched.
    async fn follow(&mut self) -> Result<(), StoreError> {
        let from = self.taken;
        self.taken = if let Some(commits) = self.store.touched_after(from) {
            let mut touched = match self.pending.take() {
                Some(Pending::Some(touched)) => touched,
                other => {
                    self.pending = other;
                    Touched::default()
                }
            };
            for later in &commits {
                touched.extend(later);
            }
            if touched.is_anew {
                self.pending = Some(Pending::Everything);
            }
            self.pending.get_or_insert(Pending::Some(touched));
            from + u64::try_from(commits.len()).unwrap_or(0)
        } else {
            // Too far behind: the number is taken before anything is read.
            self.pending = Some(Pending::Everything);
            *self.store.changes().borrow()
        };
        self.round(self.taken).await
    }

    async fn round(&mut self, commit: u64) -> Result<(), StoreError> {
        let Some(pending) = self.pending.clone() else { return Ok(()) };
        let is_everything = matches!(pending, Pending::Everything);
        let (totals, scope) = (self.totals.clone(), self.scope.borrow().clone());
        let read = move |reader: &Reader| {
            let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
            let known = Known { reader, scope: &scope, now: clock::now() };
            match pending {
                Pending::Everything => everything(&known, &mut totals),
                Pending::Some(touched) => some(&known, &mut totals, &touched),
            }
        };
        let replacements = self.store.read(read).await?;
        self.pending = None;
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        if is_everything {
            // What went while nobody followed is named by nothing that is read now.
            *view = View::default();
        }
        for (subject, samples) in &replacements {
            view.replace(subject.clone(), samples);
        }
        drop(view);
        self.reached.send_replace(Reached { commit, at: Instant::now() });
        Ok(())
    }
}

/// Reads every subject.
fn everything(known: &Known<'_>, totals: &mut Totals) -> Result<Vec<Replacement>, StoreError> {
    let Known { reader, scope, .. } = *known;
    *totals = Totals { people: People::read(reader)?, ..Totals::default() };
    let mut subjects = BTreeSet::from([
        ledger::Subject::Watched,
        ledger::Subject::Webhook,
        ledger::Subject::Tenant,
        ledger::Subject::Service,
    ]);
    let checks = reader.check_ids()?;
    let checks = checks.iter().filter_map(|id| CheckId::new(id));
    subjects.extend(checks.map(ledger::Subject::Check));
    // Of followed users without a snapshot there is nothing to show or to count.
    let followed = match scope.user_series {
        UserSeries::All => reader.followed_logins()?,
        UserSeries::Listed | UserSeries::None => reader.followed_with_snapshot()?,
    };
    let users = reader.listed_logins()?.into_iter().chain(followed);
    subjects.extend(users.map(ledger::Subject::User));
    subjects.extend(reader.watched_ips()?.into_iter().map(ledger::Subject::Ip));
    read(known, totals, &subjects)
}

/// Reads the subjects that commits touched.
fn some(
    known: &Known<'_>,
    totals: &mut Totals,
    touched: &Touched,
) -> Result<Vec<Replacement>, StoreError> {
    for subject in &touched.subjects {
        if let ledger::Subject::Check(id) = subject
            && let Some(check) = readable(known.reader.check(id.as_str()))?.flatten()
        {
            totals.people.rate(id, check.severity);
        }
    }
    for change in &touched.people {
        totals.people.follow(change);
    }
    if known.scope.user_series != UserSeries::All {
        return read(known, totals, &touched.subjects);
    }
    // How many checks a followed user fails is shown, too.
    let people = touched.people.iter().map(|change| ledger::Subject::User(change.login.clone()));
    let subjects = touched.subjects.iter().cloned().chain(people).collect();
    read(known, totals, &subjects)
}

/// Reads subjects and makes their samples.
fn read(
    known: &Known<'_>,
    totals: &mut Totals,
    touched: &BTreeSet<ledger::Subject>,
) -> Result<Vec<Replacement>, StoreError> {
    let Known { reader, scope, .. } = *known;
    let mut replacements = Vec::with_capacity(touched.len() + 1);
    let mut applications = BTreeSet::new();
    for subject in touched {
        let replacement = match subject {
            ledger::Subject::Check(id) => {
                let (samples, due) = readable(describe::of_check(known, id))?.unwrap_or_default();
                totals.due.remove(id);
                totals.due.extend(due.map(|at| (id.clone(), at)));
                (Subject::Check(id.to_string()), samples)
            }
            ledger::Subject::User(login) => {
                let user = user(reader, login, scope)?;
                let state = user.as_ref().and_then(UserView::current);
                applications.extend(totals.applications.replace(login, state));
                let shown = user.filter(|user| is_shown(user.standing, scope.user_series));
                let samples = shown.and_then(|user| {
                    let label = label::of_user(&scope.user_label, login, &user)?;
                    Some(describe::of_user(&label, &user))
                });
                (Subject::User(login.as_str().to_owned()), samples.unwrap_or_default())
            }
            other => {
                let subject = Subject::of(other);
                let samples = describe::samples(known, &subject);
                (subject, readable(samples)?.unwrap_or_default())
            }
        };
        replacements.push(replacement);
    }
    for name in applications {
        let samples = describe::of_application(&name, totals.applications.use_of(&name));
        replacements.push((Subject::Application(name), samples));
    }
    let is_known = describe::is_tenant_known(known)? == Some(true);
    replacements.push((Subject::People, totals.people.samples(is_known)));
    Ok(replacements)
}

/// A user, as far as anything is shown or counted. Deliveries name many users who have no
/// snapshot and no series: of these no more is read than that.
fn user(reader: &Reader, login: &Login, scope: &Scope) -> Result<Option<UserView>, StoreError> {
    let (login, series) = (login.as_str(), scope.user_series);
    match reader.standing(login)? {
        Some(standing) if is_shown(standing, series) || reader.has_snapshot(login)? => {
            let user = reader.watched_user(login)?;
            Ok(user.map(|user| if scope.has_polls() { user } else { user.without_polls() }))
        }
        _ => Ok(None),
    }
}

fn is_shown(standing: WatchStanding, series: UserSeries) -> bool {
    match series {
        UserSeries::All => true,
        UserSeries::Listed => standing == WatchStanding::Listed,
        UserSeries::None => false,
    }
}
