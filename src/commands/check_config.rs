//! `check-config`: prints the problems of a configuration, or its effective settings.

use std::process::ExitCode;

use cii_exporter::{
    config::{Config, Needs},
    daemon,
};
use clap::Args;

use super::{config_file::ConfigFile, doctor, finish::finish};
use crate::exit;

/// `check-config`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Also try what the configuration names, as `doctor` does.
    #[arg(long)]
    connect: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// Prints the effective configuration, or its problems.
pub(crate) fn run(options: &Options) -> ExitCode {
    let config = match options.file.load(Needs::ALL) {
        Ok(config) => config,
        Err(error) => {
            let code = exit::fail(exit::USAGE, &error);
            eprintln!("{}", refusal_line(error.fault_count()));
            return code;
        }
    };
    say!("{}", config.effective_toml().trim_end());
    for note in config.notes() {
        eprintln!("note: {note}");
    }
    let warnings = config.warnings();
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    if let Err(error) = daemon::check_tls(&config) {
        let code = exit::fail(exit::USAGE, &error);
        eprintln!("{}", refusal_line(1));
        return code;
    }
    eprintln!("{}", verdict_line(warnings.len()));
    if options.connect { try_connections(&config) } else { ExitCode::SUCCESS }
}

/// Tries the connections as `doctor` does, and prints the findings on standard error.
fn try_connections(config: &Config) -> ExitCode {
    finish(async {
        let findings = Box::pin(doctor::examine(config, None)).await;
        for finding in &findings {
            eprintln!("{finding}");
        }
        eprintln!("{}", doctor::summary(&findings));
        Ok(doctor::exit_code(&findings))
    })
}

/// The last line for an invalid configuration.
fn refusal_line(faults: usize) -> String {
    match faults {
        1 => "the configuration cannot be used: 1 thing is wrong".to_owned(),
        _ => format!("the configuration cannot be used: {faults} things are wrong"),
    }
}

/// The last line for a valid configuration. It goes to standard error like the warnings, so that
/// standard output is a configuration file.
fn verdict_line(warnings: usize) -> String {
    match warnings {
        0 => "the configuration is good".to_owned(),
        1 => "the configuration is good, with 1 warning".to_owned(),
        _ => format!("the configuration is good, with {warnings} warnings"),
    }
}
