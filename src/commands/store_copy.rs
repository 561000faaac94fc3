//! `store`: copies the store from one place to another.

mod progress;

use std::{fs, path::PathBuf, process::ExitCode};

use cii_exporter::{
    config::{Needs, ServerConfig, StorePlace},
    store::{self, MoveError, MovedTable, Side},
};
use clap::{Args, Subcommand};

use super::{config_file::ConfigFile, error::CommandError, finish::finish, table::table};
use progress::Shown;

/// What to do with the store.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Copy all of the store from a file to PostgreSQL, or back.
    ///
    /// Every row goes with its number and its id, and so does how far the OTLP delivery and the
    /// listings are: the daemon that is started on the copy goes on where the last one stopped.
    /// The copy is all or nothing. A file must not exist yet; a schema on a server must be without
    /// data, and is made where it is missing. At the end both sides are compared, by the number of
    /// rows of each table and a SHA-256 over them; where they differ, nothing is kept, and the exit
    /// code is 1.
    ///
    /// Stop the daemon first, start it on the new place afterwards, and never run both: they would
    /// send events under the same ids.
    ///
    /// To PostgreSQL:
    ///
    ///   systemctl stop cii-exporter
    ///
    ///   cii-exporter store copy --from /var/lib/cii-exporter/cii-exporter.db \
    ///     --to postgres://exporter@db.example.com/cii --to-password-file password.txt
    ///
    /// And back, to the file that `store.path` is to name:
    ///
    ///   cii-exporter store copy --from config --to /var/lib/cii-exporter/back.db
    #[expect(clippy::doc_markdown, reason = "the URL is printed as it stands here")]
    #[command(verbatim_doc_comment)]
    Copy(Box<Copy>),
}

