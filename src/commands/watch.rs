//! `watch`: changes and prints the watch list, through the running daemon or directly in the
//! database.

use std::process::ExitCode;

use cii_exporter::{
    clock,
    config::{Config, Needs, StorePlace},
    daemon,
    domain::{Timestamp, WatchSubject},
    ledger::change::{AddWatch, RemoveWatch, WatchAdded, WatchRemoved},
    store::Watched,
    web::json,
};
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::json;

use super::{
    config_file::ConfigFile,
    error::CommandError,
    finish::finish,
    keeper::{self, Keeper},
    moment,
    table::{sanitize, table},
};

/// What to do with the watch list.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Watch a user or an address from now on.
    ///
    /// Of what is watched already, note and expiry stay unless they are given; an empty note
    /// takes the note away.
    Add(Add),
    /// Watch a user or an address no longer. What the configuration names stays.
    Remove(Remove),
    /// Show what is watched: why, since when, until when, and how polls end.
    List(List),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    User,
    Ip,
}

/// What is watched.
#[derive(Debug, Args)]
struct Subject {
    /// What it is.
    kind: Kind,
    /// The login, or the address in any spelling.
    subject: String,
}

/// `watch add`
#[derive(Debug, Args)]
pub(crate) struct Add {
    #[command(flatten)]
    subject: Subject,
    /// Why, in your words.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Until when: a moment such as 2030-01-31T18:00:00Z, or from now on such as 30d or 12h.
    #[arg(long, value_name = "MOMENT", value_parser = moment::parse_future)]
    expires: Option<Timestamp>,
    #[command(flatten)]
    file: ConfigFile,
}

/// `watch remove`
#[derive(Debug, Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    file: ConfigFile,
}

/// `watch list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the command.
pub(crate) fn run(action: Action) -> ExitCode {
    finish(async move {
        match action {
            Action::Add(options) => add(options).await,
            Action::Remove(options) => remove(options).await,
            Action::List(options) => list(&options),
        }
    })
}

impl Subject {
    fn parse(&self) -> Result<WatchSubject, CommandError> {
        let kind = match self.kind {
            Kind::User => "user",
            Kind::Ip => "ip",
        };
        WatchSubject::parse(kind, &self.subject)
            .map_err(|error| CommandError::Usage(error.to_string()))
    }
}

async fn add(options: Add) -> Result<ExitCode, CommandError> {
    let subject = options.subject.parse()?;
    let config = options.file.load(Needs::NOTHING)?;
    let text = subject.to_string();
    let (is_new, when) = match Keeper::find(&config)? {
        Keeper::Database(store, writer) => {
            let kind = subject.kind();
            let most = daemon::delivery_rules(&config).policy.limit_for(&subject);
            let (note, expires_at) = (options.note, options.expires);
            let add = AddWatch { subject, note, expires_at, most, at: clock::now() };
            let added = store.commit(add).await;
            drop(store);
            writer.stop().await;
            let is_new = match added? {
                WatchAdded::Added => true,
                WatchAdded::Known => false,
                WatchAdded::Full => {
                    let reason = format!("watch.max_{kind}s allows {most}, and so many are listed");
                    return Err(CommandError::Refused(reason));
                }
            };
            (is_new, poll_time_without_daemon(&config).to_owned())
        }
        Keeper::Daemon(url) => {
            let body = json!({
                "kind": subject.kind(),
                "subject": text,
                "note": options.note,
                "expires_at": options.expires,
            });
            let is_new =
                match keeper::ask_daemon(&url, Method::POST, &["watch"], Some(&body)).await? {
                    (201, _) => true,
                    (200, _) => false,
                    (_, body) => return Err(keeper::refusal_error(&body)),
                };
            (is_new, poll_time_with_daemon(&url).await)
        }
    };
    if is_new {
        say!("{text} is watched; {when}");
    } else {
        say!("{text} was watched already; note and expiry stay unless given now");
    }
    Ok(ExitCode::SUCCESS)
}

