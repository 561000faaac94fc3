//! Metrics of the store.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use super::{StoreError, under_way::UnderWay};

/// How long a commit may wait for one answer of the database before the store counts as down. Even
/// a large delivery does not wait that long for a single answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Counters of commits, and the size of the database.
#[derive(Debug, Clone)]
pub struct Meters {
    pub(super) commits: IntCounter,
    pub(super) commit_duration: Histogram,
    failures: IntCounterVec,
    up: Up,
    /// The current wait of the writer thread.
    pub(super) under_way: UnderWay,
    pub(super) purges: IntCounter,
    size: Size,
    /// Only with a server.
    standby: Option<IntGauge>,
}

impl Meters {
    /// Meters of a database file.
    pub(super) fn of_files(path: &Path) -> prometheus::Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Self::new(SizeOf::Files([path.to_owned(), PathBuf::from(log)]))
    }

    /// Meters of a database on a server.
    pub(super) fn of_server() -> prometheus::Result<Self> {
        Self::new(SizeOf::Tables(Arc::default()))
    }

    fn new(of: SizeOf) -> prometheus::Result<Self> {
        let under_way = UnderWay::default();
        Ok(Self {
            commits: IntCounter::new(
                "cii_store_commits_total",
                "Transactions committed; one carries every write that waited.",
            )?,
            commit_duration: Histogram::with_opts(
                HistogramOpts::new(
                    "cii_store_commit_duration_seconds",
                    "How long a transaction took, from its begin to its being on the disk.",
                )
                .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5]),
            )?,
            failures: failures()?,
            up: Up::new(under_way.clone())?,
            under_way,
            purges: IntCounter::new(
                "cii_store_purges_total",
                "Persons who were forgotten by `purge user`, or by the API.",
            )?,
            standby: match of {
                SizeOf::Files(_) => None,
                SizeOf::Tables(_) => Some(IntGauge::new(
                    "cii_store_synchronous_standby",
                    "1 when commits wait for a standby of the database server, else 0: then a \
                     failover can lose acknowledged deliveries. Only with a server.",
                )?),
            },
            size: Size::new(of)?,
        })
    }

    /// Counts the outcome of an attempt to commit.
    pub(super) fn record_outcome(&self, outcome: Result<(), &StoreError>) {
        match outcome {
            Ok(()) => self.up.set(true),
            Err(error) => {
                self.failures.with_label_values(&[error.reason()]).inc();
                if !error.is_of_one_row() {
                    self.up.set(false);
                }
            }
        }
    }

    /// Whether commits wait for a standby.
    pub(super) fn set_standby(&self, is_synchronous: bool) {
        if let Some(standby) = &self.standby {
            standby.set(is_synchronous.into());
        }
    }

    /// The size of the tables on a server.
    pub(super) fn set_size(&self, bytes: u64) {
        if let SizeOf::Tables(size) = &self.size.of {
            size.store(bytes, Ordering::Relaxed);
        }
    }

    /// Records that the server does not accept commits, as a reader found out.
    pub(super) fn set_away(&self) {
        self.up.set(false);
    }

    /// The number of transactions since the start.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.commits.get()
    }

    /// The size of the database file and of its write-ahead log now, or of the tables on a server.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size.bytes()
    }

    /// Makes the meters part of what `registry` shows.
    ///
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.commits.clone()))?;
        registry.register(Box::new(self.commit_duration.clone()))?;
        registry.register(Box::new(self.failures.clone()))?;
        registry.register(Box::new(self.up.clone()))?;
        registry.register(Box::new(self.purges.clone()))?;
        if let Some(standby) = &self.standby {
            registry.register(Box::new(standby.clone()))?;
        }
        registry.register(Box::new(self.size.clone()))
    }
}

fn failures() -> prometheus::Result<IntCounterVec> {
    let failures = IntCounterVec::new(
        Opts::new(
            "cii_store_commit_failures_total",
            "Transactions that failed, by reason; for data: one change that cannot be stored.",
        ),
        &["reason"],
    )?;
    for reason in StoreError::REASONS {
        failures.with_label_values(&[*reason]);
    }
    Ok(failures)
}

/// Whether the store can commit, as known at the scrape.
#[derive(Debug, Clone)]
struct Up {
    gauge: IntGauge,
    /// Whether the last finished attempt succeeded.
    has_committed: Arc<AtomicBool>,
    under_way: UnderWay,
}

impl Up {
    fn new(under_way: UnderWay) -> prometheus::Result<Self> {
        Ok(Self {
            gauge: IntGauge::new(
                "cii_store_up",
                "1 when the last try to commit succeeded, else 0, also while one waits for the \
                 database or its standby for more than five seconds; /-/ready tells why.",
            )?,
            has_committed: Arc::default(),
            under_way,
        })
    }

    fn set(&self, has_committed: bool) {
        self.has_committed.store(has_committed, Ordering::Relaxed);
    }
}

impl Collector for Up {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let waits = self.under_way.wait_longer_than(PATIENCE).is_some();
        self.gauge.set((self.has_committed.load(Ordering::Relaxed) && !waits).into());
        self.gauge.collect()
    }
}

/// The size of the database, read at each scrape.
#[derive(Debug, Clone)]
struct Size {
    gauge: IntGauge,
    of: SizeOf,
}

/// The object whose size is read.
#[derive(Debug, Clone)]
enum SizeOf {
    Files([PathBuf; 2]),
    /// The tables of a server, as last requested.
    Tables(Arc<AtomicU64>),
}

impl Size {
    fn new(of: SizeOf) -> prometheus::Result<Self> {
        Ok(Self {
            gauge: IntGauge::new(
                "cii_store_size_bytes",
                "Size of the database file and of its write-ahead log, or of the tables on a server.",
            )?,
            of,
        })
    }

    fn bytes(&self) -> u64 {
        match &self.of {
            SizeOf::Files(files) => {
                files.iter().filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum()
            }
            SizeOf::Tables(bytes) => bytes.load(Ordering::Relaxed),
        }
    }
}

impl Collector for Size {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.gauge.set(i64::try_from(self.bytes()).unwrap_or(i64::MAX));
        self.gauge.collect()
    }
}
