//! Runs a command that ends by itself.

use std::{future::Future, process::ExitCode};

use super::error::CommandError;
use crate::exit;

/// Runs the command to its end, and prints its error.
pub(super) fn finish(work: impl Future<Output = Result<ExitCode, CommandError>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::fail(exit::START_FAILED, &error),
    };
    match runtime.block_on(work) {
        Ok(code) => code,
        Err(error) => exit::fail(error.exit_code(), &error),
    }
}
