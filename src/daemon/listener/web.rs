//! What a listener's `web-config.yml` says: TLS, users, headers. It is read again when it, or
//! a file that it names, is another one.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tokio_rustls::TlsAcceptor;

use super::{
    tls,
    users::{Caller, Passwords},
};
use crate::{config::WebConfig, ingest::KnownUser};

/// How often the files are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Whoever asks without being a user of the listener, and may all the same.
pub(in crate::daemon) type Otherwise = Arc<dyn Fn(&HeaderMap) -> bool + Send + Sync>;

/// The file, and what it said when it was last right.
pub(super) struct Web {
    name: &'static str,
    path: PathBuf,
    passwords: Arc<Passwords>,
    state: Mutex<Seen>,
}

struct Seen {
    looked: Instant,
    stamps: Vec<Option<Stamp>>,
    current: Arc<Current>,
}

/// What is enough to know a file again.
type Stamp = (u64, u64, Option<SystemTime>);

/// What holds now.
pub(super) struct Current {
    config: WebConfig,
    pub(super) tls: Option<TlsAcceptor>,
    bucket: Mutex<Option<Bucket>>,
}

/// Requests that may come now.
struct Bucket {
    left: f64,
    since: Instant,
}

impl Web {
    /// Reads the file, for the listener of this name.
    pub(super) fn read(name: &'static str, path: &Path) -> Result<Arc<Self>, String> {
        let (current, stamps) = load(path)?;
        let seen = Seen { looked: Instant::now(), stamps, current: Arc::new(current) };
        let passwords = Arc::new(Passwords::new()?);
        Ok(Arc::new(Self { name, path: path.to_owned(), passwords, state: Mutex::new(seen) }))
    }

    /// What holds now. Files on the disk are small: they are looked at where they are needed.
    pub(super) fn current(&self) -> Arc<Current> {
        let mut seen = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked.elapsed() < LOOK_EVERY {
            return seen.current.clone();
        }
        seen.looked = Instant::now();
        let stamps = stamps(&self.path, &seen.current.config);
        if stamps == seen.stamps {
            return seen.current.clone();
        }
        // Also when it is wrong: it is said once, and read again when it is another one.
        seen.stamps = stamps;
        match load(&self.path)
            .and_then(|(new, stamps)| Ok((may_follow(new, &seen.current)?, stamps)))
        {
            Ok((new, stamps)) => {
                tracing::info!(listener = self.name, "TLS and users were read again");
                seen.stamps = stamps;
                seen.current = Arc::new(new);
            }
            Err(error) => tracing::error!(
                listener = self.name,
                error,
                "the web configuration is wrong; what was read before holds"
            ),
        }
        seen.current.clone()
    }
}

/// What cannot change while running: nobody expects a door to be open, or another protocol
/// to be spoken, because a file was cut short.
fn may_follow(new: Current, old: &Current) -> Result<Current, String> {
    if old.config.is_authenticated() && !new.config.is_authenticated() {
        return Err("it has no users any more, and they are needed until a restart".to_owned());
    }
    if old.tls.is_some() != new.tls.is_some() {
        return Err("TLS is switched on and off by a restart".to_owned());
    }
    Ok(new)
}

/// Whether TLS can be had of what a configuration names.
pub(in crate::daemon) fn check(config: &WebConfig) -> Result<(), String> {
    let tls = config.tls.as_ref();
    tls.map_or(Ok(()), |tls| tls::server(tls, config.http2).map(|_| ()))
}

fn load(path: &Path) -> Result<(Current, Vec<Option<Stamp>>), String> {
    let config = WebConfig::read(path).map_err(|error| error.to_string())?;
    // Before the files are read: one that changes meanwhile is read again.
    let stamps = stamps(path, &config);
    let tls = config.tls.as_ref().map(|tls| tls::server(tls, config.http2)).transpose()?;
    let bucket = config
        .rate_limit
        .map(|(_, burst)| Bucket { left: f64::from(burst.max(1)), since: Instant::now() });
    let current = Current { config, tls: tls.map(TlsAcceptor::from), bucket: Mutex::new(bucket) };
    Ok((current, stamps))
}

fn stamps(path: &Path, config: &WebConfig) -> Vec<Option<Stamp>> {
    let stamp = |path: &Path| {
        let file = fs::metadata(path).ok()?;
        Some((file.ino(), file.len(), file.modified().ok()))
    };
    [path].into_iter().chain(config.files()).map(stamp).collect()
}

impl Current {
    /// Takes one request out of the bucket, where there is one.
    fn takes_one_more(&self) -> bool {
        let Some((interval, burst)) = self.config.rate_limit else { return true };
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bucket) = bucket.as_mut() else { return true };
        let come = bucket.since.elapsed().as_secs_f64() / interval.as_secs_f64();
        bucket.since = Instant::now();
        bucket.left = (bucket.left + come).min(f64::from(burst.max(1)));
        let takes = bucket.left >= 1.0;
        if takes {
            bucket.left -= 1.0;
        }
        takes
    }
}

#[derive(Clone)]
struct Gate {
    web: Arc<Web>,
    otherwise: Otherwise,
}

/// Puts the gate before the routes of a listener.
pub(super) fn gated(router: Router, web: Arc<Web>, otherwise: Otherwise) -> Router {
    router.layer(middleware::from_fn_with_state(Gate { web, otherwise }, pass))
}

async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let current = gate.web.current();
    let mut response = answer(&gate, &current, request, next).await;
    for (name, value) in &current.config.headers {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

async fn answer(gate: &Gate, current: &Current, mut request: Request, next: Next) -> Response {
    if !current.takes_one_more() {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    if current.config.users.is_empty() {
        return next.run(request).await;
    }
    match gate.web.passwords.caller(&current.config.users, request.headers()).await {
        Caller::Known => {
            request.extensions_mut().insert(KnownUser);
            next.run(request).await
        }
        Caller::Unknown if (gate.otherwise)(request.headers()) => next.run(request).await,
        Caller::Unknown => {
            let challenge = HeaderValue::from_static("Basic realm=\"cii-exporter\"");
            let body = "a user and a password are needed, as authorization: Basic\n";
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)], body)
                .into_response()
        }
        Caller::Busy => {
            let retry = [(header::RETRY_AFTER, HeaderValue::from_static("5"))];
            (StatusCode::SERVICE_UNAVAILABLE, retry).into_response()
        }
    }
}
