//! The listeners: bound at the start, and served until the shutdown. Each connection is limited in
//! time and bytes, and their number is limited.

mod body;
mod connection;
mod local;
mod meters;
mod patience;
mod room;
mod serving;
mod tls;
mod users;
mod web;

use std::{io, net::SocketAddr, os::fd::AsFd as _, path::Path, pin::pin, sync::Arc, time::Instant};

use axum::Router;
use prometheus::Registry;
use rustix::net::sockopt::set_socket_send_buffer_size;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::StartError;
use crate::{
    config::{OpsConfig, WebConfigFile, WebhookConfig},
    throttle::Throttle,
};
pub(super) use local::Commands;
use meters::Meters;
use room::{Place, Room, Shares};
use serving::Serving;
use web::Web;

pub(super) use web::{Proof, Proofs, check_tls};

/// The kernel's buffer for what a client of the ops listener has not received yet, in bytes: the most
/// that Linux grants without configuration (`net.core.wmem_max`). The default begins at 16 KiB; a
/// scrape of 100,000 series without gzip is then written in more pieces and takes a fifth longer.
const SEND_BUFFER: usize = 212_992;

/// Most streams of the ops listener.
const MOST_STREAMS: usize = 64;

/// Creates both listeners, and divides the available connections between them.
pub(super) struct Listeners {
    shares: Shares,
    meters: Meters,
    bound: BoundSockets,
}

/// Sockets that are bound already: listeners take them over from others, and no client meets a closed
/// port meanwhile.
#[derive(Default)]
pub(super) struct BoundSockets {
    pub(super) webhook: Option<std::net::TcpListener>,
    pub(super) ops: Option<std::net::TcpListener>,
}

/// A bound listener.
pub(super) struct Listener {
    /// Its name in the log and on metrics.
    name: &'static str,
    socket: TcpListener,
    /// Most connections.
    connections: usize,
    web: Option<Arc<Web>>,
    meters: Meters,
}

impl Listeners {
    /// Divides the connections, and registers their metrics with `registry`. Where a socket is in
    /// `bound`, its address is not bound anew.
    pub(super) fn new(registry: &Registry, bound: BoundSockets) -> Result<Self, StartError> {
        let meters = Meters::new()?;
        meters.register(registry)?;
        Ok(Self { shares: Shares::of_this_process(), meters, bound })
    }

    /// Binds the listener for deliveries.
    pub(super) async fn bind_webhook(
        &mut self,
        config: &WebhookConfig,
    ) -> Result<(Listener, SocketAddr), StartError> {
        let settings = ["webhook.listen", "webhook.web_config"];
        let web = config.web_config.as_ref();
        let (bound, connections) = (self.bound.webhook.take(), self.shares.webhook);
        self.bind_listener("webhook", settings, (config.listen, bound), web, connections).await
    }

    /// Binds the listener for scrapes and operators.
    pub(super) async fn bind_ops(
        &mut self,
        config: &OpsConfig,
    ) -> Result<(Listener, SocketAddr), StartError> {
        let settings = ["ops.listen", "ops.web_config"];
        let web = config.web_config.as_ref();
        let (bound, connections) = (self.bound.ops.take(), self.shares.ops);
        let (listener, address) =
            self.bind_listener("ops", settings, (config.listen, bound), web, connections).await?;
        // Connections inherit it. Without it a scrape is as right, and a little slower.
        let _ = set_socket_send_buffer_size(&listener.socket, SEND_BUFFER);
        Ok((listener, address))
    }

    /// Binds the socket for commands on this machine at this path.
    pub(super) fn bind_commands(&self, path: &Path) -> io::Result<Commands> {
        Commands::bind(path, self.meters.clone())
    }

    /// Most streams of the ops listener: a quarter of its connections, so that scrapes and pages
    /// have the others.
    pub(super) fn max_streams(&self) -> usize {
        (self.shares.ops / 4).clamp(1, MOST_STREAMS)
    }

