//! A listener: bound at the start, served until told to stop.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::StartError;

/// Takes the address, so that a start fails when it cannot be had.
pub(super) async fn bind(
    setting: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let fails = |source| StartError::Listen { setting, address, source };
    let listener = TcpListener::bind(address).await.map_err(fails)?;
    let bound = listener.local_addr().map_err(fails)?;
    Ok((listener, bound))
}

/// Serves until told to stop; requests in hand are answered first.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}
