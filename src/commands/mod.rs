//! The subcommands, one file each.

mod api;
mod check_config;
pub(crate) mod deliveries;
#[cfg(feature = "demo")]
pub(crate) mod demo;
mod error;
pub(crate) mod ip;
mod keeper;
pub(crate) mod otlp;
mod run;
mod signal;
mod table;
pub(crate) mod user;
pub(crate) mod watch;
pub(crate) mod webhook;
mod webhook_test;

use std::{future::Future, process::ExitCode};

use crate::{cli::Command, exit};

/// Does what the command line says.
pub(crate) fn dispatch(command: Command) -> ExitCode {
    match command {
        Command::Run(file) => run::run(file),
        Command::CheckConfig(file) => check_config::run(&file),
        Command::Watch(action) => watch::run(action),
        Command::User(options) => user::run(&options),
        Command::Ip(options) => ip::run(&options),
        Command::Webhook(action) => webhook::run(action),
        Command::Otlp(action) => otlp::run(action),
        Command::Deliveries(options) => deliveries::run(options),
        #[cfg(feature = "demo")]
        Command::Demo(options) => demo::run(&options),
    }
}

/// Runs a command that ends by itself, and tells what went wrong.
fn finish(work: impl Future<Output = Result<ExitCode, error::CommandError>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::fail(exit::START_FAILED, &error),
    };
    match runtime.block_on(work) {
        Ok(code) => code,
        Err(error) => exit::fail(error.exit_code(), &error),
    }
}
