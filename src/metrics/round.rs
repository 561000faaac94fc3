//! A round of the projector: reads the rows of touched subjects, and updates the totals over many
//! subjects.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Scope,
    applications::Applications,
    checks::Checks,
    describe::{self, Known},
    family::Family,
    label,
    people::People,
    sample::{Sample, Samples},
    view::Subject,
};
use crate::{
    config::UserSeries,
    domain::{CheckId, Login, Timestamp, WatchStanding},
    ledger::{self, CheckSet, Touched},
    store::{Reader, StoreError, UserView, WatchedAs, skip_unreadable},
};

/// Up to this many subjects other than users, their queries are sent ahead to the database server.
/// With more, the round trips are small compared to the reading.
const FORESEEN: usize = 50;

/// The same limit for users, whom one statement reads in bulk.
const FORESEEN_USERS: usize = 1000;

/// A subject with its new samples.
pub(super) type Replacement = (Subject, Vec<Sample>);

/// Totals over many subjects, kept between rounds.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// `None` when the stored rows cannot be parsed.
    people: Option<People>,
    applications: Applications,
    checks: Checks,
    /// When the samples of checks next change with time alone.
    pub(super) due: BTreeMap<CheckId, Timestamp>,
}

/// Reads all subjects, and rebuilds the totals.
pub(super) fn read_everything(
    known: &Known<'_>,
    totals: &mut Totals,
) -> Result<Vec<Replacement>, StoreError> {
    let Known { reader, scope, .. } = *known;
    *totals = Totals { people: skip_unreadable(People::read(reader))?, ..Totals::default() };
    let mut subjects = BTreeSet::from([
        ledger::Subject::Watched,
        ledger::Subject::Webhook,
        ledger::Subject::Tenant,
        ledger::Subject::Service,
    ]);
    let checks = reader.check_ids_by_number()?;
    for id in checks.iter().filter_map(|id| CheckId::new(id)) {
        totals.checks.admit_check(&id, scope.max_checks);
        subjects.insert(ledger::Subject::Check(id));
    }
    // A followed user without a snapshot has no series and no applications to count.
    let followed = match scope.user_series {
        UserSeries::All => reader.followed_logins()?,
        UserSeries::Listed | UserSeries::None => reader.followed_with_snapshot()?,
    };
    let users = reader.listed_logins()?.into_iter().chain(followed);
    subjects.extend(users.map(ledger::Subject::User));
    subjects.extend(reader.watched_ips()?.into_iter().map(ledger::Subject::Ip));
    read_subjects(known, totals, &subjects)
}

/// Reads the subjects that commits touched.
pub(super) fn read_touched(
    known: &Known<'_>,
    totals: &mut Totals,
    touched: &Touched,
) -> Result<Vec<Replacement>, StoreError> {
    let mut subjects = Cow::Borrowed(&touched.subjects);
    if known.scope.user_series == UserSeries::All {
        // The number of failing checks of followed users is shown, too.
        subjects.to_mut().extend(touched.people.iter().cloned().map(ledger::Subject::User));
    }
    prefetch(known, &touched.check_sets, &subjects);
    let is_check = |subject: &ledger::Subject| matches!(subject, ledger::Subject::Check(_));
    let is_concerned = !touched.check_sets.is_empty() || touched.subjects.iter().any(is_check);
    if let Some(people) = totals.people.as_mut().filter(|_| is_concerned)
        && skip_unreadable(people.update_sets(known.reader, &touched.check_sets))?.is_none()
    {
        totals.people = None;
    }
    read_subjects(known, totals, &subjects)
}

/// Sends the independent queries of a small round ahead, to save round trips to a database server.
fn prefetch(
    known: &Known<'_>,
    check_sets: &BTreeSet<CheckSet>,
    subjects: &BTreeSet<ledger::Subject>,
) {
    let logins: Vec<_> = subjects.iter().filter_map(login_of).collect();
    let others = || subjects.iter().filter(|subject| login_of(subject).is_none());
    if others().count() + check_sets.len() > FORESEEN || logins.len() > FORESEEN_USERS {
        return;
    }
    known.reader.foresee(|| {
        let _ = known.reader.severities_by_number();
        for checks in check_sets {
            let _ = known.reader.people_of_check_set(checks);
        }
        let _ = known.reader.watched_among(&logins);
        for subject in others() {
            let _ = match subject {
                ledger::Subject::Check(id) => describe::read_check_samples(known, id).map(drop),
                other => describe::read_samples(known, &Subject::from_touched(other)).map(drop),
            };
        }
        let _ = describe::is_tenant_known(known);
    });
}

