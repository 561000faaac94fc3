//! Removing rows that are too old.

use super::*;

#[tokio::test]
async fn what_is_old_goes_and_what_is_open_or_waits_for_the_collector_stays() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    store.commit(delivery("old", &["a"])).await.unwrap();
    store.commit(delivery("older", &["b"])).await.unwrap();
    let resolved = FailureAnswer {
        login: login("b"),
        verdict: Verdict::Fails(BTreeSet::new()),
        asked_at: at(30),
        answered_at: at(31),
        settle: chrono::TimeDelta::zero(),
    };
    store.commit(fixtures::checks_only(resolved)).await.unwrap();
    let before = store
        .read(|reader| reader.public_events_after(0, BatchLimit::events(100)))
        .await
        .unwrap()
        .events;

    // No event was sent yet, so none is removed.
    while store.sweep(Retention::uniform(Some(at(1000))), true).await.unwrap() > 0 {}
    let kept = store
        .read(|reader| reader.public_events_after(0, BatchLimit::events(100)))
        .await
        .unwrap()
        .events;
    assert_eq!(kept, before);
    let last = store.read(Reader::last_seq).await.unwrap();
    store.commit(delivered(last)).await.unwrap();
    while store.sweep(Retention::uniform(Some(at(1000))), true).await.unwrap() > 0 {}
    // The newest event stays, so that numbers are never used twice.
    assert_eq!(log(&store).await.len(), 1);
    assert_eq!(store.read(Reader::last_seq).await.unwrap(), last);
    let check = store.read(|reader| reader.check("no-mfa")).await.unwrap().unwrap();
    assert_eq!((check.failing, check.failures, check.resolutions), (1, 2, 1));
    // The newest delivery is still known. Another one that came again would open nothing anew.
    let again = store.commit(delivery("older", &["b"])).await.unwrap();
    assert_eq!(again.outcome, DeliveryOutcome::Duplicate);
    store.commit(delivery("old", &["a"])).await.unwrap();
    let check = store.read(|reader| reader.check("no-mfa")).await.unwrap().unwrap();
    assert_eq!((check.failing, check.failures, check.resolutions), (1, 2, 1));
}

#[tokio::test]
async fn what_is_young_stays() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    store.commit(delivery("d1", &["a"])).await.unwrap();
    assert_eq!(store.sweep(Retention::uniform(Some(at(20))), false).await.unwrap(), 0);
}

#[tokio::test]
async fn each_kind_is_kept_for_its_own_time() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    for id in ["old", "older", "newest"] {
        store.commit(delivery(id, &["a"])).await.unwrap();
    }
    let resolved = FailureAnswer {
        login: login("a"),
        verdict: Verdict::Fails(BTreeSet::new()),
        asked_at: at(30),
        answered_at: at(31),
        settle: chrono::TimeDelta::zero(),
    };
    store.commit(fixtures::checks_only(resolved)).await.unwrap();
    let counts = async || {
        let read = |reader: &Reader| {
            let events = log_after(0)(reader)?.len();
            Ok((events, reader.deliveries(None, i64::MAX, 100)?.len()))
        };
        store.read(read).await.unwrap()
    };
    let never = Retention::uniform(None);
    let (events, deliveries) = counts().await;
    let sweep = async |before| while store.sweep(before, false).await.unwrap() > 0 {};
    sweep(never).await;
    assert_eq!(counts().await, (events, deliveries));
    sweep(Retention { deliveries: Some(at(1000)), ..never }).await;
    assert_eq!(counts().await, (events, 1));
    sweep(Retention { events: Some(at(1000)), ..never }).await;
    assert_eq!(counts().await, (1, 1));
}

#[tokio::test]
async fn what_a_clock_that_was_ahead_wrote_keeps_nothing_older_behind_it() {
    const HOUR: i64 = 3600;
    let Fixture { store, place: _place, .. } = Fixture::new();
    for second in [10, 100 * HOUR, HOUR, HOUR + 20, 2 * HOUR, 101 * HOUR] {
        let mut change = delivery(&second.to_string(), &["a"]);
        change.recorded_at = at(second);
        store.commit(change).await.unwrap();
    }
    let observed = async || {
        let read = |reader: &Reader| reader.public_events_after(0, BatchLimit::events(100));
        let batch = store.read(read).await.unwrap();
        batch.events.iter().map(|stored| stored.event.observed_at).collect::<BTreeSet<_>>()
    };
    assert_eq!(observed().await.len(), 6);
    // In the middle of an hour, too.
    while store.sweep(Retention::uniform(Some(at(HOUR + 10))), false).await.unwrap() > 0 {}
    let left = [HOUR + 20, 2 * HOUR, 100 * HOUR, 101 * HOUR].map(at);
    assert_eq!(observed().await, BTreeSet::from(left));
    while store.sweep(Retention::uniform(Some(at(3 * HOUR))), false).await.unwrap() > 0 {
        let hours = |reader: &Reader| reader.sql().count("SELECT count(*) FROM event_hour", &[]);
        assert_eq!(store.read(hours).await.unwrap(), 2, "hours without events go, too");
    }
    assert_eq!(observed().await, BTreeSet::from([100 * HOUR, 101 * HOUR].map(at)));
}

#[tokio::test]
async fn the_log_begins_where_the_clock_was_right() {
    const HOUR: i64 = 3600;
    for (hours, expected) in [
        (vec![10, 11], Some(10)),
        // It ran ahead at first, and behind in the middle.
        (vec![500, 10, 11], Some(10)),
        (vec![10, 2, 11], Some(10)),
        (vec![500, 10, 600, 11], Some(10)),
        // The clock of now is believed.
        (vec![11, 2], Some(2)),
        (vec![], None),
    ] {
        let Fixture { store, place: _place, .. } = Fixture::new();
        for hour in &hours {
            let mut change = delivery(&hour.to_string(), &["a"]);
            change.recorded_at = at(hour * HOUR);
            store.commit(change).await.unwrap();
        }
        let begins = store.read(Reader::log_begins_at).await.unwrap();
        assert_eq!(begins, expected.map(|hour: i64| at(hour * HOUR)), "{hours:?}");
    }
}
