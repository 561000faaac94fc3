//! The way for commands on this machine: a socket beside the database, for its owner alone.
//! It needs no secret and no certificate, so that commands work however the ops listener is
//! guarded.

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

/// Commands at once.
const CONNECTIONS: usize = 8;

/// The socket, bound.
pub(in crate::daemon) struct Commands {
    socket: UnixListener,
    path: PathBuf,
    meters: Meters,
}

impl Commands {
    /// Takes the socket. One that is there is of a daemon that was killed: whoever has the
    /// database's lock is the only one.
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

    /// Serves until told to stop; requests in hand are answered first.
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
            // Between its making and its mode, the file was what the umask made of it.
            if is_trusted_peer(&stream) {
                serving.spawn_connection(
                    serve_http1(stream, None, router.clone(), serving.watcher()),
                    place,
                );
            }
        }
        // Whatever is there by then is not waited for; the next start removes it, too.
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

/// Whether the peer is the owner of this process, or root, who may do everything anyhow.
fn is_trusted_peer(stream: &UnixStream) -> bool {
    let peer = stream.peer_cred().map(|peer| peer.uid());
    peer.is_ok_and(|peer| peer == 0 || peer == geteuid().as_raw())
}