/// `store copy`
#[derive(Debug, Args)]
pub(crate) struct Copy {
    /// Where the store is: a file, a URL such as `postgres://user@host/database`, or `config`: what
    /// the configuration says.
    #[arg(long, value_name = "PLACE")]
    from: String,
    /// Where it is to be; likewise.
    #[arg(long, value_name = "PLACE")]
    to: String,
    /// A file with the password of the user in --from. In the URL, others on this machine see it.
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,
    /// A file with the password of the user in --to.
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,
    /// The schema of the tables on the server of --from, else the server's `search_path` decides.
    #[arg(long, value_name = "NAME")]
    from_schema: Option<String>,
    /// The schema of the tables on the server of --to; it is made where it is missing.
    #[arg(long, value_name = "NAME")]
    to_schema: Option<String>,
    /// Copy from a server although replicas run there, for a trial: what they commit meanwhile is
    /// not in the copy.
    #[arg(long)]
    while_running: bool,
    /// Print no progress.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the command.
pub(crate) fn run(action: Action) -> ExitCode {
    finish(async move {
        match action {
            Action::Copy(options) => copy_store(&options),
        }
    })
}

fn copy_store(options: &Copy) -> Result<ExitCode, CommandError> {
    let from = Place {
        option: "--from",
        text: &options.from,
        password_file: options.from_password_file.as_ref(),
        schema: options.from_schema.as_deref(),
    };
    let to = Place {
        option: "--to",
        text: &options.to,
        password_file: options.to_password_file.as_ref(),
        schema: options.to_schema.as_deref(),
    };
    let (source, target) = (from.parse(&options.file)?, to.parse(&options.file)?);
    let mut shown = Shown::new(options.quiet);
    let moved = store::move_store(&source, &target, options.while_running, &mut |progress| {
        shown.show_progress(progress);
    });
    shown.end_line();
    let moved = match moved {
        Ok(moved) => moved,
        Err(MoveError::Open { side, source }) => {
            let place = if side == Side::From { &from } else { &to };
            return Err(CommandError::Refused(place.with_option_names(&source.to_string())));
        }
        Err(MoveError::Differs { place, tables }) => {
            print_tables(&tables);
            return Err(MoveError::Differs { place, tables }.into());
        }
        Err(error) => return Err(error.into()),
    };
    print_tables(&moved.tables);
    let rows: u64 = moved.tables.iter().map(|table| table.rows[0]).sum();
    say!("{target} has what {source} has: {rows} rows, and the digests are equal");
    if moved.rows_with_nul > 0 {
        say!(
            "{} rows have a text with the character NUL, which PostgreSQL cannot hold: U+FFFD stands \
             there now",
            moved.rows_with_nul
        );
    }
    if let Some(holder) = moved.running {
        say!(
            "The replica {holder:?} went on: what was committed since the copy began is not in it. Do \
             not start a daemon on the copy that sends to the same collector"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints rows and digest of each table, and when the sides differ those of both.
fn print_tables(tables: &[MovedTable]) {
    /// Printed digits of a digest: enough that two different ones are not equal by chance.
    const DIGITS: usize = 16;
    let digest = |sha256: &String| sha256.chars().take(DIGITS).collect::<String>();
    let differs = tables.iter().any(MovedTable::differs);
    let rows = tables.iter().map(|table| {
        let [read, written] = &table.rows;
        let mut row = vec![table.name.to_owned(), read.to_string(), digest(&table.sha256[0])];
        if differs {
            row.extend([written.to_string(), digest(&table.sha256[1])]);
            row.push(if table.differs() { "differs" } else { "" }.to_owned());
        }
        row
    });
    let header: &[&str] = if differs {
        &["table", "rows", "sha256", "rows there", "sha256 there", ""]
    } else {
        &["table", "rows", "sha256"]
    };
    say!("{}", table(header, rows));
}

/// A place on the command line, with its options.
struct Place<'a> {
    option: &'static str,
    text: &'a str,
    password_file: Option<&'a PathBuf>,
    schema: Option<&'a str>,
}

impl Place<'_> {
    /// Parses the place, with its password and schema.
    fn parse(&self, file: &ConfigFile) -> Result<StorePlace, CommandError> {
        let option = self.option;
        let usage = |what: String| CommandError::Usage(format!("{option}{what}"));
        let is_told = self.password_file.is_some() || self.schema.is_some();
        if self.text == "config" {
            if is_told {
                return Err(usage(
                    "-password-file and -schema are for URLs; the configuration says \
                    them with store.url"
                        .to_owned(),
                ));
            }
            return Ok(file.load(Needs::NOTHING)?.store.place);
        }
        let is_server = ["postgres:", "postgresql:"].iter().any(|it| self.text.starts_with(it));
        if !is_server {
            if self.text.contains("://") {
                return Err(usage(
                    " is neither a file nor a URL that begins with postgres://".into(),
                ));
            }
            if is_told {
                return Err(usage(" is a file, which has no password and no schema".to_owned()));
            }
            if self.text.is_empty() {
                return Err(usage(" is empty; expected a file or a URL".to_owned()));
            }
            return Ok(StorePlace::File(self.text.into()));
        }
        let mut server = ServerConfig::parse(self.text).map_err(|why| usage(format!(" {why}")))?;
        if let Some(schema) = self.schema {
            server = server.with_schema(schema).map_err(|why| usage(format!("-schema: {why}")))?;
        }
        if let Some(path) = self.password_file {
            if server.password.is_some() {
                let both =
                    "-password-file is given, and a password in the URL; keep one of the two";
                return Err(usage(both.to_owned()));
            }
            server.password = Some(
                read_password(path)
                    .map_err(|why| {
                        usage(format!("-password-file: cannot read {}: {why}", path.display()))
                    })?
                    .into(),
            );
        }
        Ok(StorePlace::Server(Box::new(server)))
    }

    /// Rewrites an error of the store so that it names options instead of settings.
    fn with_option_names(&self, text: &str) -> String {
        let option = self.option;
        if self.text == "config" {
            return format!("{option}: {text}");
        }
        let text = text
            .replace("store.password_file", &format!("{option}-password-file"))
            .replace("store.url", option)
            .replace("store.path", option);
        format!("{option}: {text}")
    }
}

/// Reads a password: the first line of the file.
fn read_password(path: &PathBuf) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err("its first line is empty".to_owned()),
    }
}
