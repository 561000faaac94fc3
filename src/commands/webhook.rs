//! `webhook`: registers and unregisters webhook targets with the service, and lists them.

use std::process::ExitCode;

use cii_exporter::{
    cii::{Client, NewTarget},
    clock,
    config::{Config, Needs, parse_web_url},
    domain::{CheckId, WebhookTarget},
    ledger::change::{ForgetTarget, KeepTarget},
    web::json,
};
use clap::{Args, Subcommand};
use reqwest::{Method, Url};
use serde_json::json;

use super::{
    api,
    config_file::ConfigFile,
    error::CommandError,
    finish::finish,
    keeper::{self, Keeper},
    table::table,
    webhook_test,
};

/// What to do with webhook targets.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Have the service send its deliveries to this exporter.
    ///
    /// Each delivery will carry the first of webhook.secrets in webhook.header.
    /// The service sends a test message at once: have the daemon running.
    Register(Register),
    /// Have the service send deliveries no longer.
    Unregister(Unregister),
    /// Send one test message to this exporter's webhook listener, and say what came back.
    Test(webhook_test::Test),
    /// Show the targets that were registered with these commands.
    List(List),
}

/// `webhook register`
#[derive(Debug, Args)]
pub(crate) struct Register {
    /// Where deliveries go: the URL under which the service reaches `webhook.listen`; else
    /// `webhook.public_url`.
    #[arg(long, value_name = "URL", value_parser = parse_web_url)]
    url: Option<Url>,
    /// The id of a check to subscribe to; give it once for each check.
    #[arg(long = "check", value_name = "ID", required = true)]
    checks: Vec<String>,
    /// The target's name in the console; the service adds a suffix.
    #[arg(long, value_name = "NAME", default_value = "cii-exporter")]
    name: String,
    /// Register a URL whose path is not webhook.path: a proxy makes it so.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// `webhook unregister`
#[derive(Debug, Args)]
pub(crate) struct Unregister {
    /// The id that registering printed.
    id: String,
    #[command(flatten)]
    file: ConfigFile,
}

/// `webhook list`
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
            Action::Register(options) => register(options).await,
            Action::Unregister(options) => unregister(options).await,
            Action::Test(options) => webhook_test::run(options).await,
            Action::List(options) => list(&options),
        }
    })
}

async fn register(options: Register) -> Result<ExitCode, CommandError> {
    let Register { url, checks, name, force, file } = options;
    let check_ids: Option<Vec<_>> = checks.iter().map(|id| CheckId::new(id)).collect();
    let check_ids = check_ids
        .ok_or_else(|| CommandError::Usage("--check: an id must not be empty".to_owned()))?;
    let (config, _, client) = api::load_client(&file, Needs::API_AND_WEBHOOK)?;
    let url = url.or_else(|| config.webhook.public_url.clone()).ok_or_else(|| {
        CommandError::Usage("name the URL by --url, or set webhook.public_url".to_owned())
    })?;
    register_target(&config, &client, Wanted { url, check_ids, name, force }).await?;
    Ok(ExitCode::SUCCESS)
}

/// A target to register.
pub(super) struct Wanted {
    pub(super) url: Url,
    pub(super) check_ids: Vec<CheckId>,
    pub(super) name: String,
    /// Whether the URL's path may differ from the listener's.
    pub(super) force: bool,
}

