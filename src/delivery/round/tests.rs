use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::time::Instant;

use super::*;
use crate::domain::{Event, Login, TenantId, Timestamp, WatchSubject};

/// Events a batch of the log in memory.
const AT_ONCE: usize = 8;

/// A log in memory.
#[derive(Default)]
struct Shelf {
    last: i64,
    cursor: Mutex<i64>,
    resends: Mutex<Vec<i64>>,
    parked: Mutex<Vec<i64>>,
    /// Events that cannot be decoded.
    unreadable: Vec<i64>,
    /// How long it takes to read a batch, and to store an outcome.
    takes: Duration,
    /// The number of erasures.
    erasures: Arc<AtomicU64>,
    /// Whether storing each of the next outcomes fails.
    full: Mutex<VecDeque<bool>>,
}

impl Shelf {
    fn batch(&self, seqs: impl IntoIterator<Item = i64>) -> Batch {
        let seqs: Vec<_> = seqs.into_iter().take(AT_ONCE).collect();
        let is_cut = seqs.len() == AT_ONCE;
        let (unreadable, good): (Vec<_>, Vec<_>) =
            seqs.into_iter().partition(|seq| self.unreadable.contains(seq));
        let events = good.into_iter().map(|seq| event(seq, self.erasures())).collect();
        Batch { events, unreadable, is_cut }
    }
}

impl Log for Shelf {
    async fn cursor(&self) -> Result<i64, StoreError> {
        Ok(*self.cursor.lock().unwrap())
    }

    async fn load_after(&self, seq: i64) -> Result<Batch, StoreError> {
        tokio::time::sleep(self.takes).await;
        Ok(self.batch(seq + 1..=self.last))
    }

    async fn resend_seqs(&self, limit: usize) -> Result<Vec<i64>, StoreError> {
        Ok(self.resends.lock().unwrap().iter().copied().take(limit).collect())
    }

    async fn load_events(&self, seqs: &[i64]) -> Result<Batch, StoreError> {
        Ok(self.batch(seqs.iter().copied()))
    }

    async fn save_progress(&self, progress: RecordProgress) -> Result<(), StoreError> {
        tokio::time::sleep(self.takes).await;
        if self.full.lock().unwrap().pop_front() == Some(true) {
            return Err(StoreError::GivenUp);
        }
        *self.cursor.lock().unwrap() = progress.cursor;
        self.resends.lock().unwrap().retain(|seq| !progress.resent.contains(seq));
        self.parked.lock().unwrap().extend(progress.parked.iter().flat_map(|(seqs, _)| seqs));
        Ok(())
    }

