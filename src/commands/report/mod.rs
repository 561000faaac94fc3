//! `report`: writes new, resolved, open and overdue failures of a period, for a timer or a mail.

mod gather;
mod happenings;
mod html;
mod knowledge;
mod markdown;
mod model;
mod sentences;
#[cfg(test)]
mod tests;
mod words;

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    process::ExitCode,
};

use cii_exporter::{clock, config::Needs, domain::Timestamp};
use clap::{Args, ValueEnum};

use super::{config_file::ConfigFile, error::CommandError, finish::finish, keeper, moment};

/// How the report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For chat and tickets.
    Markdown,
    /// For programs.
    Json,
    /// One page without anything from elsewhere, for a mail.
    Html,
}

/// What to report, and how.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// From when on: so long ago such as 7d, or a moment such as 2026-01-31T18:00:00Z.
    #[arg(long, value_name = "MOMENT", default_value = "7d", value_parser = moment::parse_past)]
    since: Timestamp,
    /// How it is written.
    #[arg(long, value_enum, default_value = "markdown")]
    format: Format,
    /// The file to write, instead of standard output; one that exists is replaced.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> ExitCode {
    finish(async { write_report(options) })
}

fn write_report(options: &Options) -> Result<ExitCode, CommandError> {
    let config = options.file.load(Needs::PEOPLE)?;
    let report = keeper::read_store(&config, |reader| {
        Ok(gather::gather_report(&config, reader, options.since, clock::now())?)
    })?;
    let text = match options.format {
        Format::Markdown => markdown::render(&report),
        Format::Json => format!("{:#}\n", serde_json::json!(report)),
        Format::Html => html::render(&report),
    };
    let failed = |target: String| |source| CommandError::Output { target, source };
    match &options.output {
        None => io::stdout()
            .lock()
            .write_all(text.as_bytes())
            .map_err(failed("standard output".to_owned()))?,
        Some(path) => replace_file(path, &text).map_err(failed(path.display().to_string()))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file that only its owner can read, because it names users. An existing file is replaced
/// atomically, so that a reader never sees half of one.
fn replace_file(path: &PathBuf, text: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    // A leftover or planted file would keep its mode, or redirect the write through a symbolic
    // link.
    if let Err(error) = std::fs::remove_file(&new)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}
