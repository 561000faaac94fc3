//! The inputs of the verdict: rows of the store, and state in memory.

use chrono::TimeDelta;
use strum::VariantArray as _;

use super::replica::Replica;
use crate::{
    cii, clock,
    domain::Timestamp,
    ingest::Outcome,
    store::{Backlog, DeliveryCounts, JobState, Reader, StoreError},
    web::{LastReload, Ops, Polls, Readiness},
};

/// The inputs that the store has.
#[derive(Debug, Clone)]
pub(in crate::web) struct Stored {
    /// When the last delivery of the service was received.
    pub(in crate::web) last_delivery: Option<Timestamp>,
    /// Counts of the deliveries of the last 24 hours.
    pub(in crate::web) day: DeliveryCounts,
    pub(super) backlog: Backlog,
    /// The jobs that run, each with the result of its last run.
    pub(super) jobs: Vec<(&'static str, Option<JobState>)>,
    /// When the running listing of the tenant began; `None` while none runs.
    pub(super) listing_since: Option<Timestamp>,
    /// The URLs of the webhook targets that this exporter's commands registered.
    pub(in crate::web) targets: Vec<String>,
    /// When the wall clock last agreed with the moments that the store has.
    pub(super) trusted_at: Option<Timestamp>,
}

impl Stored {
    /// The jobs that have run, each with the result of its last run.
    pub(in crate::web) fn jobs(&self) -> impl Iterator<Item = (&'static str, &JobState)> {
        self.jobs.iter().filter_map(|(name, state)| Some((*name, state.as_ref()?)))
    }

    /// The reasons for which the last runs of jobs failed.
    pub(in crate::web) fn reasons(&self) -> impl Iterator<Item = &str> {
        self.jobs().filter_map(|(_, state)| state.end.reason.as_deref())
    }
}

/// Reads the state of these jobs and of the other parts.
pub(in crate::web) fn read_stored(
    reader: &Reader,
    jobs: Vec<&'static str>,
) -> Result<Stored, StoreError> {
    let state = |job| Ok((job, reader.job_state(job)?));
    Ok(Stored {
        last_delivery: reader.last_delivery_at()?,
        day: reader.delivery_counts(clock::now() - TimeDelta::hours(24))?,
        backlog: reader.otlp_backlog()?,
        jobs: jobs.into_iter().map(state).collect::<Result<_, StoreError>>()?,
        listing_since: reader.tenant_listing_state()?.under_way.map(|listing| listing.since),
        targets: reader.webhook_targets()?.into_iter().map(|target| target.url).collect(),
        trusted_at: reader.trusted_moment()?,
    })
}

/// All inputs of the verdict.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) readiness: Readiness,
    pub(super) started_at: Timestamp,
    /// Why the last commit failed; `None` when it succeeded.
    pub(super) store_error: Option<String>,
    pub(super) store_bytes: u64,
    pub(super) commits: u64,
    /// Requests without a valid secret since the start.
    pub(super) unauthorized: u64,
    /// Refused deliveries that the store could not record.
    pub(super) unkept: usize,
    pub(super) api: Option<Api>,
    pub(super) otlp: Option<Otlp>,
    pub(super) polls: Polls,
    pub(super) scraped_at: Option<Timestamp>,
    pub(super) reload: Option<LastReload>,
    pub(super) stored: Stored,
    /// Only with a database server.
    pub(super) replica: Option<Replica>,
}

/// Requests to the service since the start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Api {
    pub(super) is_circuit_open: bool,
    pub(super) answered: u64,
    pub(super) failed: u64,
}

/// The state of the OTLP delivery.
#[derive(Debug, Clone, Default)]
pub(super) struct Otlp {
    /// Why the collector does not accept events, and since when.
    pub(super) outage: Option<(String, Timestamp)>,
    pub(super) exported: u64,
}

impl Facts {
    /// When a job that calls the API last succeeded.
    pub(super) fn last_success(&self) -> Option<Timestamp> {
        let states = self.stored.jobs.iter().flat_map(|(_, state)| state);
        states.filter_map(|state| state.last_success_at).max()
    }

    /// When the last delivery of the service came.
    pub(super) const fn last_delivery(&self) -> Option<Timestamp> {
        self.stored.last_delivery
    }
}

/// Adds the state in memory to what the store has.
pub(super) fn gather_facts(ops: &Ops, stored: Stored) -> Facts {
    let sources = &ops.sources;
    let requests = |outcome| sources.meters.api.requests(outcome);
    let answered = requests(cii::Outcome::Ok) + requests(cii::Outcome::Partial);
    let all: u64 = cii::Outcome::VARIANTS.iter().map(|outcome| requests(*outcome)).sum();
    let api = Api {
        is_circuit_open: sources.meters.api.is_circuit_open(),
        answered,
        failed: all - answered,
    };
    let outage = sources.outages.current().map(|outage| (outage.cause, outage.since));
    let otlp = Otlp { outage, exported: sources.meters.otlp.exported_events() };
    Facts {
        readiness: *sources.readiness.borrow(),
        started_at: ops.started_at,
        store_error: sources.store.trouble().map(|error| error.to_string()),
        store_bytes: sources.store.meters().size_bytes(),
        commits: sources.store.meters().committed(),
        unauthorized: sources.meters.webhook.request_count(Outcome::Unauthorized),
        unkept: sources.webhook.refusals.unkept().len(),
        api: sources.parts.api.then_some(api),
        otlp: sources.parts.otlp.then_some(otlp),
        polls: sources.polls.clone(),
        scraped_at: ops.scraped_at(),
        reload: sources.reloaded.borrow().clone(),
        stored,
        replica: sources.store.sight().map(|sight| Replica {
            standing: sources.standing.borrow().clone(),
            is_synchronous: sight.is_synchronous,
            differing: sources.differing.borrow().clone(),
        }),
    }
}
