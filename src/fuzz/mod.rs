//! Invariants for every input that comes from outside.
//!
//! A target is a function that panics when an invariant does not hold. `cargo test` runs it on the
//! corpus in `fuzz/corpus` and on mutations of that; with `scripts/fuzz`, libFuzzer searches for
//! inputs that reach new code.

mod configuration;
mod delivery;
mod request;
#[cfg(test)]
mod tests;
mod times;

use crate::{cii, delivery as otlp, ingest};

/// An entry point for input from outside.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also the name of its folder in the corpus.
    pub name: &'static str,
    /// Panics when an invariant does not hold for the input.
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

/// Checks an input with the target of this name.
///
/// # Panics
/// When an invariant does not hold for the input, or there is no such target.
pub fn check(target: &str, input: &[u8]) {
    let found = TARGETS.iter().find(|known| known.name == target);
    assert!(found.is_some(), "there is no target {target}");
    if let Some(target) = found {
        (target.check)(input);
    }
}

/// Stops what targets started for their inputs.
pub fn stop() {
    request::stop();
}

/// Checks an answer of the service.
fn check_answer(body: &[u8]) {
    cii::fuzz::read_json(body);
    cii::fuzz::read_answer(body);
}

/// Checks the body of a delivery.
fn check_delivery(body: &[u8]) {
    cii::fuzz::read_json(body);
    delivery::check(body);
}
