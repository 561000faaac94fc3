//! Serves one connection: TLS if configured, then HTTP/1.1 or HTTP/2.

use std::{
    convert::Infallible, future::Future, net::SocketAddr, pin::pin, sync::Arc, time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::{HttpService, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
};
use tower_service::Service as _;

use super::{
    body::{Answer, Arriving, Pieces},
    patience::{HEAD, Patient, Phase, SILENCE},
    serving::Spawner,
    web::Web,
};

/// Most bytes of a request's head.
const HEAD_BYTES: usize = 32 * 1024;

/// Most headers of a request.
const HEADERS: usize = 100;

/// Most concurrent requests of an HTTP/2 connection: enough for a sender or a browser, and not more
/// answers in memory than the listener has turns.
const STREAMS: u32 = 16;

/// The window of an HTTP/2 stream: bytes of a body that it may send ahead of the reader.
const WINDOW: u32 = 64 * 1024;

/// The interval of HTTP/2 pings, and the time limit of their answers.
const ASKED_EVERY: Duration = Duration::from_secs(30);
const ASKED_FOR: Duration = Duration::from_secs(20);

/// How long a new connection may take for its first request when the listener shuts down: longer than
/// a request is on its way, and a fifth of what running requests have.
const FIRST_REQUEST: Duration = Duration::from_millis(500);

/// Performs the TLS handshake if configured, and answers the connection's requests.
pub(super) async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    web: Option<Arc<Web>>,
    tasks: Spawner,
    router: Router,
    shutdown: watch::Receiver<()>,
) {
    let Some(tls) = web.and_then(|web| web.current().tls.clone()) else {
        return serve_http1(stream, Some(peer), router, shutdown).await;
    };
    // The handshake has the time limit of a head: it is shorter, but costs more computation.
    let stream = match tokio::time::timeout(HEAD, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => return tracing::debug!("a TLS handshake took too long"),
    };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        serve_http2(stream, peer, tasks, router, shutdown).await;
    } else {
        serve_http1(stream, Some(peer), router, shutdown).await;
    }
}

/// Answers the requests of an HTTP/2 connection, up to [`STREAMS`] concurrently.
async fn serve_http2<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    peer: SocketAddr,
    tasks: Spawner,
    router: Router,
    shutdown: watch::Receiver<()>,
) {
    let phase = Phase::default();
    // Frames also arrive between requests, such as pings: they do not mean that a head has begun.
    let patient = Patient::new(stream, phase.clone(), SILENCE);
    let connection = http2::Builder::new(tasks)
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        // A large body that waits for memory fills only the window of its stream, so that the other
        // streams go on.
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(STREAMS * WINDOW)
        // Without pings, answers to a peer that has vanished would wait forever.
        .keep_alive_interval(ASKED_EVERY)
        .keep_alive_timeout(ASKED_FOR)
        .serve_connection(
            TokioIo::new(patient),
            service(phase.clone(), Some(peer), router, Pieces::Http2),
        );
    serve_until_shutdown(connection, &phase, shutdown).await;
}

/// Answers the requests of an HTTP/1.1 connection one after the other.
pub(super) async fn serve_http1<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    peer: Option<SocketAddr>,
    router: Router,
    shutdown: watch::Receiver<()>,
) {
    let phase = Phase::default();
    let patient = Patient::new(stream, phase.clone(), HEAD);
    let connection =
        http1::Builder::new().max_buf_size(HEAD_BYTES).max_headers(HEADERS).serve_connection(
            TokioIo::new(patient),
            service(phase.clone(), peer, router, Pieces::Http1),
        );
    serve_until_shutdown(connection, &phase, shutdown).await;
}

