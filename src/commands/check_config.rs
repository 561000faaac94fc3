//! `check-config`: what is wrong with a configuration, or what it comes to.

use std::process::ExitCode;

use cii_exporter::daemon::ConfigSource;

use crate::{cli::ConfigFile, exit};

/// Prints the effective configuration, or what is wrong with it.
pub(crate) fn run(file: &ConfigFile) -> ExitCode {
    match ConfigSource::file(file.config.clone()).load() {
        Ok(config) => {
            print!("{}", config.effective());
            for warning in config.warnings() {
                eprintln!("warning: {warning}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => exit::fail(exit::USAGE, &error),
    }
}
