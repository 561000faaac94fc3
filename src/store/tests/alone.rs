//! A change that fails must not affect the others of its group.

use std::time::Duration;

use super::*;
use crate::{
    domain::CheckFilter,
    ledger::{
        Change, DeliveryRow, Facts, Fault, Keys,
        change::{FilterChecks, ForgetUser},
    },
};

/// What a change of these tests does, besides storing a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// It panics after it changed rows.
    Panics,
    /// A value cannot be stored.
    Unstorable,
    /// It reads a row that its keys do not name.
    NotAsked,
    /// It panics outside of the handling of panics: the writer thread ends.
    EndsTheThread,
}

#[derive(Debug)]
struct Keep(Mistake);

impl Change for Keep {
    type Outcome = i64;

    fn keys(&self, _: &mut Keys) {
        assert!(self.0 != Mistake::EndsTheThread, "a mistake of a test");
    }

    fn apply(&self, facts: &mut Facts) -> Result<i64, Fault> {
        let number = facts.next_delivery();
        let outcome = if self.0 == Mistake::Unstorable { "nonsense" } else { "accepted" };
        facts.keep_delivery(DeliveryRow {
            number,
            id: Some(format!("{:?}", self.0)),
            outcome,
            status: 200,
            ..DeliveryRow::default()
        });
        match self.0 {
            Mistake::Panics => panic!("a mistake of a test"),
            Mistake::NotAsked => facts.jobs.get(&"users").map(|_| number),
            Mistake::None | Mistake::Unstorable | Mistake::EndsTheThread => Ok(number),
        }
    }
}

#[tokio::test]
async fn a_mistake_fails_its_change_and_no_other() {
    for mistake in [Mistake::Panics, Mistake::Unstorable, Mistake::NotAsked] {
        let Fixture { store, place: _place, .. } = Fixture::new();
        let before = store.commit(delivery("before", &["a"])).await.unwrap().number;
        let changes = [Mistake::None, mistake].map(Keep);
        let outcomes = store.commit_all(changes).await.unwrap();
        assert!(outcomes[1].is_err(), "{mistake:?}: {outcomes:?}");
        assert_eq!(outcomes[0].as_ref().unwrap(), &(before + 1), "{mistake:?}");
        // No row of it was stored, and not even a number was used.
        let after = store.commit(delivery("after", &["a"])).await.unwrap().number;
        assert_eq!(after, before + 2, "{mistake:?}");
        let kept = store.read(|reader| reader.deliveries(None, i64::MAX, 9)).await.unwrap();
        assert_eq!(kept.len(), 3, "{mistake:?}");
    }
}

#[tokio::test]
async fn the_end_of_the_thread_that_writes_is_told() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    assert!(store.commit(Keep(Mistake::EndsTheThread)).await.is_err());
    // The daemon ends because of this.
    let lost = tokio::time::timeout(Duration::from_mins(1), store.wait_for_loss()).await.unwrap();
    assert!(matches!(lost, StoreError::Closed), "{lost}");
}

/// A store with snapshots of `a` and `b`, of which that of `a` was damaged while the store was
/// closed.
async fn store_with_damage(damage: &str) -> Fixture {
    let fixture = Fixture::new();
    for name in ["a", "b"] {
        fixture.store.commit(snapshot(name, &[])).await.unwrap();
    }
    let place = fixture.close().await;
    place.alter(&format!("UPDATE user_snapshot SET {damage} WHERE login = 'a'"));
    Fixture::at(place)
}

#[tokio::test]
async fn a_row_that_cannot_be_understood_fails_who_needs_it() {
    for damage in ["state = 'no JSON'", "observed_at = 9223372036854775807", "form = 2"] {
        let Fixture { store, place: _place, .. } = store_with_damage(damage).await;
        for _ in 0..2 {
            let changes = ["a", "b"].map(|name| snapshot(name, &["192.0.2.1"]));
            let outcomes = store.commit_all(changes).await.unwrap();
            let error = outcomes[0].as_ref().unwrap_err();
            let StoreError::Fault(Fault::Unreadable { table, key, .. }) = error else {
                panic!("{error}")
            };
            assert!(*table == "user_snapshot" && key.contains("\"a\""), "{error:?}");
            // The key is a login, and errors go into logs.
            assert!(!error.to_string().contains("\"a\""), "{error}");
            assert!(outcomes[1].is_ok(), "{damage}: {outcomes:?}");
        }
    }
}