/// Answers requests until the peer ends the connection, or until the shutdown: then only those are
/// finished that have begun, until the listener is gone.
async fn serve_until_shutdown<C: GracefulConnection<Error: std::fmt::Display>>(
    connection: C,
    phase: &Phase,
    mut shutdown: watch::Receiver<()>,
) {
    let mut connection = pin!(connection);
    let stopped = async {
        let _ = shutdown.changed().await;
        // hyper would close a connection without a request at once, and a client that has just sent
        // its first one would get no answer.
        let _ = tokio::time::timeout(FIRST_REQUEST, phase.wait_for_request()).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                _ = shutdown.changed() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Creates the service that passes each request of a connection to the routes.
fn service(
    phase: Phase,
    peer: Option<SocketAddr>,
    router: Router,
    pieces: Pieces,
) -> impl HttpService<
    Incoming,
    ResBody = Answer,
    Error = Infallible,
    Future = impl Future<Output = Result<hyper::Response<Answer>, Infallible>> + Send,
> {
    service_fn(move |request: hyper::Request<Incoming>| {
        let (answering, mut router) = (Arc::new(phase.begin_answer()), router.clone());
        async move {
            let mut request: Request = request.map(|body| Body::new(Arriving::new(body)));
            if let Some(peer) = peer {
                request.extensions_mut().insert(ConnectInfo(peer));
            }
            let Ok(response): Result<Response, Infallible> = router.call(request).await;
            Ok::<_, Infallible>(response.map(|body| Answer::new(body, answering, pieces)))
        }
    })
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use h2::client;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
        task::JoinHandle,
        time::Instant,
    };

    use super::{
        super::{
            meters::Meters,
            serving::{LAST_ANSWERS, Serving},
        },
        *,
    };

    fn new_serving() -> Serving {
        Serving::new("test", Meters::new().unwrap())
    }

    /// A connection over memory to a route with an answer of so many bytes; it ends with the
    /// moment of its own end.
    fn connect(
        serving: &Serving,
        bytes: usize,
        is_http2: bool,
    ) -> (DuplexStream, JoinHandle<Instant>) {
        let (near, far) = tokio::io::duplex(1024 * 1024);
        let router = Router::new().route("/", get(async move || vec![b'x'; bytes]));
        let (tasks, shutdown) = (serving.spawner(), serving.shutdown());
        let task = tokio::spawn(async move {
            if is_http2 {
                let peer = SocketAddr::from(([127, 0, 0, 1], 1));
                serve_http2(near, peer, tasks, router, shutdown).await;
            } else {
                serve_http1(near, None, router, shutdown).await;
            }
            Instant::now()
        });
        (far, task)
    }

    /// Sends a request by HTTP/2, and opens so much of a window for its answer.
    async fn request(far: DuplexStream, window: u32) -> h2::RecvStream {
        let mut builder = client::Builder::new();
        builder.initial_window_size(window);
        let (sender, connection) = builder.handshake::<_, axum::body::Bytes>(far).await.unwrap();
        // It answers pings, as a client does that is there.
        tokio::spawn(async move { drop(connection.await) });
        let mut sender = sender.ready().await.unwrap();
        let request = axum::http::Request::get("http://localhost/").body(()).unwrap();
        let (response, _) = sender.send_request(request, true).unwrap();
        let body = response.await.unwrap().into_body();
        // Dropped, it would end the connection.
        tokio::spawn(async move {
            let _sender = sender;
            std::future::pending::<()>().await;
        });
        body
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_by_http2_ends_the_connection() {
        for window in [0, 1000, 65_535] {
            let begun = Instant::now();
            let serving = new_serving();
            let (far, connection) = connect(&serving, 1024 * 1024, true);
            let _body = request(far, window).await;
            let took = connection.await.unwrap() - begun;
            assert!((75..=80).contains(&took.as_secs()), "{window}: {took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_read_slowly_by_http2_comes_whole() {
        let serving = new_serving();
        let (far, connection) = connect(&serving, 200 * 1024, true);
        let mut body = request(far, 16 * 1024).await;
        let (begun, mut read) = (Instant::now(), 0);
        while let Some(data) = body.data().await {
            read += data.as_ref().unwrap().len();
            tokio::time::sleep(Duration::from_secs(30)).await;
            body.flow_control().release_capacity(data.unwrap().len()).unwrap();
        }
        assert_eq!(read, 200 * 1024);
        assert!(begun.elapsed() > Duration::from_mins(5), "{:?}", begun.elapsed());
        assert!(!connection.is_finished());
        // Then it is silent, and ends.
        let took = connection.await.unwrap() - begun;
        assert!(took < begun.elapsed() + Duration::from_mins(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_silent_after_an_answer_ends() {
        let serving = new_serving();
        let (mut far, connection) = connect(&serving, 100 * 1024, false);
        far.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 100 * 1024];
        far.read_exact(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\ncontent-type: "), "{answer:?}");
        assert!(String::from_utf8_lossy(&answer[..200]).contains("content-length: 102400"));
        let begun = Instant::now();
        let took = connection.await.unwrap() - begun;
        assert!((70..=80).contains(&took.as_secs()), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_request_right_after_the_shutdown_is_answered() {
        for is_http2 in [false, true] {
            let serving = new_serving();
            let (mut far, connection) = connect(&serving, 1000, is_http2);
            let finished = tokio::spawn(serving.finish());
            tokio::time::sleep(FIRST_REQUEST / 2).await;
            if is_http2 {
                let mut body = request(far, 65_535).await;
                assert_eq!(body.data().await.unwrap().unwrap().len(), 1000);
            } else {
                far.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
                let mut answer = String::new();
                far.read_to_string(&mut answer).await.unwrap();
                assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
                assert!(answer.ends_with("xx"), "{answer}");
            }
            connection.await.unwrap();
            finished.await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_ends_soon_after_the_shutdown() {
        let half_a_head: &[u8] = b"GET / HTTP/1.1\r\nhost";
        let cases: [(bool, &[u8], Duration); 3] = [
            (false, b"", FIRST_REQUEST),
            (false, half_a_head, LAST_ANSWERS),
            (true, b"", LAST_ANSWERS),
        ];
        for (is_http2, sent, expected) in cases {
            let serving = new_serving();
            let (mut far, connection) = connect(&serving, 1000, is_http2);
            far.write_all(sent).await.unwrap();
            let begun = Instant::now();
            serving.finish().await;
            let took = connection.await.unwrap() - begun;
            assert!(took >= expected, "{is_http2} {sent:?}: {took:?}");
            assert!(took < expected + Duration::from_millis(100), "{is_http2} {sent:?}: {took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_after_a_request_ends_at_once_at_the_shutdown() {
        let serving = new_serving();
        let (mut far, connection) = connect(&serving, 1, false);
        far.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut answer = [0; 10];
        far.read_exact(&mut answer).await.unwrap();
        let begun = Instant::now();
        serving.finish().await;
        let took = connection.await.unwrap() - begun;
        assert!(took.as_millis() < 10, "{took:?}");
    }
}
