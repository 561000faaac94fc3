//! `run`: runs the daemon.

use std::{process::ExitCode, time::Duration};

use cii_exporter::daemon::{ConfigSource, Daemon};

use super::{config_file::ConfigFile, signal};
use crate::{exit, logging};

/// How long running reads of the database may delay the exit.
const LAST_READS: Duration = Duration::from_millis(200);

/// Runs the daemon until a stop signal.
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
    // The daemon loads its own copy, whose secrets are dropped when a reload replaces them. This
    // copy would keep them.
    drop(config);
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let code = runtime.block_on(run_daemon(source));
            runtime.shutdown_timeout(LAST_READS);
            code
        }
        Err(error) => exit::fail(exit::START_FAILED, &error),
    }
}

async fn run_daemon(source: ConfigSource) -> ExitCode {
    if let Err(error) = signal::outlive_hangup() {
        return exit::fail(exit::START_FAILED, &error);
    }
    // In a task of its own, so that its time limit starts at the signal even while the daemon's
    // start blocks this task.
    let mut stop = match signal::listen_for_stop() {
        Ok(stop) => tokio::spawn(stop),
        Err(error) => return exit::fail(exit::START_FAILED, &error),
    };
    let started = tokio::select! {
        biased;
        started = Daemon::start_patiently(source) => started,
        _ = &mut stop => return ExitCode::SUCCESS,
    };
    let daemon = match started {
        Ok(daemon) => daemon,
        Err(error) if error.is_configuration() => return exit::fail(exit::USAGE, &error),
        Err(error) => return exit::fail(exit::START_FAILED, &error),
    };
    let addresses = daemon.addresses();
    tracing::info!("takes webhook deliveries at {}", addresses.webhook_url());
    tracing::info!("shows metrics at {}", addresses.ops_url("/metrics"));
    match daemon.run(async { drop(stop.await) }).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::fail(exit::ENDED_EARLY, &error),
    }
}
