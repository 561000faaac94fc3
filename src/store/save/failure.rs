//! Saves failures that opened, were confirmed or ended, and the newest answers about users.

use crate::{
    ledger::Diff,
    store::{
        StoreError,
        row::{exchange, texts},
        sql::{Bulk, Connection, integer, params, text},
    },
};

static OPEN: Bulk = Bulk::put(
    "failure",
    &[text("login"), integer("check_number")],
    &[
        integer("opened_at"),
        integer("reported_at"),
        integer("named_at"),
        integer("is_announced"),
        integer("by_title"),
        integer("is_dated"),
    ],
);

static ENDED: Bulk = Bulk::delete("failure", &[text("login"), integer("check_number")]);

static CLOSED: Bulk = Bulk::insert(
    "failure_closed",
    &[
        integer("check_number"),
        text("login"),
        integer("opened_at"),
        integer("closed_at"),
        integer("is_announced"),
        text("reason"),
        integer("is_dated"),
    ],
);

static ANSWERED: Bulk = Bulk::put(
    "failure_answer",
    &[text("login")],
    &[
        integer("as_of"),
        integer("listed_at"),
        integer("unknown_since"),
        integer("suspect_since"),
        text("shared_texts"),
        text("exchange"),
    ],
);

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
