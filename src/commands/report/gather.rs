//! Reads the data of a report from the database, also while a daemon has it open.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use cii_exporter::{
    config::{Config, JobConfig, UserLabel},
    domain::{CheckId, Dimension, Login, Rank, Severity, Timestamp},
    store::{BeginRange, EventFilter, Reader, StoreError},
};

use super::{
    happenings::Happenings,
    knowledge::{self, Facts, JobFacts},
    model::{
        Addresses, Administrators, Check, Coverage, Data, FailingUser, Figures, Happening, Lasted,
        List, Mfa, NAMED, Overdue, Report, Summary,
    },
};

/// Most ended failures of which the median is computed.
const LENGTHS: usize = 100_000;
/// Events per read of the log.
const PAGE: usize = 1000;

/// Reads the data of a report.
pub(super) fn gather_report(
    config: &Config,
    reader: &Reader,
    since: Timestamp,
    now: Timestamp,
) -> Result<Report, StoreError> {
    let gathering = Gathering { config, reader, since, now };
    let happenings = gathering.read_happenings()?;
    let checks = gathering.read_checks(&happenings)?;
    let tenant = match &config.tenant.name {
        Some(name) => name.clone(),
        None => reader.tenant_id()?.map_or_else(|| "unnamed".to_owned(), |id| id.to_string()),
    };
    let page = config.ops.public_url.as_ref();
    Ok(Report {
        tenant,
        since,
        until: now,
        page: page.map(|url| url.as_str().trim_end_matches('/').to_owned()),
        data: gathering.read_data()?,
        summary: gathering.summarize(&checks)?,
        overdue: gathering.read_overdue(&checks)?,
        checks,
        users: gathering.read_users()?,
        addresses: Addresses {
            new: happenings.new_addresses,
            users: happenings.at_new_addresses.len() as u64,
            new_countries: happenings.new_countries,
        },
        administrators: gathering
            .read_administrators(happenings.admins_added, happenings.admins_removed)?,
        mfa: Mfa {
            accounts: gathering.read_coverage()?,
            factors_changed: happenings.factors_changed,
        },
    })
}

struct Gathering<'a> {
    config: &'a Config,
    reader: &'a Reader,
    since: Timestamp,
    now: Timestamp,
}

