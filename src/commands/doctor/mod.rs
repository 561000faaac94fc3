//! `doctor`: tries all parts of a configured machine, and prints one line for each.

mod finding;
mod judge;
mod machine;
mod server;
mod service;
mod validity;
mod ways;

use std::{future::Future, process::ExitCode, time::Duration};

use cii_exporter::config::{Config, Needs, parse_web_url};
use clap::Args;
use reqwest::Url;
use serde_json::json;

use super::{config_file::ConfigFile, finish::finish};
use crate::{exit, logging};

pub(super) use finding::{Finding, Verdict, summary, worst_verdict};

/// Time limit of each part; the parts run concurrently.
const PATIENCE: Duration = Duration::from_mins(1);

/// `doctor`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
    /// Where the service reaches the webhook, in place of `webhook.public_url`. It is sent the
    /// secret.
    #[arg(long, value_name = "URL", value_parser = parse_web_url)]
    webhook_url: Option<Url>,
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> ExitCode {
    finish(async move {
        let config = options.file.load(Needs::ALL)?;
        let findings = Box::pin(examine(&config, options.webhook_url.as_ref())).await;
        if options.json {
            let verdict = worst_verdict(&findings);
            say!("{:#}", json!({ "verdict": verdict, "checks": findings }));
        } else {
            for finding in &findings {
                say!("{finding}");
            }
            say!("{}", summary(&findings));
        }
        Ok(exit_code(&findings))
    })
}

/// The exit code: only the verdict `fail` is a failure.
pub(super) fn exit_code(findings: &[Finding]) -> ExitCode {
    match worst_verdict(findings) {
        Verdict::Fail => ExitCode::from(exit::START_FAILED),
        Verdict::Ok | Verdict::Unknown | Verdict::Warn => ExitCode::SUCCESS,
    }
}

/// Tries only the API.
pub(super) async fn examine_api(config: &Config) -> Vec<Finding> {
    examine_in_time("api", service::examine(config)).await
}

/// Whether the API granted a token and answered a ping.
pub(super) fn is_api_reached(findings: &[Finding]) -> bool {
    let is_ok = |check| findings.iter().any(|finding| finding.check == check && finding.is_ok());
    is_ok("token") && is_ok("ping")
}

/// Tries all parts; the findings are in the order of the output.
pub(super) async fn examine(config: &Config, webhook_url: Option<&Url>) -> Vec<Finding> {
    // The findings contain the errors, so the log does not repeat them.
    logging::start("off", false);
    let (api, daemon, webhook, otlp, database) = tokio::join!(
        examine_in_time("api", service::examine(config)),
        examine_in_time("daemon", machine::examine_daemon(config)),
        examine_in_time("webhook", ways::examine_webhook(config, webhook_url)),
        examine_in_time("otlp", async { vec![ways::examine_otlp(config).await] }),
        examine_in_time("store", machine::examine_database(config)),
    );
    let on_disk = [machine::examine_configuration(config), machine::examine_files(config)];
    let (certificates, listeners) =
        (machine::examine_certificates(config), machine::examine_listeners(config).await);
    let parts = [api, database, daemon, listeners, webhook, otlp, certificates];
    on_disk.into_iter().chain(parts).flatten().collect()
}

async fn examine_in_time(check: &str, part: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    tokio::time::timeout(PATIENCE, part).await.unwrap_or_else(|_| {
        vec![Finding::fail(check, format!("there was no end within {} s", PATIENCE.as_secs()))]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_part_that_does_not_end_is_told_of_and_holds_nothing_up() {
        let findings = examine_in_time("otlp", std::future::pending()).await;
        assert_eq!(worst_verdict(&findings), Verdict::Fail);
    }
}
