//! `Content-Encoding`: parses the header, and unpacks a body within a limit.

use std::io::{self, Read as _};

use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;

/// Initial capacity of an unpacked body; it grows as needed.
const FIRST_ROOM: usize = 16 * 1024;

/// Most characters of an encoding's name in an answer.
const MAX_NAME_CHARS: usize = 60;

/// The encoding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// None.
    Identity,
    /// gzip with one member or several.
    Gzip,
}

/// Why a body cannot be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnpackError {
    /// It is longer than the limit when unpacked.
    TooLarge,
    /// It is truncated or does not match its encoding.
    Damaged,
}

impl Encoding {
    /// Parses the header; `Err` has the name of an unsupported encoding.
    pub(super) fn from_headers(headers: &HeaderMap) -> Result<Self, String> {
        let values = headers.get_all(header::CONTENT_ENCODING).iter();
        let text = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase())
            .collect::<Vec<_>>()
            .join(",");
        let mut encodings =
            text.split(',').map(str::trim).filter(|name| !matches!(*name, "" | "identity"));
        match (encodings.next(), encodings.next()) {
            (None, _) => Ok(Self::Identity),
            (Some("gzip" | "x-gzip"), None) => Ok(Self::Gzip),
            _ => Err(text
                .chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .take(MAX_NAME_CHARS)
                .collect()),
        }
    }

    /// Unpacks a body to at most `limit` bytes. Unpacking stops at the limit, so that a small body
    /// cannot exhaust the memory.
    pub(super) fn unpack(self, packed: &[u8], limit: usize) -> Result<Vec<u8>, UnpackError> {
        match self {
            Self::Identity => check_length(packed.len(), limit).map(|_| packed.to_vec()),
            Self::Gzip => {
                let mut bytes = Vec::with_capacity(limit.min(FIRST_ROOM));
                let unpacked = gunzip_reader(packed, limit).read_to_end(&mut bytes);
                unpacked.map_err(|_| UnpackError::Damaged)?;
                check_length(bytes.len(), limit).map(|_| bytes)
            }
        }
    }

    /// Counts the bytes of a body when unpacked, without keeping them.
    pub(super) fn unpacked_length(self, packed: &[u8], limit: usize) -> Result<usize, UnpackError> {
        match self {
            Self::Identity => check_length(packed.len(), limit),
            Self::Gzip => {
                let counted = io::copy(&mut gunzip_reader(packed, limit), &mut io::sink());
                let length = counted.map_err(|_| UnpackError::Damaged)?;
                check_length(usize::try_from(length).unwrap_or(usize::MAX), limit)
            }
        }
    }
}

/// Unpacks at most one byte more than `limit`, by which the caller detects a longer body.
fn gunzip_reader(packed: &[u8], limit: usize) -> impl io::Read {
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(packed).take(most)
}

fn check_length(length: usize, limit: usize) -> Result<usize, UnpackError> {
    if length > limit { Err(UnpackError::TooLarge) } else { Ok(length) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_header_in_any_spelling() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_ENCODING, value.parse().unwrap());
            }
            Encoding::from_headers(&headers)
        };
        for values in [&[][..], &[""], &["identity"], &["Identity, identity"]] {
            assert_eq!(of(values), Ok(Encoding::Identity), "{values:?}");
        }
        for values in
            [&["gzip"][..], &["GZIP"], &["x-gzip"], &[" gzip , identity"], &["identity", "gzip"]]
        {
            assert_eq!(of(values), Ok(Encoding::Gzip), "{values:?}");
        }
        for values in [&["br"][..], &["deflate"], &["zstd"], &["gzip, gzip"], &["gzip", "br"]] {
            let refused = of(values).unwrap_err();
            assert!(values.iter().all(|value| refused.contains(value)), "{refused}");
        }
    }

    #[test]
    fn what_is_packed_comes_out_whole_or_not_at_all() {
        let unpack = |bytes: Vec<u8>, limit| {
            let unpacked = Encoding::Gzip.unpack(&bytes, limit);
            let length = Encoding::Gzip.unpacked_length(&bytes, limit);
            assert_eq!(length, unpacked.as_ref().map(Vec::len).map_err(|error| *error));
            unpacked
        };
        assert_eq!(unpack(packed(b"{}"), 2), Ok(b"{}".to_vec()));
        let members = [packed(b"{"), packed(b""), packed(b"}")].concat();
        assert_eq!(unpack(members, 2), Ok(b"{}".to_vec()));
        assert_eq!(unpack(packed(b"{} "), 2), Err(UnpackError::TooLarge));
        let bomb = packed(&vec![0; 50_000_000]);
        assert!(bomb.len() < 100_000);
        assert_eq!(unpack(bomb, 1024), Err(UnpackError::TooLarge));
        let mut cut = packed(b"{\"id\":1}");
        cut.truncate(cut.len() - 3);
        assert_eq!(unpack(cut, 1024), Err(UnpackError::Damaged));
        for odd in [&b"{}"[..], b"", b"\x1f\x8b", b"\x1f\x8b\x08\x00"] {
            assert_eq!(unpack(odd.to_vec(), 1024), Err(UnpackError::Damaged), "{odd:?}");
        }
        let mut more = packed(b"{}");
        more.extend(b"more");
        assert_eq!(unpack(more, 1024), Err(UnpackError::Damaged));
    }
}
