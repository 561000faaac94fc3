//! Helpers for the meters of every room: they are created with all their series at 0, and
//! registered together.
//!
//! Rooms of one layer do not import each other, so this module is below all of them. It defines no
//! metric.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry,
    core::{Collector, MetricVec, MetricVecBuilder},
};
use strum::VariantArray;

/// A label, and all its values.
pub type Label<'a> = (&'a str, &'a [&'a str]);

/// The values of a label that an enum defines.
#[must_use]
pub fn label_values<E: VariantArray + Copy + Into<&'static str>>() -> Vec<&'static str> {
    E::VARIANTS.iter().map(|variant| (*variant).into()).collect()
}

/// A counter with labels. Every series is created at 0, so that the first event counts as an
/// increase: `increase()` ignores the first sample of a series.
///
/// # Errors
/// When a name breaks Prometheus's rules.
pub fn counters(name: &str, help: &str, labels: &[Label<'_>]) -> prometheus::Result<IntCounterVec> {
    let counters = IntCounterVec::new(Opts::new(name, help), &label_names(labels))?;
    create_series(&counters, labels);
    Ok(counters)
}

/// A gauge with labels, every series at 0.
///
/// # Errors
/// As for [`counters`].
pub fn gauges(name: &str, help: &str, labels: &[Label<'_>]) -> prometheus::Result<IntGaugeVec> {
    let gauges = IntGaugeVec::new(Opts::new(name, help), &label_names(labels))?;
    create_series(&gauges, labels);
    Ok(gauges)
}

/// A histogram with labels, every series empty.
///
/// # Errors
/// As for [`counters`].
pub fn histograms(
    name: &str,
    help: &str,
    buckets: &[f64],
    labels: &[Label<'_>],
) -> prometheus::Result<HistogramVec> {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    let histograms = HistogramVec::new(options, &label_names(labels))?;
    create_series(&histograms, labels);
    Ok(histograms)
}

/// A histogram without labels.
///
/// # Errors
/// As for [`counters`].
pub fn histogram(name: &str, help: &str, buckets: &[f64]) -> prometheus::Result<Histogram> {
    Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))
}

/// Adds the meters to `registry`.
///
/// # Errors
/// When a metric of the same name is registered already.
pub fn register<const N: usize>(
    registry: &Registry,
    meters: [Box<dyn Collector>; N],
) -> prometheus::Result<()> {
    meters.into_iter().try_for_each(|meter| registry.register(meter))
}

fn label_names<'a>(labels: &[Label<'a>]) -> Vec<&'a str> {
    labels.iter().map(|(name, _)| *name).collect()
}

/// Creates the series of every combination of values.
fn create_series<B: MetricVecBuilder>(meters: &MetricVec<B>, labels: &[Label<'_>]) {
    let mut series = vec![Vec::new()];
    for (_, values) in labels {
        let longer = |before: &Vec<_>| {
            let before = before.clone();
            values.iter().map(move |value| [before.as_slice(), &[*value]].concat())
        };
        series = series.iter().flat_map(longer).collect();
    }
    for values in series {
        meters.with_label_values(&values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_there_from_the_start() {
        let labels: [Label<'_>; 2] = [("a", &["1", "2"]), ("b", &["x", "y", "z"])];
        let counters = counters("total", "Help.", &labels).unwrap();
        let registry = Registry::new();
        register(&registry, [Box::new(counters)]).unwrap();
        assert_eq!(registry.gather()[0].get_metric().len(), 6);
    }
}