impl Gathering<'_> {
    fn read_data(&self) -> Result<Data, StoreError> {
        let (config, reader) = (self.config, self.reader);
        let sync = &config.sync;
        let jobs = [
            ("users", "the state of watched users", Some(&sync.users)),
            ("ips", "who uses watched addresses", Some(&sync.ips)),
            ("tenant", "who of the whole tenant fails what", sync.tenant.as_ref()),
            ("service", "integrations and administrators", sync.service.as_ref()),
        ];
        let jobs = jobs.map(|(name, tells, job)| self.job_facts(name, tells, job));
        let retention = config.store.retention_days;
        let kept = |days: Option<u32>| days.map(|days| self.now - TimeDelta::days(days.into()));
        // Some events outlive the retention, such as those that wait for the collector. The log is
        // complete only from the retention limit on.
        let log_begins_at = reader.log_begins_at()?;
        let log_begins_at =
            log_begins_at.map(|at| kept(retention.events).map_or(at, |kept| at.max(kept)));
        Ok(knowledge::judge_facts(&Facts {
            now: self.now,
            since: self.since,
            has_api: config.api.is_some(),
            jobs: jobs.into_iter().collect::<Result<_, _>>()?,
            is_listed: reader.tenant_listing_state()?.is_complete(),
            last_delivery_at: reader.last_delivery_at()?,
            log_begins_at,
            failures_kept_since: kept(retention.failures),
        }))
    }

    fn job_facts(
        &self,
        name: &'static str,
        tells: &'static str,
        job: Option<&JobConfig>,
    ) -> Result<JobFacts, StoreError> {
        let state = self.reader.job_state(name)?;
        Ok(JobFacts {
            name,
            tells,
            interval: job
                .map(|job| job.schedule.longest_gap(self.now).unwrap_or(TimeDelta::MAX / 4)),
            last_outcome: state.as_ref().map(|state| state.end.outcome),
            has_asked: state.as_ref().is_some_and(|state| state.end.counts.asked > 0),
            last_success_at: state.and_then(|state| state.last_success_at),
        })
    }

    /// Reads the log backwards to the beginning of the report.
    fn read_happenings(&self) -> Result<Happenings, StoreError> {
        let mut happenings = Happenings::default();
        let (filter, mut cursor) = (EventFilter::default(), i64::MAX);
        loop {
            let page = self.reader.events_before(&filter, cursor, PAGE)?;
            let is_within = |at: Timestamp| at >= self.since && at <= self.now;
            for stored in page.events.iter().filter(|one| is_within(one.event.observed_at)) {
                happenings.count_event(&stored.event, |event| {
                    event
                        .login
                        .as_ref()
                        .map_or_else(|| "unknown".to_owned(), |login| self.display_name(login))
                });
            }
            // The log is ordered by number. After a clock that was set back, newer events can come
            // before older ones, but hardly before a whole page of them.
            let is_over = page.events.iter().all(|stored| stored.event.observed_at < self.since);
            if !page.has_more || (is_over && !page.events.is_empty()) {
                return Ok(happenings);
            }
            cursor = page.cursor;
        }
    }

    fn read_checks(&self, happenings: &Happenings) -> Result<Vec<Check>, StoreError> {
        let mut checks = Vec::new();
        for id in self.reader.check_ids()? {
            let Some(state) = self.reader.check(&id)? else { continue };
            let (new, resolved) = happenings.of_checks.get(&id).copied().unwrap_or_default();
            let overdue = match self.overdue_before(&id, &state.severity) {
                Some(before) => self.reader.failures_before(&id, before)?.0,
                None => 0,
            };
            let figures = Figures { open: state.failing, new, resolved, overdue };
            if figures != Figures::default() {
                let lasted = self.reader.ended_durations(Some(&id), self.since, LENGTHS)?;
                checks.push(Check {
                    id,
                    title: state.title,
                    severity: state.severity.label(),
                    figures,
                    oldest_failure_at: state.oldest_failure_at,
                    time_to_resolve: lasted.map(from_durations),
                });
            }
        }
        checks.sort_by(|a, b| {
            (severity_rank(&b.severity), b.figures.open, &a.id).cmp(&(
                severity_rank(&a.severity),
                a.figures.open,
                &b.id,
            ))
        });
        Ok(checks)
    }

    /// The moment before which a failure of the check must have begun to be overdue; `None` without
    /// a target.
    fn overdue_before(&self, id: &str, severity: &Severity) -> Option<Timestamp> {
        let objective = self.config.objectives.limit_for(&CheckId::new(id)?, severity)?;
        self.now.checked_sub_signed(objective)
    }

    fn summarize(&self, checks: &[Check]) -> Result<Summary, StoreError> {
        let mut by_severity = BTreeMap::<&str, Figures>::new();
        let mut all = Figures::default();
        for check in checks {
            by_severity.entry(&check.severity).or_default().add(check.figures);
            all.add(check.figures);
        }
        let mut by_severity: Vec<_> =
            by_severity.into_iter().map(|(name, figures)| (name.to_owned(), figures)).collect();
        by_severity.sort_by_key(|(severity, _)| std::cmp::Reverse(severity_rank(severity)));
        Ok(Summary {
            failing_users: self.reader.failing_people()?,
            all,
            by_severity,
            time_to_resolve: self
                .reader
                .ended_durations(None, self.since, LENGTHS)?
                .map(from_durations),
        })
    }

    fn read_overdue(&self, checks: &[Check]) -> Result<List<Overdue>, StoreError> {
        let mut named = Vec::new();
        for check in checks.iter().filter(|check| check.figures.overdue > 0) {
            let severity = Severity::new(Some(&check.severity));
            let Some(before) = self.overdue_before(&check.id, &severity) else { continue };
            let began = BeginRange { since: None, before: Some(before) };
            for failing in self.reader.failing_by_age(&check.id, &began, None, NAMED)? {
                named.push(Overdue {
                    user: self.display_name(&failing.login),
                    check_id: check.id.clone(),
                    check_title: check.title.clone(),
                    severity: check.severity.clone(),
                    since: failing.since,
                    is_dated: failing.is_dated,
                    late_seconds: (before - failing.since).num_seconds(),
                });
            }
        }
        named.sort_by(|a, b| (a.since, &a.check_id, &a.user).cmp(&(b.since, &b.check_id, &b.user)));
        named.truncate(NAMED);
        let count = checks.iter().map(|check| check.figures.overdue).sum();
        Ok(List { count, named })
    }

    fn read_users(&self) -> Result<List<FailingUser>, StoreError> {
        let severities: BTreeMap<_, _> = self.reader.check_severities()?.into_iter().collect();
        let mut counts = BTreeMap::<String, (u64, Option<Rank>, String)>::new();
        self.reader.each_open_failure(|login, check| {
            let entry = counts.entry(login.to_owned()).or_default();
            entry.0 += 1;
            if let Some(severity) = severities.get(check).filter(|one| Some(one.rank()) > entry.1) {
                (entry.1, entry.2) = (Some(severity.rank()), severity.label());
            }
        })?;
        let mut users: Vec<_> = counts.into_iter().collect();
        users.sort_by(|(a, of_a), (b, of_b)| (of_b.0, of_b.1, a).cmp(&(of_a.0, of_a.1, b)));
        let count = users.len() as u64;
        let named = users.into_iter().take(NAMED / 2).filter_map(|(login, (checks, _, worst))| {
            let user = self.display_name(&Login::new(&login).ok()?);
            Some(FailingUser { user, checks, worst_severity: worst })
        });
        Ok(List { count, named: named.collect() })
    }

    fn read_administrators(
        &self,
        added: List<Happening>,
        removed: List<Happening>,
    ) -> Result<Administrators, StoreError> {
        let admins = self.reader.service()?.admins;
        let observed_at = admins.as_ref().map(|(at, _)| *at);
        let count = admins.map(|(_, admins)| admins.len() as u64);
        Ok(Administrators { count, observed_at, added, removed })
    }

    fn read_coverage(&self) -> Result<Option<Coverage>, StoreError> {
        let Some(complete) = self.reader.tenant_listing_state()?.complete else { return Ok(None) };
        let figures = self.reader.tenant_figures()?;
        let of = |mfa: &str| figures.get(&(Dimension::Mfa, mfa.to_owned())).copied();
        let (Some(enabled), Some(disabled)) = (of("enabled"), of("disabled")) else {
            return Ok(None);
        };
        let unknown = of("unknown").unwrap_or_default();
        Ok(Some(Coverage { enabled, disabled, unknown, listed_at: complete.at }))
    }

    /// The name of a user in a report, by `metrics.user_label`.
    fn display_name(&self, login: &Login) -> String {
        let label = &self.config.metrics.user_label;
        match label {
            UserLabel::Login => login.spelling().to_owned(),
            UserLabel::Hash(_) => label.hash_login(login).unwrap_or_else(|| "somebody".to_owned()),
            UserLabel::Id => {
                let record = self.reader.user_record(login.as_str()).ok().flatten();
                let id = record.map(|record| record.state.id).filter(|id| !id.is_empty());
                id.unwrap_or_else(|| "a user of unknown id".to_owned())
            }
        }
    }
}

fn severity_rank(severity: &str) -> Rank {
    Severity::new(Some(severity)).rank()
}

const fn from_durations(lasted: cii_exporter::store::EndedDurations) -> Lasted {
    Lasted { median_seconds: lasted.median.num_seconds(), count: lasted.count }
}
