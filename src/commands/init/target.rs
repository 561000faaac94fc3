//! The webhook target: prints the values for the console, registers it, and waits for its test
//! message.

use std::{io::IsTerminal as _, time::Duration};

use cii_exporter::{
    cii::{Client, Meters},
    config::Config,
    domain::Timestamp,
};
use reqwest::Url;
use secrecy::ExposeSecret as _;

use super::{
    super::{
        error::CommandError,
        signal,
        table::sanitize,
        webhook::{self, Wanted},
    },
    Options, Plan, wait,
};

/// How long to wait for the test message after registering.
const OF_REGISTERING: Duration = Duration::from_mins(1);
/// How long to wait when the operator creates the target in the console.
const OF_SOMEBODY: Duration = Duration::from_mins(10);

/// Checks, before anything is written, that the path of the URL to register is the listener's.
pub(super) fn check_path(options: &Options, config: &Config) -> Result<(), CommandError> {
    let path = &config.webhook.path;
    match &config.webhook.public_url {
        Some(url) if !options.register.is_empty() && url.path() != path => {
            Err(CommandError::Usage(format!(
                "--public-url (webhook.public_url): its path is {}, and the listener takes \
                 deliveries at {path} alone; nothing was written",
                url.path()
            )))
        }
        _ => Ok(()),
    }
}

/// Prints the values for the console, registers the target with `--register`, and waits for the
/// test message. Returns `false` when it did not arrive.
pub(super) async fn set_up_target(
    options: &Options,
    plan: &Plan,
    config: &Config,
    url: &Url,
) -> Result<bool, CommandError> {
    say!("\nThe webhook target in the console:");
    say!("  URL            {url}");
    say!("  authorization  API key");
    say!("  header name    {}", config.webhook.header);
    say!("  header value   {}", plan.webhook_secret.expose_secret());
    let is_asked = std::io::stdin().is_terminal();
    let usual = match (options.register.is_empty(), is_asked) {
        (false, _) => OF_REGISTERING,
        (true, true) => OF_SOMEBODY,
        (true, false) => Duration::ZERO,
    };
    let patience = options.wait.unwrap_or(usual);
    if options.register.is_empty() && patience.is_zero() {
        say!("Make it once the exporter runs: the console sends a test message at once.");
        return Ok(true);
    }
    let since = wait::now();
    if options.systemd {
        say!("\nStart the daemon now: systemctl enable --now cii-exporter");
    }
    let work = register_and_wait(options, config, url, since, patience);
    wait::run_beside_daemon(config, options.systemd, work).await
}

async fn register_and_wait(
    options: &Options,
    config: &Config,
    url: &Url,
    since: Timestamp,
    patience: Duration,
) -> Result<bool, CommandError> {
    if !options.register.is_empty() {
        let api = config.api.as_ref().ok_or(CommandError::NoApi)?;
        let client = Client::new(api, Meters::new()?)?;
        let wanted = Wanted {
            url: url.clone(),
            check_ids: options.register.clone(),
            name: "cii-exporter".to_owned(),
            force: false,
        };
        webhook::register_target(config, &client, wanted).await?;
    }
    if patience.is_zero() {
        return Ok(true);
    }
    // Handled here, so that Ctrl-C ends the waiting and lets a daemon in this process stop in
    // order.
    let stop =
        signal::listen_for_stop().map_err(|error| CommandError::Refused(error.to_string()))?;
    let seconds = patience.as_secs();
    say!("Waiting for the test message, {seconds} s at most; Ctrl-C ends the waiting.");
    let source = tokio::select! {
        source = wait::wait_for_test_message(config, since, patience) => source,
        () = stop => {
            say!("\nIt is not waited for. The console sends it again, or `cii-exporter doctor` does.");
            return Ok(false);
        }
    };
    let Some(source) = source else {
        say!("It did not come. `cii-exporter doctor` tries the way; see docs/connecting.md.");
        return Ok(false);
    };
    say!("It came, from {}: the way is open, and the secret is right.", sanitize(&source));
    Ok(true)
}
