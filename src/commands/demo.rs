//! stub
use std::process::ExitCode;
/// o
#[derive(Debug, clap::Args)]
pub struct Options {}
/// r
pub fn run(_: Options) -> ExitCode {
    ExitCode::SUCCESS
}
