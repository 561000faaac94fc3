//! The answer to a scrape: the tenant's metrics and the exporter's own.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus::{Registry, TextEncoder};
use tokio::sync::watch;

use super::{
    Family, Projector,
    sample::{self, Sample, Value},
    view::View,
};
use crate::store::{Reader, Store, StoreError};

/// How long a scrape waits until the view has everything that was committed before
/// the scrape.
const CATCH_UP: Duration = Duration::from_secs(2);

/// Why a scrape cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum ExpositionError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The exporter's own metrics cannot be encoded.
    #[error("the exporter's own metrics cannot be encoded: {0}")]
    Encode(#[from] prometheus::Error),
}

/// What the configuration says of the listing of the whole tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantListing {
    /// There is no API to ask.
    NoApi,
    /// It is switched off, so what a listing once said gets older and older.
    Off,
    /// It runs by its schedule.
    On,
}

/// What is shown, as far as the configuration decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// Whether there is an OTLP delivery for which events can wait.
    pub backlog: bool,
    /// Whether the tenant is listed.
    pub listing: TenantListing,
}

/// Answers scrapes from the view.
#[derive(Debug)]
pub struct Exposition {
    store: Store,
    view: Arc<Mutex<View>>,
    reached: watch::Receiver<i64>,
    registry: Registry,
    scope: Scope,
}

impl Exposition {
    /// The content type of [`Exposition::text`].
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// Builds the view from the store. `registry` holds the exporter's own
    /// metrics.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn build(
        store: Store,
        registry: Registry,
        scope: Scope,
    ) -> Result<(Self, Projector), StoreError> {
        let (projector, view, reached) = Projector::rebuild(store.clone(), scope.listing).await?;
        Ok((Self { store, view, reached, registry, scope }, projector))
    }

    /// All metrics in Prometheus' text format. Whatever was committed before
    /// the call is in them.
    ///
    /// # Errors
    /// When the store cannot be read, or the exporter's own metrics cannot be
    /// encoded.
    pub async fn text(&self) -> Result<String, ExpositionError> {
        // The exporter's own come first: a job measures its run once its answers are
        // stored, so no scrape shows a job that is up without what it found.
        let own = self.registry.gather();
        let newest = *self.store.commits().borrow();
        let mut reached = self.reached.clone();
        // Past the limit, a scrape gets the view as it is: slightly old is better than none.
        let _ = tokio::time::timeout(CATCH_UP, reached.wait_for(|seq| *seq >= newest)).await;
        let tenant = self.view.lock().unwrap_or_else(PoisonError::into_inner).render();
        let mut text =
            String::with_capacity(tenant.iter().map(|part| part.len()).sum::<usize>() + 32768);
        for part in tenant {
            text.push_str(&part);
        }
        if self.scope.backlog {
            text.push_str(&self.backlog().await?);
        }
        TextEncoder::new().encode_utf8(&own, &mut text)?;
        Ok(text)
    }

    /// Whether the store can be read.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.store.read(Reader::last_seq).await.map(|_| ())
    }

    async fn backlog(&self) -> Result<String, StoreError> {
        let backlog = self.store.read(Reader::otlp_backlog).await?;
        let pending = Sample::new(Family::OtlpPending, &[], Value::Count(backlog.pending));
        let oldest =
            backlog.oldest.map(|at| Sample::new(Family::OtlpOldestPending, &[], Value::Moment(at)));
        let parked = Sample::new(Family::OtlpParked, &[], Value::Count(backlog.parked));
        Ok([Some(pending), oldest, Some(parked)]
            .into_iter()
            .flatten()
            .map(|sample| sample::heading(sample.family) + sample.line())
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use prometheus::{
        IntGauge,
        core::{Collector, Desc},
        proto::MetricFamily,
    };

    use super::{super::view::Subject, *};

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
            let found = Sample::new(Family::OtlpPending, &[], Value::Count(7));
            self.view.lock().unwrap().replace(Subject::Tenant, &[found]);
            self.up.set(1);
            self.up.collect()
        }
    }

    #[tokio::test]
    async fn a_scrape_that_shows_a_run_shows_what_it_found() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _writer) = Store::open(&folder.path().join("test.db")).unwrap();
        let scope = Scope { backlog: false, listing: TenantListing::On };
        let (exposition, _projector) =
            Exposition::build(store, Registry::new(), scope).await.unwrap();
        let up = IntGauge::new("up", "whether the last run succeeded").unwrap();
        let run = Run { up, view: exposition.view.clone() };
        exposition.registry.register(Box::new(run)).unwrap();
        let text = exposition.text().await.unwrap();
        assert!(text.contains("\nup 1\n"), "{text}");
        assert!(text.contains("cii_otlp_pending_events 7"), "{text}");
    }
}
