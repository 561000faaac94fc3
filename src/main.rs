//! The command line of `cii-exporter`.

mod commands;
mod exit;
mod logging;

use std::process::ExitCode;

/// The system's allocator would keep the memory of a large delivery as long as the daemon runs. A
/// background thread of this one returns it within seconds.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match commands::parse_command_line() {
        Ok(command) => commands::dispatch(command),
        Err(answer) => answer,
    }
}
