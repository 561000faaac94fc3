//! Which build this is.

use prometheus::{IntGaugeVec, Opts, Registry};

/// The version of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit it was built from, or `unknown`.
pub const REVISION: &str = env!("CII_EXPORTER_REVISION");
/// The compiler it was built with.
pub const RUST_VERSION: &str = env!("CII_EXPORTER_RUST_VERSION");

/// Makes `cii_build_info` part of what `registry` shows.
///
/// # Errors
/// When a metric of the same name is registered already.
pub fn register(registry: &Registry) -> prometheus::Result<()> {
    let info = IntGaugeVec::new(
        Opts::new("cii_build_info", "Always 1; which build of the exporter runs, as labels."),
        &["version", "revision", "rust_version"],
    )?;
    info.with_label_values(&[VERSION, REVISION, RUST_VERSION]).set(1);
    registry.register(Box::new(info))
}
