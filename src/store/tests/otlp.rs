//! Where the OTLP delivery begins, and events that are sent on purpose.

use super::*;

async fn deliver(store: &Store, ids: std::ops::Range<i64>) {
    for id in ids {
        let mut delivery = delivery(&format!("d{id}"), &[&format!("u{id}")]);
        delivery.delivery.received_at = at(id * 100);
        delivery.recorded_at = delivery.delivery.received_at;
        store.commit(delivery).await.unwrap();
    }
}

async fn backlog(store: &Store) -> (u64, u64) {
    let backlog = store.read(Reader::otlp_backlog).await.unwrap();
    (backlog.pending, backlog.parked)
}

/// Requests events that were left out since a moment, three numbers of the log at a time; returns
/// how many.
async fn backfill_since(store: &Store, since: Timestamp) -> u64 {
    let (mut sent, mut next) = (0, Some(BackfillPlace::default()));
    while let Some(place) = next {
        let resent = store.commit(Backfill { since, place, limit: 3 }).await.unwrap();
        sent += resent.events;
        next = resent.next;
    }
    sent
}

/// Requests parked events, one at a time; returns how many.
async fn retry(store: &Store) -> u64 {
    let (mut sent, mut next) = (0, Some(0));
    while let Some(after) = next {
        let resent = store.commit(RetryParked { after, limit: 1 }).await.unwrap();
        sent += resent.events;
        next = resent.next;
    }
    sent
}

#[tokio::test]
async fn the_first_start_ever_sends_from_the_first_event_on() {
    let fixture = Fixture::new();
    assert_eq!(fixture.store.commit(BeginOtlp { is_on: true }).await.unwrap(), 0);
    deliver(&fixture.store, 1..3).await;
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.commit(BeginOtlp { is_on: true }).await.unwrap(), 0);
    assert_eq!(backlog(&fixture.store).await, (4, 0));
}

#[tokio::test]
async fn switched_on_later_it_begins_now_and_the_rest_goes_on_purpose_only() {
    let fixture = Fixture::new();
    assert_eq!(fixture.store.commit(BeginOtlp { is_on: false }).await.unwrap(), 0);
    deliver(&fixture.store, 1..4).await;
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.commit(BeginOtlp { is_on: true }).await.unwrap(), 6);
    assert_eq!(backlog(&fixture.store).await, (0, 0));
    deliver(&fixture.store, 4..6).await;
    assert_eq!(backlog(&fixture.store).await, (4, 0));
    // Off with four events pending, more while it is off, and on again.
    let fixture = fixture.reopen().await;
    fixture.store.commit(BeginOtlp { is_on: false }).await.unwrap();
    deliver(&fixture.store, 6..7).await;
    let store = &fixture.store;
    assert_eq!(store.commit(BeginOtlp { is_on: true }).await.unwrap(), 6);
    assert_eq!(store.commit(BeginOtlp { is_on: true }).await.unwrap(), 0);
    assert_eq!(store.read(Reader::otlp_left_out).await.unwrap(), 12);

    assert_eq!(backfill_since(store, at(9999)).await, 0);
    assert_eq!(backfill_since(store, at(200)).await, 10);
    assert_eq!(backfill_since(store, at(200)).await, 0, "once");
    assert_eq!(store.read(Reader::otlp_left_out).await.unwrap(), 2);
    let seqs = store.read(|reader| reader.otlp_resends(99)).await.unwrap();
    assert!(seqs.len() == 10 && seqs.is_sorted());
    // The gap survives a restart, keeps events from being pruned, and shrinks.
    let fixture = fixture.reopen().await;
    let store = &fixture.store;
    assert_eq!(backlog(store).await, (10, 0));
    while store.sweep(Retention::uniform(Some(at(9999))), true).await.unwrap() > 0 {}
    let read = |reader: &Reader| reader.public_events(&[1, 2], BatchLimit::events(9));
    assert_eq!(store.read(read).await.unwrap(), Batch::default());
    let last = *seqs.last().unwrap();
    let progress = RecordProgress { cursor: last, resent: seqs, parked: None, at: at(0) };
    store.commit(progress).await.unwrap();
    assert_eq!(backlog(store).await, (0, 0));
    assert_eq!(backfill_since(store, at(0)).await, 0, "pruned meanwhile");
}

