//! How polls and runs ended, and lists that are null.

use rusqlite::{Connection, params};

use crate::{
    domain::{RunCounts, WatchSubject},
    ledger::{Diff, Differences, Job, Poll},
    store::{
        StoreError,
        row::{Moment, poll_errors, run_hours},
    },
};

pub(super) fn polls(
    connection: &Connection,
    polls: &Differences<'_, WatchSubject, Poll>,
) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO poll (kind, subject, outcome, since, last_at, answered_at,
                                      reason, errors, status)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for poll in polls {
        let Some(row) = poll.row else { continue };
        put.execute(params![
            poll.key.kind(),
            poll.key.text(),
            row.end.outcome.as_str(),
            Moment(row.since),
            Moment(row.last_at),
            row.answered_at.map(Moment),
            row.end.reason,
            poll_errors::encode(&row.end.errors),
            row.end.status,
        ])?;
    }
    Ok(())
}

pub(super) fn jobs(
    connection: &Connection,
    jobs: &Differences<'_, &'static str, Job>,
) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO job_state (job, outcome, since, last_begun_at, last_success_at,
                                           reason, asked, ok, not_found, failed, skipped,
                                           hours)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    let mut remove = connection.prepare_cached("DELETE FROM job_state WHERE job = ?1")?;
    for job in jobs {
        let Some(row) = job.row else {
            remove.execute([job.key])?;
            continue;
        };
        let RunCounts { asked, ok, not_found, failed, skipped } = row.end.counts;
        put.execute(params![
            job.key,
            row.end.outcome.as_str(),
            Moment(row.since),
            Moment(row.last_begun_at),
            row.last_success_at.map(Moment),
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
}

pub(super) fn nulls(connection: &Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO list_null (login, field, since, last_at, meaning)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut remove =
        connection.prepare_cached("DELETE FROM list_null WHERE login = ?1 AND field = ?2")?;
    for null in &diff.nulls {
        let (login, field) = null.key;
        match null.row {
            None => remove.execute([login.as_str(), field.as_str()])?,
            Some(row) => put.execute(params![
                login.as_str(),
                field.as_str(),
                Moment(row.since),
                Moment(row.last_at),
                row.meaning.as_str(),
            ])?,
        };
    }
    let mut remember = connection.prepare_cached(
        "INSERT OR REPLACE INTO list_memory (field, last_list_at, gave_empty) VALUES (?1, ?2, ?3)",
    )?;
    for memory in &diff.list_memory {
        let Some(row) = memory.row else { continue };
        let Some(at) = row.last_list_at else { continue };
        remember.execute(params![memory.key.as_str(), Moment(at), row.gave_empty])?;
    }
    Ok(())
}
