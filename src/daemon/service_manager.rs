//! Notifies systemd that the daemon is ready, alive, or stopping.

use std::{convert::Infallible, time::Duration};

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

/// Notifies the service manager, if there is one. Errors are ignored: the daemon runs without it.
pub(super) fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}

/// Sends the watchdog notification twice per interval of the service manager; never without one.
pub(super) async fn ping_watchdog(stop: CancellationToken) -> Result<(), Infallible> {
    let Some(wanted) = sd_notify::watchdog_enabled() else {
        stop.cancelled().await;
        return Ok(());
    };
    let mut beat = tokio::time::interval((wanted / 2).max(Duration::from_millis(100)));
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = beat.tick() => notify(NotifyState::Watchdog),
        }
    }
}
