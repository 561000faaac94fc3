//! `health`: whether the running daemon lives, and how its parts do.

use std::{process::ExitCode, time::Duration};

use cii_exporter::{config::Needs, store};
use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::{config_file::ConfigFile, error::CommandError, finish::finish, keeper};
use crate::exit;

/// How long the daemon may take: less than the five seconds of the image's health check.
const PATIENCE: Duration = Duration::from_secs(4);

/// The parts of an answer, in the order of the road that a delivery takes.
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

/// Does what the command line says.
pub(crate) fn run(options: &Options) -> ExitCode {
    finish(async move {
        let config = options.file.load(Needs::NOTHING)?;
        let database = &config.store.path;
        let daemon = store::holder(database).ok_or_else(|| {
            CommandError::Refused(format!("no daemon runs on {}", database.display()))
        })?;
        let question = if options.live { "healthy" } else { "ready" };
        let path = ["-", question];
        let asked = keeper::ask_at(&daemon, Method::GET, &path, &[], None);
        let (status, answer) = tokio::time::timeout(PATIENCE, asked).await.map_err(|_| {
            let reason = format!("nothing came within {} s", PATIENCE.as_secs());
            CommandError::Daemon { url: daemon.clone(), reason }
        })??;
        if options.live && status == 200 {
            say!("healthy");
        }
        for part in PARTS {
            if let Some(line) = line(part, &answer[part]) {
                say!("{line}");
            }
        }
        Ok(if status == 200 { ExitCode::SUCCESS } else { ExitCode::from(exit::START_FAILED) })
    })
}

/// What is said of a part; nothing of one that the answer does not have.
fn line(name: &str, part: &Value) -> Option<String> {
    let state = part["state"].as_str()?;
    let reason = part["reason"].as_str().filter(|reason| *reason != state);
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    Some(format!("{:<12} {state}{reason}", name.replace('_', " ")))
}
