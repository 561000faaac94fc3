//! stub
use std::process::ExitCode;
/// o
#[derive(Debug, clap::Args)]
pub(crate) struct Options {}
/// r
pub(crate) fn run(_: Options) -> ExitCode {
    ExitCode::SUCCESS
}
