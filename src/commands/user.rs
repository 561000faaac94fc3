//! `user`: requests the card "Get End User State", or prints a user's history.

use std::process::ExitCode;

use cii_exporter::{
    config::Needs,
    domain::Login,
    store::{EventFilter, Reader, StoreError, StoredEvent},
    web::json::Attributes,
};
use clap::Args;
use serde_json::{Value, json};

use super::{
    api,
    card::{exit_code, format_value, print_errors},
    config_file::ConfigFile,
    error::CommandError,
    finish::finish,
    keeper,
    table::{sanitize, table},
};

/// Whom to ask about, and how to tell.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The login; an e-mail address in any case.
    login: String,
    /// Show what changed and when, from the database; the service is not asked.
    #[arg(long)]
    history: bool,
    /// Events of the history at most, the newest first.
    #[arg(long, value_name = "COUNT", default_value_t = 100, requires = "history",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    limit: usize,
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> ExitCode {
    finish(async {
        let login =
            Login::new(&options.login).map_err(|error| CommandError::Usage(error.to_string()))?;
        if options.history {
            show_history(options, &login)
        } else {
            ask_service(options, &login).await
        }
    })
}

async fn ask_service(options: &Options, login: &Login) -> Result<ExitCode, CommandError> {
    let (config, _, client) = api::load_client(&options.file, Needs::API)?;
    // The request uses the service's spelling of the login; without a database, that of the command
    // line.
    let known = Reader::open_at(&config.store.place)
        .and_then(|reader| reader.with_known_spelling(login.clone()));
    let login = &known.unwrap_or_else(|_| login.clone());
    let mut card = client.fetch_user_card(login).await?;
    // For an unknown user no second request is needed.
    let mut checks = Value::Null;
    if card.data.is_object() {
        let failing = client.fetch_failing_checks_card(login).await?;
        checks = failing.data;
        card.errors.extend(failing.errors);
    }
    if options.json {
        let mut object = json!(card);
        object["failingChecks"] = checks;
        say!("{object:#}");
    } else {
        say!("status code  {}", card.status_code);
        if let Value::Object(user) = &card.data {
            let rows = user.iter().map(|(name, value)| vec![name.clone(), format_value(value)]);
            let failing =
                if checks.is_null() { "not told".to_owned() } else { format_value(&checks) };
            let rows = rows.chain([vec!["failingChecks".to_owned(), failing]]);
            say!("{}", table(&[], rows));
        }
        print_errors(&card);
    }
    Ok(exit_code(&card))
}

fn show_history(options: &Options, login: &Login) -> Result<ExitCode, CommandError> {
    let config = options.file.load(Needs::NOTHING)?;
    let events = keeper::read_store(&config, |reader| {
        Ok(read_newest_events(reader, login, options.limit)?)
    })?;
    if options.json {
        let events: Vec<_> = events.iter().map(event_object).collect();
        say!("{:#}", json!({ "events": events }));
    } else if events.is_empty() {
        say!("Nothing is known to have happened to {}.", sanitize(login.spelling()));
    } else {
        let row = |stored: &StoredEvent| {
            let at = stored.event.happened_at.format("%Y-%m-%d %H:%M:%SZ").to_string();
            vec![at, stored.event.name.as_str().to_owned(), stored.event.sentence().into_owned()]
        };
        say!("{}", table(&["when", "event", "what"], events.iter().map(row)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the newest events about a user, the newest first.
fn read_newest_events(
    reader: &Reader,
    login: &Login,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let filter = EventFilter { login: Some(login.as_str().to_owned()), ..EventFilter::default() };
    let (mut events, mut cursor) = (Vec::new(), i64::MAX);
    loop {
        let page = reader.events_before(&filter, cursor, limit - events.len())?;
        events.extend(page.events);
        if events.len() >= limit || !page.has_more {
            return Ok(events);
        }
        cursor = page.cursor;
    }
}

fn event_object(stored: &StoredEvent) -> Value {
    json!({
        "uid": stored.uid,
        "name": stored.event.name.as_str(),
        "happened_at": stored.event.happened_at,
        "observed_at": stored.event.observed_at,
        "body": stored.event.sentence(),
        "attributes": Attributes::from(stored.event.clone().take_attributes()),
    })
}
