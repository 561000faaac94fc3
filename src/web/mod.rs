//! The ops listener: metrics, health, reload, the JSON API, and pages for people.
//! It hands out what other rooms made.

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

/// What the listener shows, and where it hands requests in.
#[derive(Debug)]
pub struct Sources {
    /// Answers scrapes.
    pub exposition: Exposition,
    /// What is known, and what is watched.
    pub store: Store,
    /// What the exporter counted since its start.
    pub meters: Meters,
    /// Why events wait for the OTLP collector.
    pub outages: Outages,
    /// Which parts of the daemon the configuration turns on.
    pub parts: Parts,
    /// What the configuration shows: the tenant's name, and how long failures may last.
    pub scope: watch::Receiver<Scope>,
    /// When watched users and addresses are asked about.
    pub polls: Polls,
    /// The webhook listener.
    pub webhook: Webhook,
    /// Streams that may be open at once; each is a connection of the listener.
    pub streams: usize,
    /// Whether the daemon does its work.
    pub readiness: watch::Receiver<Readiness>,
    /// The header of deliveries, and how many users may be watched.
    pub rules: watch::Receiver<Arc<Rules>>,
    /// Takes requests to read the configuration again.
    pub reload: ReloadDesk,
    /// What became of the last reload; nothing before the first.
    pub reloaded: watch::Receiver<Option<LastReload>>,
    /// Takes requests to forget somebody.
    pub purges: PurgeDesk,
    /// Who acts on the outside, of the replicas on one server.
    pub standing: watch::Receiver<Standing>,
    /// The settings in which this replica's differ from the leader's.
    pub differing: watch::Receiver<Vec<String>>,
}

/// The meters of the rooms whose counts the pages show. The store has its own.
#[derive(Debug, Clone)]
pub struct Meters {
    /// Of the webhook listener.
    pub webhook: ingest::Meters,
    /// Of the client of the service.
    pub api: cii::Meters,
    /// Of the OTLP delivery.
    pub otlp: delivery::Meters,
    /// Of this room.
    pub shed: ShedMeter,
}

/// Which parts of the daemon the configuration turns on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// The service is asked.
    pub api: bool,
    /// Events go to a collector.
    pub otlp: bool,
}

/// The webhook listener, for whoever looks into deliveries or replays one.
#[derive(Debug)]
pub struct Webhook {
    /// Its own address, behind whatever terminates TLS.
    pub listen: SocketAddr,
    /// The path of deliveries.
    pub path: String,
    /// Where this machine reaches it.
    pub url: String,
    /// Where the service reaches it, when the configuration says so.
    pub public_url: Option<String>,
    /// Takes a delivery again.
    pub intake: Intake,
    /// What the store could not keep of refused deliveries.
    pub refusals: Refusals,
    /// The longest body that is taken.
    pub max_body_bytes: usize,
}

/// When the service is asked; never without a schedule.
#[derive(Debug, Clone, Default)]
pub struct Polls {
    /// About watched users.
    pub users: Option<Schedule>,
    /// About watched addresses.
    pub ips: Option<Schedule>,
    /// The whole tenant; never while the listing is switched off.
    pub tenant: Option<Schedule>,
    /// Whether the tenant is also listed at the start.
    pub tenant_on_start: bool,
    /// About itself.
    pub service: Option<Schedule>,
}

impl Polls {
    /// The jobs that run, by name.
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

/// The listener.
#[derive(Debug)]
pub struct Ops {
    sources: Sources,
    started_at: Timestamp,
    scraped_at: Mutex<Option<Timestamp>>,
    gate: Gate,
}

impl Ops {
    /// A listener that started now.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        let gate = Gate::new(&sources);
        Self { sources, started_at: clock::now(), scraped_at: Mutex::default(), gate }
    }

    /// The routes for whoever reaches the listener, and those for commands on this machine,
    /// which only the owner of the database reaches.
    pub fn into_routers(self, access: watch::Receiver<Arc<Access>>) -> (Router, Router) {
        let routes = self.into_routes();
        let guarded = middleware::from_fn_with_state(access, guard::guard_request);
        (routes.clone().layer(guarded), routes)
    }

    /// When somebody last asked for metrics and got them.
    fn scraped_at(&self) -> Option<Timestamp> {
        *self.scraped_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record_scrape(&self) {
        let mut scraped_at = self.scraped_at.lock().unwrap_or_else(PoisonError::into_inner);
        *scraped_at = Some(clock::now());
    }

    fn into_routes(self) -> Router {
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
