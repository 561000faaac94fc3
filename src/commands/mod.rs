//! The subcommands, one file each.

mod check_config;
pub(crate) mod demo;
mod run;
mod signal;

use std::process::ExitCode;

use crate::cli::Command;

/// Does what the command line says.
pub(crate) fn dispatch(command: Command) -> ExitCode {
    match command {
        Command::Run(file) => run::run(file),
        Command::CheckConfig(file) => check_config::run(&file),
        Command::Demo(options) => demo::run(&options),
    }
}
