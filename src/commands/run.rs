//! `run`: the daemon.

use std::process::ExitCode;

use cii_exporter::daemon::{ConfigSource, Daemon};

use super::{config_file::ConfigFile, signal};
use crate::{exit, logging};

/// Runs the daemon until it is told to stop.
pub(crate) fn run(file: &ConfigFile) -> ExitCode {
    let source = file.source();
    let config = match source.load() {
        Ok(config) => config,
        Err(error) => return exit::fail(exit::USAGE, &error),
    };
    logging::start(&config.log.level, config.log.is_json);
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(live(source)),
        Err(error) => exit::fail(exit::START_FAILED, &error),
    }
}

async fn live(source: ConfigSource) -> ExitCode {
    let stop = match signal::stop() {
        Ok(stop) => stop,
        Err(error) => return exit::fail(exit::START_FAILED, &error),
    };
    let daemon = match Daemon::start(source).await {
        Ok(daemon) => daemon,
        Err(error) if error.is_configuration() => return exit::fail(exit::USAGE, &error),
        Err(error) => return exit::fail(exit::START_FAILED, &error),
    };
    let addresses = daemon.addresses();
    tracing::info!("takes webhook deliveries at {}", addresses.webhook_url());
    tracing::info!("shows metrics at {}", addresses.ops_url("/metrics"));
    match daemon.run(stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::fail(exit::ENDED_EARLY, &error),
    }
}
