//! Bodies of requests and answers, with their time limits.

use std::{
    future::Future as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::patience::{Answering, Unread, timeout_error};

/// How long the body of a request may take to arrive.
const ARRIVAL: Duration = Duration::from_mins(1);

/// The body of a request, which must arrive within [`ARRIVAL`].
pub(super) struct Arriving {
    body: Incoming,
    /// The time limit; it starts with the first wait.
    patience: Option<Pin<Box<Sleep>>>,
}

impl Arriving {
    pub(super) fn new(body: Incoming) -> Self {
        Self { body, patience: None }
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)));
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(ARRIVAL)));
        match patience.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(axum::Error::new(timeout_error())))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The size of the pieces in which an answer is passed to the connection. Whether the peer still
/// reads is visible only between pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pieces {
    /// One system call per piece, so that few large ones are cheaper.
    Http1,
    /// One frame per piece.
    Http2,
}

impl Pieces {
    const fn bytes(self) -> usize {
        match self {
            Self::Http1 => 128 * 1024,
            Self::Http2 => 16 * 1024,
        }
    }
}

/// The body of an answer. Once it is dropped, the connection counts as idle. It is not built from
/// body combinators, because they would lose the length.
pub(super) struct Answer {
    body: Body,
    /// The rest of the body's last frame.
    rest: Bytes,
    answering: Arc<Answering>,
    pieces: Pieces,
    /// Set while the peer is waited for, and not the source of the body.
    unread: Option<Unread>,
}

/// Bytes that were passed to the connection. The connection drops them when they are sent.
struct Piece {
    bytes: Bytes,
    answering: Arc<Answering>,
    _unread: Unread,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.answering.phase().count_taken();
    }
}

impl Answer {
    pub(super) fn new(body: Body, answering: Arc<Answering>, pieces: Pieces) -> Self {
        let unread = Some(answering.phase().mark_unread());
        Self { body, rest: Bytes::new(), answering, pieces, unread }
    }

    fn take_piece(&mut self) -> Bytes {
        let bytes = self.rest.split_to(self.rest.len().min(self.pieces.bytes()));
        let (answering, unread) = (self.answering.clone(), self.answering.phase().mark_unread());
        Bytes::from_owner(Piece { bytes, answering, _unread: unread })
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
                this.unread = None;
                return Poll::Pending;
            };
            this.unread.get_or_insert_with(|| this.answering.phase().mark_unread());
            match frame.map(|frame| frame.map(Frame::into_data)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Ok(Ok(bytes))) => this.rest = bytes,
            }
        }
        Poll::Ready(Some(Ok(Frame::data(this.take_piece()))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, of_body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower() + rest);
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