    /// Binds the address, so that the start fails when it is not available, or uses the socket that
    /// is bound to it.
    async fn bind_listener(
        &self,
        name: &'static str,
        [listen, web_config]: [&'static str; 2],
        (address, bound): (SocketAddr, Option<std::net::TcpListener>),
        web: Option<&WebConfigFile>,
        connections: usize,
    ) -> Result<(Listener, SocketAddr), StartError> {
        let wrong = |reason| StartError::Web { setting: web_config, reason };
        let up = || self.meters.web_config_up.with_label_values(&[name]);
        let web = web.map(|file| Web::read(name, &file.path, up())).transpose().map_err(wrong)?;
        let fails = |source| StartError::Listen { setting: listen, address, source };
        let socket = match bound {
            Some(bound) => TcpListener::from_std(bound),
            None => TcpListener::bind(address).await,
        };
        let socket = socket.map_err(fails)?;
        let bound = socket.local_addr().map_err(fails)?;
        Ok((Listener { name, socket, connections, web, meters: self.meters.clone() }, bound))
    }
}

impl Listener {
    /// Another handle of the socket. Connections that nobody has accepted wait there for whoever
    /// serves it next.
    ///
    /// # Errors
    /// When the process may not open another file.
    pub(super) fn duplicate_socket(&self) -> io::Result<std::net::TcpListener> {
        Ok(self.socket.as_fd().try_clone_to_owned()?.into())
    }

    /// Serves until stopped; running requests are answered first. When the listener has users,
    /// `proofs` decides which requests must be from one of them.
    pub(super) async fn serve(
        self,
        router: Router,
        proofs: Proofs,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let router = match &self.web {
            Some(web) => web::add_gate(router, web.clone(), proofs),
            None => router,
        };
        let room = Room::new(self.connections);
        let serving = Serving::new(self.name, self.meters.clone());
        let mut watching = pin!(Web::watch_files(self.web.clone()));
        let [is_full, has_many] = [Throttle::default(), Throttle::default()];
        loop {
            if room.is_full() && is_full.next(Instant::now()).is_some() {
                tracing::warn!(
                    listener = self.name,
                    connections = self.connections,
                    "every connection of the listener is in use; new ones wait"
                );
            }
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                error = serving.wait_for_panic() => return Err(error),
                never = &mut watching => match never {},
                accepted = self.accept(&room) => accepted,
            };
            let (stream, peer, place) = match accepted {
                Ok(Some(accepted)) => accepted,
                Ok(None) => {
                    self.meters.refused.with_label_values(&[self.name, "client"]).inc();
                    if let Some(untold) = has_many.next(Instant::now()) {
                        tracing::warn!(
                            listener = self.name,
                            untold,
                            "a client has as many connections as one may have; more are closed"
                        );
                    }
                    continue;
                }
                Err(error) => {
                    serving.handle_accept_error(&error).await;
                    continue;
                }
            };
            // Answers are small: Nagle's algorithm would only delay them.
            let _ = stream.set_nodelay(true);
            let web = self.web.clone();
            let (tasks, shutdown) = (serving.spawner(), serving.shutdown());
            serving.spawn_connection(
                connection::serve_connection(stream, peer, web, tasks, router.clone(), shutdown),
                place,
            );
        }
        // Closed first, so that the next process can bind the port while running requests are
        // answered.
        drop(self.socket);
        serving.finish().await;
        Ok(())
    }

    /// Waits for room and for a connection; `None` when its client has too many.
    async fn accept(&self, room: &Room) -> io::Result<Option<(TcpStream, SocketAddr, Place)>> {
        let Some(slot) = room.acquire_slot().await else { return std::future::pending().await };
        let (stream, peer) = self.socket.accept().await?;
        Ok(room.admit_client(slot, peer.ip()).map(|place| (stream, peer, place)))
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;
    use crate::config::{Config, Environment};

    #[tokio::test]
    async fn a_panic_in_a_request_ends_the_listener_with_an_error() {
        let mut listeners = Listeners::new(&Registry::new(), BoundSockets::default()).unwrap();
        let text = "[webhook]\nsecrets = [\"s\"]\n[ops]\nlisten = \"127.0.0.1:0\"\n";
        let config = Config::from_text("", text, &Environment::default()).unwrap();
        let (listener, address) = listeners.bind_ops(&config.ops).await.unwrap();
        let mistake = async || assert!(std::hint::black_box(false), "a mistake of a test");
        let router = Router::new().route("/", get(mistake));
        let proofs: Proofs = Arc::new(|_| Proof::NotNeeded);
        let serving = tokio::spawn(listener.serve(router, proofs, CancellationToken::new()));
        assert!(reqwest::get(format!("http://{address}/")).await.is_err());
        let error = serving.await.unwrap().unwrap_err();
        assert!(error.to_string().contains("panicked"), "{error}");
    }
}
