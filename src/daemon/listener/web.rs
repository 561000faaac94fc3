//! Applies a listener's `web-config.yml`: TLS, users, headers, rate limit. It is read again when
//! it, or a file that it names, changes.

use std::{
    convert::Infallible,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use prometheus::IntGauge;
use tokio_rustls::TlsAcceptor;

use super::{
    tls,
    users::{Caller, Given, Passwords},
};
use crate::{config::WebConfig, ingest::KnownUser};

/// Least time between two checks of the files.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Decides whether a request must be from a user of the listener. It is called before a password is
/// compared, which costs a CPU a tenth of a second.
pub(in crate::daemon) type Proofs = Arc<dyn Fn(&Request) -> Proof + Send + Sync>;

/// Whether a request must be from a user of the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::daemon) enum Proof {
    /// It has another credential, or the routes refuse it in any case.
    NotNeeded,
    /// The gate refuses it unless it is from a user.
    User,
    /// The routes refuse it unless it is from a user: they have an answer of their own, and count
    /// failures.
    UserOrRoutes,
}

/// The file, with its last valid content.
pub(super) struct Web {
    name: &'static str,
    path: PathBuf,
    passwords: Passwords,
    state: Mutex<Seen>,
    /// 1 while the content of the file is in force.
    up: IntGauge,
}

struct Seen {
    looked: Instant,
    stamps: Vec<Option<Stamp>>,
    current: Arc<Current>,
    /// The error of the current file; `None` while it is valid.
    error: Option<String>,
}

/// Identifies the content of a file: inode, length, time of change.
type Stamp = (u64, u64, Option<SystemTime>);

/// The content that is in force.
pub(super) struct Current {
    config: WebConfig,
    pub(super) tls: Option<TlsAcceptor>,
    bucket: Mutex<Option<Bucket>>,
}

/// The token bucket of the rate limit.
struct Bucket {
    left: f64,
    since: Instant,
}

impl Web {
    /// Reads the file of the listener `name`; `up` is the metric that shows whether it is in force.
    pub(super) fn read(name: &'static str, path: &Path, up: IntGauge) -> Result<Arc<Self>, String> {
        let (current, stamps) = load(path)?;
        let current = Arc::new(current);
        let seen = Seen { looked: Instant::now(), stamps, current, error: None };
        up.set(1);
        Ok(Arc::new(Self {
            name,
            path: path.to_owned(),
            passwords: Passwords::new()?,
            state: Mutex::new(seen),
            up,
        }))
    }

    /// Checks the files periodically while it is polled, so that an error is shown even without
    /// requests.
    pub(super) async fn watch_files(this: Option<Arc<Self>>) -> Infallible {
        let Some(web) = this else { return std::future::pending().await };
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            web.current();
        }
    }

    /// Returns the content in force. It checks the files for changes, throttled by [`LOOK_EVERY`].
    pub(super) fn current(&self) -> Arc<Current> {
        let mut seen = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked.elapsed() < LOOK_EVERY {
            return seen.current.clone();
        }
        seen.looked = Instant::now();
        let stamps = stamps(&self.path, &seen.current.config);
        // An invalid file may name other files, whose stamps are not known. Only another try shows
        // whether they are valid now.
        if stamps == seen.stamps && seen.error.is_none() {
            return seen.current.clone();
        }
        match load(&self.path)
            .and_then(|(new, stamps)| Ok((check_change(new, &seen.current)?, stamps)))
        {
            Ok((new, stamps)) => {
                tracing::info!(listener = self.name, "TLS and users were read again");
                self.up.set(1);
                seen.stamps = stamps;
                seen.current = Arc::new(new);
                seen.error = None;
            }
            Err(error) => {
                self.up.set(0);
                if seen.error.as_ref() != Some(&error) {
                    tracing::error!(
                        listener = self.name,
                        error,
                        "the web configuration is wrong; what was read before holds"
                    );
                }
                seen.error = Some(error);
            }
        }
        seen.current.clone()
    }
}

/// Rejects changes that need a restart: a truncated file must not turn off TLS or authentication.
fn check_change(new: Current, old: &Current) -> Result<Current, String> {
    if old.config.is_authenticated() && !new.config.is_authenticated() {
        return Err("it has no users any more, and they are needed until a restart".to_owned());
    }
    if old.tls.is_some() != new.tls.is_some() {
        return Err("TLS is switched on and off by a restart".to_owned());
    }
    Ok(new)
}

/// Checks that TLS can be built from the configured files.
pub(in crate::daemon) fn check_tls(config: &WebConfig) -> Result<(), String> {
    let tls = config.tls.as_ref();
    tls.map_or(Ok(()), |tls| tls::build_server_config(tls, config.http2).map(|_| ()))
}

fn load(path: &Path) -> Result<(Current, Vec<Option<Stamp>>), String> {
    let config = WebConfig::read(path).map_err(|error| error.to_string())?;
    // Taken before the files are read, so that a change during the read is noticed.
    let stamps = stamps(path, &config);
    let tls =
        config.tls.as_ref().map(|tls| tls::build_server_config(tls, config.http2)).transpose()?;
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
    /// Takes a token from the bucket; `false` when it is empty.
    fn take_token(&self) -> bool {
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
    proofs: Proofs,
}

/// Adds the gate as a layer around the routes of a listener.
pub(super) fn add_gate(router: Router, web: Arc<Web>, proofs: Proofs) -> Router {
    router.layer(middleware::from_fn_with_state(Gate { web, proofs }, pass_gate))
}

async fn pass_gate(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let current = gate.web.current();
    let mut response = answer_request(&gate, &current, request, next).await;
    for (name, value) in &current.config.headers {
        // A header that the page has set itself is stricter and stays.
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    response
}

async fn answer_request(
    gate: &Gate,
    current: &Current,
    mut request: Request,
    next: Next,
) -> Response {
    if !current.take_token() {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    if current.config.users.is_empty() {
        return next.run(request).await;
    }
    let (users, passwords) = (&current.config.users, &gate.web.passwords);
    let given = Given::from_headers(request.headers());
    let is_remembered = given.as_ref().is_some_and(|given| passwords.is_remembered(users, given));
    let proof = (gate.proofs)(&request);
    // The cheap checks come first, so that a flood of wrong passwords does not delay requests that
    // need no turn.
    let caller = match given {
        _ if is_remembered => Caller::Known,
        Some(given) if proof != Proof::NotNeeded => passwords.verify(users, given).await,
        _ => Caller::Unknown,
    };
    match caller {
        Caller::Known => {
            request.extensions_mut().insert(KnownUser);
            next.run(request).await
        }
        Caller::Unknown if proof != Proof::User => next.run(request).await,
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
