//! Limits concurrent answers of the API and the pages: each answer is in memory until its client
//! has read it.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody as _, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use super::{Shed, ShedMeter, follow::READS, problem::Problem};
use crate::store::READERS;

/// Most concurrent answers: the store's readers, without those of streams and one for background
/// work.
const AT_ONCE: usize = READERS - READS - 1;

/// How long a request waits for its turn before it is answered with 503.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a waiting request checks for turns whose clients do not read.
const LOOK: Duration = Duration::from_secs(1);

/// How long a client may take to read an answer before its turn is given to others. The answer
/// itself stays valid.
const READING: Duration = Duration::from_secs(5);

/// The turns, shared by all requests.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    free: Arc<Semaphore>,
    /// Answers that are being read by their clients, the oldest first.
    read: Arc<Mutex<VecDeque<BeingRead>>>,
    meter: ShedMeter,
}

type Turn = Mutex<Option<OwnedSemaphorePermit>>;

/// When the client began to read an answer, and the answer's turn until it was read.
type BeingRead = (Instant, Weak<Turn>);

/// The bytes of an answer, which hold its turn until they are dropped.
struct Answer {
    bytes: Bytes,
    _turn: Arc<Turn>,
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Turns {
    pub(super) fn new(meter: ShedMeter) -> Self {
        Self { free: Arc::new(Semaphore::new(AT_ONCE)), read: Arc::default(), meter }
    }

    /// Waits for a turn; `None` after [`PATIENCE`].
    async fn acquire_turn(&self) -> Option<OwnedSemaphorePermit> {
        // The same future is polled again after each timeout: a new `acquire` would queue behind
        // all others.
        let mut permit = pin!(self.free.clone().acquire_owned());
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Ok(permit) = timeout(LOOK, &mut permit).await {
                return permit.ok();
            }
            self.free_slow_turns();
        }
        None
    }

    /// Frees the turns of answers whose clients have taken longer than [`READING`].
    fn free_slow_turns(&self) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        while read.front().is_some_and(|(since, _)| since.elapsed() >= READING) {
            let slow = read.pop_front().and_then(|(_, turn)| turn.upgrade());
            if let Some(turn) = slow {
                turn.lock().unwrap_or_else(PoisonError::into_inner).take();
            }
        }
    }

    /// Returns a body that ends the turn when the client has read it.
    fn hold_until_read(&self, bytes: Bytes, permit: OwnedSemaphorePermit) -> Body {
        let turn = Arc::new(Mutex::new(Some(permit)));
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.retain(|(_, turn)| turn.strong_count() > 0);
        read.push_back((Instant::now(), Arc::downgrade(&turn)));
        drop(read);
        Body::from(Bytes::from_owner(Answer { bytes, _turn: turn }))
    }
}

/// Runs the handler once the request has its turn. A stream gives its turn back: the gate limits
/// streams.
pub(super) async fn answer_in_turn(
    State(turns): State<Turns>,
    request: Request,
    next: Next,
) -> Response {
    let Some(permit) = turns.acquire_turn().await else {
        turns.meter.count_shed(Shed::Answer);
        let detail = "too many requests wait for their answers; ask again later";
        return Problem::unavailable(detail).into_response();
    };
    let (parts, body) = next.run(request).await.into_parts();
    if body.size_hint().exact().is_none() {
        return Response::from_parts(parts, body);
    }
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => Response::from_parts(parts, turns.hold_until_read(bytes, permit)),
        Err(_) => Problem::unavailable("the answer broke off; ask again").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns() -> Turns {
        Turns::new(ShedMeter::new().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_ends_when_its_answer_is_read() {
        let turns = turns();
        let mut answers = Vec::new();
        for _ in 0..AT_ONCE {
            let permit = turns.acquire_turn().await.unwrap();
            answers.push(turns.hold_until_read(Bytes::from_static(b"answer"), permit));
        }
        assert_eq!(turns.free.available_permits(), 0);
        let read = to_bytes(answers.pop().unwrap(), 100).await.unwrap();
        assert_eq!(turns.free.available_permits(), 0);
        drop(read);
        assert_eq!(turns.free.available_permits(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_do_not_read_do_not_keep_others_waiting_for_long() {
        let turns = turns();
        let mut answers = Vec::new();
        for _ in 0..AT_ONCE {
            let permit = turns.acquire_turn().await.unwrap();
            answers.push(turns.hold_until_read(Bytes::from_static(b"answer"), permit));
        }
        let begun = Instant::now();
        let next = turns.acquire_turn().await;
        assert!(next.is_some() && begun.elapsed() <= READING + LOOK);
        drop((answers, next));
        assert_eq!(turns.free.available_permits(), AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_longest_is_next() {
        let turns = turns();
        let mut answering = Vec::new();
        for _ in 0..AT_ONCE {
            answering.push(turns.acquire_turn().await.unwrap());
        }
        let wait = async |after: Duration| {
            tokio::time::sleep(after).await;
            let turn = turns.acquire_turn().await;
            (turn, Instant::now())
        };
        let free = async {
            tokio::time::sleep(LOOK * 3).await;
            for turn in answering.drain(..2) {
                drop(turn);
                tokio::time::sleep(LOOK).await;
            }
        };
        // The first looks for slow clients while the second one waits.
        let (first, second, ()) =
            tokio::join!(wait(Duration::ZERO), wait(Duration::from_millis(500)), free);
        assert!(first.0.is_some() && second.0.is_some() && first.1 < second.1);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_waits_for_too_long_is_told() {
        let turns = turns();
        let mut answering = Vec::new();
        for _ in 0..AT_ONCE {
            answering.push(turns.acquire_turn().await.unwrap());
        }
        assert!(turns.acquire_turn().await.is_none());
    }
}
