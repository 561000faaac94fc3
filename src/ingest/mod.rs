//! The webhook listener. A delivery is answered with 2xx only after its commit, so that the sender
//! repeats what was not recorded.

mod answer;
mod auth;
mod authorization;
mod body;
mod budget;
mod encoding;
mod failures;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod handler;
mod intake;
mod meters;
mod misdirected;
mod refusals;
mod source;
mod starting;
mod unpack;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use tokio::sync::watch;

use crate::{
    domain::{CheckFilter, WatchPolicy},
    ledger::change::AnswerRules,
    throttle::Throttle,
};

use failures::Failures;

pub use auth::Credentials;
pub use authorization::{Authorization, GivenTwice, matches_any};
pub use intake::{Intake, ReplayError, Replayed};
pub use meters::{Meters, Outcome};
pub use refusals::{RefusalWriter, Refusals};
pub use source::Sources;
pub use starting::starting_routes;

/// Request extension: the listener has authenticated the sender as one of its users.
#[derive(Debug, Clone, Copy)]
pub struct KnownUser;

/// Who may deliver, and the rules for deliveries; replaced by a reload.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The accepted credentials.
    pub credentials: Credentials,
    /// The accepted networks, and the trusted proxies.
    pub sources: Sources,
    /// The rules, which contain no secret and are shared with the ops listener.
    pub rules: Arc<Rules>,
}

/// The rules for deliveries that contain no secret.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The header that carries the shared secret, in lower case.
    pub header: String,
    /// The checks whose deliveries are recorded.
    pub filter: CheckFilter,
    /// Whether users named in a delivery are followed, and how many may be watched.
    pub policy: WatchPolicy,
    /// How deliveries and answers of the API are reconciled.
    pub answers: AnswerRules,
}

/// The state that all handlers of the listener share.
#[derive(Debug)]
pub struct Ingest {
    intake: Intake,
    refusals: Refusals,
    admission: watch::Receiver<Arc<Admission>>,
    max_body_bytes: usize,
    path: String,
    failures: Failures,
    told: Refused,
}

/// Throttles for log lines about refused requests: any sender can cause them.
#[derive(Debug, Default)]
struct Refused {
    credential: Throttle,
    crowd: Throttle,
    network: Throttle,
    path: Throttle,
    method: Throttle,
}

impl Ingest {
    /// Creates the state of a listener for deliveries at `path`. Each request is checked by the
    /// current `admission`.
    #[must_use]
    pub fn new(
        intake: Intake,
        refusals: Refusals,
        admission: watch::Receiver<Arc<Admission>>,
        max_body_bytes: usize,
        path: String,
    ) -> Self {
        let failures = Failures::default();
        let told = Refused::default();
        Self { intake, refusals, admission, max_body_bytes, path, failures, told }
    }

    /// The routes: POST on one path, and a health check for load balancers, which often cannot
    /// reach the ops listener.
    pub fn into_router(self: Arc<Self>) -> Router {
        Router::new()
            .route(&self.path, post(handler::receive).fallback(misdirected::reject_method))
            .route("/-/healthy", get(show_liveness))
            .fallback(misdirected::reject_path)
            .with_state(self)
    }
}

/// The process answers.
async fn show_liveness() -> &'static str {
    "healthy\n"
}
