//! `init`: creates a configuration and tries it.

mod ask;
mod files;
mod naming;
mod target;
mod template;
mod wait;

use std::{
    fmt::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use cii_exporter::{
    config::{Config, Environment, ServerConfig, StorePlace},
    domain::CheckId,
    store::{Reader, StoreError},
};
use clap::Args;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use self::{
    files::Places,
    naming::Missing,
    template::{Paths, State, Values},
};
use super::{doctor, error::CommandError, finish::finish};
use crate::{exit, logging};

const API_URL: &str = "the API URL, as the console shows it";
const TOKEN_URL: &str = "the token URL, as the console shows it";
const CLIENT_ID: &str = "the API client's id";
const CLIENT_SECRET: &str = "the API client's secret";

/// `init`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The folder for `config.toml` and `secrets/`. Nothing in it is overwritten.
    #[arg(long, value_name = "FOLDER", default_value = "/etc/cii-exporter")]
    dir: PathBuf,
    /// The API URL, as the console shows it.
    #[arg(long, value_name = "URL", value_parser = naming::parse_url)]
    api_url: Option<Url>,
    /// The token URL, as the console shows it.
    #[arg(long, value_name = "URL", value_parser = naming::parse_url)]
    token_url: Option<Url>,
    /// The API client's id.
    #[arg(long, value_name = "ID", value_parser = naming::parse_text)]
    client_id: Option<String>,
    /// A file that holds the API client's secret, or - for standard input.
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// For API clients made before September 2025.
    #[arg(long, value_name = "TEXT", value_parser = naming::parse_text)]
    audience: Option<String>,
    /// Where the service reaches the webhook, through your proxy. Without it, only the API is
    /// set up; the webhook can follow later.
    #[arg(long, value_name = "URL", value_parser = naming::parse_url)]
    public_url: Option<Url>,
    /// Register the webhook with the service, subscribed to this check; once for each check.
    #[arg(long, value_name = "CHECK", requires = "public_url", value_parser = naming::parse_check)]
    register: Vec<CheckId>,
    /// How long to wait for the service's test message, such as 10m; 0s: not at all.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    wait: Option<Duration>,
    /// The database: a file, or a PostgreSQL server's URL without a password, such as
    /// `postgres://exporter@db.example.com/cii`; else `cii-exporter.db` in the folder.
    #[arg(long, value_name = "FILE|URL")]
    store: Option<String>,
    /// A file that holds the password of the server's user, or - for standard input.
    #[arg(long, value_name = "FILE", requires = "store")]
    store_password_file: Option<PathBuf>,
    /// Where deliveries are taken.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8847")]
    webhook_listen: SocketAddr,
    /// Where metrics and page are.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9847")]
    ops_listen: SocketAddr,
    /// For the unit in deploy/systemd, which names secrets and database itself.
    #[arg(long, conflicts_with = "store")]
    systemd: bool,
    /// Write into a checkout of git all the same.
    #[arg(long)]
    in_checkout: bool,
    /// Write without trying the API first.
    #[arg(long)]
    no_try: bool,
}

/// What will be written.
struct Plan {
    places: Places,
    values: Values,
    client_secret: SecretString,
    webhook_secret: SecretString,
    store_password: Option<SecretString>,
}

/// Runs the command.
pub(crate) fn run(options: Options) -> ExitCode {
    finish(async move {
        logging::start("error", false);
        let plan = make_plan(&options)?;
        let text = template::fill_template(&plan.values);
        let config = plan.try_config(&text)?;
        plan.check_store(&config.store.place)?;
        target::check_path(&options, &config)?;
        if !options.no_try {
            try_api(&config).await?;
        }
        for warning in config.warnings() {
            eprintln!("warning: {}", naming::with_options(&warning));
        }
        plan.write_files(&text)?;
        say!("written: {}", plan.places.config.display());
        say!("written: {}, its owner's alone", plan.places.webhook_secrets.display());
        say!("written: {}, its owner's alone", plan.places.client_secret.display());
        if plan.store_password.is_some() {
            say!("written: {}, its owner's alone", plan.places.store_password.display());
        }
        let came = match &plan.values.public_url {
            Some(url) => Box::pin(target::set_up_target(&options, &plan, &config, url)).await?,
            None => true,
        };
        print_next_steps(&options, &plan);
        Ok(if came { ExitCode::SUCCESS } else { ExitCode::from(exit::START_FAILED) })
    })
}