#[tokio::test]
async fn parked_events_are_kept_and_sent_again_when_somebody_wants_it() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    deliver(&store, 1..3).await;
    let seqs = numbers(&store.read(read_after(0, BatchLimit::events(2))).await.unwrap());
    let last = store.read(Reader::last_seq).await.unwrap();
    let parked = Some((seqs.clone(), "refused"));
    let progress = RecordProgress { cursor: last, resent: vec![], parked, at: at(0) };
    store.commit(progress.clone()).await.unwrap();
    assert_eq!(backlog(&store).await, (0, 2));
    assert_eq!(retry(&store).await, 2);
    assert_eq!((backlog(&store).await, retry(&store).await), ((2, 0), 0));
    // The event is refused again.
    store.commit(RecordProgress { resent: seqs, ..progress }).await.unwrap();
    assert_eq!(backlog(&store).await, (0, 2));
    // Parked events are removed with their events.
    retry(&store).await;
    while store.sweep(Retention::uniform(Some(at(9999))), false).await.unwrap() > 0 {}
    assert_eq!(backlog(&store).await, (0, 0));
}

fn read_after(seq: i64, limit: BatchLimit) -> impl Fn(&Reader) -> Result<Batch, StoreError> {
    move |reader| reader.public_events_after(seq, limit)
}

fn numbers(batch: &Batch) -> Vec<i64> {
    batch.events.iter().map(|event| event.seq).collect()
}

#[tokio::test]
async fn a_batch_ends_at_its_limit_and_is_never_empty_while_there_are_events() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    deliver(&store, 1..4).await;
    let all = store.read(read_after(0, BatchLimit::events(99))).await.unwrap();
    assert_eq!((all.events.len(), all.is_cut), (6, false));
    let seqs = numbers(&all);
    for (limit, count) in [
        (BatchLimit::events(4), 4),
        (BatchLimit { events: 99, bytes: 1 }, 1),
        // Each of them takes some hundreds.
        (BatchLimit { events: 99, bytes: 1000 }, 2),
    ] {
        let after = store.read(read_after(0, limit)).await.unwrap();
        assert_eq!((numbers(&after), after.is_cut), (seqs[..count].to_vec(), true), "{limit:?}");
        let wanted = seqs.clone();
        let listed = store.read(move |reader| reader.public_events(&wanted, limit)).await.unwrap();
        assert_eq!(listed, after, "{limit:?}");
    }
}

#[tokio::test]
async fn what_was_left_out_can_be_sent_in_two_halves_and_is_sent_once() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    store.commit(BeginOtlp { is_on: false }).await.unwrap();
    deliver(&store, 1..5).await;
    let left_out = store.commit(BeginOtlp { is_on: true }).await.unwrap();
    // The second delivery and the events after it; interrupted after the first slices.
    let (mut place, mut sent) = (BackfillPlace::default(), 0);
    while sent == 0 {
        let slice = Backfill { since: at(200), place, limit: 3 };
        let resent = store.commit(slice).await.unwrap();
        (place, sent) = (resent.next.unwrap(), resent.events);
    }
    assert!(sent < 6, "{sent} of 6");
    assert_eq!(store.read(Reader::otlp_left_out).await.unwrap(), left_out - sent);
    assert_eq!(sent + backfill_since(&store, at(200)).await, 6);
    assert_eq!(store.read(Reader::otlp_left_out).await.unwrap(), left_out - 6);
    let seqs = store.read(|reader| reader.otlp_resends(99)).await.unwrap();
    assert_eq!(seqs.len(), 6);
}
