//! The command line of `cii-exporter`.

mod commands;
mod exit;
mod logging;

use std::process::ExitCode;

fn main() -> ExitCode {
    match commands::parse() {
        Ok(command) => commands::dispatch(command),
        Err(answer) => answer,
    }
}
