//! The command line of `cii-exporter`.

mod cli;
mod commands;
mod exit;
mod logging;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse() {
        Ok(command) => commands::dispatch(command),
        Err(answer) => answer,
    }
}
