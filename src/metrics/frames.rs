//! An answer as a list of frames. Large frames share cached bytes instead of copying them.

use bytes::Bytes;

/// From this length on, a separate frame costs less than a copy.
const SHARED_FROM: usize = 8 * 1024;

/// The bytes of an answer, in order.
#[derive(Debug, Default)]
pub struct Frames {
    frames: Vec<Bytes>,
    /// The frame that collects copies of small pieces.
    open: Vec<u8>,
}

impl Frames {
    /// Appends bytes; from [`SHARED_FROM`] on as a shared frame.
    pub(super) fn push(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARED_FROM {
            return self.push_copy(bytes);
        }
        self.close_open_frame();
        self.frames.push(bytes.clone());
    }

    /// Appends a copy of bytes.
    pub(super) fn push_copy(&mut self, bytes: &[u8]) {
        self.open.extend(bytes);
    }

    fn close_open_frame(&mut self) {
        if !self.open.is_empty() {
            self.frames.push(std::mem::take(&mut self.open).into());
        }
    }

    /// Returns the frames; none is empty.
    #[must_use]
    pub fn into_frames(mut self) -> Vec<Bytes> {
        self.close_open_frame();
        self.frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pieces_are_joined_and_large_ones_are_shared() {
        let large = Bytes::from(vec![b'x'; SHARED_FROM]);
        let mut frames = Frames::default();
        frames.push(&Bytes::from_static(b"a"));
        frames.push_copy(b"b");
        frames.push(&large);
        frames.push(&large);
        frames.push_copy(b"");
        frames.push(&Bytes::from_static(b"c"));
        let frames = frames.into_frames();
        assert_eq!(frames, [Bytes::from_static(b"ab"), large.clone(), large.clone(), "c".into()]);
        assert_eq!(frames[1].as_ptr(), large.as_ptr());
    }

    #[test]
    fn nothing_has_no_frames() {
        assert_eq!(Frames::default().into_frames(), Vec::<Bytes>::new());
    }
}
