//! Unpacks a body within the budget for memory.

use super::{
    budget::{NoRoom, SMALL, Share},
    encoding::{Encoding, UnpackError},
};

/// Why a body cannot be unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is longer than allowed when unpacked.
    TooLarge,
    /// It is truncated or does not match its encoding. The packed body is returned.
    Damaged(Vec<u8>),
    /// The budget has no room for it now.
    NoRoom,
}

impl From<NoRoom> for Unusable {
    fn from(_: NoRoom) -> Self {
        Self::NoRoom
    }
}

/// The result of the first pass over a packed body.
enum Look {
    Small(Vec<u8>),
    Large(usize),
}

/// Unpacks a body to at most `limit` bytes.
///
/// A small body, as most are, is unpacked in the first pass. The first pass over a large one only
/// counts its length, and the second unpacks it: acquiring room for the longest allowed body would
/// let one packed body block others.
///
/// # Errors
/// When it is too long or damaged, or there is no room for it in time.
pub(super) async fn unpack_body(
    encoding: Encoding,
    body: Vec<u8>,
    limit: usize,
    share: Share,
) -> Result<(Vec<u8>, Share), Unusable> {
    if encoding == Encoding::Identity {
        return Ok((body, share));
    }
    let (looked, body, mut share) =
        run_on_body(share, body, move |body| match encoding.unpack(body, limit.min(SMALL)) {
            Ok(bytes) => Ok(Look::Small(bytes)),
            Err(UnpackError::TooLarge) => encoding.unpacked_length(body, limit).map(Look::Large),
            Err(UnpackError::Damaged) => Err(UnpackError::Damaged),
        })
        .await?;
    let length = match looked {
        Look::Small(bytes) => return Ok((bytes, share)),
        Look::Large(length) => length,
    };
    share.grow(body.len() + length).await?;
    let (bytes, _, mut share) =
        run_on_body(share, body, move |body| encoding.unpack(body, length)).await?;
    share.shrink(bytes.len());
    Ok((bytes, share))
}

/// Runs `work` on a packed body on a blocking thread.
async fn run_on_body<T: Send + 'static>(
    share: Share,
    body: Vec<u8>,
    work: impl FnOnce(&[u8]) -> Result<T, UnpackError> + Send + 'static,
) -> Result<(T, Vec<u8>, Share), Unusable> {
    let ((worked, body), share) = share.compute(move || (work(&body), body)).await?;
    match worked {
        Ok(worked) => Ok((worked, body, share)),
        Err(UnpackError::TooLarge) => Err(Unusable::TooLarge),
        Err(UnpackError::Damaged) => Err(Unusable::Damaged(body)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;
    use crate::ingest::{Meters, budget::Budget};

    const MIB: usize = 1024 * 1024;

    fn packed(length: usize) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&vec![b' '; length]).unwrap();
        encoder.finish().unwrap()
    }

    #[tokio::test]
    async fn a_packed_body_takes_the_room_that_it_needs() {
        let budget = Budget::new(Meters::new().unwrap());
        let mut held = Vec::new();
        // As many as would not be let in if each took what is allowed.
        for _ in 0..20 {
            let share = budget.take_share().unwrap();
            let (bytes, share) =
                unpack_body(Encoding::Gzip, packed(MIB), 20 * MIB, share).await.unwrap();
            assert_eq!(bytes.len(), MIB);
            held.push(share);
        }
        for (length, is_taken) in [(10, true), (SMALL, true), (SMALL + 1, true), (MIB + 1, false)] {
            let share = budget.take_share().unwrap();
            let unpacked = unpack_body(Encoding::Gzip, packed(length), MIB, share).await;
            match unpacked {
                Ok((bytes, _)) => assert!(is_taken && bytes.len() == length),
                Err(error) => assert!(!is_taken && error == Unusable::TooLarge),
            }
        }
        let mut cut = packed(MIB);
        cut.truncate(cut.len() - 4);
        let share = budget.take_share().unwrap();
        let error = unpack_body(Encoding::Gzip, cut.clone(), 20 * MIB, share).await.unwrap_err();
        assert_eq!(error, Unusable::Damaged(cut));
    }
}
