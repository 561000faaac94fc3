//! Loads how polls and jobs' runs ended.

use std::collections::BTreeSet;

use super::each_of_subjects;
use crate::{
    domain::{JobOutcome, PollEnd, PollOutcome, RunCounts, RunEnd, Timestamp, WatchSubject},
    ledger::{Facts, Job, Poll},
    store::{
        StoreError,
        row::{self, Unreadable},
        sql::{Connection, Row, params},
    },
};

pub(super) fn polls(
    connection: &dyn Connection,
    subjects: &BTreeSet<WatchSubject>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    each_of_subjects(
        connection,
        "SELECT subject, outcome, since, last_at, answered_at, reason, errors, status FROM poll
         WHERE kind = ?1 AND subject IN rarray(?2)",
        subjects,
        |subject, row| {
            match poll(row)? {
                Ok(poll) => facts.polls.load(subject.clone(), Some(poll)),
                Err(reason) => facts.polls.load_unreadable(subject.clone(), &reason.to_string()),
            }
            Ok(())
        },
    )?;
    for subject in subjects {
        facts.polls.load(subject.clone(), None);
    }
    Ok(())
}

fn poll(row: &Row<'_>) -> Result<Result<Poll, Unreadable>, StoreError> {
    let outcome = PollOutcome::parse(row.text(1).unwrap_or_default());
    let errors = row::poll_errors::decode(row.text(6)?);
    let moments = moments(row, [2, 3, 4]);
    let (Some(outcome), Ok(errors), Some([Some(since), Some(last_at), answered_at])) =
        (outcome, errors, moments)
    else {
        return Ok(Err(Unreadable::Unknown("outcome, errors or moments")));
    };
    let end = PollEnd { outcome, reason: row.get(5)?, errors, status: row.get(7)? };
    Ok(Ok(Poll { end, since, last_at, answered_at }))
}

pub(super) fn jobs(
    connection: &dyn Connection,
    jobs: &BTreeSet<&'static str>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = jobs.iter().copied().collect();
    connection.each(
        "SELECT outcome, reason, asked, ok, not_found, failed, skipped,
                since, last_begun_at, last_success_at, hours, job
         FROM job_state WHERE job IN rarray(?1)",
        params![names[..]],
        |row| {
            let Some(name) = jobs.get(row.text(11)?) else { return Ok(()) };
            match job(row)? {
                Ok(job) => facts.jobs.load(name, Some(job)),
                Err(reason) => facts.jobs.load_unreadable(name, &reason.to_string()),
            }
            Ok(())
        },
    )?;
    for name in jobs {
        facts.jobs.load(name, None);
    }
    Ok(())
}

fn job(row: &Row<'_>) -> Result<Result<Job, Unreadable>, StoreError> {
    let outcome = JobOutcome::parse(row.text(0).unwrap_or_default());
    let moments = moments(row, [7, 8, 9]);
    let (Some(outcome), Some([Some(since), Some(last_begun_at), last_success_at])) =
        (outcome, moments)
    else {
        return Ok(Err(Unreadable::Unknown("outcome or moments")));
    };
    let counts = RunCounts {
        asked: row.get(2)?,
        ok: row.get(3)?,
        not_found: row.get(4)?,
        failed: row.get(5)?,
        skipped: row.get(6)?,
    };
    let end = RunEnd { outcome, reason: row.get(1)?, counts };
    let hours = match row::run_hours::decode(row.text(10).unwrap_or_default()) {
        Ok(hours) => hours,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(Job { end, since, last_begun_at, last_success_at, hours }))
}

/// The moments in three columns; none when one of them is out of range.
fn moments(row: &Row<'_>, columns: [usize; 3]) -> Option<[Option<Timestamp>; 3]> {
    let [a, b, c] = columns.map(|column| row.get::<Option<Timestamp>>(column));
    Some([a.ok()?, b.ok()?, c.ok()?])
}