fn make_plan(options: &Options) -> Result<Plan, CommandError> {
    let dir = std::path::absolute(&options.dir).unwrap_or_else(|_| options.dir.clone());
    let places = Places::in_folder(&dir);
    // First, so that no questions are answered in vain.
    places.check_free(options.in_checkout)?;
    let file = options.client_secret_file.as_deref();
    if !ask::is_terminal() {
        refuse_missing(options)?;
    }
    let api_url = ask::ask_required(options.api_url.clone(), API_URL, naming::parse_url)?;
    let token_url = ask::ask_required(options.token_url.clone(), TOKEN_URL, naming::parse_url)?;
    let client_id = ask::ask_required(options.client_id.clone(), CLIENT_ID, naming::parse_text)?;
    let client_secret = ask::read_secret(file, "--client-secret-file", CLIENT_SECRET)?;
    let question = "the URL under which the service reaches the webhook";
    let public_url = ask::ask_optional(options.public_url.clone(), question, naming::parse_url)?;
    let (state, store_password) = plan_state(options, &places, &dir)?;
    let paths = Paths {
        webhook_secrets: places.webhook_secrets.clone(),
        client_secret: places.client_secret.clone(),
        state,
    };
    let values = Values {
        webhook_listen: options.webhook_listen,
        ops_listen: options.ops_listen,
        public_url,
        api_url,
        token_url,
        client_id,
        audience: options.audience.clone(),
        paths: (!options.systemd).then_some(paths),
    };
    Ok(Plan { places, values, client_secret, webhook_secret: generate_secret()?, store_password })
}

/// Returns where the store will be, and the password for it.
fn plan_state(
    options: &Options,
    places: &Places,
    dir: &Path,
) -> Result<(State, Option<SecretString>), CommandError> {
    let wrong = |reason: &str| CommandError::Usage(format!("--store (store.url): {reason}"));
    let named = options.store.as_deref();
    let Some(url) = named.filter(|named| named.contains("://")) else {
        if options.store_password_file.is_some() {
            return Err(wrong("a file asks for no password; name a server's URL"));
        }
        let file = named.map_or_else(|| dir.join("cii-exporter.db"), PathBuf::from);
        return Ok((State::File(std::path::absolute(&file).unwrap_or(file)), None));
    };
    let server = ServerConfig::parse(url).map_err(|reason| wrong(&reason))?;
    if server.password.is_some() {
        return Err(wrong(
            "holds a password, which other users of the machine see on the command line; take it \
             out, and name a file that holds it by --store-password-file",
        ));
    }
    let file = options.store_password_file.as_deref();
    let password = file.map(|file| {
        ask::read_secret(Some(file), "--store-password-file", "the password of the server's user")
    });
    let password = password.transpose()?;
    let file = password.as_ref().map(|_| places.store_password.clone());
    Ok((State::Server(url.to_owned(), file), password))
}

/// Refuses with a list of all missing options, since there is no terminal to ask at.
fn refuse_missing(options: &Options) -> Result<(), CommandError> {
    let mut missing = Missing::default();
    missing.require(options.api_url.is_some(), "--api-url", API_URL);
    missing.require(options.token_url.is_some(), "--token-url", TOKEN_URL);
    missing.require(options.client_id.is_some(), "--client-id", CLIENT_ID);
    let secret = format!("a file that holds {CLIENT_SECRET}, or - for standard input");
    missing.require(options.client_secret_file.is_some(), "--client-secret-file", &secret);
    missing.into_message().map_or(Ok(()), |text| Err(CommandError::Usage(text)))
}

/// Generates a secret of 256 random bits, in hexadecimal.
fn generate_secret() -> Result<SecretString, CommandError> {
    let mut bytes = [0; 32];
    let source = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    let refused = |_| CommandError::Refused("the system gives no random bytes".to_owned());
    source.fill(&mut bytes).map_err(refused)?;
    let mut text = String::new();
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text.into())
}

