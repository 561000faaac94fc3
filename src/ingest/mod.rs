//! The webhook listener: a delivery comes in, and is answered with a 2xx once
//! it is on the disk.

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

/// Marks a request whose sender proved to be a user of the listener that took it.
#[derive(Debug, Clone, Copy)]
pub struct KnownUser;

/// Who may deliver, and what decides over a delivery; can be exchanged while running.
#[derive(Debug, Clone)]
pub struct Admission {
    /// What a sender proves itself with.
    pub credentials: Credentials,
    /// Where senders are.
    pub sources: Sources,
    /// The rest, of which nothing is a secret.
    pub rules: Arc<Rules>,
}

/// What decides over a delivery, and is no secret.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The header that carries the shared secret, in lower case.
    pub header: String,
    /// The checks the operator admits.
    pub filter: CheckFilter,
    /// Whether named users are watched from now on.
    pub policy: WatchPolicy,
    /// How far a delivery counts beside answers of the API.
    pub answers: AnswerRules,
}

/// The listener's parts.
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

/// What the log said of requests that are refused for how they are sent.
#[derive(Debug, Default)]
struct Refused {
    credential: Throttle,
    crowd: Throttle,
    network: Throttle,
    path: Throttle,
    method: Throttle,
}

impl Ingest {
    /// A listener that takes deliveries at `path`, by the newest `admission`.
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

    /// The routes: one path, one method; and a health check for balancers, which must not
    /// have to reach the other listener.
    pub fn into_router(self: Arc<Self>) -> Router {
        Router::new()
            .route(&self.path, post(handler::receive).fallback(misdirected::reject_method))
            .route("/-/healthy", get(healthy))
            .fallback(misdirected::reject_path)
            .with_state(self)
    }
}

/// The process answers.
async fn healthy() -> &'static str {
    "healthy\n"
}
