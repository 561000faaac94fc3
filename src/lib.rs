//! Brings what Cisco Identity Intelligence knows to Prometheus and OTLP.
//!
//! Everything that happens becomes a change that the [`store`] commits in one
//! transaction; everything that is shown or sent derives from what was
//! committed.

pub mod build_info;
pub mod clock;
pub mod domain;
pub mod metrics;
pub mod store;
pub mod web;
