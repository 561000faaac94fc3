//! The command line of `cii-exporter`.

mod commands;
mod exit;
mod logging;

use std::process::ExitCode;

/// The system's allocator keeps what a large delivery took for as long as the daemon runs; this
/// one's thread in the background gives it back within seconds.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match commands::parse() {
        Ok(command) => commands::dispatch(command),
        Err(answer) => answer,
    }
}
