//! How polls and the runs of jobs ended.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    domain::{JobOutcome, PollEnd, PollOutcome, RunCounts, RunEnd, Timestamp, WatchSubject},
    ledger::{Facts, Job, Poll},
    store::{
        StoreError,
        row::{self, Moment, Unreadable},
    },
};

pub(super) fn polls(
    connection: &Connection,
    subjects: &BTreeSet<WatchSubject>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT outcome, since, last_at, answered_at, reason, errors, status FROM poll
         WHERE kind = ?1 AND subject = ?2",
    )?;
    for subject in subjects {
        let found = select
            .query_row(params![subject.kind(), subject.text()], |row| Ok(poll(row)))
            .optional()?;
        match found.transpose()? {
            None => facts.polls.load(subject.clone(), None),
            Some(Ok(poll)) => facts.polls.load(subject.clone(), Some(poll)),
            Some(Err(reason)) => facts.polls.load_unreadable(subject.clone(), &reason.to_string()),
        }
    }
    Ok(())
}

fn poll(row: &Row<'_>) -> Result<Result<Poll, Unreadable>, StoreError> {
    let outcome = PollOutcome::parse(row.get_ref(0)?.as_str().unwrap_or_default());
    let errors = row::poll_errors::decode(&row.get::<_, String>(5)?);
    let moments = moments(row, [1, 2, 3]);
    let (Some(outcome), Ok(errors), Some([Some(since), Some(last_at), answered_at])) =
        (outcome, errors, moments)
    else {
        return Ok(Err(Unreadable::Unknown("outcome, errors or moments")));
    };
    let end = PollEnd { outcome, reason: row.get(4)?, errors, status: row.get(6)? };
    Ok(Ok(Poll { end, since, last_at, answered_at }))
}

pub(super) fn jobs(
    connection: &Connection,
    jobs: &BTreeSet<&'static str>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT outcome, reason, asked, ok, not_found, failed, skipped,
                since, last_begun_at, last_success_at, hours
         FROM job_state WHERE job = ?1",
    )?;
    for name in jobs {
        let found = select.query_row([name], |row| Ok(job(row))).optional()?;
        match found.transpose()? {
            None => facts.jobs.load(name, None),
            Some(Ok(job)) => facts.jobs.load(name, Some(job)),
            Some(Err(reason)) => facts.jobs.load_unreadable(name, &reason.to_string()),
        }
    }
    Ok(())
}

fn job(row: &Row<'_>) -> Result<Result<Job, Unreadable>, StoreError> {
    let outcome = JobOutcome::parse(row.get_ref(0)?.as_str().unwrap_or_default());
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
    let hours = match row::run_hours::decode(row.get_ref(10)?.as_str().unwrap_or_default()) {
        Ok(hours) => hours,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(Job { end, since, last_begun_at, last_success_at, hours }))
}

/// The moments of three columns; nothing when one of them is out of range.
fn moments(row: &Row<'_>, columns: [usize; 3]) -> Option<[Option<Timestamp>; 3]> {
    let [a, b, c] = columns.map(|column| row.get::<_, Option<Moment>>(column));
    Some([a.ok()?, b.ok()?, c.ok()?].map(|moment| moment.map(Timestamp::from)))
}
