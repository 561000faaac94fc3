//! Saves failures that opened, were confirmed or ended, and the newest answers about users.

use crate::{
    ledger::Diff,
    store::{
        StoreError, columns,
        row::{exchange, texts},
        sql::{Bulk, Connection, params},
    },
};

static OPEN: Bulk = Bulk::put(columns::FAILURE);

static ENDED: Bulk = Bulk::delete(columns::FAILURE);

static CLOSED: Bulk = Bulk::insert(columns::FAILURE_CLOSED.without_key());

static ANSWERED: Bulk = Bulk::put(columns::FAILURE_ANSWER);

pub(super) fn save(connection: &dyn Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    connection.write_all(&ENDED, |put| {
        for failure in diff.failures.iter().filter(|failure| failure.row.is_none()) {
            let (login, check) = failure.key;
            put(params![login.as_str(), check])?;
        }
        Ok(())
    })?;
    connection.write_all(&OPEN, |put| {
        for failure in &diff.failures {
            let Some(row) = failure.row else { continue };
            let (login, check) = failure.key;
            put(params![
                login.as_str(),
                check,
                row.opened_at,
                row.reported_at,
                row.named_at,
                row.is_announced,
                row.by_title,
                row.is_dated,
            ])?;
        }
        Ok(())
    })?;
    connection.write_all(&CLOSED, |put| {
        for closed in diff.closed {
            put(params![
                closed.check,
                closed.login.as_str(),
                closed.failure.opened_at,
                closed.closed_at,
                closed.failure.is_announced,
                closed.reason,
                closed.failure.is_dated,
            ])?;
        }
        Ok(())
    })?;
    connection.write_all(&ANSWERED, |put| {
        for answer in &diff.answered {
            let Some(row) = answer.row else { continue };
            put(params![
                answer.key.as_str(),
                row.as_of,
                row.listed_at,
                row.unknown_since,
                row.suspect_since,
                texts::encode_some(row.shared_texts.iter().map(String::as_str)),
                row.exchange.as_ref().map(exchange::encode),
            ])?;
        }
        Ok(())
    })?;
    Ok(())
}
