//! Past values as OpenMetrics with timestamps, for `promtool tsdb create-blocks-from`.

use std::io::{self, Write};

use super::{Definition, Family, Format, describe::tenant, format};
use crate::{
    domain::{TenantId, failure::Grid},
    store::CheckHistory,
};

/// A label that is added to every series, such as `job` and `instance`, which a scrape would add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraLabel {
    name: String,
    value: String,
}

impl std::str::FromStr for ExtraLabel {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE, such as job=cii")?;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_word) || name.as_bytes()[0].is_ascii_digit() {
            return Err("a label's name is of letters, digits and _, and begins with no digit");
        }
        let own = History::FAMILIES.iter().any(|of| of.definition().labels.contains(&name));
        if own || name.starts_with("__") {
            return Err("the exporter, or Prometheus itself, sets that label");
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

/// The data of the export.
#[derive(Debug)]
pub struct History<'a> {
    /// The timestamps of the samples.
    pub grid: Grid,
    /// The checks, each with its values.
    pub checks: &'a [CheckHistory],
    /// The configured name of the tenant.
    pub tenant_name: Option<&'a str>,
    /// The id of the tenant, from a delivery.
    pub tenant_id: Option<TenantId>,
    /// Labels for every series.
    pub labels: &'a [ExtraLabel],
}

impl History<'_> {
    /// The written metrics: the failing users by check, and the info metrics that dashboards join
    /// with them.
    const FAMILIES: [Family; 3] =
        [Family::TenantInfo, Family::CheckFailingUsers, Family::CheckInfo];

    /// Writes one series after the other, each ordered by time. Returns the number of samples of
    /// failing users.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<u64> {
        let mut samples = 0;
        for family in Self::FAMILIES {
            let mut heading = String::new();
            family.definition().push_heading(&mut heading, Format::OpenMetrics);
            out.write_all(heading.as_bytes())?;
            if family == Family::TenantInfo {
                // The info begins with the first value of any check.
                let labels = tenant::tenant_labels(self.tenant_name, self.tenant_id);
                let first = self.checks.iter().filter_map(|check| check.curve.values().next());
                if let Some((first, _)) = first.min() {
                    let values = (first..self.grid.len()).map(|index| (index, 1));
                    self.write_series(out, family, &labels.each_ref().map(String::as_str), values)?;
                }
                continue;
            }
            for check in self.checks {
                let severity = check.severity.label();
                let values = check.curve.values();
                if family == Family::CheckInfo {
                    let labels = [check.id.as_str(), &severity, &check.title];
                    self.write_series(out, family, &labels, values.map(|(index, _)| (index, 1)))?;
                } else {
                    let labels = [check.id.as_str(), &severity];
                    samples += self.write_series(out, family, &labels, values)?;
                }
            }
        }
        out.write_all(Format::OpenMetrics.end_line().as_bytes())?;
        Ok(samples)
    }

    fn write_series(
        &self,
        out: &mut impl Write,
        family: Family,
        labels: &[&str],
        values: impl Iterator<Item = (usize, u64)>,
    ) -> io::Result<u64> {
        let Definition { name, labels: names, .. } = family.definition();
        let extra = self.labels.iter().map(|label| (label.name.as_str(), label.value.as_str()));
        let own = names.iter().copied().zip(labels.iter().copied());
        let mut series = name.to_owned();
        format::push_labels(&mut series, own.chain(extra));
        let mut samples = 0;
        for (index, value) in values {
            writeln!(out, "{series} {value} {}", self.grid.second(index))?;
            samples += 1;
        }
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Severity, Timestamp,
        failure::{Curves, PastStep},
    };

    #[test]
    fn series_stand_one_by_one_with_their_moments_and_an_end() {
        let at = |second| Timestamp::from_timestamp(second, 0).unwrap();
        let grid = Grid::new(at(300), at(900), 300).unwrap();
        let mut curves = Curves::new(grid, 2);
        curves.record_open(0, 1, at(400));
        curves.walk_back(0, PastStep::Opened(1), at(400));
        curves.walk_back(0, PastStep::Named, at(200));
        let checks: Vec<_> = ["no-mfa", "quiet"]
            .into_iter()
            .zip(curves.finish())
            .map(|(id, curve)| CheckHistory {
                id: id.to_owned(),
                title: "No \"MFA\"".to_owned(),
                severity: Severity::new(Some("Moderate")),
                curve,
            })
            .collect();
        let labels = ["job=cii".parse().unwrap()];
        let history = History {
            grid,
            checks: &checks,
            tenant_name: Some("Example"),
            tenant_id: None,
            labels: &labels,
        };
        let mut out = Vec::new();
        assert_eq!(history.write(&mut out).unwrap(), 3);
        let text = String::from_utf8(out).unwrap();
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with("# HELP")).collect();
        let series = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"medium\",job=\"cii\"}";
        let info = "cii_check_info{check_id=\"no-mfa\",severity=\"medium\",\
                    title=\"No \\\"MFA\\\"\",job=\"cii\"}";
        let tenant = "cii_tenant_info{tenant=\"Example\",id=\"\",job=\"cii\"}";
        let of = |series: &str, values: [u64; 3]| {
            [(values[0], 300), (values[1], 600), (values[2], 900)]
                .map(|(value, second)| format!("{series} {value} {second}"))
        };
        let mut expected = vec!["# TYPE cii_tenant_info gauge".to_owned()];
        expected.extend(of(tenant, [1, 1, 1]));
        expected.push("# TYPE cii_check_failing_users gauge".to_owned());
        expected.extend(of(series, [0, 1, 1]));
        expected.push("# TYPE cii_check_info gauge".to_owned());
        expected.extend(of(info, [1, 1, 1]));
        expected.push("# EOF".to_owned());
        assert_eq!(samples, expected);
    }

    #[test]
    fn a_label_that_is_ours_or_none_is_refused() {
        assert!("instance=host:9847".parse::<ExtraLabel>().is_ok());
        for text in ["job", "=x", "1a=x", "a-b=x", "check_id=x", "tenant=x", "__name__=x"] {
            assert!(text.parse::<ExtraLabel>().is_err(), "{text}");
        }
    }
}
