//! The data of a report: gathered once, and rendered in each format.

use cii_exporter::domain::Timestamp;
use serde::Serialize;

/// How many items of a list are named; the others are only counted.
pub(super) const NAMED: usize = 20;

/// A list with its count, of which the first items are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct List<T> {
    /// The number of items.
    pub(super) count: u64,
    /// The first items.
    pub(super) named: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { count: 0, named: Vec::new() }
    }
}

impl<T> List<T> {
    /// Counts an item, and adds it while there are fewer than [`NAMED`].
    pub(super) fn add(&mut self, item: impl FnOnce() -> T) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(item());
        }
    }

    /// The number of items that are not named.
    pub(super) fn unnamed_count(&self) -> u64 {
        self.count.saturating_sub(self.named.len() as u64)
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Report {
    /// The tenant's name, else its id, else `unnamed`.
    pub(super) tenant: String,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    /// The URL of the exporter's pages (`ops.public_url`).
    pub(super) page: Option<String>,
    pub(super) data: Data,
    pub(super) summary: Summary,
    /// Checks with open, new or resolved failures, the worst first.
    pub(super) checks: Vec<Check>,
    /// Overdue failures, the longest first.
    pub(super) overdue: List<Overdue>,
    /// Users who fail the most checks.
    pub(super) users: List<FailingUser>,
    pub(super) addresses: Addresses,
    pub(super) administrators: Administrators,
    pub(super) mfa: Mfa,
}

/// How complete the data of the report is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Data {
    /// Whether no data is old or missing.
    pub(super) is_complete: bool,
    /// The gaps, in sentences.
    pub(super) gaps: Vec<String>,
    pub(super) jobs: Vec<Job>,
    pub(super) last_delivery_at: Option<Timestamp>,
}

/// A job that polls the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Job {
    pub(super) name: &'static str,
    pub(super) state: JobState,
    pub(super) last_success_at: Option<Timestamp>,
}

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum JobState {
    /// It succeeded within two intervals of its schedule.
    Fresh,
    /// It succeeded, and had no requests to send.
    Idle,
    /// Its last success is older than two intervals.
    Stale,
    /// Its last run failed, but an earlier success is recent enough.
    Failing,
    /// No run ever succeeded.
    Never,
    /// The API client lacks the right to its requests.
    NoRight,
    /// The configuration switches it off.
    Off,
}

impl JobState {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Idle => "asked nobody",
            Self::Stale => "stale",
            Self::Failing => "last run failed",
            Self::Never => "never succeeded",
            Self::NoRight => "no right to ask",
            Self::Off => "off",
        }
    }
}

/// The figures over all checks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Summary {
    /// Number of users who are known to fail a check now.
    pub(super) failing_users: u64,
    pub(super) all: Figures,
    /// By severity, the worst first.
    pub(super) by_severity: Vec<(String, Figures)>,
    /// Durations of the ended failures that a delivery dated.
    pub(super) time_to_resolve: Option<Lasted>,
}

/// Counts of failures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Figures {
    pub(super) open: u64,
    /// Began within the period.
    pub(super) new: u64,
    /// Ended within the period.
    pub(super) resolved: u64,
    pub(super) overdue: u64,
}

impl Figures {
    pub(super) const fn add(&mut self, other: Self) {
        self.open += other.open;
        self.new += other.new;
        self.resolved += other.resolved;
        self.overdue += other.overdue;
    }
}

/// Durations of ended failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Lasted {
    pub(super) median_seconds: i64,
    pub(super) count: u64,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) severity: String,
    #[serde(flatten)]
    pub(super) figures: Figures,
    pub(super) oldest_failure_at: Option<Timestamp>,
    pub(super) time_to_resolve: Option<Lasted>,
}

/// An overdue failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Overdue {
    pub(super) user: String,
    pub(super) check_id: String,
    pub(super) check_title: String,
    pub(super) severity: String,
    pub(super) since: Timestamp,
    /// Whether a delivery dated the beginning; otherwise the failure began at `since` or before.
    pub(super) is_dated: bool,
    /// By how much it exceeds the target.
    pub(super) late_seconds: i64,
}

/// A user who fails checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct FailingUser {
    pub(super) user: String,
    pub(super) checks: u64,
    pub(super) worst_severity: String,
}

/// Addresses and countries that were new for watched users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Addresses {
    pub(super) new: u64,
    /// Number of users with new addresses.
    pub(super) users: u64,
    pub(super) new_countries: List<NewCountry>,
}

/// A user in a new country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NewCountry {
    pub(super) user: String,
    pub(super) country: String,
    pub(super) at: Timestamp,
}

/// The service's administrators.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Administrators {
    /// Their number; `None` before the first poll.
    pub(super) count: Option<u64>,
    pub(super) observed_at: Option<Timestamp>,
    pub(super) added: List<Happening>,
    pub(super) removed: List<Happening>,
}

/// Multi-factor authentication.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Mfa {
    /// Accounts by the last complete listing; `None` before one.
    pub(super) accounts: Option<Coverage>,
    /// Watched users whose factors changed.
    pub(super) factors_changed: List<Happening>,
}

/// Number of accounts with and without multi-factor authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Coverage {
    pub(super) enabled: u64,
    pub(super) disabled: u64,
    pub(super) unknown: u64,
    pub(super) listed_at: Timestamp,
}

/// Something that happened to a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Happening {
    pub(super) user: String,
    pub(super) what: String,
    pub(super) at: Timestamp,
}
