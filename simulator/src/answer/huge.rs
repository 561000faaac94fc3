//! Answers that are far larger than anybody expects.

use serde_json::{Value, json};

use super::{
    Answer,
    place::{Path, at_mut, each_field},
};
use crate::faults::AppsyncError;

/// Puts so many errors beside the data.
pub(super) fn errors(answer: &mut Answer, places: &[Path], count: usize) -> bool {
    for place in places {
        let error = AppsyncError::timed_out().json(place);
        answer.errors.extend(std::iter::repeat_n(error, count));
    }
    !places.is_empty()
}

/// Adds so many addresses to every `ipAddresses`.
pub(super) fn addresses(answer: &mut Answer, places: &[Path], count: usize) -> bool {
    let mut changed = false;
    for place in places {
        let Some(value) = at_mut(&mut answer.data, place) else { continue };
        each_field(value, "ipAddresses", &mut |field| {
            if let Value::Array(addresses) = field {
                addresses.extend((0..count).map(address));
                changed = true;
            }
        });
    }
    changed
}

fn address(number: usize) -> Value {
    let text = format!("2001:db8:ffff:{:x}::{:x}", number >> 16, number & 0xffff);
    json!({ "ipAddress": text, "location": null })
}
