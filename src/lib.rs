//! Exports the state of Cisco Identity Intelligence to Prometheus and OTLP.
//!
//! Everything that happens becomes a change that the [`store`] commits in one transaction;
//! everything that is shown or sent is derived from what was committed.

pub mod blocking;
pub mod build_info;
pub mod cii;
pub mod clock;

pub mod config;
pub mod daemon;
pub mod delivery;
pub mod domain;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod ingest;
pub mod ledger;
pub mod meter;
pub mod metrics;
pub mod store;
pub mod sync;
pub mod throttle;
pub mod web;
