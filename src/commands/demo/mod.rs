//! `demo`: runs daemon, collector and a simulated service in one process.

mod narrator;
mod scene;

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use cii_exporter::daemon::{Daemon, StartError};
use clap::Args;

use self::{
    narrator::{Narrator, say},
    scene::Scene,
};
use super::signal;
use crate::{exit, logging};

/// The shortest time between two rounds of changes.
const FASTEST: Duration = Duration::from_millis(100);
/// The longest time between two rounds of changes.
const SLOWEST: Duration = Duration::from_hours(1);

/// How the demo is set up.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where webhook deliveries are taken; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8847")]
    webhook_listen: SocketAddr,
    /// Where metrics are shown; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9847")]
    ops_listen: SocketAddr,
    /// Users of the simulated tenant.
    #[arg(long, value_name = "COUNT", default_value_t = 80)]
    users: usize,
    /// The number that the tenant is made from; the same one makes the same tenant.
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    seed: u64,
    /// How often a round of changes happens in the tenant, such as 1m for the pace of life.
    #[arg(long, value_name = "TIME", default_value = "1500ms", value_parser = parse_pace)]
    change_every: Duration,
    /// End by itself after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

/// Parses the time between two rounds of changes.
fn parse_pace(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).ok();
    let time = time.filter(|time| *time >= FASTEST && *time <= SLOWEST);
    time.ok_or_else(|| "expected a time from 100ms to 1h, such as 1500ms".to_owned())
}

/// Why the demo cannot start.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("cannot hear signals: {0}")]
    Signals(std::io::Error),
    #[error("cannot make a temporary folder: {0}")]
    Folder(std::io::Error),
    #[error("cannot start the simulated tenant: {0}")]
    Simulator(#[from] cii_simulator::StartError),
    #[error("cannot start the daemon: {0}\n(addresses in use? see `demo --help` for others)")]
    Daemon(#[from] StartError),
}

/// Runs the demo until a signal, `--seconds`, or a closed standard output ends it.
pub(crate) fn run(options: &Options) -> ExitCode {
    logging::start("warn", false);
    let ended = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(run_demo(options)),
        Err(error) => return exit::fail(exit::START_FAILED, &error),
    };
    ended.unwrap_or_else(|error| exit::fail(exit::START_FAILED, &error))
}

async fn run_demo(options: &Options) -> Result<ExitCode, DemoError> {
    let told = signal::listen_for_stop().map_err(DemoError::Signals)?;
    // A closed standard output ends the demo through the narrator.
    let _ = say(format_args!(
        "cii-exporter demo: a simulated tenant, and nothing to configure. Ctrl-C ends it.\n"
    ));
    let scene = Scene::start(options.users, options.seed, options.change_every).await?;
    let daemon =
        Daemon::start(scene.configuration(options.webhook_listen, options.ops_listen)).await?;
    let addresses = daemon.addresses().clone();
    let _ = say(format_args!("{}", scene.describe(&addresses)));

    let narrator = Narrator::new(&addresses);
    let narrating = async {
        tokio::join!(narrator.print_events(scene.collector()), narrator.print_metrics());
    };
    let enough = async {
        match options.seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    let stop = async {
        tokio::select! {
            () = told => {}
            () = enough => {}
            () = narrator.wait_until_unread() => {}
        }
        let _ = say(format_args!("\nEnding: what is in hand is finished first."));
    };
    scene.begin_deliveries(&addresses).await;
    let ended = tokio::select! {
        ended = daemon.run(stop) => ended,
        () = narrating => Ok(()),
    };
    scene.stop().await;
    Ok(match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::fail(exit::ENDED_EARLY, &error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_of_changes_are_neither_too_close_nor_too_far_apart() {
        assert_eq!(parse_pace("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!((parse_pace("100ms"), parse_pace("1h")), (Ok(FASTEST), Ok(SLOWEST)));
        for text in ["99ms", "61m", "0s", "often", ""] {
            assert!(parse_pace(text).is_err(), "{text}");
        }
    }
}