/// Registers a target, and stores its id.
pub(super) async fn register_target(
    config: &Config,
    client: &Client,
    wanted: Wanted,
) -> Result<(), CommandError> {
    let Wanted { url, check_ids, name, force } = wanted;
    if url.scheme() == "http" {
        eprintln!("warning: {url} is not https; the service delivers to public certificates only");
    }
    let path = &config.webhook.path;
    if url.path() != path && !force {
        return Err(CommandError::Usage(format!(
            "--url: its path is {}, and webhook.path is {path}: deliveries would be answered with \
             404; correct one of the two, or add --force where a proxy changes the path",
            url.path()
        )));
    }
    let secret = config.webhook.secrets.first().cloned();
    let secret = secret.ok_or_else(|| {
        CommandError::Usage(
            "a target is registered with an API key: set webhook.secrets, or make the target in \
             the console"
                .to_owned(),
        )
    })?;
    // The store is opened first: without it, the id of the registered target would be lost.
    let keeper = Keeper::find(config)?;
    let target = NewTarget {
        name: name.clone(),
        url: url.to_string(),
        header: config.webhook.header.clone(),
        secret,
        check_ids: check_ids.clone(),
    };
    let registered = client.register_webhook(&target).await;
    let registered_at = clock::now();
    let target = registered.map(|id| WebhookTarget {
        id,
        name,
        url: url.to_string(),
        check_ids,
        registered_at,
    });
    let kept = match (keeper, &target) {
        (Keeper::Database(store, writer), target) => {
            let kept = match target {
                Ok(target) => store.commit(KeepTarget(target.clone())).await,
                Err(_) => Ok(()),
            };
            drop(store);
            writer.stop().await;
            kept.map_err(CommandError::from)
        }
        (Keeper::Daemon(url), Ok(target)) => {
            let body = json!(json::WebhookTarget::from(target.clone()));
            match keeper::ask_daemon(&url, Method::POST, &["webhook-targets"], Some(&body)).await {
                Ok((201, _)) => Ok(()),
                Ok((_, body)) => Err(keeper::refusal_error(&body)),
                Err(error) => Err(error),
            }
        }
        (Keeper::Daemon(_), Err(_)) => Ok(()),
    };
    let target = target?;
    say!("registered as {}", target.id);
    if let Err(error) = kept {
        eprintln!("cii-exporter: the id could not be kept; note it: {error}");
    }
    Ok(())
}

async fn unregister(options: Unregister) -> Result<ExitCode, CommandError> {
    let Unregister { id, file } = options;
    let (config, _, client) = api::load_client(&file, Needs::API)?;
    let existed = client.unregister_webhook(&id).await?;
    forget_target(&config, &id).await?;
    if existed {
        say!("{id} is unregistered");
        Ok(ExitCode::SUCCESS)
    } else {
        Err(CommandError::Refused(format!("the service has no webhook target {id:?}")))
    }
}

async fn forget_target(config: &Config, id: &str) -> Result<(), CommandError> {
    match Keeper::find(config)? {
        Keeper::Database(store, writer) => {
            let forgotten = store.commit(ForgetTarget(id.to_owned())).await;
            drop(store);
            writer.stop().await;
            Ok(forgotten?)
        }
        Keeper::Daemon(url) => {
            let path = ["webhook-targets", id];
            keeper::ask_daemon(&url, Method::DELETE, &path, None).await.map(|_| ())
        }
    }
}

fn list(options: &List) -> Result<ExitCode, CommandError> {
    let config = options.file.load(Needs::NOTHING)?;
    let targets = keeper::read_store(&config, |reader| Ok(reader.webhook_targets()?))?;
    if options.json {
        let targets: Vec<_> = targets.into_iter().map(json::WebhookTarget::from).collect();
        say!("{:#}", json!({ "targets": targets }));
    } else if targets.is_empty() {
        say!("No webhook target was registered with this exporter's help.");
    } else {
        let row = |target: &WebhookTarget| {
            let checks: Vec<_> = target.check_ids.iter().map(CheckId::as_str).collect();
            let at = target.registered_at.format("%Y-%m-%d %H:%M:%SZ").to_string();
            vec![target.id.clone(), target.name.clone(), target.url.clone(), checks.join("\n"), at]
        };
        let header = ["id", "name", "url", "checks", "registered"];
        say!("{}", table(&header, targets.iter().map(row)));
    }
    Ok(ExitCode::SUCCESS)
}
