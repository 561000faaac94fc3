//! Derives which data of a report is missing or old from the state of the jobs, so that a report
//! never looks good because a job did not run.

use chrono::TimeDelta;
use cii_exporter::domain::{JobOutcome, Timestamp};

use super::{
    model::{Data, Job, JobState},
    words,
};

/// Tolerance beyond two intervals of a schedule, since a run takes time. The alert `CiiSyncStale`
/// uses the same.
const LEEWAY: TimeDelta = TimeDelta::minutes(10);

/// The inputs.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) now: Timestamp,
    pub(super) since: Timestamp,
    pub(super) has_api: bool,
    pub(super) jobs: Vec<JobFacts>,
    /// Whether a listing of the tenant completed with the failing checks.
    pub(super) is_listed: bool,
    pub(super) last_delivery_at: Option<Timestamp>,
    /// From when on the log is complete; `None` while it is empty.
    pub(super) log_begins_at: Option<Timestamp>,
    /// From when on ended failures are kept; `None` for all of them.
    pub(super) failures_kept_since: Option<Timestamp>,
}

/// The state of a job.
#[derive(Debug)]
pub(super) struct JobFacts {
    pub(super) name: &'static str,
    /// What the job provides, for the sentence about what is missing.
    pub(super) tells: &'static str,
    /// The longest time between two runs; `None` when the configuration switches the job off.
    pub(super) interval: Option<TimeDelta>,
    pub(super) last_outcome: Option<JobOutcome>,
    /// Whether the last run sent requests.
    pub(super) has_asked: bool,
    pub(super) last_success_at: Option<Timestamp>,
}

impl JobFacts {
    fn state(&self, now: Timestamp) -> JobState {
        let Some(interval) = self.interval else { return JobState::Off };
        if self.last_outcome == Some(JobOutcome::Off) {
            return JobState::NoRight;
        }
        match self.last_success_at {
            None => JobState::Never,
            Some(at) if now - at > interval * 2 + LEEWAY => JobState::Stale,
            Some(_) if self.last_outcome == Some(JobOutcome::Failed) => JobState::Failing,
            Some(_) if !self.has_asked => JobState::Idle,
            Some(_) => JobState::Fresh,
        }
    }
}

/// Derives the gaps and the states of the jobs.
pub(super) fn judge_facts(facts: &Facts) -> Data {
    let mut gaps = Vec::new();
    if !facts.has_api {
        gaps.push(
            "No API is configured: failures are those that deliveries told, and nothing tells when \
             one ends."
                .to_owned(),
        );
    }
    let jobs = if facts.has_api { facts.jobs.as_slice() } else { &[] };
    for job in jobs {
        gaps.extend(gap_sentence(job, facts.now));
    }
    if facts.has_api && !facts.is_listed {
        gaps.push(
            "The tenant was never listed to its end: who is not named here may fail a check."
                .to_owned(),
        );
    }
    match facts.last_delivery_at {
        None => gaps.push(
            "No webhook delivery was ever recorded: failures are known from polls and listings \
             alone, and their beginning is when they were first seen."
                .to_owned(),
        ),
        Some(at) if at < facts.since => gaps.push(format!(
            "No webhook delivery came within this time; the last one is of {}. A tenant without \
             newly failing users is silent, too.",
            words::moment(at)
        )),
        Some(_) => {}
    }
    match facts.log_begins_at {
        None => gaps.push("The log has no event yet.".to_owned()),
        Some(at) if at > facts.since => gaps.push(format!(
            "The log begins at {}: what happened before is not in the figures of new and resolved \
             failures.",
            words::moment(at)
        )),
        Some(_) => {}
    }
    if let Some(at) = facts.failures_kept_since.filter(|at| *at > facts.since) {
        gaps.push(format!(
            "Ended failures are kept since {}: the time to resolve is of those.",
            words::moment(at)
        ));
    }
    let jobs = jobs
        .iter()
        .map(|job| Job {
            name: job.name,
            state: job.state(facts.now),
            last_success_at: job.last_success_at,
        })
        .collect();
    let is_complete = gaps.is_empty();
    Data { is_complete, gaps, jobs, last_delivery_at: facts.last_delivery_at }
}

