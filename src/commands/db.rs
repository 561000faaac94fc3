//! `db`: backs up, checks and restores the database file.

use std::{path::PathBuf, process::ExitCode};

use cii_exporter::{
    config::{Needs, StorePlace},
    store,
};
use clap::{Args, Subcommand};

use super::{config_file::ConfigFile, error::CommandError, finish::finish};
use crate::exit;

/// What to do with the database.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Make a copy of the database, also while the daemon runs.
    ///
    /// The copy is of one moment, and its owner's alone to read. A file that exists is never
    /// replaced.
    Backup(Backup),
    /// Look for damage in the database, also while the daemon runs.
    ///
    /// Exit code 0 says that there is none, 1 that there is, or that it cannot be read.
    Check(ConfigFile),
    /// Put a copy in the place of the database, while no daemon runs.
    ///
    /// The copy is looked at first. The former database is kept beside the new one. What came
    /// after the copy was made is not in it: events get other numbers and ids from then on.
    Restore(Restore),
}

/// `db backup`
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to make.
    to: PathBuf,
    #[command(flatten)]
    file: ConfigFile,
}

/// `db restore`
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The copy.
    from: PathBuf,
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the command.
pub(crate) fn run(action: Action) -> ExitCode {
    finish(async move {
        match action {
            Action::Backup(options) => back_up(&options),
            Action::Check(file) => check_database(&file),
            Action::Restore(options) => restore(&options),
        }
    })
}

/// Returns the database's file. For a database on a server, the error names the tool to use
/// instead.
fn database_file(options: &ConfigFile, instead: &str) -> Result<PathBuf, CommandError> {
    match options.load(Needs::NOTHING)?.store.place {
        StorePlace::File(path) => Ok(path),
        place @ StorePlace::Server(_) => Err(CommandError::Usage(format!(
            "{place} is on a server, and this command is for files: {instead}; see \
             docs/high-availability.md"
        ))),
    }
}

fn back_up(options: &Backup) -> Result<ExitCode, CommandError> {
    let database = database_file(&options.file, "pg_dump --format=custom makes a copy")?;
    let bytes =
        store::back_up(&database, &options.to).map_err(|error| error.with_remedy(&database))?;
    say!("{} has a copy of {} ({bytes} bytes)", options.to.display(), database.display());
    Ok(ExitCode::SUCCESS)
}

fn check_database(options: &ConfigFile) -> Result<ExitCode, CommandError> {
    let database = database_file(options, "pg_amcheck looks for damage")?;
    let problems = store::inspect(&database).map_err(|error| error.with_remedy(&database))?;
    if problems.is_empty() {
        say!("{} is whole", database.display());
        return Ok(ExitCode::SUCCESS);
    }
    for problem in &problems {
        say!("{problem}");
    }
    let error = format!(
        "{} is damaged; stop the daemon, and put a copy there with `cii-exporter db restore FILE`",
        database.display()
    );
    Ok(exit::fail(exit::START_FAILED, &error))
}

fn restore(options: &Restore) -> Result<ExitCode, CommandError> {
    let instead = "with all daemons stopped, pg_restore --clean puts a copy there";
    let database = database_file(&options.file, instead)?;
    let former = store::restore(&options.from, &database)
        .map_err(|error| error.with_remedy(&options.from))?;
    say!("{} is what {} has", database.display(), options.from.display());
    if let Some(former) = former {
        say!("the former database is {}", former.display());
    }
    Ok(ExitCode::SUCCESS)
}
