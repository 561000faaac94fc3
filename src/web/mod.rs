//! The ops listener: metrics, health, reload, the JSON API, and HTML pages.
//! It presents what other rooms compute and store, and forwards requests to them.

mod api;
mod body;
mod csv;
mod filter;
mod follow;
mod guard;
mod health;
pub mod json;
mod kept;
mod link;
mod listing;
mod meters;
mod metrics;
mod negotiate;
mod page;
mod parts;
mod problem;
mod purge;
mod query;
mod reload;
mod starting;
mod subject;
mod turns;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tokio::sync::watch;

use crate::{
    cii, clock,
    delivery::{self, Outages},
    domain::{Schedule, Timestamp},
    ingest::{self, Intake, Refusals, Rules},
    metrics::{Exposition, Scope},
    store::{Standing, Store},
};
use follow::Gate;
use turns::Turns;

pub use guard::Access;
pub use health::Readiness;
use meters::Shed;
pub use meters::ShedMeter;
pub use purge::{PurgeDesk, PurgeRequest, Purger};
pub use reload::{LastReload, ReloadDesk, ReloadReply, ReloadRequest};
pub use starting::starting_routes;

/// What the listener shows, and the channels to which it forwards requests.
#[derive(Debug)]
pub struct Sources {
    /// Renders the metrics of a scrape.
    pub exposition: Exposition,
    /// Checks, users, addresses, events, and the watch list.
    pub store: Store,
    /// Counters since the start of the process.
    pub meters: Meters,
    /// Whether the OTLP collector is down, and why.
    pub outages: Outages,
    /// Which parts of the daemon the configuration turns on.
    pub parts: Parts,
    /// The tenant's name and the objectives of `[slo]`; replaced by a reload.
    pub scope: watch::Receiver<Scope>,
    /// The schedules of the jobs that call the service's API.
    pub polls: Polls,
    /// The webhook listener.
    pub webhook: Webhook,
    /// Most streams that may be open at once; each takes one connection of the listener.
    pub streams: usize,
    /// Whether the daemon is starting, ready or stopping.
    pub readiness: watch::Receiver<Readiness>,
    /// The rules of deliveries: the secret's header, and how many users may be watched.
    pub rules: watch::Receiver<Arc<Rules>>,
    /// The channel for reload requests.
    pub reload: ReloadDesk,
    /// The result of the last reload; `None` before the first.
    pub reloaded: watch::Receiver<Option<LastReload>>,
    /// The channel for requests to purge a user.
    pub purges: PurgeDesk,
    /// Whether this replica leads: only the leader polls, sends and prunes.
    pub standing: watch::Receiver<Standing>,
    /// The settings whose values differ from the leader's.
    pub differing: watch::Receiver<Vec<String>>,
}

/// The meters of the rooms whose counts the pages show. The store has its own.
#[derive(Debug, Clone)]
pub struct Meters {
    /// Requests to the webhook listener.
    pub webhook: ingest::Meters,
    /// Requests to the service.
    pub api: cii::Meters,
    /// Exports to the OTLP collector.
    pub otlp: delivery::Meters,
    /// Requests that this room answered with 503.
    pub shed: ShedMeter,
}

/// Which parts of the daemon the configuration turns on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// `[api]` is configured: the service is polled.
    pub api: bool,
    /// `[otlp]` is configured: events are sent to a collector.
    pub otlp: bool,
}

/// The webhook listener, for requests that list deliveries or replay one.
#[derive(Debug)]
pub struct Webhook {
    /// The socket on which it listens; a proxy before it may terminate TLS.
    pub listen: SocketAddr,
    /// The path of deliveries.
    pub path: String,
    /// The URL under which this machine reaches it.
    pub url: String,
    /// The URL under which the service reaches it (`webhook.public_url`).
    pub public_url: Option<String>,
    /// Records a replayed delivery.
    pub intake: Intake,
    /// Refused deliveries, also those in memory that the store could not record.
    pub refusals: Refusals,
    /// The longest body that is accepted.
    pub max_body_bytes: usize,
}

/// The schedules of the jobs that poll the service; `None` for a job that does not run.
#[derive(Debug, Clone, Default)]
pub struct Polls {
    /// State and failing checks of watched users.
    pub users: Option<Schedule>,
    /// Users of watched addresses.
    pub ips: Option<Schedule>,
    /// The listing of the whole tenant; `None` while it is switched off.
    pub tenant: Option<Schedule>,
    /// Whether the tenant is also listed when the daemon starts.
    pub tenant_on_start: bool,
    /// The service itself: integrations, administrators, daily counts.
    pub service: Option<Schedule>,
}

impl Polls {
    /// The jobs that run, by name, each with its schedule.
    pub fn jobs(&self) -> impl Iterator<Item = (&'static str, &Schedule)> {
        [
            ("users", &self.users),
            ("ips", &self.ips),
            ("tenant", &self.tenant),
            ("service", &self.service),
        ]
        .into_iter()
        .filter_map(|(name, schedule)| Some((name, schedule.as_ref()?)))
    }
}

/// The state that all handlers of the listener share.
#[derive(Debug)]
pub struct Ops {
    sources: Sources,
    started_at: Timestamp,
    scraped_at: Mutex<Option<Timestamp>>,
    gate: Gate,
}

impl Ops {
    /// Creates the state; the uptime on the pages counts from this call.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        let gate = Gate::new(&sources);
        Self { sources, started_at: clock::now(), scraped_at: Mutex::default(), gate }
    }

    /// Returns the routes of the TCP listener, and those of the socket for commands on this
    /// machine.
    ///
    /// The second ones skip the guard: the file mode of the socket lets only the owner of the
    /// database connect.
    pub fn into_routers(self, access: watch::Receiver<Arc<Access>>) -> (Router, Router) {
        let routes = self.into_routes();
        let guarded = middleware::from_fn_with_state(access, guard::guard_request);
        (routes.clone().layer(guarded), routes)
    }

    /// When the last scrape was answered.
    fn scraped_at(&self) -> Option<Timestamp> {
        *self.scraped_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record_scrape(&self) {
        let mut scraped_at = self.scraped_at.lock().unwrap_or_else(PoisonError::into_inner);
        *scraped_at = Some(clock::now());
    }

    fn into_routes(self) -> Router {
        // Only the API and the pages take turns. Metrics, health and reload must answer while those
        // are overloaded.
        let turns = Turns::new(self.sources.meters.shed.clone());
        let in_turn = middleware::from_fn_with_state(turns, turns::answer_in_turn);
        Router::new()
            .nest("/api/v1", api::routes())
            .merge(page::routes())
            .layer(in_turn)
            .merge(api::slow_routes())
            .route("/metrics", get(metrics::scrape))
            .route("/-/healthy", get(health::show_health))
            .route("/-/ready", get(health::show_readiness))
            .route("/-/reload", post(reload::reload))
            .with_state(Arc::new(self))
    }
}
