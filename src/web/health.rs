//! `/-/healthy` and `/-/ready`

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::Ops;
use crate::{
    domain::{JobOutcome, RunEnd, Timestamp},
    store::{Reader, Sight, Standing, StoreError},
};

/// Time limit of the read: a probe must get an answer while the database hangs.
const READ_PATIENCE: Duration = Duration::from_secs(3);

/// Whether the daemon is starting, ready or stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Not all tasks run yet.
    Starting,
    /// All tasks run.
    Ready,
    /// The stop signal was received.
    Stopping,
}

/// Answers that the process is alive.
pub(super) async fn show_health() -> &'static str {
    "healthy\n"
}

/// The state of one part of the daemon.
#[derive(Debug, Serialize)]
struct Part {
    /// `ok`, `off`, or a word for the fault.
    state: &'static str,
    /// The reason, unless the state is `ok` or `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Part {
    const OK: Self = Self { state: "ok", reason: None };
    const OFF: Self = Self { state: "off", reason: None };
    const UNKNOWN: Self = Self { state: "unknown", reason: None };

    fn from_result<T>(outcome: &Result<T, StoreError>) -> Self {
        match outcome {
            Ok(_) => Self::OK,
            Err(error) => Self { state: "failing", reason: Some(error.to_string()) },
        }
    }
}

/// The readiness, part by part. Faults of other systems, such as a collector that is down, do not
/// make the daemon unready: a restart would not help.
#[derive(Debug, Serialize)]
pub(super) struct Condition {
    ready: bool,
    daemon: Part,
    /// Whether commits succeed; an acknowledged delivery needs one.
    store_writes: Part,
    /// Whether reads succeed; pages and metrics need them.
    store_reads: Part,
    /// The jobs whose last run did not succeed.
    api: Part,
    /// Whether the collector accepts events.
    otlp: Part,
    /// Whether this replica leads; only with a database server.
    #[serde(skip_serializing_if = "Option::is_none")]
    replica: Option<Replica>,
    /// When metrics were last scraped; `None` if never since the start.
    last_scrape_at: Option<Timestamp>,
}

/// The role of this replica.
#[derive(Debug, Serialize)]
struct Replica {
    /// `leads`, `follows`, or `unknown`.
    state: &'static str,
    /// The leader, when it is another replica.
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<String>,
    /// Whether commits wait for a standby of the server. Otherwise a failover can lose commits.
    synchronous_standby: bool,
}

impl Replica {
    fn from_standing(standing: &Standing, sight: &Sight) -> Self {
        let (state, leader) = match standing {
            Standing::Leader { .. } => ("leads", None),
            Standing::Follower { leader } => ("follows", leader.clone()),
            Standing::Unknown => ("unknown", None),
        };
        Self { state, leader, synchronous_standby: sight.is_synchronous }
    }
}

impl Condition {
    /// The condition while a start waits for the database: nothing else is known yet.
    pub(super) fn without_store(why: &str) -> Self {
        let failing = || Part { state: "failing", reason: None };
        Self {
            ready: false,
            daemon: Part {
                state: "starting",
                reason: Some(format!("waits for the database: {why}")),
            },
            store_writes: failing(),
            store_reads: failing(),
            api: Part::UNKNOWN,
            otlp: Part::UNKNOWN,
            replica: None,
            last_scrape_at: None,
        }
    }

    /// The response: JSON if `headers` accept it, else one line of text.
    pub(super) fn into_response(self, headers: &HeaderMap) -> Response {
        let status = if self.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        if accept.is_some_and(|accept| accept.contains("application/json")) {
            return (status, Json(self)).into_response();
        }
        let text = self.reason().unwrap_or("ready");
        (status, format!("{text}\n")).into_response()
    }

    /// The first reason for which the daemon is not ready.
    fn reason(&self) -> Option<&str> {
        let parts = [&self.daemon, &self.store_writes, &self.store_reads];
        parts.into_iter().find_map(|part| part.reason.as_deref())
    }
}

/// Answers 200 when the daemon accepts deliveries and its store can commit and be read, else 503.
pub(super) async fn show_readiness(State(ops): State<Arc<Ops>>, headers: HeaderMap) -> Response {
    ops.read_condition().await.into_response(&headers)
}

impl Ops {
    async fn read_condition(&self) -> Condition {
        let store = &self.sources.store;
        let readiness = *self.sources.readiness.borrow();
        let daemon = match readiness {
            Readiness::Ready => Part::OK,
            Readiness::Starting => Part { state: "starting", reason: Some("starting".to_owned()) },
            Readiness::Stopping => Part { state: "stopping", reason: Some("stopping".to_owned()) },
        };
        let writes = async {
            // A stopping store rejects commits, which is no fault to report.
            if readiness == Readiness::Stopping { Ok(()) } else { store.check().await }
        };
        let names: Vec<_> = self.sources.polls.jobs().map(|(name, _)| name).collect();
        let reads = async {
            let reads = store.read(move |reader| read_job_ends(reader, &names));
            let silent = |_| Err(StoreError::Silent(READ_PATIENCE));
            tokio::time::timeout(READ_PATIENCE, reads).await.unwrap_or_else(silent)
        };
        let (writes, reads) = tokio::join!(writes, reads);
        let otlp = match (self.sources.parts.otlp, self.sources.outages.current()) {
            (false, _) => Part::OFF,
            (true, None) => Part::OK,
            (true, Some(outage)) => Part { state: "waiting", reason: Some(outage.cause) },
        };
        let api = match &reads {
            _ if !self.sources.parts.api => Part::OFF,
            Ok(jobs) => jobs_part(jobs),
            Err(_) => Part::from_result(&reads),
        };
        Condition {
            ready: readiness == Readiness::Ready && writes.is_ok() && reads.is_ok(),
            daemon,
            store_writes: Part::from_result(&writes),
            store_reads: Part::from_result(&reads),
            api,
            otlp,
            replica: store
                .sight()
                .map(|sight| Replica::from_standing(&self.sources.standing.borrow(), &sight)),
            last_scrape_at: self.scraped_at(),
        }
    }
}

type JobEnds = Vec<(&'static str, RunEnd)>;

fn read_job_ends(reader: &Reader, names: &[&'static str]) -> Result<JobEnds, StoreError> {
    let mut ends = Vec::new();
    for name in names {
        ends.extend(reader.job_state(name)?.map(|state| (*name, state.end)));
    }
    Ok(ends)
}

/// The part for the jobs that call the API.
fn jobs_part(jobs: &JobEnds) -> Part {
    let is_failed = |(_, end): &&(&str, RunEnd)| end.outcome != JobOutcome::Succeeded;
    let reasons: Vec<_> = jobs
        .iter()
        .filter(is_failed)
        .map(|(name, end)| format!("{name}: {}", end.reason.as_deref().unwrap_or("failed")))
        .collect();
    if reasons.is_empty() {
        Part::OK
    } else {
        Part { state: "failing", reason: Some(reasons.join("; ")) }
    }
}
