//! Bodies of deliveries: packed where that saves something.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};

use super::Unreadable;
use crate::ledger::Body;

/// A body as it came: text where it is text, so that people can read it.
pub(in crate::store) const PLAIN: i64 = 0;

/// A body packed by zstd, as older versions did it.
const ZSTD: i64 = 1;

/// A body packed by zstd with the [`SKELETON`].
pub(in crate::store) const ZSTD_WITH_SKELETON: i64 = 2;

/// What deliveries have in common, for the packer to refer to: the fields in the order of a
/// published one, and beginnings of values. It never changes, since what was packed with it
/// could not be unpacked any more; a better one is another form.
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

/// Level 1 packs JSON of 2 KB in a few microseconds; higher ones save little more.
const LEVEL: i32 = 1;

/// What a body unpacks to at most: no delivery is larger, whatever
/// `webhook.max_body_bytes` says.
const MAX_BYTES: usize = 1 << 30;

thread_local! {
    /// Its buffers are used again. One that cannot be made leaves bodies as they are.
    static PACKER: RefCell<Option<Compressor<'static>>> =
        RefCell::new(Compressor::with_dictionary(LEVEL, SKELETON).ok());
}

/// Packs a body, where that saves something.
#[must_use]
pub fn pack_body(body: Vec<u8>) -> Body {
    let packed = PACKER.with_borrow_mut(|packer| packer.as_mut()?.compress(&body).ok());
    match packed {
        Some(packed) if packed.len() < body.len() => Body::from_packed(packed, body.len()),
        _ => body.into(),
    }
}

/// The number of the form of a body.
pub(in crate::store) const fn form(body: &Body) -> i64 {
    if body.is_packed() { ZSTD_WITH_SKELETON } else { PLAIN }
}

/// The body of a stored form.
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
        // As older versions kept it.
        assert_eq!(unpack(ZSTD, &alone).as_deref(), Ok(delivery.as_slice()));
    }
}
