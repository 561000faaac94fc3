//! What a report says, in plain data: gathered once, and written in each format.

use cii_exporter::domain::Timestamp;
use serde::Serialize;

/// How many of a list are named; the others are counted.
pub(super) const NAMED: usize = 20;

/// A list of which the first are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct List<T> {
    /// How many there are.
    pub(super) count: u64,
    /// The first of them.
    pub(super) named: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { count: 0, named: Vec::new() }
    }
}

impl<T> List<T> {
    /// Counts one more, and names it while there is room.
    pub(super) fn add(&mut self, item: impl FnOnce() -> T) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(item());
        }
    }

    /// How many are not named.
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
    /// Where people reach the exporter's page.
    pub(super) page: Option<String>,
    pub(super) data: Data,
    pub(super) summary: Summary,
    /// Checks that somebody fails, or of which something happened; the worst first.
    pub(super) checks: Vec<Check>,
    /// Users who fail a check for longer than allowed, the longest first.
    pub(super) overdue: List<Overdue>,
    /// Users who fail most checks.
    pub(super) users: List<FailingUser>,
    pub(super) addresses: Addresses,
    pub(super) administrators: Administrators,
    pub(super) mfa: Mfa,
}

/// What the report can know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Data {
    /// Whether nothing of what is asked for is old, failing or missing.
    pub(super) is_complete: bool,
    /// What the report does not know, in sentences.
    pub(super) gaps: Vec<String>,
    pub(super) jobs: Vec<Job>,
    pub(super) last_delivery_at: Option<Timestamp>,
}

/// A job that asks the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Job {
    pub(super) name: &'static str,
    pub(super) state: JobState,
    pub(super) last_success_at: Option<Timestamp>,
}

/// How a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum JobState {
    /// It succeeded within two runs of its schedule.
    Fresh,
    /// It did, and there was nobody to ask.
    Idle,
    /// It did not.
    Stale,
    /// Its last run failed, while an earlier one is recent enough.
    Failing,
    /// No run ever succeeded.
    Never,
    /// The API client has no right to what it asks for.
    NoRight,
    /// The configuration has it off.
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

/// The figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Summary {
    /// Users who are known to fail a check now, each once.
    pub(super) failing_users: u64,
    pub(super) all: Figures,
    /// By severity, the worst first.
    pub(super) by_severity: Vec<(String, Figures)>,
    /// How long failures lasted that ended, of which a delivery told.
    pub(super) time_to_resolve: Option<Lasted>,
}

/// Failures, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Figures {
    pub(super) open: u64,
    /// Announced within the time.
    pub(super) new: u64,
    /// Ended within the time.
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

/// How long failures lasted.
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

/// A user who fails a check for longer than allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Overdue {
    pub(super) user: String,
    pub(super) check_id: String,
    pub(super) check_title: String,
    pub(super) severity: String,
    pub(super) since: Timestamp,
    /// Whether a delivery told since when; else it began before.
    pub(super) is_dated: bool,
    /// For how long it has been more than allowed.
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
    /// Users who have them.
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
    /// How many there are; nothing where nobody looked.
    pub(super) count: Option<u64>,
    pub(super) observed_at: Option<Timestamp>,
    pub(super) added: List<Happening>,
    pub(super) removed: List<Happening>,
}

/// Multi-factor authentication.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Mfa {
    /// Accounts by the last complete listing; nothing before one.
    pub(super) accounts: Option<Coverage>,
    /// Watched users whose factors changed.
    pub(super) factors_changed: List<Happening>,
}

/// Accounts by whether they have it.
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
