//! A family of metrics as cached text, with its compressed form.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError, TryLockError},
};

use bytes::Bytes;

use super::gzip::{Effort, Piece};

/// After this many scrapes a text is assumed to stay for many more, so that a better compression
/// pays off.
const PROVEN: u32 = 3;

/// Below this length, a better compression gains too little.
const WORTH_PACKING: usize = 16 * 1024;

/// A family in one format.
#[derive(Debug)]
pub(super) struct Rendered {
    text: Bytes,
    packed: Mutex<Packed>,
}

/// The compressed form of a text.
#[derive(Debug, Default)]
struct Packed {
    piece: Option<Arc<Piece>>,
    /// How many scrapes used it.
    taken: u32,
    /// A thread compresses it with more effort, or has done so.
    is_claimed: bool,
}

impl Packed {
    fn take_piece(&mut self) -> Option<Arc<Piece>> {
        let piece = self.piece.clone()?;
        self.taken = self.taken.saturating_add(1);
        Some(piece)
    }
}

impl Rendered {
    pub(super) fn new(text: String) -> Self {
        Self { text: text.into(), packed: Mutex::default() }
    }

    pub(super) fn text(&self) -> &Bytes {
        &self.text
    }

    /// Returns the compressed text if it is cached and not locked.
    pub(super) fn packed_if_ready(&self) -> Option<Arc<Piece>> {
        match self.packed.try_lock() {
            Ok(mut packed) => packed.take_piece(),
            Err(TryLockError::Poisoned(packed)) => packed.into_inner().take_piece(),
            // Another scrape is compressing it.
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Returns the compressed text; the first call compresses it.
    ///
    /// # Errors
    /// See [`Piece::new`].
    pub(super) fn get_or_pack(&self) -> io::Result<Arc<Piece>> {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(piece) = packed.take_piece() {
            return Ok(piece);
        }
        let piece = Arc::new(Piece::new(&self.text, Effort::Little)?);
        packed.piece = Some(piece.clone());
        packed.taken = 1;
        Ok(piece)
    }

    /// Whether the caller should call [`Rendered::pack_well`]: true once, for the first caller
    /// after [`PROVEN`] scrapes.
    pub(super) fn claim_packing(&self) -> bool {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_proven = packed.taken >= PROVEN && self.text.len() >= WORTH_PACKING;
        is_proven && !std::mem::replace(&mut packed.is_claimed, true)
    }

    /// Compresses the text again with more effort, and keeps the smaller result. Scrapes use the
    /// former one meanwhile.
    ///
    /// # Errors
    /// See [`Piece::new`].
    pub(super) fn pack_well(&self) -> io::Result<()> {
        let piece = Arc::new(Piece::new(&self.text, Effort::Much)?);
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        // Very repetitive texts can come out larger with more effort.
        if packed.piece.as_ref().is_none_or(|known| piece.len() < known.len()) {
            packed.piece = Some(piece);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of users, whose values have no order.
    fn text(length: usize) -> String {
        let sample = |user: u64| {
            let value = user.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
            format!("cii_user_applications{{login=\"user-{user}@example.com\"}} {value}\n")
        };
        let mut text: String = (0..length as u64 / 50).map(sample).collect();
        text.truncate(length);
        text
    }

    #[test]
    fn a_large_text_is_packed_better_once_scrapes_took_it_often() {
        let rendered = Rendered::new(text(WORTH_PACKING * 4));
        assert!(rendered.packed_if_ready().is_none());
        let quick = rendered.get_or_pack().unwrap();
        for _ in 1..PROVEN {
            assert!(!rendered.claim_packing());
            assert!(Arc::ptr_eq(&rendered.packed_if_ready().unwrap(), &quick));
        }
        assert!(rendered.claim_packing());
        assert!(!rendered.claim_packing(), "one packs it");
        rendered.pack_well().unwrap();
        let small = rendered.get_or_pack().unwrap();
        assert!(small.len() < quick.len(), "{} of {}", small.len(), quick.len());
    }

    #[test]
    fn a_small_text_is_packed_once() {
        let rendered = Rendered::new(text(1000));
        for _ in 0..2 * PROVEN {
            rendered.get_or_pack().unwrap();
        }
        assert!(!rendered.claim_packing());
    }
}
