mod alone;
mod engines;
mod erase;
mod folded;
mod late_verdicts;
mod lists;
mod memory;
mod merged;
mod model;
mod order;
mod otlp;
mod place;
mod postgres;
mod prune;
mod replicas;
mod slices;
mod tables;
mod trend;
mod upgrade;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::PermissionsExt,
};

use place::{TestPlace, file, wait_for_lock};
use tempfile::TempDir;

use super::{fixtures::watch, sql::params, *};
use crate::domain::{
    CheckDefinition, CheckId, Delivery, DeliveryKind, EventName, FailingUser, IpUser, Login, Place,
    PollEnd, ReportedCheck, Severity, Timestamp, UserObservation, UserState, WatchPolicy,
    WatchSource, WatchSubject,
    failure::{FailureAnswer, Verdict},
};
use crate::ledger::change::{
    AddWatch, AddressAnswer, AnswerRules, Backfill, BackfillPlace, BeginOtlp, DeliveryOutcome,
    ExpireWatch, ListedUser, RecordAddress, RecordAnswer, RecordDelivery, RecordListingPage,
    RecordProgress, RetryParked, WatchAdded, WatchOutcome,
};

struct Fixture {
    store: Store,
    writer: WriterThread,
    place: TestPlace,
}

impl Fixture {
    /// A store on the engine that the tests run on.
    fn new() -> Self {
        Self::at(TestPlace::new())
    }

    /// A store in a file, whichever engine the tests run on.
    fn in_file() -> Self {
        Self::at(TestPlace::file())
    }

    fn at(place: TestPlace) -> Self {
        let (store, writer) = place.open();
        Self { store, writer, place }
    }

    /// Closes the store, and opens it again.
    async fn reopen(self) -> Self {
        Self::at(self.close().await)
    }

    /// Closes the store.
    async fn close(self) -> TestPlace {
        drop(self.store);
        self.writer.stop().await;
        self.place
    }
}

/// The state of a user as it is shown, if the user is watched.
fn watched_user(reader: &Reader, login: &str) -> Result<Option<UserView>, StoreError> {
    let watched = reader.watched_among(&[login])?;
    watched.get(login).map(|watched| reader.watched_user(login, watched.standing)).transpose()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(second, 0).unwrap()
}

fn login(text: &str) -> Login {
    Login::new(text).unwrap()
}

fn delivery(id: &str, logins: &[&str]) -> RecordDelivery {
    let definition = CheckDefinition {
        title: "No MFA".into(),
        severity: Severity::new(Some("critical")),
        description: vec!["Finds users without MFA.".into()],
        ..CheckDefinition::undefined(&CheckId::new("no-mfa").unwrap())
    }
    .with_dates(true, at(10));
    let failing = |text: &&str| FailingUser { login: login(text), explanation: None };
    RecordDelivery {
        delivery: Delivery {
            id: id.into(),
            kind: DeliveryKind::FailedCheck,
            detail_type: "FAILED_CHECK".into(),
            received_at: at(20),
            published_at: Some(at(10)),
            check: Some(ReportedCheck { id: CheckId::new("no-mfa").unwrap(), definition }),
            failing: logins.iter().map(failing).collect(),
            ..Delivery::default()
        },
        body: b"{}".to_vec().into(),
        admitted: true,
        policy: WatchPolicy { failing_users: true, max_users: 3, max_ips: 1000 },
        answers: AnswerRules { has_api: true, settle: chrono::TimeDelta::zero() },
        recorded_at: at(20),
        replays: None,
    }
}

fn snapshot(name: &str, ips: &[&str]) -> RecordAnswer {
    let ips: BTreeMap<_, _> = ips.iter().map(|&ip| (ip.to_owned(), Place::default())).collect();
    let state = UserState { ip_addresses: Some(ips), ..UserState::default() };
    fixtures::state_only(
        login(name),
        UserObservation { login: None, state, untold: [].into(), null_lists: [].into() },
        at(30),
    )
}

fn delivered(cursor: i64) -> RecordProgress {
    RecordProgress { cursor, ..RecordProgress::default() }
}

/// An entry of the log: its number, its name, its user.
type Entry = (i64, EventName, Option<String>);

