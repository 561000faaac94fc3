//! `otlp`: shows the state of the OTLP delivery, and sends events on request, through the running
//! daemon or directly in the database.

use std::process::ExitCode;

use cii_exporter::{
    config::{Config, Needs},
    delivery,
    domain::Timestamp,
    ledger::change::BeginOtlp,
    store::{self, Reader, Store},
    web::json::OtlpStanding,
};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    config_file::ConfigFile,
    error::CommandError,
    finish::finish,
    keeper::{self, Keeper},
    moment,
    table::table,
};

/// What to do with the OTLP delivery.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Show what waits for the collector, what is parked, and what was left out.
    Status(Status),
    /// Send parked events again.
    ///
    /// Parked are events that the collector refused while it took others. What it
    /// refuses once more is parked once more. Without a running daemon, they go
    /// with its next start.
    Retry(Retry),
    /// Send the events that happened while [otlp] was off.
    ///
    /// A delivery that is switched on begins with what happens from then on. This
    /// sends what was before, oldest first, beside what is new. Without a running
    /// daemon, it goes with its next start.
    Backfill(Backfill),
}

/// `otlp status`
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// `otlp retry`
#[derive(Debug, Args)]
pub(crate) struct Retry {
    #[command(flatten)]
    file: ConfigFile,
}

/// `otlp backfill`
#[derive(Debug, Args)]
pub(crate) struct Backfill {
    /// From when on: a moment such as 2030-01-31T18:00:00Z, or back from now such as 30d or 12h.
    #[arg(long, value_name = "MOMENT", value_parser = moment::parse_past)]
    since: Timestamp,
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the command.
pub(crate) fn run(action: Action) -> ExitCode {
    finish(async move {
        match action {
            Action::Status(options) => show_status(&options).await,
            Action::Retry(options) => retry(&options).await,
            Action::Backfill(options) => backfill(&options).await,
        }
    })
}

async fn retry(options: &Retry) -> Result<ExitCode, CommandError> {
    let events = send_on_request(&options.file, None).await?;
    match events {
        0 => say!("No event is parked; nothing is sent again."),
        events => say!("{events} parked events are sent again."),
    }
    Ok(ExitCode::SUCCESS)
}

async fn backfill(options: &Backfill) -> Result<ExitCode, CommandError> {
    let events = send_on_request(&options.file, Some(options.since)).await?;
    let since = options.since.format("%Y-%m-%d %H:%M:%SZ");
    match events {
        0 => say!("No event was left out since {since}; nothing is sent."),
        events => say!("{events} events that were left out since {since} are sent."),
    }
    Ok(ExitCode::SUCCESS)
}

/// Queues the parked events, or with `since` those that were left out. Returns their number.
async fn send_on_request(file: &ConfigFile, since: Option<Timestamp>) -> Result<u64, CommandError> {
    let config = file.load(Needs::NOTHING)?;
    match Keeper::find(&config)? {
        Keeper::Database(store, writer) => {
            let events = if config.otlp.is_some() {
                send_from_file(&store, since).await
            } else {
                let reason = "the configuration has no [otlp], and OTEL_EXPORTER_OTLP_ENDPOINT is \
                              not set; nothing would be sent";
                Err(CommandError::Refused(reason.to_owned()))
            };
            drop(store);
            writer.stop().await;
            events
        }
        Keeper::Daemon(url) => {
            let (action, body) = match since {
                None => ("retry", None),
                Some(since) => ("backfill", Some(json!({ "since": since }))),
            };
            match keeper::ask_daemon(&url, Method::POST, &["otlp", action], body.as_ref()).await? {
                (200, body) => Ok(body["events"].as_u64().unwrap_or(0)),
                (_, body) => Err(keeper::refusal_error(&body)),
            }
        }
    }
}

async fn send_from_file(store: &Store, since: Option<Timestamp>) -> Result<u64, CommandError> {
    // As at the next start: events from the time while `[otlp]` was off are first marked as left
    // out.
    let left_out = store.commit(BeginOtlp { is_on: true }).await?;
    Ok(match since {
        None => {
            if left_out > 0 {
                eprintln!(
                    "{left_out} events that happened while [otlp] was off are left out; \
                     `cii-exporter otlp backfill --since 30d` sends them"
                );
            }
            delivery::send_parked(store).await?
        }
        Some(since) => delivery::send_left_out(store, since).await?,
    })
}

async fn show_status(options: &Status) -> Result<ExitCode, CommandError> {
    let config = options.file.load(Needs::NOTHING)?;
    // Only a running daemon knows the current outage; the database has the rest.
    let status = match store::holder_url(&config.store.place) {
        Some(url) => keeper::ask_daemon(&url, Method::GET, &["otlp"], None).await.ok(),
        None => None,
    };
    let status = match status {
        Some((200, status)) => status,
        _ => status_from_file(&config)?,
    };
    if options.json {
        say!("{status:#}");
        return Ok(ExitCode::SUCCESS);
    }
    let rows = status.as_object().into_iter().flatten().map(|(name, value)| {
        let value = match value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            Value::Object(outage) => {
                let text = |name: &str| outage.get(name).and_then(Value::as_str).unwrap_or("-");
                format!("{} since {}: {}", text("reason"), text("since"), text("cause"))
            }
            other => other.to_string(),
        };
        vec![name.replace('_', " "), value]
    });
    say!("{}", table(&[], rows));
    Ok(ExitCode::SUCCESS)
}

/// Reads the state from the database, in the form of the daemon's answer.
fn status_from_file(config: &Config) -> Result<Value, CommandError> {
    let read = |reader: &Reader| Ok(reader.otlp_standing(config.otlp.is_some())?);
    let mut status = json!(OtlpStanding::from(keeper::read_store(config, read)?));
    status["outage"] = Value::Null;
    Ok(status)
}
