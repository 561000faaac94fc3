use std::{collections::VecDeque, sync::Mutex};

use tokio::time::Instant;

use super::*;
use crate::domain::{Event, Login, Timestamp, WatchSubject};

/// A log in memory.
#[derive(Default)]
struct Shelf {
    last: i64,
    cursor: Mutex<i64>,
    parked: Mutex<Vec<i64>>,
}

impl Log for Shelf {
    async fn cursor(&self) -> Result<i64, StoreError> {
        Ok(*self.cursor.lock().unwrap())
    }

    async fn after(&self, seq: i64) -> Result<Vec<StoredEvent>, StoreError> {
        Ok((seq + 1..=self.last).take(8).map(event).collect())
    }

    async fn advance(&self, seq: i64) -> Result<(), StoreError> {
        *self.cursor.lock().unwrap() = seq;
        Ok(())
    }

    async fn park(&self, seq: i64, _: Reason) -> Result<(), StoreError> {
        self.parked.lock().unwrap().push(seq);
        Ok(())
    }
}

fn event(seq: i64) -> StoredEvent {
    let subject = WatchSubject::User(Login::new("a").unwrap());
    let event = Event::watch_changed(&subject, true, Timestamp::UNIX_EPOCH);
    StoredEvent { seq, uid: seq.to_string(), event }
}

/// A collector that answers by a script, then takes everything but the poison.
#[derive(Default)]
struct Fake {
    script: Mutex<VecDeque<SendError>>,
    poison: Vec<i64>,
    taken: Mutex<Vec<i64>>,
}

impl Collector for Fake {
    async fn send(&self, events: &[StoredEvent]) -> Result<Sent, SendError> {
        if let Some(error) = self.script.lock().unwrap().pop_front() {
            return Err(error);
        }
        if events.iter().any(|event| self.poison.contains(&event.seq)) {
            return Err(SendError { reason: Reason::Refused, retry_after: None });
        }
        self.taken.lock().unwrap().extend(events.iter().map(|event| event.seq));
        Ok(Sent { rejected: 0 })
    }
}

fn fails(reason: Reason, seconds: u64) -> SendError {
    SendError { reason, retry_after: (seconds > 0).then(|| Duration::from_secs(seconds)) }
}

/// Carries until the cursor stands at the end.
async fn carry(log: &Shelf, collector: &Fake) {
    let meters = Meters::new().unwrap();
    let stop = CancellationToken::new();
    let (_announce, commits) = watch::channel(log.last);
    let round = Round { log, collector, meters: &meters, stop: &stop };
    let at_the_end = async {
        while *log.cursor.lock().unwrap() < log.last {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(round.run(commits), at_the_end);
    ended.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_fails_for_a_while_gets_everything_in_order_and_once() {
    let log = Shelf { last: 20, ..Shelf::default() };
    let script = [Reason::Unavailable, Reason::Timeout, Reason::Other, Reason::Unauthorized];
    let script = script.map(|reason| fails(reason, 0)).into();
    let collector = Fake { script: Mutex::new(script), ..Fake::default() };
    carry(&log, &collector).await;
    assert_eq!(*collector.taken.lock().unwrap(), (1..=20).collect::<Vec<_>>());
    assert!(log.parked.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_ever_is_parked_and_blocks_nothing() {
    let log = Shelf { last: 20, ..Shelf::default() };
    let collector = Fake { poison: vec![1, 6, 7, 20], ..Fake::default() };
    carry(&log, &collector).await;
    let expected: Vec<_> = (1..=20).filter(|seq| !collector.poison.contains(seq)).collect();
    assert_eq!(*collector.taken.lock().unwrap(), expected);
    assert_eq!(*log.parked.lock().unwrap(), collector.poison);
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_refuses_everything_does_not_empty_the_log_at_once() {
    let log = Shelf { last: 8, ..Shelf::default() };
    let collector = Fake { poison: (1..=8).collect(), ..Fake::default() };
    let (meters, stop) = (Meters::new().unwrap(), CancellationToken::new());
    let (_announce, commits) = watch::channel(log.last);
    let round = Round { log: &log, collector: &collector, meters: &meters, stop: &stop };
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(round.run(commits), stopping);
    ended.unwrap();
    let parked = log.parked.lock().unwrap();
    assert!((1..8).contains(&parked.len()), "{parked:?}");
    assert_eq!(Some(&*log.cursor.lock().unwrap()), parked.last(), "none is parked twice");
}

#[tokio::test(start_paused = true)]
async fn the_patience_that_the_collector_asks_for_is_given() {
    let log = Shelf { last: 1, ..Shelf::default() };
    let script = [fails(Reason::Throttled, 60)].into();
    let collector = Fake { script: Mutex::new(script), ..Fake::default() };
    let begun = Instant::now();
    carry(&log, &collector).await;
    assert!(begun.elapsed() >= Duration::from_mins(1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_waiting_and_moves_nothing() {
    let log = Shelf { last: 5, ..Shelf::default() };
    let script = [fails(Reason::Throttled, 200)].into();
    let collector = Fake { script: Mutex::new(script), ..Fake::default() };
    let (meters, stop) = (Meters::new().unwrap(), CancellationToken::new());
    let (_announce, commits) = watch::channel(log.last);
    let round = Round { log: &log, collector: &collector, meters: &meters, stop: &stop };
    let begun = Instant::now();
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(round.run(commits), stopping);
    ended.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(*log.cursor.lock().unwrap(), 0);
}
