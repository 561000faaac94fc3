//! Fuzz targets for packed bodies and for headers.

mod headers;

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

pub(crate) use headers::read as read_headers;

use super::encoding::{Encoding, UnpackError};

/// Limit of a body, low enough that a short input can exceed it when unpacked.
const LIMIT: usize = 4096;

/// Checks that unpacking respects the limit, and that it reverses packing.
///
/// # Panics
/// When a property is violated.
pub(crate) fn unpack(bytes: &[u8]) {
    let unpack = |packed: &[u8]| Encoding::Gzip.unpack(packed, LIMIT);
    if let Ok(unpacked) = unpack(bytes) {
        assert!(unpacked.len() <= LIMIT, "{} bytes came out", unpacked.len());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    let Ok(packed) = packed else { return };
    match unpack(&packed) {
        Ok(unpacked) => assert_eq!(unpacked, bytes, "another body came out"),
        Err(error) => assert!(error == UnpackError::TooLarge && bytes.len() > LIMIT, "{error:?}"),
    }
}