/// The sentence for a new entry when there is no `[api]`.
const NO_API: &str = "nobody asks about it, since the configuration has no [api]";

/// When a new entry is polled that was added without a daemon.
const fn poll_time_without_daemon(config: &Config) -> &'static str {
    match (&config.api, &config.store.place) {
        (Some(_), StorePlace::File(_)) => "no daemon runs: it is asked about once one does",
        (Some(_), StorePlace::Server(_)) => {
            "the daemon that asks the service asks about it, once one runs"
        }
        (None, _) => NO_API,
    }
}

/// When the daemon polls a new entry, by its readiness of the API.
async fn poll_time_with_daemon(daemon: &str) -> String {
    let asked = keeper::probe_daemon(daemon, "ready").await;
    let api = asked.map(|(_, condition)| condition["api"].clone()).unwrap_or_default();
    match api["state"].as_str() {
        Some("ok") => "the daemon asks about it at once".to_owned(),
        Some("off") => NO_API.to_owned(),
        _ => {
            let reason = api["reason"].as_str().map_or("no reason is known", |reason| reason);
            format!(
                "the service did not answer as it should last time ({}): it is asked about once \
                 it does",
                sanitize(reason)
            )
        }
    }
}

async fn remove(options: Remove) -> Result<ExitCode, CommandError> {
    let subject = options.subject.parse()?;
    let config = options.file.load(Needs::NOTHING)?;
    let text = subject.to_string();
    match Keeper::find(&config)? {
        Keeper::Database(store, writer) => {
            let removed = store.commit(RemoveWatch { subject, at: clock::now() }).await;
            drop(store);
            writer.stop().await;
            match removed? {
                WatchRemoved::Removed => {}
                WatchRemoved::Configured => {
                    let reason =
                        format!("the configuration watches {text}; take it out of [watch] there");
                    return Err(CommandError::Refused(reason));
                }
                WatchRemoved::Unknown => {
                    return Err(CommandError::Refused(format!("{text} is not watched")));
                }
            }
        }
        Keeper::Daemon(url) => {
            let path = ["watch", subject.kind(), &text];
            let (status, body) = keeper::ask_daemon(&url, Method::DELETE, &path, None).await?;
            if status != 200 {
                return Err(keeper::refusal_error(&body));
            }
        }
    }
    say!("{text} is watched no longer");
    Ok(ExitCode::SUCCESS)
}

/// Lists the entries. It reads the database directly, also while a daemon has it open.
fn list(options: &List) -> Result<ExitCode, CommandError> {
    let config = options.file.load(Needs::NOTHING)?;
    let entries = keeper::read_store(&config, |reader| Ok(reader.watch_list()?))?;
    if options.json {
        let entries: Vec<_> = entries.into_iter().map(json::Watched::from).collect();
        say!("{:#}", json!({ "entries": entries }));
        return Ok(ExitCode::SUCCESS);
    }
    if entries.is_empty() {
        say!("Nothing is watched.");
        return Ok(ExitCode::SUCCESS);
    }
    let header =
        ["kind", "subject", "source", "added", "expires", "last poll", "outcome", "reason", "note"];
    say!("{}", table(&header, entries.iter().map(entry_row)));
    Ok(ExitCode::SUCCESS)
}

fn entry_row(Watched { entry, poll }: &Watched) -> Vec<String> {
    let shown = |at: Timestamp| at.format("%Y-%m-%d %H:%M:%SZ").to_string();
    vec![
        entry.subject.kind().to_owned(),
        entry.subject.to_string(),
        entry.source.as_str().to_owned(),
        shown(entry.added_at),
        entry.expires_at.map_or_else(|| "never".to_owned(), shown),
        poll.as_ref().map_or_else(|| "-".to_owned(), |poll| shown(poll.last_at)),
        poll.as_ref().map_or("-", |poll| poll.outcome.as_str()).to_owned(),
        poll.as_ref().and_then(|poll| poll.reason.clone()).unwrap_or_default(),
        entry.note.clone().unwrap_or_default(),
    ]
}
