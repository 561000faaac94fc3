//! `deliveries`: lists, shows and replays webhook deliveries.

use std::process::ExitCode;

use cii_exporter::{
    config::{Config, Needs},
    daemon,
    domain::Timestamp,
    ingest::{Intake, Meters, ReplayError},
    store::{self, DeliveryRecord, KeptDelivery, Reader},
    web::json,
};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    config_file::ConfigFile,
    error::CommandError,
    finish::finish,
    keeper::{self, Keeper},
    table::{sanitize, table},
};

/// What to do with deliveries; without a word, list them.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show a delivery with its body.
    Show(Show),
    /// Parse and record a delivery again, dated as it first came.
    ///
    /// One that was refused and is understood now is recorded; one that was taken
    /// is a duplicate, and one that was filtered out counts if its check is wanted now.
    Replay(Replay),
}

/// `deliveries`
#[derive(Debug, Args)]
struct List {
    /// Only what was refused: 400, 413, 415 and 503. What came without a valid
    /// secret is counted and never listed.
    #[arg(long)]
    refused: bool,
    /// Deliveries at most, the newest first.
    #[arg(long, value_name = "COUNT", default_value_t = 50,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000))]
    limit: usize,
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// `deliveries show`
#[derive(Debug, Args)]
struct Show {
    /// The delivery's number, or the id of its envelope.
    id: String,
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// `deliveries replay`
#[derive(Debug, Args)]
struct Replay {
    /// The delivery's number, or the id of its envelope.
    id: String,
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the command.
pub(crate) fn run(options: Options) -> ExitCode {
    finish(async move {
        match options.action {
            None => list(&options.list).await,
            Some(Action::Show(options)) => show(&options),
            Some(Action::Replay(options)) => replay(&options).await,
        }
    })
}

async fn list(options: &List) -> Result<ExitCode, CommandError> {
    let config = options.file.load(Needs::NOTHING)?;
    let deliveries = match ask_daemon(&config, options).await? {
        Some(deliveries) => deliveries,
        None => keeper::read_store(&config, |reader| {
            Ok(reader.deliveries(options.refused.then_some(true), i64::MAX, options.limit)?)
        })?,
    };
    if options.json {
        let deliveries: Vec<_> = deliveries.into_iter().map(json::Delivery::from).collect();
        say!("{:#}", json!({ "deliveries": deliveries }));
    } else if deliveries.is_empty() {
        let sort = if options.refused { "refused" } else { "received" };
        say!("No delivery was {sort}.");
    } else {
        let header = ["number", "when", "status", "result", "check", "users", "new", "reason"];
        say!("{}", table(&header, deliveries.iter().map(delivery_row)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Requests the list from a running daemon, which also has the refused deliveries in memory. `None`
/// when no daemon answers.
async fn ask_daemon(
    config: &Config,
    options: &List,
) -> Result<Option<Vec<KeptDelivery>>, CommandError> {
    let Some(url) = store::holder_url(&config.store.place) else { return Ok(None) };
    let limit = options.limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    if options.refused {
        query.push(("refused", "true"));
    }
    match keeper::ask_daemon_with(&url, Method::GET, &["deliveries"], &query, None).await {
        Ok((200, mut body)) => {
            let list = serde_json::from_value::<Vec<json::Delivery>>(body["deliveries"].take());
            list.map(|list| Some(list.into_iter().map(KeptDelivery::from).collect())).map_err(
                |_| CommandError::Daemon {
                    url,
                    reason: "its list cannot be read; is it of another version?".to_owned(),
                },
            )
        }
        Ok((_, body)) => Err(keeper::refusal_error(&body)),
        // The URL of a killed daemon stays in the lock file; the database can still be read.
        Err(_) => Ok(None),
    }
}

fn format_time(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn delivery_row(delivery: &KeptDelivery) -> Vec<String> {
    let number = delivery.number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    vec![
        number,
        format_time(delivery.received_at),
        delivery.status.to_string(),
        delivery.result.clone(),
        delivery.check_id.clone().unwrap_or_else(|| "-".to_owned()),
        delivery.users_failing.to_string(),
        delivery.users_newly_failing.to_string(),
        remarks(delivery).join("\n"),
    ]
}

/// Why the delivery changed nothing, and other remarks.
fn remarks(delivery: &KeptDelivery) -> Vec<String> {
    let mut remarks: Vec<_> = delivery.reason.iter().cloned().collect();
    if delivery.logins_skipped > 0 {
        remarks.push(format!("logins that cannot be used: {}", delivery.logins_skipped));
    }
    if let Some(at) = delivery.last_repeat_at {
        remarks.push(format!("came again, last {} (in all {})", format_time(at), delivery.repeats));
    }
    if let Some(number) = delivery.replayed_as {
        remarks.push(format!("replayed as delivery {number}"));
    }
    if delivery.number.is_none() {
        remarks.push("in memory only: the store could not keep it".to_owned());
    }
    remarks
}

fn show(options: &Show) -> Result<ExitCode, CommandError> {
    let config = options.file.load(Needs::NOTHING)?;
    let record = keeper::read_store(&config, |reader| {
        let number = find_number(reader, &options.id)?;
        reader.delivery(number)?.ok_or_else(|| unknown_delivery(&options.id))
    })?;
    if options.json {
        say!("{:#}", json!(json::DeliveryRecord::from(record)));
        return Ok(ExitCode::SUCCESS);
    }
    say!("{}", table(&[], delivery_fields(&record)));
    match &record.body {
        None => say!("\nNo body is kept."),
        Some(body) => {
            let kept = body.len();
            let note = match (record.body_is_packed, record.body_is_cut) {
                (true, _) => ", gzip that could not be unpacked",
                (_, true) => ", cut",
                _ => "",
            };
            say!("\nBody ({kept} bytes{note}):\n{}", sanitize(&String::from_utf8_lossy(body)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn delivery_fields(record: &DeliveryRecord) -> Vec<Vec<String>> {
    let kept = &record.kept;
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let moment = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), format_time);
    let size = kept.size.map_or_else(|| "-".to_owned(), |size| format!("{size} bytes"));
    let number = kept.number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    [
        ("number", number),
        ("received", format_time(kept.received_at)),
        ("answer", format!("{} {}", kept.status, kept.result)),
        ("remarks", remarks(kept).join("\n")),
        ("id", text(&kept.id)),
        ("time", moment(kept.sent_at)),
        ("published", moment(kept.published_at)),
        ("detail-type", text(&kept.detail_type)),
        ("source", text(&kept.source)),
        ("account", text(&kept.account)),
        ("region", text(&kept.region)),
        ("detail.id", text(&kept.detail_id)),
        ("check", text(&kept.check_id)),
        ("title", text(&kept.title)),
        ("severity", text(&kept.severity)),
        ("users", kept.users_failing.to_string()),
        ("newly failing", kept.users_newly_failing.to_string()),
        ("known before", record.known_users.join("\n")),
        ("cleared by a newer answer", record.cleared_users.join("\n")),
        ("notes", kept.notes.join("\n")),
        ("size", size),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| vec![name.to_owned(), value])
    .collect()
}

async fn replay(options: &Replay) -> Result<ExitCode, CommandError> {
    let config = options.file.load(Needs::NOTHING)?;
    let answer = match Keeper::find(&config)? {
        Keeper::Database(store, writer) => {
            let id = options.id.clone();
            let intake = Intake::new(store.clone(), Meters::new()?);
            let rules = daemon::delivery_rules(&config);
            let replayed = match store.read(move |reader| Ok(find_number(reader, &id))).await? {
                Ok(number) => intake
                    .replay(number, &rules, config.webhook.max_body_bytes)
                    .await
                    .map_err(|error: ReplayError| CommandError::Refused(error.to_string())),
                Err(error) => Err(error),
            };
            drop((intake, store));
            writer.stop().await;
            let replayed = replayed?;
            json!({
                "result": replayed.result,
                "number": replayed.number,
                "users_newly_failing": replayed.newly_failing,
                "reason": replayed.reason,
            })
        }
        Keeper::Daemon(url) => {
            let path = ["deliveries", options.id.as_str(), "replay"];
            match keeper::ask_daemon(&url, Method::POST, &path, None).await? {
                (200, body) => body,
                (_, body) => return Err(keeper::refusal_error(&body)),
            }
        }
    };
    print_replay(&options.id, &answer)
}

/// Prints the result of a replay.
fn print_replay(id: &str, answer: &Value) -> Result<ExitCode, CommandError> {
    let reason = answer["reason"].as_str().unwrap_or_default();
    let number = &answer["number"];
    match answer["result"].as_str().unwrap_or_default() {
        "refused" => {
            return Err(CommandError::Refused(format!("delivery {id} is refused again: {reason}")));
        }
        "duplicate" => {
            say!("delivery {id} changes nothing: {reason}");
        }
        result => {
            let newly = answer["users_newly_failing"].as_u64().unwrap_or_default();
            let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            say!(
                "delivery {id} is {result} as delivery {number}; users newly failing: {newly}{reason}"
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Finds a delivery's number by the number itself or by the id of the envelope.
fn find_number(reader: &Reader, id: &str) -> Result<i64, CommandError> {
    if let Ok(number) = id.parse() {
        return Ok(number);
    }
    reader.delivery_number(id)?.ok_or_else(|| unknown_delivery(id))
}

fn unknown_delivery(id: &str) -> CommandError {
    CommandError::Refused(format!(
        "there is no delivery {id}; `cii-exporter deliveries` lists them"
    ))
}
