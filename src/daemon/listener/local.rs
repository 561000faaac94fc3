//! The Unix socket for commands on this machine, beside the database and accessible only to its
//! owner. It needs no secret and no certificate, so that commands work however the ops listener is
//! protected.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::Router;
use rustix::process::geteuid;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::sync::CancellationToken;

use super::{connection::serve_http1, meters::Meters, serving::Serving};

/// Most concurrent connections.
const CONNECTIONS: usize = 8;

/// The socket, bound.
pub(in crate::daemon) struct Commands {
    socket: UnixListener,
    path: PathBuf,
    meters: Meters,
}

impl Commands {
    /// Binds the socket. An existing one is left over from a killed daemon and is replaced: this
    /// process holds the database's lock, so no other daemon uses it.
    pub(super) fn bind(path: &Path, meters: Meters) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { socket, path, meters })
    }

    /// The address, in the form that commands read.
    pub(in crate::daemon) fn address(&self) -> String {
        format!("unix:{}", self.path.display())
    }

    /// Serves until stopped; running requests are answered first.
    pub(in crate::daemon) async fn serve(
        self,
        router: Router,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let serving = Serving::new("commands", self.meters.clone());
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                error = serving.wait_for_panic() => return Err(error),
                accepted = self.accept(&room) => accepted,
            };
            let (stream, place) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    serving.handle_accept_error(&error).await;
                    continue;
                }
            };
            // Between bind and chmod, the file had the mode of the umask, so the peer is checked as
            // well.
            if is_trusted_peer(&stream) {
                serving.spawn_connection(
                    serve_http1(stream, None, router.clone(), serving.shutdown()),
                    place,
                );
            }
        }
        // An error does not matter: the next start removes the file, too.
        let _ = fs::remove_file(&self.path);
        serving.finish().await;
        Ok(())
    }

    async fn accept(
        &self,
        room: &Arc<Semaphore>,
    ) -> io::Result<(UnixStream, OwnedSemaphorePermit)> {
        let Ok(place) = room.clone().acquire_owned().await else {
            return std::future::pending().await;
        };
        let (stream, _) = self.socket.accept().await?;
        Ok((stream, place))
    }
}

/// Whether the peer has the user id of this process, or is root, which has access to everything
/// anyway.
fn is_trusted_peer(stream: &UnixStream) -> bool {
    let peer = stream.peer_cred().map(|peer| peer.uid());
    peer.is_ok_and(|peer| peer == 0 || peer == geteuid().as_raw())
}
