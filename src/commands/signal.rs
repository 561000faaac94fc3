//! The signals that end the process.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Installs handlers for SIGTERM and SIGINT; the future resolves at the first signal. A
/// second one ends the process at once.
///
/// # Errors
/// When the system refuses the handlers.
pub(crate) fn stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        either(&mut terminate, &mut interrupt).await;
        tokio::spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            std::process::exit(130);
        });
    })
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