/// A store in which `a` fails a check, with a row that cannot be decoded.
async fn store_with_damaged_failure() -> Fixture {
    let fixture = Fixture::new();
    fixture.store.commit(delivery("1", &["a"])).await.unwrap();
    let place = fixture.close().await;
    place.alter("UPDATE failure SET opened_at = 9223372036854775807");
    Fixture::at(place)
}

#[tokio::test]
async fn a_failure_that_cannot_be_understood_keeps_no_delivery_out() {
    let Fixture { store, place, .. } = store_with_damaged_failure().await;
    let mut other = delivery("2", &["a", "b"]);
    other.delivery.check.as_mut().unwrap().id = CheckId::new("other").unwrap();
    let recorded = store.commit(other).await.unwrap();
    assert!(
        matches!(recorded.outcome, DeliveryOutcome::Accepted { opened: 2, .. }),
        "{recorded:?}"
    );
    // The failure is open, so it is not new; and the delivery restores its row.
    let recorded = store.commit(delivery("3", &["a", "b"])).await.unwrap();
    assert!(
        matches!(recorded.outcome, DeliveryOutcome::Accepted { opened: 1, .. }),
        "{recorded:?}"
    );
    let began = BeginRange { since: None, before: None };
    let read = move |reader: &Reader| reader.failing_by_age("no-mfa", &began, None, 9);
    assert_eq!(store.read(read).await.unwrap().len(), 2);
    assert_eq!(store.read(Reader::failing_people).await.unwrap(), 2);
    place.assert_check_sets_are_counted();
}

#[tokio::test]
async fn whoever_has_a_failure_that_cannot_be_understood_can_be_forgotten() {
    let Fixture { store, place, .. } = store_with_damaged_failure().await;
    let forgotten = store.commit(ForgetUser { login: login("a"), at: at(20) }).await.unwrap();
    assert_eq!(forgotten.failures, 1);
    assert_eq!(store.read(Reader::failing_people).await.unwrap(), 0);
    let check = store.read(|reader| reader.check("no-mfa")).await.unwrap().unwrap();
    assert_eq!(check.failing, 0);
    place.assert_check_sets_are_counted();
}

#[tokio::test]
async fn an_event_that_cannot_be_understood_holds_up_no_other() {
    let Fixture { store, place, .. } = Fixture::new();
    store.commit(delivery("1", &["a", "b"])).await.unwrap();
    place.alter("UPDATE event SET attributes = '[broken' WHERE seq = 2");
    let read = |reader: &Reader| reader.public_events_after(0, BatchLimit::events(9));
    let batch = store.read(read).await.unwrap();
    let seqs: Vec<_> = batch.events.iter().map(|event| event.seq).collect();
    assert_eq!((seqs, batch.unreadable, batch.is_cut), (vec![1, 3], vec![2], false));
    // If it is the last one of a page, the page ends there and skips nothing after it.
    for (cursor, limit, expected) in [(0, 9, (vec![1, 3], 3)), (0, 2, (vec![1], 2))] {
        let read =
            move |reader: &Reader| reader.events_after(&EventFilter::default(), cursor, limit);
        let page = store.read(read).await.unwrap();
        let seqs = page.events.iter().map(|event| event.seq).collect();
        assert_eq!((seqs, page.cursor), expected);
    }
    let read = |reader: &Reader| reader.events_before(&EventFilter::default(), 4, 2);
    let page = store.read(read).await.unwrap();
    assert_eq!((page.events.len(), page.cursor, page.has_more), (1, 2, true));
}

#[tokio::test]
async fn a_check_that_cannot_be_understood_stops_no_filter() {
    let fixture = Fixture::new();
    for (id, check) in [("1", "no-mfa"), ("2", "other")] {
        let mut record = delivery(id, &["a"]);
        record.delivery.check.as_mut().unwrap().id = CheckId::new(check).unwrap();
        fixture.store.commit(record).await.unwrap();
    }
    let place = fixture.close().await;
    let damage = "UPDATE checks SET last_event_at = 9223372036854775807 WHERE id = 'no-mfa'";
    place.alter(damage);
    let Fixture { store, place: _place, .. } = Fixture::at(place);
    let filter = CheckFilter::new([CheckId::new("no-mfa").unwrap()]);
    let outcome = store.commit(FilterChecks { filter }).await.unwrap();
    assert_eq!((outcome.shown, outcome.hidden), (0, 1));
}