/// The sentence for the gap that a job's state causes; `None` when there is none.
fn gap_sentence(job: &JobFacts, now: Timestamp) -> Option<String> {
    let (name, tells) = (job.name, job.tells);
    let last = job.last_success_at.map(words::moment).unwrap_or_default();
    match job.state(now) {
        JobState::Fresh | JobState::Idle => None,
        JobState::Off => Some(format!("The job {name} is off: {tells} is not looked at.")),
        JobState::NoRight => {
            Some(format!("The API client has no right to what the job {name} asks: {tells}."))
        }
        JobState::Never => Some(format!("The job {name} never succeeded: {tells} is not known.")),
        JobState::Stale => {
            Some(format!("The job {name} last succeeded at {last}: {tells} is old."))
        }
        JobState::Failing => Some(format!(
            "The last run of the job {name} failed; {tells} is of {last}, or older in parts."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Facts);

    fn at(hour: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn job() -> JobFacts {
        JobFacts {
            name: "users",
            tells: "the state of watched users",
            interval: Some(TimeDelta::hours(1)),
            last_outcome: Some(JobOutcome::Succeeded),
            has_asked: true,
            last_success_at: Some(at(99)),
        }
    }

    fn facts() -> Facts {
        Facts {
            now: at(100),
            since: at(10),
            has_api: true,
            jobs: vec![job()],
            is_listed: true,
            last_delivery_at: Some(at(50)),
            log_begins_at: Some(at(1)),
            failures_kept_since: None,
        }
    }

    #[test]
    fn a_run_that_had_nobody_to_ask_is_not_fresh() {
        let idle = JobFacts { has_asked: false, ..job() };
        assert_eq!(idle.state(at(100)), JobState::Idle);
        let failed = JobFacts { last_outcome: Some(JobOutcome::Failed), ..idle };
        assert_eq!(failed.state(at(100)), JobState::Failing);
    }

    #[test]
    fn a_job_is_fresh_for_two_runs_and_ten_minutes() {
        let state = |change: fn(&mut JobFacts)| {
            let mut job = job();
            change(&mut job);
            job.state(at(100))
        };
        assert_eq!(state(|_| {}), JobState::Fresh);
        let just = at(98) - TimeDelta::minutes(10);
        let of = |last_success_at| JobFacts { last_success_at, ..job() }.state(at(100));
        assert_eq!(of(Some(just)), JobState::Fresh);
        assert_eq!(of(Some(just - TimeDelta::seconds(1))), JobState::Stale);
        assert_eq!(of(None), JobState::Never);
        assert_eq!(state(|job| job.interval = None), JobState::Off);
        assert_eq!(state(|job| job.last_outcome = Some(JobOutcome::Off)), JobState::NoRight);
        assert_eq!(state(|job| job.last_outcome = Some(JobOutcome::Failed)), JobState::Failing);
    }

    #[test]
    fn only_what_is_looked_at_in_time_is_complete() {
        let judged = judge_facts(&facts());
        assert!(judged.is_complete, "{judged:?}");
        let gaps: [(Change, &str); 8] = [
            (|facts| facts.has_api = false, "No API is configured"),
            (|facts| facts.jobs[0].interval = None, "The job users is off"),
            (|facts| facts.jobs[0].last_success_at = None, "The job users never succeeded"),
            (|facts| facts.is_listed = false, "The tenant was never listed"),
            (|facts| facts.last_delivery_at = None, "No webhook delivery was ever recorded"),
            (|facts| facts.last_delivery_at = Some(at(9)), "the last one is of 1970-01-01 09:00Z"),
            (|facts| facts.log_begins_at = Some(at(11)), "The log begins at 1970-01-01 11:00Z"),
            (|facts| facts.failures_kept_since = Some(at(11)), "Ended failures are kept since"),
        ];
        for (change, expected) in gaps {
            let mut facts = facts();
            change(&mut facts);
            let judged = judge_facts(&facts);
            assert!(!judged.is_complete);
            assert!(judged.gaps.iter().any(|gap| gap.contains(expected)), "{judged:?}");
        }
    }

    #[test]
    fn jobs_that_cannot_run_without_an_api_are_not_held_against_it() {
        let mut facts = facts();
        facts.has_api = false;
        facts.jobs[0].last_success_at = None;
        facts.is_listed = false;
        let judged = judge_facts(&facts);
        assert_eq!((judged.gaps.len(), judged.jobs.len()), (1, 0), "{judged:?}");
    }
}
