//! The recent counts of a check: `[hours, days]` as JSON, each a list of `[number since 1970,
//! failing or null, new, resolved]`.

use super::{Unreadable, from_json, to_json};
use crate::domain::failure::{Bucket, Trend};

type Stored = (i64, Option<u64>, u64, u64);

/// Encodes a trend.
pub(in crate::store) fn encode(trend: &Trend) -> String {
    let (hours, days) = trend.parts();
    let stored = |buckets: &[Bucket]| -> Vec<Stored> {
        buckets.iter().map(|of| (of.at, of.failing, of.new, of.resolved)).collect()
    };
    to_json(&(stored(hours), stored(days)))
}

/// Decodes a trend.
pub(in crate::store) fn decode(json: &str) -> Result<Trend, Unreadable> {
    let (hours, days): (Vec<Stored>, Vec<Stored>) = from_json(json)?;
    let buckets = |stored: Vec<Stored>| -> Vec<Bucket> {
        let bucket = |(at, failing, new, resolved)| Bucket { at, failing, new, resolved };
        let mut buckets: Vec<Bucket> = stored.into_iter().map(bucket).collect();
        // The domain requires the buckets in order.
        buckets.sort_by_key(|bucket| bucket.at);
        buckets
    };
    Ok(Trend::new(buckets(hours), buckets(days)))
}
