//! Time limits for the peer of a connection, for sending and for reading.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
    time::{Instant, Sleep, sleep_until},
};

/// How long a connection may be idle before a request. Load balancers close idle connections after
/// 60 s; they must close first, or they would send a request on a connection that is being closed.
pub(super) const SILENCE: Duration = Duration::from_secs(75);

/// How long a request's head may take from its first byte on.
pub(super) const HEAD: Duration = Duration::from_secs(10);

/// How long a peer may leave sent data unread.
const UNREAD: Duration = Duration::from_secs(75);

/// The step of the peer that a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// To begin a request.
    Silent,
    /// To send the rest of a request's head.
    InHead,
    /// To read an answer. The number is of the pieces read before; when it grows, the time limit
    /// starts again.
    Unread(u64),
}

/// The state of a connection, shared by its reader, its writer and its requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Phase(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether bytes have arrived since the last complete head.
    has_begun: AtomicBool,
    /// Number of requests that are being answered; several in HTTP/2.
    answering: AtomicUsize,
    /// Number of pieces of answers that the peer has to read.
    unread: AtomicUsize,
    /// Number of pieces of answers that the peer has read.
    taken: AtomicU64,
    /// Notified at each complete head.
    requested: Notify,
}

impl Phase {
    /// Records that the head of a request is complete.
    pub(super) fn begin_answer(&self) -> Answering {
        self.0.answering.fetch_add(1, Ordering::Relaxed);
        self.0.has_begun.store(false, Ordering::Relaxed);
        self.0.requested.notify_one();
        Answering(self.clone())
    }

    /// Waits for the head of the connection's first request, if it is not complete yet.
    pub(super) async fn wait_for_request(&self) {
        self.0.requested.notified().await;
    }

    /// Records that the peer has something to read.
    pub(super) fn mark_unread(&self) -> Unread {
        self.0.unread.fetch_add(1, Ordering::Relaxed);
        Unread(self.clone())
    }

    /// Records that the peer has read a piece of an answer.
    pub(super) fn count_taken(&self) {
        self.0.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// The step that the peer has to take; `None` while a request is being answered, which has time
    /// limits of its own.
    fn awaited_step(&self) -> Option<Waits> {
        if self.0.unread.load(Ordering::Relaxed) > 0 {
            return Some(Waits::Unread(self.0.taken.load(Ordering::Relaxed)));
        }
        if self.0.answering.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let has_begun = self.0.has_begun.load(Ordering::Relaxed);
        Some(if has_begun { Waits::InHead } else { Waits::Silent })
    }
}

/// A request that is being answered, until it is dropped.
#[derive(Debug)]
pub(super) struct Answering(Phase);

impl Answering {
    pub(super) fn phase(&self) -> &Phase {
        &self.0
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Something that the peer has to read, until it is dropped.
#[derive(Debug)]
pub(super) struct Unread(Phase);

impl Drop for Unread {
    fn drop(&mut self) {
        self.0.0.unread.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection whose peer must send and read within time limits.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    phase: Phase,
    /// How long a request's head may take.
    head: Duration,
    /// The step for which the read timer runs.
    timed: Option<Waits>,
    reading: Pin<Box<Sleep>>,
    /// Runs while the peer leaves something unread.
    writing: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, phase: Phase, head: Duration) -> Self {
        let reading = Box::pin(sleep_until(Instant::now() + SILENCE));
        Self { stream, phase, head, timed: None, reading, writing: None }
    }

    /// Whether the peer took too long to send, or to open the HTTP/2 window of an answer: such an
    /// answer is not written at all, so only this timer notices.
    fn is_read_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let waits = self.phase.awaited_step();
        let patience = match waits {
            None => {
                self.timed = None;
                return false;
            }
            Some(Waits::Silent) => SILENCE,
            Some(Waits::InHead) => self.head,
            Some(Waits::Unread(_)) => UNREAD,
        };
        if self.timed != waits {
            self.reading.as_mut().reset(Instant::now() + patience);
            self.timed = waits;
        }
        self.reading.as_mut().poll(cx).is_ready()
    }

    /// Whether the peer took too long to read; `progress` is the result of the last write.
    fn is_write_overdue<T>(&mut self, cx: &mut Context<'_>, progress: &Poll<T>) -> bool {
        if progress.is_ready() {
            self.writing = None;
            return false;
        }
        let timer = || Box::pin(sleep_until(Instant::now() + UNREAD));
        self.writing.get_or_insert_with(timer).as_mut().poll(cx).is_ready()
    }
}

pub(super) fn timeout_error() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the peer was silent for too long")
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before && this.phase.awaited_step() == Some(Waits::Silent) {
            this.phase.0.has_begun.store(true, Ordering::Relaxed);
        }
        // Checked before reading: a peer that sends single bytes must not extend its time.
        if this.is_read_overdue(cx) {
            return Poll::Ready(Err(timeout_error()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        if this.is_write_overdue(cx, &written) {
            Poll::Ready(Err(timeout_error()))
        } else {
            written
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        if this.is_write_overdue(cx, &written) {
            Poll::Ready(Err(timeout_error()))
        } else {
            written
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        // This may have completed an answer. The idle timer for the next request must start now,
        // even if there is no read before.
        if this.is_read_overdue(cx) {
            return Poll::Ready(Err(timeout_error()));
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::*;

    fn pair() -> (Patient<DuplexStream>, Phase, DuplexStream) {
        let (near, far) = tokio::io::duplex(16);
        let phase = Phase::default();
        (Patient::new(near, phase.clone(), HEAD), phase, far)
    }

    async fn read(patient: &mut Patient<DuplexStream>) -> io::Result<u8> {
        patient.read_u8().await
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_a_connection_after_a_while_and_a_slow_head_sooner() {
        let (mut patient, _, mut far) = pair();
        let begun = Instant::now();
        assert_eq!(read(&mut patient).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), 75);

        let (mut slow, phase, mut far_slow) = pair();
        let begun = Instant::now();
        let drip = tokio::spawn(async move {
            while far_slow.write_u8(b'x').await.is_ok() {
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
        });
        while read(&mut slow).await.is_ok() {}
        assert_eq!(begun.elapsed().as_secs(), 10);
        drop((slow, phase));
        drip.await.unwrap();
        far.write_u8(b'x').await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_answered_has_time_and_the_next_one_begins_anew() {
        let (mut patient, phase, mut far) = pair();
        far.write_u8(b'a').await.unwrap();
        assert_eq!(read(&mut patient).await.unwrap(), b'a');
        let answering = phase.begin_answer();
        let waits = tokio::time::timeout(Duration::from_mins(10), read(&mut patient)).await;
        assert!(waits.is_err(), "an answer may take as long as its rooms let it");
        drop(answering);
        let begun = Instant::now();
        assert!(read(&mut patient).await.is_err());
        assert_eq!(begun.elapsed().as_secs(), 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_left() {
        let (mut patient, _phase, _far) = pair();
        let begun = Instant::now();
        assert!(patient.write_all(&[0; 64]).await.is_err());
        assert_eq!(begun.elapsed().as_secs(), 75);
    }
}
