//! Exit codes of the process.

use std::process::ExitCode;

/// The command line or the configuration is wrong (`EX_USAGE`).
pub(crate) const USAGE: u8 = 64;
/// The daemon could not start.
pub(crate) const START_FAILED: u8 = 1;
/// A task of the daemon ended without being stopped.
pub(crate) const ENDED_EARLY: u8 = 70;

/// Prints the error to standard error and returns the exit code.
pub(crate) fn fail(code: u8, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("cii-exporter: {error}");
    ExitCode::from(code)
}