/// Reads subjects and builds their samples.
fn read_subjects(
    known: &Known<'_>,
    totals: &mut Totals,
    touched: &BTreeSet<ledger::Subject>,
) -> Result<Vec<Replacement>, StoreError> {
    let Known { reader, scope, .. } = *known;
    let mut replacements = Vec::with_capacity(touched.len() + 1);
    let mut applications = BTreeSet::new();
    let is_new = |subject: &&ledger::Subject| match subject {
        ledger::Subject::Check(id) => !totals.checks.is_known(id),
        _ => false,
    };
    let new = touched.iter().filter(is_new).count();
    if new > 0 && totals.checks.would_overflow(new, scope.max_checks) {
        // The checks that came first get series. Their ids do not tell the order, so all are read
        // by number.
        for id in reader.check_ids_by_number()?.iter().filter_map(|id| CheckId::new(id)) {
            totals.checks.admit_check(&id, scope.max_checks);
        }
    }
    let logins: Vec<_> = touched.iter().filter_map(login_of).collect();
    let watched = reader.watched_among(&logins)?;
    let mut next_checks: Vec<CheckId> = Vec::new();
    for subject in touched {
        let replacement = match subject {
            ledger::Subject::Check(id) => {
                let (replacement, next) = read_check(known, totals, id)?;
                next_checks.extend(next);
                replacement
            }
            ledger::Subject::User(login) => {
                let watched = watched.get(login.as_str());
                let user = skip_unreadable(read_user(reader, login, watched, scope))?.flatten();
                let state = user.as_ref().and_then(UserView::current_snapshot);
                applications.extend(totals.applications.replace_user(login, state));
                let shown = user.filter(|user| is_shown(user.standing, scope.user_series));
                let samples = shown.and_then(|user| {
                    let label = label::user_label(&scope.user_label, login, &user)?;
                    Some(describe::user_samples(&label, &user))
                });
                (Subject::User(login.as_str().to_owned()), samples.unwrap_or_default())
            }
            other => {
                let subject = Subject::from_touched(other);
                let samples = describe::read_samples(known, &subject);
                (subject, skip_unreadable(samples)?.unwrap_or_default())
            }
        };
        replacements.push(replacement);
    }
    // The check that replaces a removed one can be removed, too.
    while let Some(id) = next_checks.pop() {
        let (replacement, next) = read_check(known, totals, &id)?;
        next_checks.extend(next);
        replacements.push(replacement);
    }
    let mut dropped = Samples::default();
    dropped.add(Family::ChecksDropped, &[], totals.checks.dropped_count());
    replacements.push((Subject::Checks, dropped.into_vec()));
    for name in applications {
        let samples = describe::application_samples(&name, totals.applications.usage(&name));
        replacements.push((Subject::Application(name), samples));
    }
    let is_known = skip_unreadable(describe::is_tenant_known(known))?.flatten() == Some(true);
    let people = totals.people.as_ref().map(|people| people.samples(is_known));
    replacements.push((Subject::People, people.unwrap_or_default()));
    Ok(replacements)
}

/// Reads the samples of a check, empty when it has no series. When the check is gone, returns also
/// the check that gets series in its place.
fn read_check(
    known: &Known<'_>,
    totals: &mut Totals,
    id: &CheckId,
) -> Result<(Replacement, Option<CheckId>), StoreError> {
    let (samples, due) =
        skip_unreadable(describe::read_check_samples(known, id))?.unwrap_or_default();
    totals.due.remove(id);
    let subject = Subject::Check(id.to_string());
    if samples.is_empty() {
        return Ok(((subject, samples), totals.checks.forget_check(id)));
    }
    if !totals.checks.admit_check(id, known.scope.max_checks) {
        return Ok(((subject, Vec::new()), None));
    }
    totals.due.extend(due.map(|at| (id.clone(), at)));
    Ok(((subject, samples), None))
}

/// Reads a user who has series or a snapshot. Deliveries name many users who have neither; for them
/// nothing more is read.
fn read_user(
    reader: &Reader,
    login: &Login,
    watched: Option<&WatchedAs>,
    scope: &Scope,
) -> Result<Option<UserView>, StoreError> {
    let is_read =
        |watched: &WatchedAs| watched.has_snapshot || is_shown(watched.standing, scope.user_series);
    let Some(watched) = watched.filter(|watched| is_read(watched)) else { return Ok(None) };
    let user = reader.watched_user(login.as_str(), watched.standing)?;
    Ok(Some(if scope.has_polls() { user } else { user.without_polls() }))
}

fn login_of(subject: &ledger::Subject) -> Option<&str> {
    match subject {
        ledger::Subject::User(login) => Some(login.as_str()),
        _ => None,
    }
}

fn is_shown(standing: WatchStanding, series: UserSeries) -> bool {
    match series {
        UserSeries::All => true,
        UserSeries::Listed => standing == WatchStanding::Listed,
        UserSeries::None => false,
    }
}
