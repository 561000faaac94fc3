//! A listener: bound at the start, served until told to stop. Every connection is bounded
//! in time and bytes, and there are only so many.

mod body;
mod local;
mod meters;
mod patience;
mod room;
mod tls;
mod users;
mod web;

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use hyper::{
    body::Incoming,
    rt::Executor,
    server::conn::{http1, http2},
    service::{HttpService, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use prometheus::Registry;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use super::StartError;
use crate::config::{OpsConfig, WebConfigFile, WebhookConfig};
use body::{Answer, Arriving};
pub(super) use local::Commands;
use meters::Meters;
use patience::{HEAD, Patient, Phase, SILENCE};
use room::{Place, Room, Shares};
use web::Web;

pub(super) use web::{Proof, Proofs, check};

/// Bytes of a request's head at most.
const HEAD_BYTES: usize = 32 * 1024;

/// Headers of a request at most.
const HEADERS: usize = 100;

/// Streams of the ops listener at most.
const MOST_STREAMS: usize = 64;

/// Requests of one connection of HTTP/2 at once.
const STREAMS: u32 = 64;

/// Pause after the system refused a connection, which it does when descriptors are short.
const PAUSE: Duration = Duration::from_millis(100);

/// How long requests in hand may take once the daemon stops.
const LAST_ANSWERS: Duration = Duration::from_millis(2500);

/// How often the same trouble is told in the log.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// Where both listeners come from: what there is of connections is shared out between them.
pub(super) struct Listeners {
    shares: Shares,
    meters: Meters,
}

/// A listener that is bound.
pub(super) struct Listener {
    /// Its name in the log and on metrics.
    name: &'static str,
    socket: TcpListener,
    /// Connections at most.
    connections: usize,
    web: Option<Arc<Web>>,
    meters: Meters,
}

impl Listeners {
    /// Shares out the connections, and makes them part of what `registry` shows.
    pub(super) fn new(registry: &Registry) -> Result<Self, StartError> {
        let meters = Meters::new()?;
        meters.register(registry)?;
        Ok(Self { shares: Shares::of_this_process(), meters })
    }

    /// The listener for deliveries.
    pub(super) async fn webhook(
        &self,
        config: &WebhookConfig,
    ) -> Result<(Listener, SocketAddr), StartError> {
        let settings = ["webhook.listen", "webhook.web_config"];
        let web = config.web_config.as_ref();
        self.bind("webhook", settings, config.listen, web, self.shares.webhook).await
    }

    /// The listener for scrapes and operators.
    pub(super) async fn ops(
        &self,
        config: &OpsConfig,
    ) -> Result<(Listener, SocketAddr), StartError> {
        let settings = ["ops.listen", "ops.web_config"];
        self.bind("ops", settings, config.listen, config.web_config.as_ref(), self.shares.ops).await
    }

    /// Streams that the ops listener may have: a quarter of its connections, so that they
    /// leave the others to scrapes and pages.
    pub(super) fn streams(&self) -> usize {
        (self.shares.ops / 4).clamp(1, MOST_STREAMS)
    }

    /// Takes the address, so that a start fails when it cannot be had.
    async fn bind(
        &self,
        name: &'static str,
        [listen, web_config]: [&'static str; 2],
        address: SocketAddr,
        web: Option<&WebConfigFile>,
        connections: usize,
    ) -> Result<(Listener, SocketAddr), StartError> {
        let wrong = |reason| StartError::Web { setting: web_config, reason };
        let up = || self.meters.web_config_up.with_label_values(&[name]);
        let web = web.map(|file| Web::read(name, &file.path, up())).transpose().map_err(wrong)?;
        let fails = |source| StartError::Listen { setting: listen, address, source };
        let socket = TcpListener::bind(address).await.map_err(fails)?;
        let bound = socket.local_addr().map_err(fails)?;
        Ok((Listener { name, socket, connections, web, meters: self.meters.clone() }, bound))
    }
}

impl Listener {
    /// Serves until told to stop; requests in hand are answered first.
    /// Where the listener has users, `proofs` says which requests must be theirs.
    pub(super) async fn serve(
        self,
        router: Router,
        proofs: Proofs,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let router = match &self.web {
            Some(web) => web::gated(router, web.clone(), proofs),
            None => router,
        };
        let room = Room::new(self.connections);
        let graceful = GracefulShutdown::new();
        let panicked = Arc::new(Notify::new());
        let mut watching = pin!(Web::watch(self.web.clone()));
        let [mut told_full, mut told_client, mut told_accept] = [Told(None); 3];
        loop {
            if room.is_full() && told_full.is_due() {
                tracing::warn!(
                    listener = self.name,
                    connections = self.connections,
                    "every connection of the listener is in use; new ones wait"
                );
            }
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                () = panicked.notified() => return Err(io::Error::other("a request panicked")),
                never = &mut watching => match never {},
                accepted = self.accept(&room) => accepted,
            };
            let (stream, peer, place) = match accepted {
                Ok(Some(accepted)) => accepted,
                Ok(None) => {
                    self.meters.refused.with_label_values(&[self.name, "client"]).inc();
                    if told_client.is_due() {
                        tracing::warn!(
                            listener = self.name,
                            "a client has as many connections as one may have; more are closed"
                        );
                    }
                    continue;
                }
                Err(error) if is_of_one_connection(&error) => continue,
                Err(error) => {
                    self.meters.refused.with_label_values(&[self.name, "accept"]).inc();
                    if told_accept.is_due() {
                        tracing::error!(listener = self.name, %error, "connections cannot be accepted");
                    }
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let open = self.meters.open.with_label_values(&[self.name]);
            open.inc();
            // Answers are small, and nobody gains by waiting for more.
            let _ = stream.set_nodelay(true);
            let connection = {
                let (web, tasks) = (self.web.clone(), Spawner(panicked.clone()));
                meet(stream, peer, web, tasks, router.clone(), graceful.watcher())
            };
            let panics = TellsPanic(panicked.clone());
            tokio::spawn(async move {
                let _panics = panics;
                connection.await;
                drop(place);
                open.dec();
            });
        }
        // Its port is free for the next process while requests in hand are answered.
        drop(self.socket);
        if tokio::time::timeout(LAST_ANSWERS, graceful.shutdown()).await.is_err() {
            tracing::warn!(listener = self.name, "requests that did not end in time are cut off");
        }
        Ok(())
    }

    /// Waits for room, and for a connection; nothing when its client has too many.
    async fn accept(&self, room: &Room) -> io::Result<Option<(TcpStream, SocketAddr, Place)>> {
        let Some(slot) = room.slot().await else { return std::future::pending().await };
        let (stream, peer) = self.socket.accept().await?;
        Ok(room.place(slot, peer.ip()).map(|place| (stream, peer, place)))
    }
}

/// Tells the listener when it is dropped by a panic: nobody waits for a connection's task.
struct TellsPanic(Arc<Notify>);

impl Drop for TellsPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.notify_one();
        }
    }
}

/// Spawns the tasks of requests of HTTP/2, whose panics are told, too.
#[derive(Clone)]
struct Spawner(Arc<Notify>);

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Spawner {
    fn execute(&self, future: F) {
        let panics = TellsPanic(self.0.clone());
        tokio::spawn(async move {
            let _panics = panics;
            future.await
        });
    }
}

/// Speaks TLS with a connection where that is wanted, and answers its requests.
async fn meet(
    stream: TcpStream,
    peer: SocketAddr,
    web: Option<Arc<Web>>,
    tasks: Spawner,
    router: Router,
    watcher: Watcher,
) {
    let Some(tls) = web.and_then(|web| web.current().tls.clone()) else {
        return converse(stream, Some(peer), router, watcher).await;
    };
    // A handshake is shorter than a head, and costs more.
    let stream = match tokio::time::timeout(HEAD, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => return tracing::debug!("a TLS handshake took too long"),
    };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        converse_by_http2(stream, peer, tasks, router, watcher).await;
    } else {
        converse(stream, Some(peer), router, watcher).await;
    }
}

