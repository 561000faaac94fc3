//! Bodies of deliveries: packed where that saves something.

use std::cell::RefCell;

use zstd::bulk::Compressor;

use super::Unreadable;
use crate::ledger::Body;

/// A body as it came: text where it is text, so that people can read it.
pub(in crate::store) const PLAIN: i64 = 0;

/// A body packed by zstd.
pub(in crate::store) const ZSTD: i64 = 1;

/// Level 1 packs JSON of 2 KB in a few microseconds; higher ones save little more.
const LEVEL: i32 = 1;

/// What a body unpacks to at most: no delivery is larger, whatever
/// `webhook.max_body_bytes` says.
const MAX_BYTES: usize = 1 << 30;

thread_local! {
    /// Its buffers are used again. One that cannot be made leaves bodies as they are.
    static PACKER: RefCell<Option<Compressor<'static>>> = RefCell::new(Compressor::new(LEVEL).ok());
}

/// Packs a body, where that saves something.
#[must_use]
pub fn pack_body(body: Vec<u8>) -> Body {
    let packed = PACKER.with_borrow_mut(|packer| packer.as_mut()?.compress(&body).ok());
    match packed {
        Some(packed) if packed.len() < body.len() => Body::packed(packed, body.len()),
        _ => body.into(),
    }
}

/// The number of the form of a body.
pub(in crate::store) const fn form(body: &Body) -> i64 {
    if body.is_packed() { ZSTD } else { PLAIN }
}

/// The body of a stored form.
pub(in crate::store) fn unpack(form: i64, bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    match form {
        PLAIN => Ok(bytes.to_vec()),
        ZSTD => {
            let size = zstd::bulk::Decompressor::upper_bound(bytes).unwrap_or(MAX_BYTES);
            zstd::bulk::decompress(bytes, size.min(MAX_BYTES)).map_err(|_| Unreadable::Packed)
        }
        other => Err(Unreadable::Form(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_comes_back_as_it_was() {
        let long = "x".repeat(5000);
        for body in [b"".as_slice(), b"{}", &[0, 159, 255], long.as_bytes()] {
            let kept = pack_body(body.to_vec());
            assert_eq!(unpack(form(&kept), kept.bytes()).as_deref(), Ok(body));
            assert_eq!(kept.size(), body.len());
        }
        assert_eq!(form(&pack_body(long.into_bytes())), ZSTD);
        assert!(unpack(7, b"").is_err());
    }
}
