//! A scrape, taken apart.

use std::collections::BTreeMap;

/// The samples of a scrape: series to value.
#[derive(Debug)]
pub struct Metrics {
    samples: BTreeMap<String, f64>,
    pub text: String,
}

impl Metrics {
    pub fn parse(text: String) -> Self {
        let samples = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .map(|line| {
                let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
                (series.to_owned(), value.parse().expect("a value is a number"))
            })
            .collect();
        Self { samples, text }
    }

    /// The value of a series, written as in the text format.
    pub fn get(&self, series: &str) -> Option<f64> {
        self.samples.get(series).copied()
    }

    /// Every sample: the series and its value.
    pub fn all(&self) -> impl Iterator<Item = (&str, f64)> {
        self.samples.iter().map(|(series, value)| (series.as_str(), *value))
    }

    /// The series of one metric.
    pub fn series(&self, name: &str) -> Vec<(&str, f64)> {
        self.samples
            .iter()
            .filter(|(series, _)| series.split('{').next() == Some(name))
            .map(|(series, value)| (series.as_str(), *value))
            .collect()
    }

    /// Everything about the tenant, which must be the same after a restart.
    pub fn of_tenant(&self) -> BTreeMap<&str, f64> {
        let prefixes = ["cii_check_", "cii_user_", "cii_application_", "cii_ip_", "cii_watched"];
        let prefixes = [&prefixes[..], &["cii_followed_", "cii_new_"]].concat();
        self.samples
            .iter()
            .filter(|(series, _)| prefixes.iter().any(|prefix| series.starts_with(prefix)))
            .map(|(series, value)| (series.as_str(), *value))
            .collect()
    }
}