#[tokio::test]
async fn a_reader_says_which_row_cannot_be_understood_and_not_what_stands_in_it() {
    let Fixture { store, place, .. } = Fixture::new();
    store.commit(snapshot("a", &[])).await.unwrap();
    place.alter("UPDATE user_snapshot SET state = '\"a secret\"'");
    let error = store.read(|reader| reader.user_record("a")).await.unwrap_err();
    let StoreError::Corrupt { table, key, source } = &error else { panic!("{error}") };
    assert_eq!((*table, key.as_str()), ("user_snapshot", "a"));
    assert!(matches!(source, Unreadable::Json { line: 1, .. }), "{source}");
    // Its key is a login, and errors go into logs.
    let reason = "its JSON has another form than expected, at line 1, column 10";
    assert_eq!(error.to_string(), format!("a row of user_snapshot cannot be understood: {reason}"));
}

/// A change whose second keys cannot be determined.
#[derive(Debug)]
struct Blind;

impl Change for Blind {
    type Outcome = ();

    fn keys(&self, _: &mut Keys) {}

    fn further_keys(&self, _: &Facts, _: &mut Keys) -> Result<(), Fault> {
        Err(Fault::unreadable("test", &"key", "no"))
    }

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        facts.next_delivery();
        Ok(())
    }
}

#[tokio::test]
async fn who_does_not_know_what_it_needs_decides_nothing() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    let first = store.commit(delivery("1", &["a"])).await.unwrap().number;
    assert!(matches!(store.commit(Blind).await, Err(StoreError::Fault(_))));
    assert_eq!(store.commit(delivery("2", &["a"])).await.unwrap().number, first + 1);
}

#[tokio::test]
async fn a_number_that_cannot_be_fails_who_needs_it() {
    let Fixture { store, place: _place, .. } = store_with_damage("new_ips = -1").await;
    let outcomes = store.commit_all(["a", "b"].map(|name| snapshot(name, &[]))).await.unwrap();
    assert!(outcomes[0].as_ref().is_err_and(StoreError::is_of_one_row), "{outcomes:?}");
    assert!(outcomes[1].is_ok(), "{outcomes:?}");
}

#[tokio::test]
async fn the_thread_ends_with_the_last_store() {
    let Fixture { store, writer, place: _place } = Fixture::new();
    let second = store.clone();
    drop(store);
    second.commit(delivery("1", &["a"])).await.unwrap();
    drop(second);
    while !writer.is_finished() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_snapshot_that_a_newer_exporter_wrote_is_told_as_such_and_not_misread() {
    let fixture = Fixture::new();
    let ip: crate::domain::IpAddress = "203.0.113.7".parse().unwrap();
    let address = || RecordAddress {
        ip,
        answer: Some(AddressAnswer { users: BTreeMap::new(), is_partial: false }),
        end: PollEnd::answered(),
        at: at(30),
    };
    watch(&fixture.store, [login("a")], [ip], at(1)).await.unwrap();
    fixture.store.commit(snapshot("a", &[])).await.unwrap();
    fixture.store.commit(address()).await.unwrap();
    let place = fixture.close().await;
    place.alter("UPDATE user_snapshot SET form = 2, state = 'of its own'");
    place.alter("UPDATE ip_snapshot SET form = 2, users = 'of its own'");
    let Fixture { store, place: _place, .. } = Fixture::at(place);
    let reason = "it was written by a newer exporter, in the form 2, which is not known here";
    let errors = [
        store.commit(snapshot("a", &[])).await.unwrap_err(),
        store.commit(address()).await.unwrap_err(),
        store.read(|reader| reader.user_record("a")).await.unwrap_err(),
        store.read(|reader| reader.ip_record("203.0.113.7")).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().contains(reason), "{error}");
    }
    // Lists continue without its data.
    let users = store.read(|reader| reader.watched_users_page(0, 9)).await.unwrap();
    assert_eq!((users.len(), &users[0].name_and_status), (1, &None));
    let ips = store.read(|reader| reader.watched_ips_page(0, 9)).await.unwrap();
    assert_eq!((ips.len(), ips[0].users), (1, None));
    assert_eq!(store.read(|reader| reader.find("a", 9)).await.unwrap().users.len(), 1);
    assert_eq!(
        store.read(|reader| reader.name_and_status("a")).await.unwrap(),
        Some((String::new(), String::new()))
    );
}
