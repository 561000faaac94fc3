//! The version of this build, and the URL at which people reach it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::{
    IntGaugeVec, Opts, Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};

/// The version of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit it was built from, or `unknown`.
pub const REVISION: &str = env!("CII_EXPORTER_REVISION");
/// The compiler it was built with.
pub const RUST_VERSION: &str = env!("CII_EXPORTER_RUST_VERSION");

/// The metric `cii_build_info`.
#[derive(Debug, Clone)]
pub struct BuildInfo {
    info: IntGaugeVec,
    /// Locked while the URL changes and while the metric is read, so that a scrape has one series.
    whole: Arc<Mutex<()>>,
}

impl BuildInfo {
    /// Adds the metric to `registry`; people reach the program at `url`.
    ///
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(registry: &Registry, url: Option<&str>) -> prometheus::Result<Self> {
        let info = IntGaugeVec::new(
            Opts::new(
                "cii_build_info",
                "Always 1; which build of the exporter runs, and where people reach it \
                 (ops.public_url, else empty), as labels.",
            ),
            &["version", "revision", "rust_version", "url"],
        )?;
        let build_info = Self { info, whole: Arc::default() };
        build_info.set_url(url);
        registry.register(Box::new(build_info.clone()))?;
        Ok(build_info)
    }

    /// Sets the URL at which people reach the program.
    pub fn set_url(&self, url: Option<&str>) {
        let _whole = self.lock();
        self.info.reset();
        let labels = [VERSION, REVISION, RUST_VERSION, url.unwrap_or_default()];
        self.info.with_label_values(&labels).set(1);
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for BuildInfo {
    fn desc(&self) -> Vec<&Desc> {
        self.info.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let _whole = self.lock();
        self.info.collect()
    }
}