/// The first 100 entries of the log after a number, including internal ones.
fn log_after(seq: i64) -> impl Fn(&Reader) -> Result<Vec<Entry>, StoreError> {
    move |reader| {
        let sql = "SELECT seq, name, login FROM event WHERE seq > ?1 ORDER BY seq LIMIT 100";
        reader.sql().all(sql, params![seq], |row| {
            Ok((row.get(0)?, EventName::parse(row.text(1)?).unwrap(), row.get(2)?))
        })
    }
}

/// The whole log.
async fn log(store: &Store) -> Vec<Entry> {
    let mut log = Vec::<Entry>::new();
    loop {
        let seq = log.last().map_or(0, |(seq, ..)| *seq);
        let further = store.read(log_after(seq)).await.unwrap();
        if further.is_empty() {
            return log;
        }
        log.extend(further);
    }
}

async fn names(store: &Store) -> Vec<EventName> {
    log(store).await.into_iter().map(|(_, name, _)| name).collect()
}

#[tokio::test]
async fn a_repeated_delivery_changes_nothing() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    let first = store.commit(delivery("d1", &["a", "b"])).await.unwrap();
    assert_eq!(first.outcome, DeliveryOutcome::Accepted { opened: 2, past_limit: 0 });
    let before = names(&store).await;
    let repeat = store.commit(delivery("d1", &["c"])).await.unwrap();
    assert_eq!(repeat.outcome, DeliveryOutcome::Duplicate);
    assert_eq!(names(&store).await, before);
}

#[tokio::test]
async fn all_that_a_delivery_changes_survives_a_restart() {
    let fixture = Fixture::new();
    let id = fixture.store.id().to_owned();
    fixture.store.commit(delivery("d1", &["a", "b"])).await.unwrap();
    fixture.store.commit(delivery("d2", &["b", "c"])).await.unwrap();
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.id(), id);
    let check = fixture.store.read(|reader| reader.check("no-mfa")).await.unwrap().unwrap();
    assert_eq!((check.failing, check.last_event_at), (3, at(20)));
    assert_eq!((check.failures, check.resolutions), (3, 0));
}

#[tokio::test]
async fn whom_deliveries_name_is_followed_and_uses_up_no_listed_one_s_place() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    watch(&store, [login("x")], [], at(1)).await.unwrap();
    let outcome = store.commit(delivery("d1", &["a", "b", "c", "x"])).await.unwrap();
    assert_eq!(outcome.outcome, DeliveryOutcome::Accepted { opened: 4, past_limit: 1 });
    let followed = store.read(Reader::followed_logins).await.unwrap();
    assert_eq!(followed, [login("a"), login("b"), login("c")]);
    let add = |user| AddWatch {
        subject: WatchSubject::User(login(user)),
        note: None,
        expires_at: None,
        most: 3,
        at: at(30),
    };
    for (user, outcome) in [
        ("a", WatchAdded::Added),
        ("y", WatchAdded::Added),
        ("z", WatchAdded::Full),
        ("y", WatchAdded::Known),
    ] {
        assert_eq!(store.commit(add(user)).await.unwrap(), outcome, "{user}");
    }
    let listed = store.read(Reader::listed_logins).await.unwrap();
    assert_eq!(listed, [login("a"), login("x"), login("y")]);
    let counts = store.read(Reader::counts).await.unwrap();
    assert_eq!((counts.users, counts.followed), (3, 2));
}

#[tokio::test]
async fn who_is_followed_leaves_24_hours_after_the_last_failure_ended() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    store.commit(delivery("d1", &["a", "b"])).await.unwrap();
    let mends = |second| {
        fixtures::checks_only(FailureAnswer {
            login: login("a"),
            verdict: Verdict::Fails(BTreeSet::new()),
            asked_at: at(second),
            answered_at: at(second),
            settle: chrono::TimeDelta::zero(),
        })
    };
    store.commit(mends(1_000)).await.unwrap();
    let day = 86_400;
    for (second, expired, followed) in [(999 + day, 0, 2), (1_000 + day, 1, 1), (9 * day, 0, 1)] {
        assert_eq!(store.commit(ExpireWatch { at: at(second) }).await.unwrap(), expired);
        let counts = store.read(Reader::counts).await.unwrap();
        assert_eq!(counts.followed, followed, "at {second}");
    }
    // A user who fails again is followed again, without an end.
    let mut again = delivery("d2", &["a"]);
    again.delivery.published_at = Some(at(2_000));
    again.delivery.received_at = at(2_000);
    again.recorded_at = at(2_000);
    store.commit(again).await.unwrap();
    assert_eq!(store.commit(ExpireWatch { at: at(9 * day) }).await.unwrap(), 0);
    assert_eq!(store.read(Reader::counts).await.unwrap().followed, 2);
}

