//! `purge`: removes a user everywhere, through the running daemon or directly in the database.

use std::{
    collections::BTreeMap,
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use cii_exporter::{clock, config::Needs, domain::Login, store::Purge};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;

use super::{
    config_file::ConfigFile,
    error::CommandError,
    finish::finish,
    keeper::{self, Keeper},
    table::table,
};
use crate::logging;

/// What to purge.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Forget a person everywhere, and tell how many rows that were.
    ///
    /// Everything that is kept under the login goes, in any spelling; events, and bodies of
    /// deliveries that name others, too, are rewritten without it. Counters stay. The file is
    /// then written anew, during which deliveries wait. Copies of the database, what was sent
    /// to a collector, and what Prometheus scraped are not reached.
    User(User),
}

/// `purge user`
#[derive(Debug, Args)]
pub(crate) struct User {
    /// The login, of an e-mail address in any case.
    login: String,
    /// Change nothing; tell what would go.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation. Nothing is asked where nobody sits at a terminal.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// The result of a purge, by the daemon or by this command.
struct Report {
    removed: BTreeMap<String, u64>,
    redacted: BTreeMap<String, u64>,
    left: BTreeMap<String, u64>,
    is_known_to_service: bool,
    is_configured: bool,
}

/// Runs the command.
pub(crate) fn run(action: Action) -> ExitCode {
    finish(async move {
        match action {
            Action::User(options) => purge_user(options).await,
        }
    })
}

async fn purge_user(options: User) -> Result<ExitCode, CommandError> {
    let login =
        Login::new(&options.login).map_err(|error| CommandError::Usage(error.to_string()))?;
    let config = options.file.load(Needs::NOTHING)?;
    let is_trial = options.dry_run;
    if !is_trial && !options.yes && std::io::stdin().is_terminal() && !ask_confirmation(&login) {
        return Err(CommandError::Refused("nothing was purged".to_owned()));
    }
    let report = match Keeper::find(&config)? {
        Keeper::Database(store, writer) => {
            // If the database server does not vacuum the tables, only a log line reports it.
            logging::start("warn", false);
            let purge = Purge { login: login.clone(), is_trial, at: clock::now() };
            let purged = store.purge(purge).await;
            drop(store);
            writer.stop().await;
            let purged = purged?;
            let by_table = |counts: BTreeMap<&str, u64>| {
                counts.into_iter().map(|(table, rows)| (table.to_owned(), rows)).collect()
            };
            Report {
                removed: by_table(purged.removed),
                redacted: by_table(purged.redacted),
                left: by_table(purged.left),
                is_known_to_service: purged.is_known_to_service,
                // Only a daemon updates the watch list in the database to the configuration, so the
                // configuration is checked, too.
                is_configured: purged.is_configured || config.watch.users.contains(&login),
            }
        }
        Keeper::Daemon(url) => {
            let path = ["users", login.as_str()];
            let query = [("dry_run", if is_trial { "true" } else { "false" })];
            let (status, body) =
                keeper::ask_daemon_with(&url, Method::DELETE, &path, &query, None).await?;
            if status != 200 {
                return Err(keeper::refusal_error(&body));
            }
            Report::from_answer(&body)
        }
    };
    report.print(&login, is_trial);
    // A script must notice that rows are left.
    Ok(if report.left.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn ask_confirmation(login: &Login) -> bool {
    print!("Forget {login} everywhere? This cannot be undone. Type yes: ");
    let mut answer = String::new();
    std::io::stdout().flush().is_ok()
        && std::io::stdin().read_line(&mut answer).is_ok()
        && answer.trim().eq_ignore_ascii_case("yes")
}

impl Report {
    fn from_answer(body: &Value) -> Self {
        let counts = |name: &str| {
            let counts = body[name].as_object().into_iter().flatten();
            counts.filter_map(|(table, rows)| Some((table.clone(), rows.as_u64()?))).collect()
        };
        Self {
            removed: counts("removed"),
            redacted: counts("redacted"),
            left: counts("left"),
            is_known_to_service: body["known_to_service"] == true,
            is_configured: body["configured"] == true,
        }
    }

    fn print(&self, login: &Login, is_trial: bool) {
        let tables: std::collections::BTreeSet<_> = [&self.removed, &self.redacted, &self.left]
            .into_iter()
            .flat_map(|c| c.keys())
            .collect();
        let rows = |counts: &BTreeMap<String, u64>, table: &String| {
            counts.get(table).copied().unwrap_or(0).to_string()
        };
        if tables.is_empty() {
            say!("Nothing is stored of {login}");
        } else {
            let rows: Vec<_> = tables
                .into_iter()
                .map(|name| {
                    vec![
                        name.clone(),
                        rows(&self.removed, name),
                        rows(&self.redacted, name),
                        rows(&self.left, name),
                    ]
                })
                .collect();
            say!("{}", table(&["table", "removed", "rewritten", "left"], rows));
        }
        if is_trial {
            say!("Nothing was changed: this is what would go");
        } else if self.left.is_empty() {
            say!("{login} is forgotten");
        } else {
            say!("Rows are left that came in meanwhile: purge again");
        }
        if self.is_configured {
            say!(
                "The configuration lists {login}: a start or a reload brings it back. Take it out \
                 of watch.users"
            );
        }
        if self.is_known_to_service {
            say!(
                "The service still names {login}: the next answer, listing or delivery brings back \
                 what it says. To end that, have the user deleted there, and purge again"
            );
        }
    }
}
