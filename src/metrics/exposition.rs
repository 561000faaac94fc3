//! Answers scrapes: the tenant's metrics, and the exporter's own.

use std::{
    io,
    sync::{Arc, PoisonError, TryLockError},
    time::Duration,
};

use prometheus::Registry;
use tokio::sync::watch;

use super::{
    Family, Format, Frames, Projector, Scope, UnknownType,
    gzip::{self, Piece},
    own,
    projector::Projection,
    rendered::Rendered,
    sample::Sample,
};
use crate::{
    blocking,
    store::{Backlog, Reader, Store, StoreError},
};

/// How long a scrape waits until the view contains all earlier commits. After that it gets the view
/// as it is, with its age in `cii_metrics_lag_seconds`: a scrape that times out would lose all
/// metrics.
const CATCH_UP: Duration = Duration::from_millis(100);

/// Why a scrape failed.
#[derive(Debug, thiserror::Error)]
pub enum ExpositionError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The exporter's own metrics cannot be written.
    #[error(transparent)]
    UnknownType(#[from] UnknownType),
    /// The compressor failed.
    #[error("the metrics cannot be compressed: {0}")]
    Compress(#[from] io::Error),
}

/// The content coding of a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// None.
    Identity,
    /// gzip with one member.
    Gzip,
}

/// Answers scrapes from the view that the projector maintains.
#[derive(Debug)]
pub struct Exposition {
    store: Store,
    projection: Projection,
    registry: Registry,
    scope: watch::Receiver<Scope>,
}

