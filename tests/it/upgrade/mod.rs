//! Databases that older binaries made: what they knew is shown, and goes on.
//!
//! `tests/databases/README.md` says how they were made.

mod file;
mod goes_on;
mod old;
mod sent;
mod shown;

use cii_simulator::{Options, Simulator};

use crate::harness::Exporter;
use old::Old;

const NO_MFA: &str = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";

/// A tenant as the old databases know it.
async fn simulator() -> Simulator {
    Simulator::start(Options { users: 24, ..Options::default() }).await.unwrap()
}

async fn start(old: Old) -> (Simulator, Exporter) {
    let simulator = simulator().await;
    let exporter = old.setup(&simulator, false).start().await;
    (simulator, exporter)
}
