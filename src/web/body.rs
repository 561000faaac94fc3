//! A response body of several frames with a known length.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    vec,
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// Creates a body of these frames, in order. Unlike a stream, it has a `Content-Length`.
pub(super) fn from_frames(frames: Vec<Bytes>) -> Body {
    let left = frames.iter().map(|frame| frame.len() as u64).sum();
    Body::new(Framed { frames: frames.into_iter(), left })
}

struct Framed {
    frames: vec::IntoIter<Bytes>,
    /// Bytes of the frames that were not polled yet.
    left: u64,
}

impl HttpBody for Framed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.frames.next();
        self.left -= next.as_ref().map_or(0, |frame| frame.len() as u64);
        Poll::Ready(next.map(|frame| Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.len() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn frames_come_in_order_and_their_length_is_known() {
        let mut body = from_frames(vec!["ab".into(), "c".into()]);
        assert_eq!(body.size_hint().exact(), Some(3));
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((first, body.size_hint().exact()), ("ab".into(), Some(1)));
        assert!(!body.is_end_stream());
        assert_eq!(body.collect().await.unwrap().to_bytes(), "c");
        assert!(from_frames(Vec::new()).is_end_stream());
    }
}
