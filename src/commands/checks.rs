//! `checks`: removes checks, through the running daemon or directly in the database.

use std::process::ExitCode;

use cii_exporter::{
    config::Needs,
    domain::CheckId,
    ledger::change::{CheckForgotten, ForgetCheck},
    store::FORGOTTEN_AT_ONCE,
};
use clap::{Args, Subcommand};
use reqwest::Method;

use super::{
    config_file::ConfigFile,
    error::CommandError,
    finish::finish,
    keeper::{self, Keeper},
};

/// What to do with checks.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Forget a check that is gone for good: its open failures, totals and series go.
    ///
    /// Nothing is resolved thereby, and events stay in the log. A check that a delivery or
    /// an answer names later begins anew.
    Forget(Forget),
}

/// `checks forget`
#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// The check's id, as the label `check_id` has it.
    id: String,
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the command.
pub(crate) fn run(action: Action) -> ExitCode {
    finish(async move {
        match action {
            Action::Forget(options) => forget_check(options).await,
        }
    })
}

async fn forget_check(options: Forget) -> Result<ExitCode, CommandError> {
    let id = CheckId::new(&options.id)
        .ok_or_else(|| CommandError::Usage("a check's id must not be empty".to_owned()))?;
    let config = options.file.load(Needs::NOTHING)?;
    match Keeper::find(&config)? {
        Keeper::Database(store, writer) => {
            // One commit removes a bounded number of rows.
            let forgotten = loop {
                let forget = ForgetCheck { id: id.clone(), limit: FORGOTTEN_AT_ONCE };
                match store.commit(forget).await {
                    Ok(CheckForgotten::Partly) => {}
                    other => break other,
                }
            };
            drop(store);
            writer.stop().await;
            match forgotten? {
                CheckForgotten::Entirely | CheckForgotten::Partly => {}
                CheckForgotten::Configured => {
                    let reason = format!(
                        "the configuration gives the check {id} a title; take it out of [checks] \
                         there"
                    );
                    return Err(CommandError::Refused(reason));
                }
                CheckForgotten::Unknown => {
                    return Err(CommandError::Refused(format!("there is no check {id}")));
                }
            }
        }
        Keeper::Daemon(url) => {
            let path = ["checks", id.as_str()];
            let (status, body) = keeper::ask_daemon(&url, Method::DELETE, &path, None).await?;
            if status != 200 {
                return Err(keeper::refusal_error(&body));
            }
        }
    }
    say!("{id} is forgotten");
    Ok(ExitCode::SUCCESS)
}
