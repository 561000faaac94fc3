//! The body of a delivery.

use std::{fmt, sync::Arc};

/// The body of a delivery in the form in which it is stored. The request's handler compresses it:
/// many handlers run at once, but the writer thread commits one change after the other.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    bytes: Arc<[u8]>,
    size: usize,
    is_packed: bool,
}

/// Bytes of a body that cost the writer thread as much as one user does: they are copied into the
/// transaction, into the write-ahead log and, at a checkpoint, into the database file.
const BYTES_A_USER: usize = 4096;

impl Body {
    /// A body that was compressed, and the number of its bytes before that.
    #[must_use]
    pub fn from_packed(bytes: Vec<u8>, size: usize) -> Self {
        Self { bytes: bytes.into(), size, is_packed: true }
    }

    /// The stored bytes, compressed or not.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of bytes before compression.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// What it costs to store the body, in users.
    #[must_use]
    pub fn work(&self) -> usize {
        self.bytes.len() / BYTES_A_USER
    }

    /// Whether the stored bytes are compressed.
    #[must_use]
    pub const fn is_packed(&self) -> bool {
        self.is_packed
    }
}

/// A body as received, not compressed.
impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self { size: bytes.len(), bytes: bytes.into(), is_packed: false }
    }
}

/// Leaves the content out: it names people.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, is_packed, .. } = self;
        f.debug_struct("Body").field("size", size).field("is_packed", is_packed).finish()
    }
}
