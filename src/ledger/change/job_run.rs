//! The ends of scheduled jobs' runs.

use crate::{
    domain::{JobOutcome, RunEnd, Timestamp, on_run},
    ledger::{Change, Facts, Fault, Job, Keys},
};

/// Records the end of a job's run.
#[derive(Debug, Clone)]
pub struct RecordRun {
    /// The job.
    pub job: &'static str,
    /// How the run ended.
    pub end: RunEnd,
    /// When the run began.
    pub begun_at: Timestamp,
    /// When the run ended.
    pub ended_at: Timestamp,
}

impl Change for RecordRun {
    /// How the previous run ended.
    type Outcome = Option<JobOutcome>;

    fn keys(&self, keys: &mut Keys) {
        keys.jobs.insert(self.job);
    }

    fn apply(&self, facts: &mut Facts) -> Result<Option<JobOutcome>, Fault> {
        let before = facts.jobs.get(&self.job)?;
        let outcome_before = before.map(|job| job.end.outcome);
        let outcome = self.end.outcome;
        let mut hours = before.map(|job| job.hours.clone()).unwrap_or_default();
        hours.record(&self.end, self.ended_at);
        let job = Job {
            end: self.end.clone(),
            since: before
                .filter(|before| before.end.outcome == outcome)
                .map_or(self.ended_at, |before| before.since),
            last_begun_at: self.begun_at,
            last_success_at: if outcome == JobOutcome::Succeeded {
                Some(self.ended_at)
            } else {
                before.and_then(|before| before.last_success_at)
            },
            hours,
        };
        facts.jobs.put(self.job, job);
        if let Some(event) = on_run(self.job, outcome_before, &self.end, self.ended_at) {
            facts.append(event);
        }
        Ok(outcome_before)
    }
}
