//! Writes the exporter's own metrics, as gathered by the client library, in either format. The
//! library's encoder supports only the text format.

use std::fmt::Write as _;

use prometheus::proto::{Histogram, Metric, MetricFamily, MetricType};

use super::{
    Kind,
    format::{Format, push_heading, push_labels},
};

/// A metric has a type that no room registers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the metric {name} has the type {kind:?}, which cannot be shown")]
pub struct UnknownType {
    name: String,
    kind: MetricType,
}

/// Writes the families of metrics.
///
/// # Errors
/// When one is neither a gauge nor a counter nor a histogram.
pub(super) fn push_families(
    text: &mut String,
    format: Format,
    families: &[MetricFamily],
) -> Result<(), UnknownType> {
    for family in families {
        let name = family.name();
        let kind = match family.get_field_type() {
            MetricType::GAUGE => Kind::Gauge,
            MetricType::COUNTER => Kind::Counter,
            MetricType::HISTOGRAM => Kind::Histogram,
            kind => return Err(UnknownType { name: name.to_owned(), kind }),
        };
        push_heading(text, format, name, kind, family.help());
        for metric in family.get_metric() {
            let value = match kind {
                Kind::Gauge => metric.get_gauge().get_value(),
                Kind::Counter => metric.get_counter().get_value(),
                Kind::Histogram => {
                    push_histogram(text, format, name, metric);
                    continue;
                }
            };
            push_sample(text, name, metric, None, Value::from_f64(value));
        }
    }
    Ok(())
}

fn push_histogram(text: &mut String, format: Format, name: &str, metric: &Metric) {
    let histogram: &Histogram = metric.get_histogram();
    let series = format!("{name}_bucket");
    for bucket in histogram.get_bucket() {
        let bound = format.format_bound(bucket.upper_bound());
        push_sample(text, &series, metric, Some(&bound), Value::Whole(bucket.cumulative_count()));
    }
    // The library omits the bucket `+Inf`, which the formats require.
    let bound = format.format_bound(f64::INFINITY);
    let count = Value::Whole(histogram.get_sample_count());
    push_sample(text, &series, metric, Some(&bound), count);
    let sum = Value::from_f64(histogram.get_sample_sum());
    push_sample(text, &format!("{name}_sum"), metric, None, sum);
    push_sample(text, &format!("{name}_count"), metric, None, count);
}

fn push_sample(
    text: &mut String,
    series: &str,
    metric: &Metric,
    bound: Option<&str>,
    value: Value,
) {
    text.push_str(series);
    let labels = metric.get_label().iter().map(|label| (label.name(), label.value()));
    push_labels(text, labels.chain(bound.map(|bound| ("le", bound))));
    // Writing to a String cannot fail.
    let _ = match value {
        Value::Whole(number) => writeln!(text, " {number}"),
        Value::Other(number) => writeln!(text, " {number}"),
    };
}

/// A sample's value. Most are whole numbers, which are formatted several times faster as integers.
#[derive(Debug, Clone, Copy)]
enum Value {
    Whole(u64),
    Other(f64),
}

impl Value {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole")]
    fn from_f64(value: f64) -> Self {
        // Up to 2^53 a double represents each whole number exactly.
        let is_whole = value.is_sign_positive() && value < 2_f64.powi(53) && value.fract() == 0.0;
        if is_whole { Self::Whole(value as u64) } else { Self::Other(value) }
    }
}

#[cfg(test)]
mod tests {
    use prometheus::{
        Gauge, HistogramOpts, HistogramVec, IntCounter, Registry, TextEncoder, core::Collector as _,
    };
    use proptest::prelude::*;

    use super::*;

    fn registry() -> Registry {
        let registry = Registry::new();
        let counter = IntCounter::new("a_total", "Counts \"a\".").unwrap();
        counter.inc_by(3);
        registry.register(Box::new(counter)).unwrap();
        let options = HistogramOpts::new("b_seconds", "Times b.").buckets(vec![0.5, 1.0]);
        let histogram = HistogramVec::new(options, &["of"]).unwrap();
        histogram.with_label_values(&["a\"\\\n"]).observe(0.75);
        registry.register(Box::new(histogram)).unwrap();
        registry
    }

    #[test]
    fn the_text_format_is_the_librarys() {
        let (families, mut text) = (registry().gather(), String::new());
        push_families(&mut text, Format::Text, &families).unwrap();
        assert_eq!(text, TextEncoder::new().encode_to_string(&families).unwrap());
    }

    proptest! {
        #[test]
        fn a_value_is_written_as_the_library_writes_it(
            value in prop_oneof![any::<f64>(), any::<i32>().prop_map(f64::from), Just(-0.0), Just(2_f64.powi(60))],
        ) {
            let gauge = Gauge::new("a", "A.").unwrap();
            gauge.set(value);
            let mut text = String::new();
            push_families(&mut text, Format::Text, &gauge.collect()).unwrap();
            prop_assert_eq!(text, TextEncoder::new().encode_to_string(&gauge.collect()).unwrap());
        }
    }

    #[test]
    fn openmetrics_has_its_own_names_and_bounds() {
        let mut text = String::new();
        push_families(&mut text, Format::OpenMetrics, &registry().gather()).unwrap();
        let expected = r#"# HELP a Counts \"a\".
# TYPE a counter
a_total 3
# HELP b_seconds Times b.
# TYPE b_seconds histogram
b_seconds_bucket{of="a\"\\\n",le="0.5"} 0
b_seconds_bucket{of="a\"\\\n",le="1.0"} 1
b_seconds_bucket{of="a\"\\\n",le="+Inf"} 1
b_seconds_sum{of="a\"\\\n"} 0.75
b_seconds_count{of="a\"\\\n"} 1
"#;
        assert_eq!(text, expected);
    }
}
