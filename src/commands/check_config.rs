//! `check-config`: what is wrong with a configuration, or what it comes to.

use std::process::ExitCode;

use cii_exporter::daemon;

use super::config_file::ConfigFile;
use crate::exit;

/// Prints the effective configuration, or what is wrong with it.
pub(crate) fn run(file: &ConfigFile) -> ExitCode {
    match file.load() {
        Ok(config) => {
            print!("{}", config.effective());
            for warning in config.warnings() {
                eprintln!("warning: {warning}");
            }
            match daemon::check_tls(&config) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => exit::fail(exit::USAGE, &error),
            }
        }
        Err(error) => exit::fail(exit::USAGE, &error),
    }
}
