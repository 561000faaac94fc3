//! Waits for the service's test message.
//!
//! When no daemon runs, one is started in this process meanwhile. So the message tests the
//! listener, secret and path that deliveries will use, and is recorded in the store. This daemon
//! runs no jobs. Its deliveries are polled over its socket.

use std::{future::Future, time::Duration};

use cii_exporter::{
    clock,
    config::{Config, StorePlace},
    daemon::{ConfigSource, Daemon},
    domain::Timestamp,
    store::{self, Reader},
    web::json::Delivery,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::super::{error::CommandError, keeper};

/// Pause between two polls of the daemon's deliveries.
const PAUSE: Duration = Duration::from_millis(250);

/// How many of the newest deliveries are searched; other replicas may record some meanwhile.
const LOOKED_AT: usize = 50;

/// Runs `work` while a daemon runs: an existing one, one that the operator starts
/// (`is_started_elsewhere`), or one in this process.
pub(super) async fn run_beside_daemon<T>(
    config: &Config,
    is_started_elsewhere: bool,
    work: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    if is_started_elsewhere || keeper::is_daemon_running(config).await {
        return work.await;
    }
    let config = without_jobs(config.clone());
    let started = Box::pin(Daemon::start(ConfigSource::new(move || Ok(config.clone())))).await;
    let daemon = started.map_err(|error| CommandError::Refused(error.to_string()))?;
    let (stop, told) = oneshot::channel();
    let running = daemon.run(async { drop(told.await) });
    let working = async {
        let done = work.await;
        let _ = stop.send(());
        done
    };
    let (ended, done) = tokio::join!(running, working);
    ended.map_err(|error| CommandError::Refused(error.to_string()))?;
    done
}

/// Returns the configuration without OTLP and jobs, for a daemon that only receives deliveries.
fn without_jobs(mut config: Config) -> Config {
    config.otlp = None;
    let sync = &mut config.sync;
    for job in [&mut sync.users, &mut sync.ips] {
        job.on_start = false;
    }
    (sync.tenant, sync.service) = (None, None);
    config
}

/// Waits for a test message received after `since`. Returns its source; `None` when none arrived in
/// time.
pub(super) async fn wait_for_test_message(
    config: &Config,
    since: Timestamp,
    patience: Duration,
) -> Option<String> {
    tokio::time::timeout(patience, async {
        loop {
            if let Some(source) = find_test_message(config, since).await {
                return source;
            }
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await
    .ok()
}

async fn find_test_message(config: &Config, since: Timestamp) -> Option<String> {
    let answer = list_deliveries(config).await?;
    let is_it = |delivery: &&Value| {
        let at = delivery["received_at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        delivery["result"] == "test" && at.is_some_and(|at| at >= since)
    };
    let delivery = answer["deliveries"].as_array()?.iter().find(is_it)?;
    Some(delivery["source"].as_str().unwrap_or("an unnamed source").to_owned())
}

/// Reads the newest deliveries from the daemon, or from a database server that this command can
/// read itself.
async fn list_deliveries(config: &Config) -> Option<Value> {
    if let StorePlace::Server(_) = config.store.place {
        let read = |reader: &Reader| Ok(reader.deliveries(None, i64::MAX, LOOKED_AT)?);
        let deliveries = keeper::read_store(config, read).ok()?;
        let deliveries: Vec<_> = deliveries.into_iter().map(Delivery::from).collect();
        return Some(json!({ "deliveries": deliveries }));
    }
    let daemon = store::holder_url(&config.store.place)?;
    let asked = keeper::ask_daemon(&daemon, Method::GET, &["deliveries"], None).await;
    asked.ok().map(|(_, answer)| answer)
}

/// The moment from which on a message counts.
pub(super) fn now() -> Timestamp {
    clock::now()
}
