//! Batches that are not taken.

use super::Record;

/// A way not to take a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The next batch: 503, `UNAVAILABLE`.
    Unavailable,
    /// The next batch: 429, `RESOURCE_EXHAUSTED`.
    Throttled,
    /// The next batch is taken, and so many of its records are dropped.
    Partial(i64),
    /// Every batch with a record whose body holds this text: 400,
    /// `INVALID_ARGUMENT`.
    Poison(String),
    /// Every batch over HTTP is answered with this status, content type and body, and is not
    /// kept: a proxy's page, another service's JSON. Over gRPC: `UNIMPLEMENTED`.
    Answer(u16, String, String),
}

impl Refusal {
    pub(super) fn concerns(&self, records: &[Record]) -> bool {
        match self {
            Self::Poison(text) => records.iter().any(|record| record.body().contains(text)),
            _ => true,
        }
    }

    /// Whether it holds for more than one batch.
    pub(super) const fn lasts(&self) -> bool {
        matches!(self, Self::Poison(_) | Self::Answer(..))
    }
}
