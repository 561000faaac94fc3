//! Bodies of deliveries: packed where that saves something.

use std::borrow::Cow;

use super::Unreadable;

/// A body as it came: text where it is text, so that people can read it.
pub(in crate::store) const PLAIN: i64 = 0;

/// A body packed by zstd.
pub(in crate::store) const ZSTD: i64 = 1;

/// Level 1 packs JSON of 2 KB in a few microseconds; higher ones save little more.
const LEVEL: i32 = 1;

/// What a body unpacks to at most: no delivery is larger, whatever
/// `webhook.max_body_bytes` says.
const MAX_BYTES: usize = 1 << 30;

/// Packs bodies, with buffers that are used again.
pub(in crate::store) struct Packer(Option<zstd::bulk::Compressor<'static>>);

impl Packer {
    /// A packer; one that cannot be made leaves bodies as they are.
    pub(in crate::store) fn new() -> Self {
        Self(zstd::bulk::Compressor::new(LEVEL).ok())
    }

    /// The form and the bytes that are stored.
    pub(in crate::store) fn pack<'a>(&mut self, body: &'a [u8]) -> (i64, Cow<'a, [u8]>) {
        let packed = self.0.as_mut().and_then(|packer| packer.compress(body).ok());
        match packed {
            Some(packed) if packed.len() < body.len() => (ZSTD, Cow::Owned(packed)),
            _ => (PLAIN, Cow::Borrowed(body)),
        }
    }
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Packer")
    }
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
        let mut packer = Packer::new();
        for body in [b"".as_slice(), b"{}", &[0, 159, 255], "x".repeat(5000).as_bytes()] {
            let (form, bytes) = packer.pack(body);
            assert_eq!(unpack(form, &bytes).as_deref(), Ok(body));
        }
        assert_eq!(packer.pack("x".repeat(5000).as_bytes()).0, ZSTD);
        assert!(unpack(7, b"").is_err());
    }
}
