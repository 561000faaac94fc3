//! Handles the signals that end the process.

use std::{future::Future, time::Duration};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit;

/// Time from the stop signal to a forced exit: just below the 10 s after which container runtimes
/// kill the process. A shutdown takes longer only if the disk or a system call hangs.
const AT_THE_LATEST: Duration = Duration::from_millis(9800);

/// Installs handlers for SIGTERM and SIGINT. The future resolves at the first signal; a second one
/// ends the process at once.
///
/// # Errors
/// When the system refuses the handlers.
pub(crate) fn listen_for_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        wait_for_either(&mut terminate, &mut interrupt).await;
        // A thread, because tasks do not run while the runtime shuts down.
        std::thread::spawn(|| {
            std::thread::sleep(AT_THE_LATEST);
            eprintln!("cii-exporter: stopping takes too long; what is acknowledged is on the disk");
            std::process::exit(exit::ENDED_EARLY.into());
        });
        tokio::spawn(async move {
            wait_for_either(&mut terminate, &mut interrupt).await;
            std::process::exit(130);
        });
    })
}

/// Keeps SIGHUP from ending the process. The daemon reloads its configuration on it once it runs; one
/// that is still starting has just read it.
///
/// # Errors
/// When the system refuses the handler.
pub(crate) fn outlive_hangup() -> std::io::Result<()> {
    // The handler stays when the receiver is dropped.
    signal(SignalKind::hangup()).map(drop)
}

async fn wait_for_either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