impl Plan {
    /// Loads the configuration from `text`. The secrets come from variables, because their files do
    /// not exist yet.
    fn try_config(&self, text: &str) -> Result<Config, CommandError> {
        let mut variables = vec![
            ("CII_EXPORTER_WEBHOOK__SECRETS", self.webhook_secret.expose_secret().to_owned()),
            ("CII_EXPORTER_API__CLIENT_SECRET", self.client_secret.expose_secret().to_owned()),
        ];
        if let Some(password) = &self.store_password {
            let password = password.expose_secret().to_owned();
            variables.push(("CII_EXPORTER_STORE__PASSWORD", password));
        }
        if self.values.paths.is_none() {
            let database = "/var/lib/cii-exporter/cii-exporter.db".to_owned();
            variables.push(("CII_EXPORTER_STORE__PATH", database));
        }
        let name = self.places.config.display().to_string();
        let environment: Environment = variables.into_iter().collect();
        Config::from_text(&name, text, &environment)
            .map_err(|error| CommandError::Usage(naming::describe_error(&error)))
    }

    /// Checks that an existing database is one of the exporter, and that a server can be reached.
    fn check_store(&self, place: &StorePlace) -> Result<(), CommandError> {
        if self.values.paths.is_none() {
            return Ok(());
        }
        match Reader::open_at(place) {
            // The daemon creates or upgrades it, and this command creates its folder.
            Ok(_)
            | Err(
                StoreError::Missing { .. }
                | StoreError::NoFolder { .. }
                | StoreError::Empty(_)
                | StoreError::NoTables(_)
                | StoreError::TooOld(_),
            ) => Ok(()),
            Err(error) => {
                let setting = match place {
                    StorePlace::File(_) => "store.path",
                    StorePlace::Server(_) => "store.url",
                };
                let text = format!("--store ({setting}): {error}; nothing was written");
                Err(CommandError::Usage(text))
            }
        }
    }

    fn write_files(&self, text: &str) -> Result<(), CommandError> {
        let Self { places, .. } = self;
        places.make_folders()?;
        if let Some(State::File(file)) = self.values.paths.as_ref().map(|paths| &paths.state)
            && let Some(folder) = file.parent()
        {
            files::make_private_folder(folder)?;
        }
        let line = |secret: &SecretString| format!("{}\n", secret.expose_secret());
        files::make_file(&places.webhook_secrets, 0o600, &line(&self.webhook_secret))?;
        files::make_file(&places.client_secret, 0o600, &line(&self.client_secret))?;
        if let Some(password) = &self.store_password {
            files::make_file(&places.store_password, 0o600, &line(password))?;
        }
        // It contains no secret, and the unit's user must be able to read it.
        files::make_file(&places.config, 0o644, text)
    }
}

/// Tries token, ping and each request. Missing rights are printed but do not stop the setup: they
/// can be granted later in the console.
async fn try_api(config: &Config) -> Result<(), CommandError> {
    let findings = doctor::examine_api(config).await;
    for finding in &findings {
        say!("{}", naming::with_options(&finding.to_string()));
    }
    if doctor::is_api_reached(&findings) {
        return Ok(());
    }
    let reason = "the API cannot be asked so, and nothing was written: correct what is said above, \
                  and begin again (--no-try writes all the same)";
    Err(CommandError::Refused(reason.to_owned()))
}

fn print_next_steps(options: &Options, plan: &Plan) {
    let config = plan.places.config.display();
    let page = plan.values.ops_listen;
    say!("\nNext:");
    if options.systemd {
        say!("  systemctl enable --now cii-exporter");
        say!("  cii-exporter doctor");
    } else {
        say!("  cii-exporter run --config {config}");
        say!("  cii-exporter doctor --config {config}");
    }
    say!("  http://{page}/ shows who fails what once the tenant was listed, in minutes.");
    if plan.values.public_url.is_none() {
        say!(
            "  The webhook can follow: set webhook.public_url, and see docs/connecting.md. Its \
             secret is in {}.",
            plan.places.webhook_secrets.display()
        );
    }
}
