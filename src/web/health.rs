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

/// How long a read may take, so that whoever asks gets an answer while the database hangs.
const READ_PATIENCE: Duration = Duration::from_secs(3);

/// Whether the daemon does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Not everything runs yet.
    Starting,
    /// Everything runs.
    Ready,
    /// The stop signal came.
    Stopping,
}

/// The process answers.
pub(super) async fn show_health() -> &'static str {
    "healthy\n"
}

/// How one part of the daemon does.
#[derive(Debug, Serialize)]
struct Part {
    /// `ok`, `off`, or what is wrong in a word.
    state: &'static str,
    /// Why, in words, when it is not well.
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

/// Whether the daemon does its work, part by part. What is about others, such as a collector
/// that is down, makes it no less ready.
#[derive(Debug, Serialize)]
pub(super) struct Condition {
    ready: bool,
    daemon: Part,
    /// Commits, which an acknowledged delivery needs.
    store_writes: Part,
    /// Reads, which everything that is shown needs.
    store_reads: Part,
    /// Polls and listings: each job that did not succeed when it last ran.
    api: Part,
    /// Events on their way to the collector.
    otlp: Part,
    /// Whether this replica acts on the outside; only with a database server.
    #[serde(skip_serializing_if = "Option::is_none")]
    replica: Option<Replica>,
    /// When metrics were scraped last; nothing since the start.
    last_scrape_at: Option<Timestamp>,
}

/// How a replica stands beside the others.
#[derive(Debug, Serialize)]
struct Replica {
    /// `leads`, `follows`, or `unknown`.
    state: &'static str,
    /// Who leads, when it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<String>,
    /// Whether commits wait for a standby of the server: else a failover can lose some.
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
    /// While a start waits for the database, for this reason: nothing else is known yet.
    pub(super) fn without_store(why: &str) -> Self {
        let part = |state| Part { state, reason: Some(why.to_owned()) };
        Self {
            ready: false,
            daemon: Part {
                state: "starting",
                reason: Some(format!("starting: waits for the database: {why}")),
            },
            store_writes: part("failing"),
            store_reads: part("failing"),
            api: Part::UNKNOWN,
            otlp: Part::UNKNOWN,
            replica: None,
            last_scrape_at: None,
        }
    }

    /// The answer, as JSON for who asks for that, else in one line.
    pub(super) fn into_response(self, headers: &HeaderMap) -> Response {
        let status = if self.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        if accept.is_some_and(|accept| accept.contains("application/json")) {
            return (status, Json(self)).into_response();
        }
        let text = self.reason().unwrap_or("ready");
        (status, format!("{text}\n")).into_response()
    }

    /// Why it is not ready, in one line.
    fn reason(&self) -> Option<&str> {
        let parts = [&self.daemon, &self.store_writes, &self.store_reads];
        parts.into_iter().find_map(|part| part.reason.as_deref())
    }
}

/// The daemon takes deliveries, and its store can commit and be read.
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
            // Nothing is committed any more while it stops.
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

/// How the jobs do that ask the API.
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
