//! Prints what happens in the demo, from the outside: log records at the collector, and `/metrics`.

use std::{
    collections::BTreeMap,
    fmt::Arguments,
    io::{self, Write as _},
    time::{Duration, Instant},
};

use cii_exporter::daemon::Addresses;
use cii_simulator::collector::Collector;
use tokio_util::sync::CancellationToken;

/// How often the collector is checked for new records.
const LOOK: Duration = Duration::from_millis(200);
/// How often the metrics are summarized.
const SUM_UP: Duration = Duration::from_secs(3);

/// Prints events and metrics.
pub(super) struct Narrator {
    begun: Instant,
    metrics_url: String,
    http: reqwest::Client,
    unread: CancellationToken,
}

impl Narrator {
    pub(super) fn new(addresses: &Addresses) -> Self {
        Self {
            begun: Instant::now(),
            metrics_url: addresses.ops_url("/metrics"),
            http: reqwest::Client::new(),
            unread: CancellationToken::new(),
        }
    }

    /// Prints each event that the collector receives.
    pub(super) async fn print_events(&self, collector: Option<&Collector>) {
        let Some(collector) = collector else { return std::future::pending().await };
        let mut position = 0;
        loop {
            let records = collector.records_from(position);
            for record in &records {
                self.print_event(
                    "collector",
                    &format!("{:<28} {}", record.event_name(), record.body()),
                );
            }
            position += records.len();
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Prints a summary of a scrape every [`SUM_UP`].
    pub(super) async fn print_metrics(&self) {
        loop {
            tokio::time::sleep(SUM_UP).await;
            if let Some(text) = self.scrape().await {
                self.print_event("metrics", &summary(&text));
            }
        }
    }

    async fn scrape(&self) -> Option<String> {
        self.http.get(&self.metrics_url).send().await.ok()?.text().await.ok()
    }

    /// Resolves when standard output is closed.
    pub(super) async fn wait_until_unread(&self) {
        self.unread.cancelled().await;
    }

    fn print_event(&self, who: &str, what: &str) {
        let seconds = self.begun.elapsed().as_secs_f64();
        if say(format_args!("{seconds:>6.1}s  {who:<9}  {what}")).is_err() {
            self.unread.cancel();
        }
    }
}

/// Prints a line. Unlike `say!`, it does not exit when standard output is closed: the demo stops in
/// order and removes its folder.
pub(super) fn say(text: Arguments<'_>) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// The main figures of a scrape, in one line.
fn summary(scrape: &str) -> String {
    let sums = sum_by_metric(scrape);
    let sum = |name: &str| sums.get(name).copied().unwrap_or(0.0);
    format!(
        "{} failures of {} users in {} checks, {} resolved; {} deliveries; {} API requests; \
         {} new IPs; {} events sent, {} waiting",
        sum("cii_check_failing_users"),
        sum("cii_failing_users"),
        count_failing_checks(scrape),
        sum("cii_check_resolutions_total"),
        sum("cii_webhook_requests_total"),
        sum("cii_api_requests_total"),
        sum("cii_user_new_ips_total"),
        sum("cii_otlp_exported_events_total"),
        sum("cii_otlp_pending_events"),
    )
}

/// Counts the checks with failing users.
fn count_failing_checks(scrape: &str) -> usize {
    let checks = scrape.lines().filter(|line| line.starts_with("cii_check_failing_users{"));
    checks.filter(|line| !line.ends_with(" 0")).count()
}

/// Sums the samples of each metric.
fn sum_by_metric(scrape: &str) -> BTreeMap<&str, f64> {
    let mut sums = BTreeMap::new();
    for line in scrape.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let name = series.split('{').next().unwrap_or(series);
        *sums.entry(name).or_default() += value.parse().unwrap_or(0.0);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_and_the_people_who_have_them_are_told_apart() {
        let scrape = "# HELP cii_check_failing_users Users.\n\
            cii_check_failing_users{check_id=\"a\",severity=\"high\"} 30\n\
            cii_check_failing_users{check_id=\"b\",severity=\"low\"} 20\n\
            cii_check_failing_users{check_id=\"c\",severity=\"low\"} 0\n\
            cii_failing_users{severity=\"high\"} 30\n\
            cii_failing_users{severity=\"low\"} 1\n";
        assert!(summary(scrape).starts_with("50 failures of 31 users in 2 checks, 0 resolved;"));
    }
}
