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
            let warnings = config.warnings();
            for warning in &warnings {
                eprintln!("warning: {warning}");
            }
            match daemon::check_tls(&config) {
                Ok(()) => {
                    eprintln!("{}", verdict(warnings.len()));
                    ExitCode::SUCCESS
                }
                Err(error) => exit::fail(exit::USAGE, &error),
            }
        }
        Err(error) => exit::fail(exit::USAGE, &error),
    }
}

/// The last line, beside the warnings: what is printed stays a configuration.
fn verdict(warnings: usize) -> String {
    match warnings {
        0 => "the configuration is good".to_owned(),
        1 => "the configuration is good, with 1 warning".to_owned(),
        _ => format!("the configuration is good, with {warnings} warnings"),
    }
}