    async fn count_pending(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn tenant_id(&self) -> Result<Option<TenantId>, StoreError> {
        Ok(None)
    }

    fn erasures(&self) -> u64 {
        self.erasures.load(Ordering::Relaxed)
    }

    fn wait_for_resend(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// An event as it is read after this number of erasures.
fn event(seq: i64, erasures: u64) -> StoredEvent {
    let subject = WatchSubject::User(Login::new("a").unwrap());
    let mut event = Event::watch_changed(&subject, true, Timestamp::UNIX_EPOCH);
    event.body = Some(erasures.to_string());
    StoredEvent { seq, uid: seq.to_string(), event }
}

/// A collector that answers by a script, then accepts everything but the poison.
#[derive(Default)]
struct Fake {
    script: Mutex<VecDeque<SendError>>,
    poison: Vec<i64>,
    taken: Mutex<Vec<i64>>,
    /// The number of erasures after which each event was read.
    read_after: Mutex<Vec<u64>>,
    /// Counts an erasure in this log while it answers.
    forgets: Option<Arc<AtomicU64>>,
    /// How long it takes to answer.
    takes: Duration,
}

impl Collector for Fake {
    fn endpoint(&self) -> &'static str {
        "fake"
    }

    fn is_identified(&self) -> bool {
        false
    }

    fn identify(&self, _: TenantId) {
        unreachable!("the log tells no tenant");
    }

    async fn send(&self, events: Vec<StoredEvent>) -> Result<Sent, SendError> {
        tokio::time::sleep(self.takes).await;
        if let Some(error) = self.script.lock().unwrap().pop_front() {
            return Err(error);
        }
        if events.iter().any(|event| self.poison.contains(&event.seq)) {
            return Err(SendError::new(Reason::Refused, "no"));
        }
        self.taken.lock().unwrap().extend(events.iter().map(|event| event.seq));
        let read_after = events.iter().map(|event| event.event.sentence().parse::<u64>().unwrap());
        self.read_after.lock().unwrap().extend(read_after);
        if let Some(erasures) = &self.forgets {
            erasures.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Sent::default())
    }
}

fn fails(reason: Reason, seconds: u64) -> SendError {
    let retry_after = (seconds > 0).then(|| Duration::from_secs(seconds));
    SendError { retry_after, ..SendError::new(reason, "down") }
}

/// Sends until `is_done`, or until three hours have passed.
async fn carry_until(log: &Shelf, collector: &Fake, is_done: impl Fn() -> bool) -> Outages {
    let (ended, outages) = try_to_carry(log, collector, is_done).await;
    ended.unwrap();
    outages
}

async fn try_to_carry(
    log: &Shelf,
    collector: &Fake,
    is_done: impl Fn() -> bool,
) -> (Result<(), StoreError>, Outages) {
    let (meters, outages) = (Meters::new().unwrap(), Outages::default());
    let stop = CancellationToken::new();
    let (_announce, commits) = watch::channel(log.last);
    let round = Round { log, collector, meters: &meters, outages: &outages, stop: &stop };
    let stopping = async {
        let begun = Instant::now();
        while !is_done() && begun.elapsed() < Duration::from_hours(3) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stop.cancel();
    };
    let carrying = async {
        let ended = round.run(commits).await;
        stop.cancel();
        ended
    };
    tokio::select! {
        ended = carrying => (ended, outages),
        () = async { stopping.await; std::future::pending().await } => unreachable!(),
    }
}

/// Sends until the cursor is at the end of the log.
async fn carry(log: &Shelf, collector: &Fake) {
    carry_until(log, collector, || *log.cursor.lock().unwrap() == log.last).await;
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
async fn what_was_read_before_somebody_was_forgotten_is_read_again() {
    let log = Shelf { last: 24, ..Shelf::default() };
    let forgets = Some(log.erasures.clone());
    let collector = Fake { forgets, takes: Duration::from_secs(1), ..Fake::default() };
    carry(&log, &collector).await;
    assert_eq!(*collector.taken.lock().unwrap(), (1..=24).collect::<Vec<_>>());
    // The batch that was read ahead during a request named the person.
    let expected: Vec<_> = [0, 1, 2].into_iter().flat_map(|erasures| [erasures; AT_ONCE]).collect();
    assert_eq!(*collector.read_after.lock().unwrap(), expected);
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
async fn what_cannot_be_understood_is_parked_and_blocks_nothing() {
    // One event of a batch, and all events of a batch.
    let unreadable: Vec<_> = [3].into_iter().chain(9..=16).collect();
    let log = Shelf { last: 20, unreadable, ..Shelf::default() };
    *log.resends.lock().unwrap() = vec![2, 3];
    let collector = Fake::default();
    let is_done =
        || *log.cursor.lock().unwrap() == log.last && log.resends.lock().unwrap().is_empty();
    carry_until(&log, &collector, is_done).await;
    let expected: Vec<_> = [1, 2, 4, 5, 6, 7, 8, 17, 18, 19, 20, 2].into();
    assert_eq!(*collector.taken.lock().unwrap(), expected);
    let mut parked = log.parked.lock().unwrap().clone();
    parked.sort_unstable();
    parked.dedup();
    assert_eq!(parked, log.unreadable);
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_refuses_everything_gets_it_all_once_it_is_repaired() {
    let log = Shelf { last: 20, ..Shelf::default() };
    let script = (0..500).map(|_| fails(Reason::Refused, 0)).collect();
    let collector = Fake { script: Mutex::new(script), poison: vec![5], ..Fake::default() };
    let outages =
        carry_until(&log, &collector, || collector.script.lock().unwrap().len() < 300).await;
    assert_eq!((log.parked.lock().unwrap().len(), *log.cursor.lock().unwrap()), (0, 0));
    assert_eq!(outages.current().unwrap().reason, "refused");
    carry(&log, &collector).await;
    let taken: std::collections::BTreeSet<_> =
        collector.taken.lock().unwrap().iter().copied().collect();
    assert_eq!(taken, (1..=20).filter(|seq| *seq != 5).collect());
    assert_eq!(*log.parked.lock().unwrap(), [5]);
}

#[tokio::test(start_paused = true)]
async fn one_poison_alone_waits_and_is_parked_when_another_is_taken() {
    let mut log = Shelf { last: 1, ..Shelf::default() };
    let collector = Fake { poison: vec![1], ..Fake::default() };
    let outages = carry_until(&log, &collector, || false).await;
    assert_eq!((log.parked.lock().unwrap().len(), *log.cursor.lock().unwrap()), (0, 0));
    assert_eq!(outages.current().unwrap().reason, "refused");
    log.last = 2;
    carry(&log, &collector).await;
    assert_eq!(
        (&*collector.taken.lock().unwrap(), &*log.parked.lock().unwrap()),
        (&vec![2], &vec![1])
    );
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_purpose_comes_after_what_is_new_and_is_parked_again_when_refused() {
    let log = Shelf { last: 20, cursor: Mutex::new(12), ..Shelf::default() };
    *log.resends.lock().unwrap() = vec![3, 5, 7];
    let collector = Fake { poison: vec![5], ..Fake::default() };
    carry_until(&log, &collector, || log.resends.lock().unwrap().is_empty()).await;
    let expected: Vec<_> = (13..=20).chain([3, 7]).collect();
    assert_eq!(
        (&*collector.taken.lock().unwrap(), &*log.parked.lock().unwrap()),
        (&expected, &vec![5])
    );
    assert_eq!(*log.cursor.lock().unwrap(), 20);
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
    let begun = Instant::now();
    let stops = || begun.elapsed() >= Duration::from_secs(1);
    let outages = carry_until(&log, &collector, stops).await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(*log.cursor.lock().unwrap(), 0);
    assert_eq!(outages.current().unwrap().cause, "down");
}

#[tokio::test(start_paused = true)]
async fn while_a_batch_is_sent_the_next_is_read_and_the_one_before_is_kept() {
    let takes = Duration::from_secs(1);
    let log = Shelf { last: 80, takes, ..Shelf::default() };
    let collector = Fake { takes, ..Fake::default() };
    let begun = Instant::now();
    carry(&log, &collector).await;
    // Ten batches without overlap would take thirty.
    assert!(begun.elapsed() < Duration::from_secs(14), "{:?}", begun.elapsed());
    assert_eq!(*collector.taken.lock().unwrap(), (1..=80).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn the_cursor_stays_behind_what_was_taken_and_reaches_it_at_a_stop() {
    let takes = Duration::from_secs(1);
    for seconds in 1..12 {
        let log = Shelf { last: 80, takes, ..Shelf::default() };
        let collector = Fake { takes, ..Fake::default() };
        let begun = Instant::now();
        carry_until(&log, &collector, || {
            let (cursor, taken) = (*log.cursor.lock().unwrap(), collector.taken.lock().unwrap());
            assert!(cursor <= taken.last().copied().unwrap_or(0));
            begun.elapsed() >= Duration::from_secs(seconds)
        })
        .await;
        let taken = collector.taken.lock().unwrap().last().copied().unwrap_or(0);
        assert_eq!(*log.cursor.lock().unwrap(), taken, "stopped after {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_and_could_not_be_kept_is_sent_again_and_nothing_is_lost() {
    for failing in 0..4 {
        let log = Shelf { last: 30, ..Shelf::default() };
        log.full.lock().unwrap().extend((0..4).map(|time| time == failing));
        let collector = Fake::default();
        let (ended, _) = try_to_carry(&log, &collector, || false).await;
        assert!(matches!(ended, Err(StoreError::GivenUp)), "{ended:?}");
        let cursor = *log.cursor.lock().unwrap();
        assert!(cursor <= *collector.taken.lock().unwrap().last().unwrap());
        carry(&log, &collector).await;
        let taken = collector.taken.lock().unwrap();
        let again: Vec<_> = (cursor + 1..=log.last).collect();
        assert!(taken.ends_with(&again), "{taken:?} from {cursor}");
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_are_too_large_for_one_request_go_in_several() {
    let log = Shelf { last: 30, cursor: Mutex::new(30), ..Shelf::default() };
    *log.resends.lock().unwrap() = (1..=30).collect();
    let collector = Fake { poison: vec![13], ..Fake::default() };
    carry_until(&log, &collector, || log.resends.lock().unwrap().is_empty()).await;
    let expected: Vec<_> = (1..=30).filter(|seq| *seq != 13).collect();
    assert_eq!(*collector.taken.lock().unwrap(), expected);
    assert_eq!(*log.parked.lock().unwrap(), [13]);
}
