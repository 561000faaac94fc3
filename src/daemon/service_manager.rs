//! What systemd is told: that the daemon is ready, lives, and stops.

use std::{convert::Infallible, time::Duration};

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

/// Tells the service manager, where there is one. What cannot be told changes nothing here.
pub(super) fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}

/// Says that the daemon lives, twice as often as the service manager wants to hear it; for
/// ever silent where there is none.
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
