//! The log, and the delivery by OTLP.

use std::{collections::BTreeMap, sync::Arc};

use super::merged;
use crate::{
    clock,
    domain::{Attributes, CheckId, Login, sensible},
    ledger::{Command, Diff},
    store::{
        StoreError, columns,
        row::attributes,
        shared::OTLP,
        sql::{Bulk, Connection, params},
        uid::Uids,
    },
};

static CONTEXT: Bulk = Bulk::insert(columns::EVENT_CONTEXT);

static EVENT: Bulk = Bulk::insert(columns::EVENT);

static HOUR: Bulk = Bulk::insert(columns::EVENT_HOUR);

static GAP: Bulk = Bulk::insert(columns::OTLP_GAP);

static RESENT: Bulk = Bulk::delete(columns::OTLP_RESEND);

/// Appends events. What those of one delivery share is written once, under the
/// number of the first of them.
pub(super) fn save(
    connection: &dyn Connection,
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
                put(params![number, attributes::encode(shared)])?;
            }
        }
        Ok(())
    })?;
    connection.write_all(&HOUR, |put| {
        diff.hours.iter().try_for_each(|run| put(params![run.first, run.hour]))
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
            put(params![
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
                event.body.as_deref().unwrap_or_default(),
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
pub(super) fn otlp(connection: &dyn Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    for otlp in &diff.otlp {
        let Some(row) = otlp.row else { continue };
        connection.send(
            "INSERT INTO cursor (consumer, seq) VALUES (?1, ?2)
             ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq",
            params![OTLP, row.cursor],
        )?;
        if let Some(is_on) = row.was_on
            && otlp.stored.is_none_or(|stored| stored.was_on != row.was_on)
        {
            connection.send(
                "INSERT INTO otlp_start (id, is_on) VALUES (1, ?1)
                 ON CONFLICT (id) DO UPDATE SET is_on = excluded.is_on",
                params![is_on],
            )?;
        }
        if otlp.stored.is_none_or(|stored| stored.gaps != row.gaps) {
            connection.send("DELETE FROM otlp_gap", &[])?;
            connection.write_all(&GAP, |put| {
                row.gaps.iter().try_for_each(|gap| put(params![gap.first, gap.last]))
            })?;
        }
    }
    for command in diff.commands {
        carry_out(connection, command)?;
    }
    Ok(())
}

fn carry_out(connection: &dyn Connection, command: &Command) -> Result<(), StoreError> {
    match command {
        Command::Touch => connection.touch()?,
        Command::TrustClock { at } => {
            // The table's values are texts.
            let micros = sensible(*at).timestamp_micros().to_string();
            connection.send(
                "INSERT INTO meta (key, value) VALUES ('trusted_at', ?1)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value
                 WHERE meta.value <> excluded.value",
                params![micros],
            )?;
        }
        Command::KeepRules { text } => {
            connection.send(
                "INSERT INTO meta (key, value) VALUES ('rules', ?1)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value
                 WHERE meta.value <> excluded.value",
                params![text],
            )?;
        }
        Command::Resent(events) => {
            connection
                .write_all(&RESENT, |put| events.iter().try_for_each(|seq| put(params![seq])))?;
        }
        Command::Park { events, reason, at } => {
            connection.send(
                "INSERT INTO parked_event (seq, reason, parked_at)
                 SELECT seq, ?2, ?3 FROM event WHERE seq IN rarray(?1)
                 ON CONFLICT DO NOTHING",
                params![events[..], reason, at],
            )?;
        }
        Command::ResendParked(events) => {
            connection.send(
                "INSERT INTO otlp_resend (seq) SELECT seq FROM parked_event
                 WHERE seq IN rarray(?1) ON CONFLICT DO NOTHING",
                params![events[..]],
            )?;
            connection
                .send("DELETE FROM parked_event WHERE seq IN rarray(?1)", params![events[..]])?;
        }
        Command::MergeCheck { from, into, at } => merged::merge(connection, *from, *into, *at)?,
        Command::MoveEnded(moving) => merged::move_ended(connection, moving)?,
        Command::Resend { first, last } => {
            connection.send(
                "INSERT INTO otlp_resend (seq)
                 SELECT seq FROM event WHERE public = 1 AND seq BETWEEN ?1 AND ?2
                 ON CONFLICT DO NOTHING",
                params![first, last],
            )?;
        }
    }
    Ok(())
}
