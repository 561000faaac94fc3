//! What must hold for every input that comes from outside.
//!
//! A target is a function that panics when something does not hold. `cargo test` gives it
//! the corpus in `fuzz/corpus` and mutations of that; `scripts/fuzz` lets libFuzzer look
//! for inputs that take new ways through the code.

mod configuration;
mod delivery;
mod request;
#[cfg(test)]
mod tests;
mod times;

use crate::{cii, delivery as otlp, ingest};

/// An entry that the outside has.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also that of its folder in the corpus.
    pub name: &'static str,
    /// Panics when something does not hold for the input.
    pub check: fn(&[u8]),
}

/// The targets, in the order of their names.
pub const TARGETS: [Target; 8] = [
    Target { name: "answer", check: check_answer },
    Target { name: "collector", check: otlp::fuzz::read_answer },
    Target { name: "configuration", check: configuration::check },
    Target { name: "delivery", check: check_delivery },
    Target { name: "headers", check: ingest::fuzz::read_headers },
    Target { name: "packed", check: ingest::fuzz::unpack },
    Target { name: "request", check: request::check },
    Target { name: "times", check: times::check },
];

/// Checks an input of the target of this name.
///
/// # Panics
/// When something does not hold for the input, or there is no such target.
pub fn check(target: &str, input: &[u8]) {
    let found = TARGETS.iter().find(|known| known.name == target);
    assert!(found.is_some(), "there is no target {target}");
    if let Some(target) = found {
        (target.check)(input);
    }
}

/// Ends what targets started for their inputs.
pub fn stop() {
    request::stop();
}

/// An answer of the service.
fn check_answer(body: &[u8]) {
    cii::fuzz::read_json(body);
    cii::fuzz::read_answer(body);
}

/// The body of a delivery.
fn check_delivery(body: &[u8]) {
    cii::fuzz::read_json(body);
    delivery::check(body);
}