#[tokio::test]
async fn a_database_of_this_version_had_no_former_defaults() {
    let fixture = Fixture::new().reopen().await;
    assert!(!fixture.store.had_former_defaults());
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_keeps_no_other_one() {
    let fixture = Fixture::in_file();
    for user in ["a", "b"] {
        let subject = WatchSubject::User(login(user));
        let expires_at = Some(at(60));
        let add = AddWatch { subject, note: None, expires_at, most: 9, at: at(30) };
        assert_eq!(fixture.store.commit(add).await.unwrap(), WatchAdded::Added);
    }
    let place = fixture.close().await;
    let database = rusqlite::Connection::open(file(place.folder())).unwrap();
    database.execute("UPDATE watch SET source = 'of a newer one' WHERE subject = 'a'", []).unwrap();
    drop(database);
    let Fixture { store, place: _place, .. } = Fixture::at(place);
    assert_eq!(store.commit(ExpireWatch { at: at(90) }).await.unwrap(), 1);
    assert_eq!(store.commit(ExpireWatch { at: at(90) }).await.unwrap(), 0);
    assert_eq!(store.read(Reader::counts).await.unwrap().users, 1, "it stays");
}

#[tokio::test]
async fn what_leaves_the_configuration_leaves_the_watch_list() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    let ip = "203.0.113.7".parse().unwrap();
    let outcome = watch(&store, [login("a"), login("b")], [ip], at(1)).await.unwrap();
    assert_eq!(outcome, WatchOutcome { added: 3, removed: 0 });
    store.commit(delivery("d1", &["a"])).await.unwrap();
    // The webhook is a reason of its own to follow "a".
    let outcome = watch(&store, [], [ip], at(2)).await.unwrap();
    assert_eq!(outcome, WatchOutcome { added: 0, removed: 2 });
    assert_eq!(store.read(Reader::listed_logins).await.unwrap(), []);
    assert_eq!(store.read(Reader::followed_logins).await.unwrap(), [login("a")]);
}

#[tokio::test]
async fn the_first_snapshot_is_the_baseline_and_the_next_is_compared() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    watch(&store, [login("a")], [], at(1)).await.unwrap();
    store.commit(snapshot("a", &["192.0.2.1"])).await.unwrap();
    store.commit(snapshot("a", &["192.0.2.1"])).await.unwrap();
    let expected = [EventName::WatchAdded, EventName::UserBaseline];
    assert_eq!(names(&store).await, expected);
    store.commit(snapshot("a", &["192.0.2.2"])).await.unwrap();
    assert_eq!(names(&store).await[2..], [EventName::UserIpNew, EventName::UserIpGone]);
    let user = store.read(|reader| watched_user(reader, "a")).await.unwrap().unwrap();
    assert_eq!((user.new_ips, user.last_new_ip_at), (1, Some(at(30))));
}

#[tokio::test]
async fn the_service_s_spelling_wins_over_the_operator_s_and_the_last_one_counts() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    let spelling = async || {
        store.read(|reader| reader.login_in_spelling("a@x")).await.unwrap().spelling().to_owned()
    };
    let answered = |echo: &str| {
        let mut answer = snapshot("a@x", &[]);
        answer.state.as_mut().unwrap().0.login = Some(login(echo));
        answer
    };
    for (operator, expected) in [("A@x", "A@x"), ("a@X", "a@X"), ("a@x", "a@x"), ("A@X", "A@X")] {
        watch(&store, [login(operator)], [], at(1)).await.unwrap();
        assert_eq!(spelling().await, expected, "nobody has heard of the user");
    }
    // An answer with another login is no spelling of this one.
    for (echo, expected) in [("b@x", "A@X"), ("A@x", "A@x"), ("a@x", "a@x"), ("a@X", "a@X")] {
        store.commit(answered(echo)).await.unwrap();
        assert_eq!(spelling().await, expected);
        let before = spelling().await;
        watch(&store, [login("A@X")], [], at(2)).await.unwrap();
        assert_eq!(spelling().await, before, "the service knows the user");
    }
    store.commit(delivery("d1", &["A@x"])).await.unwrap();
    assert_eq!(spelling().await, "A@x");
}

