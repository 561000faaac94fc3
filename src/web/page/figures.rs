//! The exporter's own metrics, read by name.

use prometheus::{
    Registry,
    proto::{Metric, MetricFamily, MetricType},
};

/// What the meters of all rooms say at one moment.
pub(super) struct Figures(Vec<MetricFamily>);

impl Figures {
    pub(super) fn of(registry: &Registry) -> Self {
        Self(registry.gather())
    }

    /// The sum over a metric's series that have all of these labels; 0 when
    /// there is none.
    pub(super) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        total(self.series(name, labels).map(|(value, _)| value))
    }

    /// The values of a label over a metric's series, each once.
    pub(super) fn label_values(&self, name: &str, label: &str) -> Vec<&str> {
        let mut values: Vec<_> = self
            .series(name, &[])
            .filter_map(|(_, metric)| metric.get_label().iter().find(|pair| pair.name() == label))
            .map(prometheus::proto::LabelPair::value)
            .collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// A metric's series above zero by a label, but for those with this value.
    pub(super) fn besides(&self, name: &str, label: &str, usual: &str) -> Vec<(&str, f64)> {
        self.label_values(name, label)
            .into_iter()
            .filter(|value| *value != usual)
            .map(|value| (value, self.sum(name, &[(label, value)])))
            .filter(|(_, number)| *number > 0.0)
            .collect()
    }

    fn series<'a>(
        &'a self,
        name: &str,
        labels: &[(&str, &str)],
    ) -> impl Iterator<Item = (f64, &'a Metric)> {
        let family = self.0.iter().find(|family| family.name() == name);
        let kind = family.map_or(MetricType::UNTYPED, MetricFamily::get_field_type);
        family
            .map_or(&[][..], |family| family.get_metric())
            .iter()
            .filter(|metric| {
                labels.iter().all(|(name, value)| {
                    let mut pairs = metric.get_label().iter();
                    pairs.any(|pair| pair.name() == *name && pair.value() == *value)
                })
            })
            .map(move |metric| match kind {
                MetricType::COUNTER => (metric.get_counter().get_value(), metric),
                _ => (metric.get_gauge().get_value(), metric),
            })
    }
}

/// Adds up; nothing comes to 0, where `sum` gives -0, which a page would show.
pub(super) fn total(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(0.0, |total, number| total + number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_to_zero_without_a_sign() {
        assert_eq!(total(std::iter::empty()).to_string(), "0");
        assert_eq!(total([1.0, 2.0].into_iter()).to_string(), "3");
    }
}