/// Answers the requests of one connection, as many at once as one may have.
async fn converse_by_http2(
    stream: TlsStream<TcpStream>,
    peer: SocketAddr,
    tasks: Spawner,
    router: Router,
    watcher: Watcher,
) {
    let phase = Phase::default();
    // Its frames come between requests, too: they are no head that has begun.
    let patient = Patient::new(stream, phase.clone(), SILENCE);
    let connection = http2::Builder::new(tasks)
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .serve_connection(TokioIo::new(patient), service(phase, Some(peer), router));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Answers the requests of one connection, one after the other.
async fn converse<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    peer: Option<SocketAddr>,
    router: Router,
    watcher: Watcher,
) {
    let phase = Phase::default();
    let patient = Patient::new(stream, phase.clone(), HEAD);
    let connection = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(patient), service(phase, peer, router));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Hands each request of a connection to the routes.
fn service(
    phase: Phase,
    peer: Option<SocketAddr>,
    router: Router,
) -> impl HttpService<
    Incoming,
    ResBody = Answer,
    Error = Infallible,
    Future = impl Future<Output = Result<hyper::Response<Answer>, Infallible>> + Send,
> {
    service_fn(move |request: hyper::Request<Incoming>| {
        let (answering, mut router) = (phase.answering(), router.clone());
        async move {
            let mut request: Request = request.map(|body| Body::new(Arriving::new(body)));
            if let Some(peer) = peer {
                request.extensions_mut().insert(ConnectInfo(peer));
            }
            let Ok(response): Result<Response, Infallible> = router.call(request).await;
            Ok::<_, Infallible>(response.map(|body| Answer::new(body, answering)))
        }
    })
}

/// When something was last told, so that the log is not flooded, too.
#[derive(Debug, Clone, Copy)]
struct Told(Option<Instant>);

impl Told {
    fn is_due(&mut self) -> bool {
        let is_due = self.0.is_none_or(|told| told.elapsed() >= TOLD_EVERY);
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
    }
}

/// Whether only the connection that was about to be accepted is lost.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;
    use crate::config::{Config, Environment};

    #[tokio::test]
    async fn a_panic_in_a_request_ends_the_listener_with_an_error() {
        let listeners = Listeners::new(&Registry::new()).unwrap();
        let text = "[webhook]\nsecrets = [\"s\"]\n[ops]\nlisten = \"127.0.0.1:0\"\n";
        let config = Config::from_text("", text, &Environment::default()).unwrap();
        let (listener, address) = listeners.ops(&config.ops).await.unwrap();
        let mistake = async || assert!(std::hint::black_box(false), "a mistake of a test");
        let router = Router::new().route("/", get(mistake));
        let proofs: Proofs = Arc::new(|_| Proof::NotNeeded);
        let serving = tokio::spawn(listener.serve(router, proofs, CancellationToken::new()));
        assert!(reqwest::get(format!("http://{address}/")).await.is_err());
        let error = serving.await.unwrap().unwrap_err();
        assert!(error.to_string().contains("panicked"), "{error}");
    }
}