#[tokio::test]
async fn users_of_an_address_come_and_go() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    let ip = "203.0.113.7".parse().unwrap();
    let record = |logins: &[&str]| {
        let user =
            IpUser { id: "1".into(), display_name: "A".into(), reference_url: None, since: None };
        let users = logins.iter().map(|text| (login(text), user.clone())).collect();
        let answer = Some(AddressAnswer { users, is_partial: false });
        RecordAddress { ip, answer, end: PollEnd::answered(), at: at(30) }
    };
    watch(&store, [], [ip], at(1)).await.unwrap();
    store.commit(record(&["a"])).await.unwrap();
    store.commit(record(&["b"])).await.unwrap();
    let expected = [
        EventName::WatchAdded,
        EventName::IpBaseline,
        EventName::PollBaseline,
        EventName::IpUserNew,
        EventName::IpUserGone,
    ];
    assert_eq!(names(&store).await, expected);
    let view = store.read(|reader| reader.watched_ip("203.0.113.7")).await.unwrap().unwrap();
    assert_eq!((view.users, view.new_users), (Some(1), 1));
}

#[tokio::test]
async fn the_log_comes_out_as_it_went_in_and_its_ids_stay() {
    let fixture = Fixture::new();
    fixture.store.commit(delivery("d1", &["a@example.com"])).await.unwrap();
    let read = |reader: &Reader| reader.public_events_after(0, BatchLimit::events(10));
    let Batch { events: before, .. } = fixture.store.read(read).await.unwrap();
    assert_eq!(before.len(), 2);
    assert_eq!(before[1].event.name, EventName::CheckFailed);
    assert_eq!(before[1].event.login, Some(login("a@example.com")));
    assert_eq!((before[1].event.happened_at, before[1].event.observed_at), (at(10), at(20)));
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.read(read).await.unwrap().events, before);
}

#[tokio::test]
async fn the_cursor_moves_forward_only_and_tells_the_backlog() {
    let fixture = Fixture::new();
    fixture.store.commit(delivery("d1", &["a"])).await.unwrap();
    let backlog = fixture.store.read(Reader::otlp_backlog).await.unwrap();
    assert_eq!(backlog, Backlog { pending: 2, oldest: Some(at(20)), parked: 0 });
    let last = fixture.store.read(Reader::last_seq).await.unwrap();
    fixture.store.commit(delivered(last)).await.unwrap();
    fixture.store.commit(delivered(1)).await.unwrap();
    let fixture = fixture.reopen().await;
    let backlog = fixture.store.read(Reader::otlp_backlog).await.unwrap();
    assert_eq!(backlog, Backlog { pending: 0, oldest: None, parked: 0 });
}

#[tokio::test]
async fn only_the_owner_can_read_the_database() {
    let fixture = Fixture::in_file();
    fixture.store.commit(delivery("d1", &["a"])).await.unwrap();
    for name in ["store.db", "store.db-wal"] {
        let mode =
            fixture.place.folder().path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_second_exporter_is_kept_off_the_database() {
    let fixture = Fixture::in_file();
    let second = Store::open(&file(fixture.place.folder()));
    assert!(matches!(second, Err(StoreError::InUse(_))));
}

#[tokio::test]
async fn a_locked_database_fails_the_write_and_recovers() {
    let fixture = Fixture::in_file();
    let other = rusqlite::Connection::open(file(fixture.place.folder())).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = fixture.store.commit(delivery("d1", &["a"])).await;
    assert!(matches!(refused, Err(StoreError::Sql(_))), "{refused:?}");
    other.execute_batch("ROLLBACK").unwrap();
    let outcome = fixture.store.commit(delivery("d1", &["a"])).await.unwrap();
    assert_eq!(outcome.outcome, DeliveryOutcome::Accepted { opened: 1, past_limit: 0 });
}

#[tokio::test]
async fn writes_that_wait_together_are_committed_together() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    let writes = (0..200).map(|n| {
        let store = store.clone();
        async move { store.commit(delivery(&format!("d{n}"), &["a"])).await }
    });
    let outcomes = futures_util::future::join_all(writes).await;
    assert!(outcomes.iter().all(Result::is_ok));
    let commits = store.meters().commits.get();
    assert!(commits < 100, "{commits} commits for 200 writes");
}
