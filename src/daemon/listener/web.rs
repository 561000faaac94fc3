//! What a listener's `web-config.yml` says: TLS, users, headers. It is read again when it, or
//! a file that it names, is another one.

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

/// How often the files are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the routes of a listener want of a request where the listener has users. It is asked
/// before a password is compared, which costs a processor for a tenth of a second.
pub(in crate::daemon) type Proofs = Arc<dyn Fn(&Request) -> Proof + Send + Sync>;

/// Whether a request must prove to be one of a user of the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::daemon) enum Proof {
    /// It proves itself otherwise, or is refused by the routes whoever sends it.
    NotNeeded,
    /// It is refused unless it is a user's.
    User,
    /// The routes refuse it unless it is a user's: they say how, and count failures.
    UserOrRoutes,
}

/// The file, and what it said when it was last right.
pub(super) struct Web {
    name: &'static str,
    path: PathBuf,
    passwords: Passwords,
    state: Mutex<Seen>,
    /// 1 while what the file says is what holds.
    up: IntGauge,
}

struct Seen {
    looked: Instant,
    stamps: Vec<Option<Stamp>>,
    current: Arc<Current>,
    /// What is wrong with the file on the disk.
    error: Option<String>,
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
    /// Reads the file, for the listener of this name; `up` shows whether it holds.
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

    /// Looks at the files for as long as it is polled, so that what is wrong with them is
    /// shown while nobody sends a request.
    pub(super) async fn watch_files(this: Option<Arc<Self>>) -> Infallible {
        let Some(web) = this else { return std::future::pending().await };
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            web.current();
        }
    }

    /// What holds now. Files on the disk are small: they are looked at where they are needed.
    pub(super) fn current(&self) -> Arc<Current> {
        let mut seen = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked.elapsed() < LOOK_EVERY {
            return seen.current.clone();
        }
        seen.looked = Instant::now();
        let stamps = stamps(&self.path, &seen.current.config);
        // A file that is wrong may name others than the one that holds: whether those have
        // become right, only another try shows.
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

/// What cannot change while running: nobody expects a door to be open, or another protocol
/// to be spoken, because a file was cut short.
fn check_change(new: Current, old: &Current) -> Result<Current, String> {
    if old.config.is_authenticated() && !new.config.is_authenticated() {
        return Err("it has no users any more, and they are needed until a restart".to_owned());
    }
    if old.tls.is_some() != new.tls.is_some() {
        return Err("TLS is switched on and off by a restart".to_owned());
    }
    Ok(new)
}

/// Whether TLS can be had of what a configuration names.
pub(in crate::daemon) fn check_tls(config: &WebConfig) -> Result<(), String> {
    let tls = config.tls.as_ref();
    tls.map_or(Ok(()), |tls| tls::build_server_config(tls, config.http2).map(|_| ()))
}

fn load(path: &Path) -> Result<(Current, Vec<Option<Stamp>>), String> {
    let config = WebConfig::read(path).map_err(|error| error.to_string())?;
    // Before the files are read: one that changes meanwhile is read again.
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
    /// Takes one request out of the bucket, where there is one.
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

/// Puts the gate before the routes of a listener.
pub(super) fn add_gate(router: Router, web: Arc<Web>, proofs: Proofs) -> Router {
    router.layer(middleware::from_fn_with_state(Gate { web, proofs }, pass_gate))
}

async fn pass_gate(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let current = gate.web.current();
    let mut response = answer_request(&gate, &current, request, next).await;
    for (name, value) in &current.config.headers {
        // What a page has of its own is stricter, and made for it.
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
    // What is cheap comes first, so that others' wrong passwords keep nobody waiting who
    // needs no turn.
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
