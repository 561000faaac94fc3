//! The log, and the delivery by OTLP.

use std::{collections::BTreeMap, sync::Arc};

use rusqlite::{Connection, params};

use crate::{
    clock,
    domain::{Attributes, CheckId, Login},
    ledger::{Command, Diff},
    store::{
        StoreError,
        row::{Moment, attributes},
        sql::{self, Bulk},
        sqlite::{migrations, shared::OTLP},
        uid::Uids,
    },
};

static CONTEXT: Bulk =
    Bulk::insert("event_context", &[sql::integer("number"), sql::text("attributes")]);

static EVENT: Bulk = Bulk::insert(
    "event",
    &[
        sql::integer("seq"),
        sql::text("name"),
        sql::integer("public"),
        sql::integer("ordinal"),
        sql::text("check_id"),
        sql::text("login"),
        sql::text("ip"),
        sql::text("application"),
        sql::integer("happened_at"),
        sql::integer("observed_at"),
        sql::text("severity"),
        sql::text("body"),
        sql::text("attributes"),
        sql::integer("context"),
        sql::integer("check_version"),
        sql::bytes("uid"),
    ],
);

/// Appends events. What those of one delivery share is written once, under the
/// number of the first of them.
pub(super) fn save(
    connection: &dyn sql::Connection,
    uids: &Uids,
    diff: &Diff<'_>,
) -> Result<(), StoreError> {
    if diff.events.is_empty() {
        return Ok(());
    }
    let versions: BTreeMap<&CheckId, i64> =
        diff.checks.iter().filter_map(|check| Some((check.key, check.row?.version))).collect();
    let contexts = contexts(diff);
    connection.write_all(&CONTEXT, |put| {
        let mut written = None;
        for (number, shared) in contexts.iter().flatten() {
            if written.replace(number) != Some(number) {
                put(sql::params![number, attributes::encode(shared)])?;
            }
        }
        Ok(())
    })?;
    let now = clock::now();
    let public = diff.events.iter().filter(|event| event.name.is_public()).count();
    let mut ordinal = diff.head.public_events - i64::try_from(public).unwrap_or(0);
    connection.write_all(&EVENT, |put| {
        let events = (diff.first_event()..).zip(diff.events).zip(&contexts);
        for ((seq, event), context) in events {
            let is_public = event.name.is_public();
            ordinal += i64::from(is_public);
            let of_check = event.of_check.as_ref().and(event.check_id.as_ref());
            put(sql::params![
                seq,
                event.name.as_str(),
                is_public,
                ordinal,
                event.check_id.as_ref().map(CheckId::as_str),
                event.login.as_ref().map(Login::as_str),
                event.ip,
                event.application,
                event.happened_at,
                event.observed_at,
                event.severity.text(),
                event.body,
                attributes::encode(&event.attributes),
                context.map(|(number, _)| number),
                of_check.and_then(|id| versions.get(id)),
                uids.next(now).as_bytes(),
            ])?;
        }
        Ok(())
    })?;
    Ok(())
}

/// For each event what it shares with others of its delivery, and the number of the first of
/// those.
fn contexts<'a>(diff: &Diff<'a>) -> Vec<Option<(i64, &'a Arc<Attributes>)>> {
    let mut last: Option<(i64, &Arc<Attributes>)> = None;
    let numbered = (diff.first_event()..).zip(diff.events);
    let contexts = numbered.map(|(seq, event)| {
        let own = event.of_delivery.as_ref()?;
        let shared = last.filter(|(_, known)| Arc::ptr_eq(own, known)).unwrap_or((seq, own));
        last = Some(shared);
        Some(shared)
    });
    contexts.collect()
}

/// How far the delivery by OTLP has got, and what it sends on purpose.
pub(super) fn otlp(connection: &Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    for otlp in &diff.otlp {
        let Some(row) = otlp.row else { continue };
        connection
            .prepare_cached(
                "INSERT INTO cursor (consumer, seq) VALUES (?1, ?2)
                 ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq",
            )?
            .execute(params![OTLP, row.cursor])?;
        if otlp.stored.is_none_or(|stored| stored.was_on != row.was_on) {
            connection.execute(
                "INSERT OR REPLACE INTO otlp_start (id, is_on) SELECT 1, ?1 WHERE ?1 IS NOT NULL",
                [row.was_on],
            )?;
        }
        if otlp.stored.is_none_or(|stored| stored.gaps != row.gaps) {
            connection.execute("DELETE FROM otlp_gap", [])?;
            for gap in &row.gaps {
                connection.execute(
                    "INSERT INTO otlp_gap (first_seq, last_seq) VALUES (?1, ?2)",
                    [gap.first, gap.last],
                )?;
            }
        }
    }
    for command in diff.commands {
        carry_out(connection, command)?;
    }
    Ok(())
}

fn carry_out(connection: &Connection, command: &Command) -> Result<(), StoreError> {
    match command {
        // The version as it is. SQLite leaves out the write of a row that does not differ.
        Command::Touch => {
            let version = migrations::version(connection)?;
            connection.pragma_update(None, "user_version", version)?;
        }
        Command::TrustClock { at } => {
            connection
                .prepare_cached(
                    "INSERT INTO meta (key, value) VALUES ('trusted_at', ?1)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value
                     WHERE value <> excluded.value",
                )?
                .execute([Moment(*at)])?;
        }
        Command::Resent(events) => {
            let mut done = connection.prepare_cached("DELETE FROM otlp_resend WHERE seq = ?1")?;
            for seq in events {
                done.execute([seq])?;
            }
        }
        Command::Park { events, reason, at } => {
            let mut park = connection.prepare_cached(
                "INSERT OR IGNORE INTO parked_event (seq, reason, parked_at)
                 SELECT seq, ?2, ?3 FROM event WHERE seq = ?1",
            )?;
            for seq in events {
                park.execute(params![seq, reason, Moment(*at)])?;
            }
        }
        Command::ResendParked => {
            connection.execute_batch(
                "INSERT OR IGNORE INTO otlp_resend (seq) SELECT seq FROM parked_event;
                 DELETE FROM parked_event;",
            )?;
        }
        Command::MergeCheck { from, into, at } => {
            let now = Moment(*at);
            // A title that the other one has, too, stays its own as it is.
            connection.execute(
                "UPDATE OR IGNORE check_title SET check_number = ?2, until = coalesce(until, ?3)
                 WHERE check_number = ?1",
                params![from, into, now],
            )?;
            connection.execute("DELETE FROM check_title WHERE check_number = ?1", [from])?;
            connection.execute(
                "UPDATE failure_closed SET check_number = ?2 WHERE check_number = ?1",
                params![from, into],
            )?;
        }
        Command::Resend { first, last } => {
            connection.execute(
                "INSERT OR IGNORE INTO otlp_resend (seq)
                 SELECT seq FROM event WHERE public = 1 AND seq BETWEEN ?1 AND ?2",
                [first, last],
            )?;
        }
    }
    Ok(())
}