impl Exposition {
    /// Builds the view from the store. Returns also the projector, which has to run to keep the
    /// view current and to rebuild it when the scope changes. `registry` has the exporter's own
    /// metrics.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn build(
        store: Store,
        registry: Registry,
        scope: watch::Receiver<Scope>,
    ) -> Result<(Self, Projector), StoreError> {
        let (projector, projection) = Projector::rebuild(store.clone(), scope.clone()).await?;
        Ok((Self { store, projection, registry, scope }, projector))
    }

    /// Renders all metrics, including everything that was committed before the call, unless the view
    /// takes more than 100 ms to catch up.
    ///
    /// The tenant's families are cached as text and compressed until one of their samples changes.
    /// The exporter's own metrics change at every scrape.
    ///
    /// # Errors
    /// When the store cannot be read, or a metric cannot be encoded.
    pub async fn scrape(&self, format: Format, coding: Coding) -> Result<Frames, ExpositionError> {
        // The exporter's own metrics are gathered first: a job updates them after its answers are
        // committed, so no scrape shows a successful run without its results.
        let own = self.registry.gather();
        let lag = self.catch_up().await;
        let mut last = String::with_capacity(32 * 1024);
        let has_backlog = self.scope.borrow().backlog;
        if has_backlog && let Some(backlog) = self.read_backlog().await? {
            push_backlog(&backlog, format, &mut last);
        }
        let lag = Sample::new(Family::MetricsLag, &[], lag);
        lag.family.definition().push_heading(&mut last, format);
        last.push_str(lag.line());
        own::push_families(&mut last, format, &own)?;
        last.push_str(format.end_line());
        if let Some(made) = self.take_ready(format, coding) {
            return Ok(made.join_frames(&last)?);
        }
        let view = self.projection.view.clone();
        // On a blocking thread: a family of 100,000 samples takes 20 ms to compress.
        let make = move || {
            let families =
                view.lock().unwrap_or_else(PoisonError::into_inner).render_families(format);
            Made::new(families, coding)?.join_frames(&last)
        };
        blocking::run(make).await.ok_or(StoreError::Closed)?.map_err(ExpositionError::from)
    }

    /// Returns the tenant's families if all are cached, and no task holds the lock to render them.
    fn take_ready(&self, format: Format, coding: Coding) -> Option<Made> {
        let families = match self.projection.view.try_lock() {
            Ok(view) => view.rendered_if_current(format)?,
            Err(TryLockError::Poisoned(view)) => view.into_inner().rendered_if_current(format)?,
            Err(TryLockError::WouldBlock) => return None,
        };
        match coding {
            Coding::Identity => Some(Made::Texts(families)),
            Coding::Gzip => {
                let pieces = families.iter().map(|family| family.packed_if_ready());
                let made = Made::Pieces(pieces.collect::<Option<_>>()?);
                pack_well_in_background(families);
                Some(made)
            }
        }
    }

    /// Waits until the view contains all earlier commits. Returns zero when it does, or the age of
    /// the view after [`CATCH_UP`].
    async fn catch_up(&self) -> Duration {
        // Other replicas on the same server commit, too.
        let sight = tokio::time::timeout(CATCH_UP, self.store.catch_up()).await;
        let away = match sight {
            Ok(Some(sight)) if sight.error.is_some() => Some(sight.at),
            Ok(_) => None,
            Err(_) => self.store.sight().map(|sight| sight.at),
        };
        if let Some(seen_at) = away {
            return seen_at.elapsed();
        }
        let newest = *self.store.changes().borrow();
        let mut reached = self.projection.reached.clone();
        if reached.borrow().commit >= newest {
            return Duration::ZERO;
        }
        self.projection.hurry.notify_one();
        let is_current = reached.wait_for(|reached| reached.commit >= newest);
        if tokio::time::timeout(CATCH_UP, is_current).await.is_ok() {
            return Duration::ZERO;
        }
        self.projection.reached.borrow().at.elapsed()
    }

    /// Reads how many events wait for the collector; `None` while the database server is
    /// unreachable, which `cii_store_up` reports.
    async fn read_backlog(&self) -> Result<Option<Backlog>, StoreError> {
        if self.store.sight().is_some_and(|sight| sight.error.is_some()) {
            return Ok(None);
        }
        match self.store.read(Reader::otlp_backlog).await {
            Ok(backlog) => Ok(Some(backlog)),
            Err(_) if self.store.is_shared() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn push_backlog(backlog: &Backlog, format: Format, text: &mut String) {
    let pending = Sample::new(Family::OtlpPending, &[], backlog.pending);
    let oldest = backlog.oldest.map(|at| Sample::new(Family::OtlpOldestPending, &[], at));
    let parked = Sample::new(Family::OtlpParked, &[], backlog.parked);
    for sample in [Some(pending), oldest, Some(parked)].into_iter().flatten() {
        sample.family.definition().push_heading(text, format);
        text.push_str(sample.line());
    }
}

/// The tenant's families in the requested coding.
enum Made {
    Texts(Vec<Arc<Rendered>>),
    Pieces(Vec<Arc<Piece>>),
}

impl Made {
    /// Creates the families in a coding, and compresses those that are not cached. Needs a Tokio
    /// runtime.
    fn new(families: Vec<Arc<Rendered>>, coding: Coding) -> io::Result<Self> {
        match coding {
            Coding::Identity => Ok(Self::Texts(families)),
            Coding::Gzip => {
                let pieces = families.iter().map(|family| family.get_or_pack());
                let made = Self::Pieces(pieces.collect::<io::Result<_>>()?);
                pack_well_in_background(families);
                Ok(made)
            }
        }
    }

    /// Joins the families and the text after them to the whole answer.
    fn join_frames(self, last: &str) -> io::Result<Frames> {
        match self {
            Self::Texts(families) => {
                let mut frames = Frames::default();
                for family in families {
                    frames.push(family.text());
                }
                frames.push_copy(last.as_bytes());
                Ok(frames)
            }
            Self::Pieces(pieces) => gzip::join_pieces(&pieces, last),
        }
    }
}

/// Compresses texts that were scraped repeatedly with more effort, on a background thread.
fn pack_well_in_background(mut families: Vec<Arc<Rendered>>) {
    families.retain(|family| family.claim_packing());
    if families.is_empty() {
        return;
    }
    // No task waits for its end: scrapes use the larger pieces until then.
    blocking::run_detached(move || {
        for family in families {
            if let Err(error) = family.pack_well() {
                tracing::error!(%error, "metrics cannot be compressed well");
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use prometheus::{
        IntGauge,
        core::{Collector, Desc},
        proto::MetricFamily,
    };

    use super::{
        super::{
            TenantListing,
            view::{Subject, View},
        },
        *,
    };
    use crate::config::{UserLabel, UserSeries};

    /// A run that stores what it found before it is measured.
    struct Run {
        up: IntGauge,
        view: Arc<Mutex<View>>,
    }

    impl Collector for Run {
        fn desc(&self) -> Vec<&Desc> {
            self.up.desc()
        }

        fn collect(&self) -> Vec<MetricFamily> {
            let found = Sample::new(Family::OtlpPending, &[], 7_u64);
            self.view.lock().unwrap().replace_samples(Subject::Tenant, &[found]);
            self.up.set(1);
            self.up.collect()
        }
    }

    #[tokio::test]
    async fn a_scrape_that_shows_a_run_shows_what_it_found() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _writer) = Store::open(&folder.path().join("test.db")).unwrap();
        let scope = Scope {
            backlog: false,
            tenant_name: None,
            listing: TenantListing::On,
            user_series: UserSeries::Listed,
            user_label: UserLabel::Login,
            max_users: 10,
            max_checks: 100,
            objectives: Arc::default(),
        };
        let scope = watch::channel(scope).1;
        let (exposition, _projector) =
            Exposition::build(store, Registry::new(), scope).await.unwrap();
        let up = IntGauge::new("up", "whether the last run succeeded").unwrap();
        let run = Run { up, view: exposition.projection.view.clone() };
        exposition.registry.register(Box::new(run)).unwrap();
        let scrape = exposition.scrape(Format::Text, Coding::Identity).await.unwrap();
        let text = String::from_utf8(scrape.into_frames().concat()).unwrap();
        assert!(text.contains("\nup 1\n"), "{text}");
        assert!(text.contains("cii_otlp_pending_events 7"), "{text}");
    }
}
