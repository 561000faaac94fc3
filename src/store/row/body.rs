//! Bodies of deliveries, compressed where that saves space.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};

use super::Unreadable;
use crate::ledger::Body;

/// A body as received; as text if it is text, so that people can read it.
pub(in crate::store) const PLAIN: i64 = 0;

/// A body that an older version compressed with zstd.
const ZSTD: i64 = 1;

/// A body compressed with zstd and the dictionary [`SKELETON`].
pub(in crate::store) const ZSTD_WITH_SKELETON: i64 = 2;

/// The dictionary: what deliveries have in common, namely the fields in the order of a published
/// one, and the start of values. It must never change, because bodies that were compressed with it
/// could not be decompressed. A better dictionary needs a new form.
const SKELETON: &[u8] = br#"{"detail-type":"TEST","frameworks":[""],"severity":"medium","description":["Users ","
"severity":"low","loginDetails":[{"severity":"high","usersFailing":["
{"version":"0","id":"","detail-type":"FAILED_CHECK","source":"","account":"","time":"2026-01-01T00:00:00Z",
"region":"eu-central-1","detail":{"id":"","checkId":"","title":"","severity":"","usersFailing":["@example.com",
"description":["","recommendedActions":["","published":"2026-01-01T00:00:00.000Z","loginDetails":[
"login":"@example.com","details":[{"key":"providersFailingChecks","value":"[\"providerFailingCheck-\"]"}]},{
{"detail-type":"FAILED_CHECK","id":"","source":"__","time":"2026-01-01T00:00:00Z","detail":{"severity":"critical",
"loginDetails":[{"details":[{"value":"[\"providerFailingCheck-no-mfa-\"]","key":"providersFailingChecks"}],"login":"
@example.com"},{"details":[{"value":"[\"providerFailingCheck-"],"usersFailing":["","@example.com","],
"description":["Detects users with "],"id":"","recommendedActions":["We recommend "],"published":"2026-01-01T00:00:00.000Z",
"title":"","checkId":"no-mfa"},"region":"us-east-1","version":"0","account":""}"#;

/// Level 1 compresses 2 KB of JSON in a few microseconds; higher levels save little more.
const LEVEL: i32 = 1;

/// Maximum number of bytes of a decompressed body: no delivery is larger, whatever
/// `webhook.max_body_bytes` is.
const MAX_BYTES: usize = 1 << 30;

thread_local! {
    /// One compressor per thread, which reuses its buffers. If it cannot be created, bodies are
    /// stored uncompressed.
    static PACKER: RefCell<Option<Compressor<'static>>> =
        RefCell::new(Compressor::with_dictionary(LEVEL, SKELETON).ok());
}

/// Compresses a body if that saves space.
#[must_use]
pub fn pack_body(body: Vec<u8>) -> Body {
    let packed = PACKER.with_borrow_mut(|packer| packer.as_mut()?.compress(&body).ok());
    match packed {
        Some(packed) if packed.len() < body.len() => Body::from_packed(packed, body.len()),
        _ => body.into(),
    }
}

/// The number of a body's form.
pub(in crate::store) const fn form(body: &Body) -> i64 {
    if body.is_packed() { ZSTD_WITH_SKELETON } else { PLAIN }
}

/// Decodes a body.
pub(in crate::store) fn unpack(form: i64, bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    match form {
        PLAIN => Ok(bytes.to_vec()),
        ZSTD => unpack_with(&[], bytes),
        ZSTD_WITH_SKELETON => unpack_with(SKELETON, bytes),
        other => Err(Unreadable::Form(other)),
    }
}

fn unpack_with(dictionary: &[u8], bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let size = Decompressor::upper_bound(bytes).unwrap_or(MAX_BYTES).min(MAX_BYTES);
    Decompressor::with_dictionary(dictionary)
        .and_then(|mut unpacker| unpacker.decompress(bytes, size))
        .map_err(|_| Unreadable::Packed)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

    use super::*;

    #[test]
    fn a_body_comes_back_as_it_was() {
        let long = "x".repeat(5000);
        for body in [b"".as_slice(), b"{}", &[0, 159, 255], long.as_bytes()] {
            let kept = pack_body(body.to_vec());
            assert_eq!(unpack(form(&kept), kept.bytes()).as_deref(), Ok(body));
            assert_eq!(kept.size(), body.len());
        }
        assert_eq!(form(&pack_body(long.into_bytes())), ZSTD_WITH_SKELETON);
        assert!(unpack(7, b"").is_err());
    }

    #[test]
    fn what_was_packed_once_is_unpacked_for_ever() {
        let kept = "KLUv/SBd9QAAOCI6e2FdfX0HAC57CMx6eEMGW4UZoAaYLRVM3gUE";
        let bytes = BASE64.decode(kept).unwrap();
        let body = br#"{"detail-type":"FAILED_CHECK","detail":{"checkId":"no-mfa","usersFailing":["a@example.com"]}}"#;
        assert_eq!(unpack(ZSTD_WITH_SKELETON, &bytes).as_deref(), Ok(body.as_slice()));
    }

    #[test]
    fn a_delivery_takes_less_than_without_what_all_have_in_common() {
        let delivery = include_bytes!("../../../tests/payloads/failed-check-no-mfa.json");
        let alone = zstd::bulk::compress(delivery, LEVEL).unwrap();
        let kept = pack_body(delivery.to_vec());
        assert!(kept.bytes().len() < alone.len() * 9 / 10, "{} bytes", kept.bytes().len());
        // As older versions stored it.
        assert_eq!(unpack(ZSTD, &alone).as_deref(), Ok(delivery.as_slice()));
    }
}
