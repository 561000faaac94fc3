//! The command line. Each subcommand has its arguments and its code in one module.

// First, because a macro is visible only in the modules after it.
#[macro_use]
mod print;

mod api;
mod card;
mod check_config;
mod checks;
mod config_file;
mod db;
mod deliveries;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod error;
mod export;
mod finish;
mod health;
mod init;
mod ip;
mod keeper;
mod moment;
mod otlp;
mod purge;
mod report;
mod run;
mod signal;
mod store_copy;
mod table;
mod user;
mod watch;
mod webhook;
mod webhook_test;

use std::process::ExitCode;

use cii_exporter::build_info;
use clap::{Parser, Subcommand, error::ErrorKind};

use self::config_file::ConfigFile;
use crate::exit;

/// Brings what Cisco Identity Intelligence knows to Prometheus and OTLP.
///
/// Receives the service's webhooks, asks it about watched users and IP addresses,
/// keeps snapshots and events in SQLite or
/// PostgreSQL, shows metrics at /metrics, and sends
/// every event to an OTLP collector.
///
/// Every setting can be given as an environment variable: `CII_EXPORTER_` and the
/// setting's path in capitals, joined by two underscores, such as
/// `CII_EXPORTER_OPS__LISTEN=127.0.0.1:9847`.
///
/// Exit codes: 0 ended as told; 64 usage or configuration; 1 could not start, or
/// the service said no; 70 a part ended by itself.
#[derive(Debug, Parser)]
#[command(name = "cii-exporter", version = build_info::VERSION, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the daemon until SIGTERM or Ctrl-C. SIGHUP reads the configuration again.
    Run(ConfigFile),
    /// Say what is wrong with a configuration, or print what it comes to.
    ///
    /// The effective configuration is printed with the origin of every value;
    /// secrets are hidden. Nothing is started, and nothing is contacted without --connect.
    CheckConfig(check_config::Options),
    /// Try everything that can be tried on a machine that is set up.
    ///
    /// A line each, with what to do: token, ping and rights of the API client, clock,
    /// webhook (it is sent a test message), OTLP collector, database, disk, certificates,
    /// modes of files, the running daemon and its last scrape. No secret is printed. Exit code
    /// 1 says that something does not work.
    Doctor(doctor::Options),
    /// Set up from nothing: ask, try, write, register, wait.
    ///
    /// Writes a configuration with all its comments, and secrets in files of their owner's
    /// alone, once the API was tried. Shows what a webhook target in the console needs, registers
    /// one with --register, and waits for the test message with --wait. What is missing on
    /// the command line is asked for at a terminal.
    Init(Box<init::Options>),
    /// Ask the running daemon whether it is able, part by part.
    ///
    /// Asks over the socket beside the database, whatever the listeners want of their
    /// clients; where a PostgreSQL server has the database, at the ops listener. Exit code 0: it takes deliveries, and commits them; 1: it does not, or no
    /// daemon answers.
    Health(health::Options),
    /// Add to the watch list, take from it, or show it.
    ///
    /// Works on a running daemon, and on its database alone when none runs, or when a
    /// PostgreSQL server has it. A user is named by login, an address in any spelling; a range of addresses
    /// is refused, since the service can be asked about single ones only.
    #[command(subcommand)]
    Watch(watch::Action),
    /// Forget a check that is gone for good.
    #[command(subcommand)]
    Checks(checks::Action),
    /// Ask the service about a user now, or show what changed and when.
    ///
    /// Prints what the Okta Workflows connector's card "Get End User State"
    /// answers: status code, the user, the errors. With --history nothing is
    /// asked: the events in the database are shown.
    User(user::Options),
    /// Ask the service now who uses an IP address.
    ///
    /// Prints what the Okta Workflows connector's card "Get End Users By IP"
    /// answers: status code, the users of all pages, the errors.
    Ip(ip::Options),
    /// Show what came in over the webhook, taken or refused, or replay one of it.
    Deliveries(deliveries::Options),
    /// Register this exporter's webhook with the service, unregister it, or test it.
    #[command(subcommand)]
    Webhook(webhook::Action),
    /// Write what the log tells of the past, for other programs.
    #[command(subcommand)]
    Export(export::Action),
    /// Report what is new, resolved, open and late, for a timer or a mail.
    ///
    /// Reads the database, also while the daemon runs; nothing is asked of the service. Says
    /// first how far it can be trusted: a job that is late, or a listing that never came to its
    /// end, stands there, and what nobody looked at is never told as 0. People are named as
    /// `metrics.user_label` says.
    ///
    /// Every Monday's report as a page, and yesterday's for a chat:
    ///
    ///   cii-exporter report --since 7d --format html --output week.html
    ///
    ///   cii-exporter report --since 1d
    #[command(verbatim_doc_comment)]
    Report(report::Options),
    /// Copy the database, put a copy in its place, or look for damage in it.
    ///
    /// For a file. What a PostgreSQL server has, its own tools copy.
    #[command(subcommand)]
    Db(db::Action),
    /// Move the store from a file to PostgreSQL, and back.
    #[command(subcommand)]
    Store(store_copy::Action),
    /// Forget a person everywhere.
    ///
    /// Works on a running daemon, and on its database alone when none runs, or when a
    /// PostgreSQL server has it.
    #[command(subcommand)]
    Purge(purge::Action),
    /// Show how the OTLP delivery stands, and send events on purpose.
    #[command(subcommand)]
    Otlp(otlp::Action),
    /// Run everything against a simulated tenant; needs no configuration.
    ///
    /// Starts a simulated service, a collector and the daemon in one process
    /// with a temporary database, and tells what happens and where to look.
    /// Ctrl-C ends it and leaves nothing behind.
    #[cfg(feature = "demo")]
    Demo(demo::Options),
}

/// Parses the command line. For `--help`, `--version` and usage errors, prints the text and returns
/// the exit code.
pub(crate) fn parse_command_line() -> Result<Command, ExitCode> {
    Cli::try_parse().map(|cli| cli.command).map_err(|error| {
        // If the message cannot be written, there is no other place to report that.
        let _ = error.print();
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
            _ => ExitCode::from(exit::USAGE),
        }
    })
}

/// Runs the command.
pub(crate) fn dispatch(command: Command) -> ExitCode {
    match command {
        Command::Run(file) => run::run(&file),
        Command::CheckConfig(options) => check_config::run(&options),
        Command::Doctor(options) => doctor::run(&options),
        Command::Init(options) => init::run(*options),
        Command::Health(options) => health::run(&options),
        Command::Watch(action) => watch::run(action),
        Command::Checks(action) => checks::run(action),
        Command::User(options) => user::run(&options),
        Command::Ip(options) => ip::run(&options),
        Command::Webhook(action) => webhook::run(action),
        Command::Export(action) => export::run(action),
        Command::Report(options) => report::run(&options),
        Command::Db(action) => db::run(action),
        Command::Store(action) => store_copy::run(action),
        Command::Otlp(action) => otlp::run(action),
        Command::Purge(action) => purge::run(action),
        Command::Deliveries(options) => deliveries::run(options),
        #[cfg(feature = "demo")]
        Command::Demo(options) => demo::run(&options),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
