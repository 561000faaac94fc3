//! The body of a delivery.

use std::{fmt, sync::Arc};

/// The body of a delivery in the form in which it is kept. It is packed by who received it: many do
/// that at once, and what writes does one thing after the other.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    bytes: Arc<[u8]>,
    size: usize,
    is_packed: bool,
}

/// Bytes of a body that cost the thread that writes as much as one user does: they are copied into
/// the transaction, into the log and, later, into the file.
const BYTES_A_USER: usize = 4096;

impl Body {
    /// One that was packed, and the number of its bytes before that.
    #[must_use]
    pub fn from_packed(bytes: Vec<u8>, size: usize) -> Self {
        Self { bytes: bytes.into(), size, is_packed: true }
    }

    /// What is kept of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of its bytes, unpacked.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// How much it costs to keep it, in users.
    #[must_use]
    pub fn work(&self) -> usize {
        self.bytes.len() / BYTES_A_USER
    }

    /// Whether what is kept is packed.
    #[must_use]
    pub const fn is_packed(&self) -> bool {
        self.is_packed
    }
}

/// As it came.
impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self { size: bytes.len(), bytes: bytes.into(), is_packed: false }
    }
}

/// Without what it says: that is about persons.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, is_packed, .. } = self;
        f.debug_struct("Body").field("size", size).field("is_packed", is_packed).finish()
    }
}
