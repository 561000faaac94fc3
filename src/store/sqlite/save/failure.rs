//! Failures that opened, were confirmed, or ended; how far answers have got.

use rusqlite::{Connection, params};

use crate::{
    ledger::Diff,
    store::{
        StoreError,
        row::{Moment, exchange, texts},
    },
};

pub(super) fn save(connection: &Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT INTO failure (check_number, login, opened_at, reported_at, named_at, delivery,
                              is_announced, by_title, is_dated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (login, check_number) DO UPDATE SET
            opened_at = excluded.opened_at, reported_at = excluded.reported_at,
            named_at = excluded.named_at, delivery = excluded.delivery,
            is_announced = excluded.is_announced, by_title = excluded.by_title,
            is_dated = excluded.is_dated",
    )?;
    let mut remove =
        connection.prepare_cached("DELETE FROM failure WHERE check_number = ?1 AND login = ?2")?;
    for failure in &diff.failures {
        let (login, check) = failure.key;
        match failure.row {
            None => remove.execute(params![check, login.as_str()])?,
            Some(row) => put.execute(params![
                check,
                login.as_str(),
                Moment(row.opened_at),
                Moment(row.reported_at),
                row.named_at.map(Moment),
                row.delivery,
                row.is_announced,
                row.by_title,
                row.is_dated,
            ])?,
        };
    }
    let mut close = connection.prepare_cached(
        "INSERT INTO failure_closed (check_number, login, opened_at, closed_at, delivery,
                                     is_announced, reason, is_dated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for closed in diff.closed {
        close.execute(params![
            closed.check,
            closed.login.as_str(),
            Moment(closed.failure.opened_at),
            Moment(closed.closed_at),
            closed.failure.delivery,
            closed.failure.is_announced,
            closed.reason,
            closed.failure.is_dated,
        ])?;
    }
    let mut answered = connection.prepare_cached(
        "INSERT OR REPLACE INTO failure_answer (login, as_of, listed_at, unknown_since,
                                                suspect_since, shared_texts, exchange)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for answer in &diff.answered {
        let Some(row) = answer.row else { continue };
        answered.execute(params![
            answer.key.as_str(),
            Moment(row.as_of),
            row.listed_at.map(Moment),
            row.unknown_since.map(Moment),
            row.suspect_since.map(Moment),
            texts::encode_some(row.shared_texts.iter().map(String::as_str)),
            row.exchange.as_ref().map(exchange::encode),
        ])?;
    }
    Ok(())
}
