//! Finds a delivery by its number, or by the id of its envelope.

use super::problem::Problem;
use crate::{
    ingest::ReplayError,
    store::{DeliveryRecord, Reader, StoreError},
};

/// Returns a delivery's number; `None` when no delivery has the envelope id. A number is returned
/// without a look-up.
pub(super) fn find_number(reader: &Reader, id: &str) -> Result<Option<i64>, StoreError> {
    id.parse().map_or_else(|_| reader.delivery_number(id), |number| Ok(Some(number)))
}

/// Reads a delivery with its body; `None` when there is none.
pub(super) fn find_delivery(
    reader: &Reader,
    id: &str,
) -> Result<Option<DeliveryRecord>, StoreError> {
    find_number(reader, id)?.map_or(Ok(None), |number| reader.delivery(number))
}

/// The problem that no delivery has the number or the envelope id.
pub(super) fn unknown_delivery(id: &str) -> Problem {
    Problem::not_found(id.parse().map_or_else(
        |_| {
            format!(
                "{id:?} is neither the number of a delivery nor the id of an envelope that was \
                 taken; /deliveries shows them, and /api/v1/deliveries lists them"
            )
        },
        |number| ReplayError::Unknown(number).to_string(),
    ))
}
