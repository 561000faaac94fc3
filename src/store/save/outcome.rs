//! Saves how polls and runs ended, and lists that are null.

use crate::{
    domain::{RunCounts, WatchSubject},
    ledger::{Diff, Differences, Job, Poll},
    store::{
        StoreError, columns,
        row::{poll_errors, run_hours},
        sql::{Bulk, Connection, params},
    },
};

static POLL: Bulk = Bulk::put(columns::POLL);

static JOB: Bulk = Bulk::put(columns::JOB_STATE);

static NO_JOB: Bulk = Bulk::delete(columns::JOB_STATE);

static NULL: Bulk = Bulk::put(columns::LIST_NULL);

static NOT_NULL: Bulk = Bulk::delete(columns::LIST_NULL);

static MEMORY: Bulk = Bulk::put(columns::LIST_MEMORY);

pub(super) fn polls(
    connection: &dyn Connection,
    polls: &Differences<'_, WatchSubject, Poll>,
) -> Result<(), StoreError> {
    connection.write_all(&POLL, |put| {
        for poll in polls {
            let Some(row) = poll.row else { continue };
            put(params![
                poll.key.kind(),
                poll.key.text(),
                row.end.outcome.as_str(),
                row.since,
                row.last_at,
                row.answered_at,
                row.end.reason,
                poll_errors::encode(&row.end.errors),
                row.end.status.map(i64::from),
            ])?;
        }
        Ok(())
    })?;
    Ok(())
}

pub(super) fn jobs(
    connection: &dyn Connection,
    jobs: &Differences<'_, &'static str, Job>,
) -> Result<(), StoreError> {
    connection.write_all(&NO_JOB, |put| {
        for job in jobs.iter().filter(|job| job.row.is_none()) {
            put(params![job.key])?;
        }
        Ok(())
    })?;
    connection.write_all(&JOB, |put| {
        for job in jobs {
            let Some(row) = job.row else { continue };
            let RunCounts { asked, ok, not_found, failed, skipped } = row.end.counts;
            put(params![
                job.key,
                row.end.outcome.as_str(),
                row.since,
                row.last_begun_at,
                row.last_success_at,
                row.end.reason,
                asked,
                ok,
                not_found,
                failed,
                skipped,
                run_hours::encode(&row.hours),
            ])?;
        }
        Ok(())
    })?;
    Ok(())
}

pub(super) fn nulls(connection: &dyn Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    connection.write_all(&NOT_NULL, |put| {
        for null in diff.nulls.iter().filter(|null| null.row.is_none()) {
            let (login, field) = null.key;
            put(params![login.as_str(), field.as_str()])?;
        }
        Ok(())
    })?;
    connection.write_all(&NULL, |put| {
        for null in &diff.nulls {
            let Some(row) = null.row else { continue };
            let (login, field) = null.key;
            put(params![
                login.as_str(),
                field.as_str(),
                row.since,
                row.last_at,
                row.meaning.as_str(),
            ])?;
        }
        Ok(())
    })?;
    connection.write_all(&MEMORY, |put| {
        for memory in &diff.list_memory {
            let Some(row) = memory.row else { continue };
            let Some(at) = row.last_list_at else { continue };
            put(params![memory.key.as_str(), at, row.gave_empty])?;
        }
        Ok(())
    })?;
    Ok(())
}
