//! Figures of the tenant, as a JSON list of `[dimension, value, count]`.

use super::{Unreadable, from_json, to_json};
use crate::domain::{Dimension, TenantFigures};

/// Encodes figures.
pub(in crate::store) fn encode(figures: &TenantFigures) -> String {
    let rows: Vec<_> = figures
        .iter()
        .map(|((dimension, value), count)| (dimension.as_str(), value.as_str(), *count))
        .collect();
    to_json(&rows)
}

/// Decodes figures.
pub(in crate::store) fn decode(json: &str) -> Result<TenantFigures, Unreadable> {
    from_json::<Vec<(String, String, u64)>>(json)?
        .into_iter()
        .map(|(dimension, value, count)| {
            let known = Dimension::parse(&dimension);
            let dimension = known.ok_or(Unreadable::Unknown("dimension"))?;
            Ok(((dimension, value), count))
        })
        .collect()
}
