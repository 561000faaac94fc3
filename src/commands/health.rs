//! `health`: asks the running daemon for its readiness.

use std::{process::ExitCode, time::Duration};

use cii_exporter::config::{Needs, StorePlace};
use clap::Args;
use serde_json::Value;

use super::{config_file::ConfigFile, error::CommandError, finish::finish, keeper};
use crate::exit;

/// Time limit of the answer: below the 5 s of the image's health check.
const PATIENCE: Duration = Duration::from_secs(4);

/// The parts of an answer, in the order in which a delivery passes them.
const PARTS: [&str; 5] = ["daemon", "store_writes", "store_reads", "api", "otlp"];

/// `health`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Ask only whether it answers, not whether it is able to do its work.
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> ExitCode {
    finish(async move {
        let config = options.file.load(Needs::NOTHING)?;
        let place = &config.store.place;
        let daemon = keeper::daemon_url(&config).ok_or_else(|| {
            CommandError::Refused(match place {
                StorePlace::File(_) => format!("no daemon runs on {place}"),
                StorePlace::Server(_) => {
                    "nobody knows the port of the daemon: ops.listen has port \
                                          0, and it is not the database that tells"
                        .to_owned()
                }
            })
        })?;
        let question = if options.live { "healthy" } else { "ready" };
        let asked = keeper::probe_daemon(&daemon, question);
        let (status, answer) = tokio::time::timeout(PATIENCE, asked).await.map_err(|_| {
            let reason = format!("nothing came within {} s", PATIENCE.as_secs());
            CommandError::Daemon { url: daemon.clone(), reason }
        })??;
        // A daemon that requires a user or a certificate is alive, but does not return its state
        // without them.
        let is_closed = matches!(status, 401 | 403);
        if is_closed && !options.live {
            return Err(CommandError::Refused(format!(
                "the daemon at {daemon} tells its users alone how it does (ops.web_config); ask \
                 its /-/ready as one of them"
            )));
        }
        let is_well = status == 200 || is_closed;
        if options.live && is_well {
            say!("healthy");
        }
        for part in PARTS {
            if let Some(line) = part_line(part, &answer[part]) {
                say!("{line}");
            }
        }
        Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(exit::START_FAILED) })
    })
}

/// The line of a part; `None` when the answer does not contain it.
fn part_line(name: &str, part: &Value) -> Option<String> {
    let state = part["state"].as_str()?;
    let reason = part["reason"].as_str().filter(|reason| *reason != state);
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    Some(format!("{:<12} {state}{reason}", name.replace('_', " ")))
}
