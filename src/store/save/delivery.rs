//! Saves deliveries: new ones, repeats, and refused ones that were replayed or are removed.

use std::collections::BTreeMap;

use crate::{
    domain::{Login, Timestamp},
    ledger::{DeliveryRow, Diff},
    store::{
        StoreError, columns,
        row::{body, texts},
        sql::{Bulk, Connection, Param, Put, added, integer, params},
    },
};

static REMOVED: Bulk = Bulk::delete(columns::DELIVERY);

static DELIVERY: Bulk = Bulk::insert(columns::DELIVERY.without_last(columns::DELIVERY_LATER));

static REPEATED: Bulk =
    Bulk::update(columns::DELIVERY.only(&[added("repeats"), integer("last_repeat_at")]));

static REPLAYED: Bulk = Bulk::update(columns::DELIVERY.only(&[integer("replayed_as")]));

pub(super) fn save(connection: &dyn Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    // A delivery that replaces another one has its number, and both can be in the same group: the
    // last one counts.
    let last: BTreeMap<i64, &DeliveryRow> =
        diff.deliveries.iter().map(|delivery| (delivery.number, delivery)).collect();
    connection.write_all(&REMOVED, |put| {
        for delivery in last.values().filter(|delivery| delivery.is_again) {
            put(params![delivery.number])?;
        }
        Ok(())
    })?;
    connection.write_all(&DELIVERY, |put| {
        for delivery in last.values() {
            insert(put, delivery)?;
        }
        Ok(())
    })?;
    let mut repeats = BTreeMap::<i64, (i64, Timestamp)>::new();
    for again in diff.repeats {
        let (times, at) = repeats.entry(again.number).or_insert((0, again.at));
        *times += 1;
        *at = again.at;
    }
    connection.write_all(&REPEATED, |put| {
        for (number, (times, at)) in &repeats {
            put(params![number, times, at])?;
        }
        Ok(())
    })?;
    connection.write_all(&REMOVED, |put| {
        for refused in diff.refused.iter().filter(|refused| refused.row.is_none()) {
            put(params![refused.key])?;
        }
        Ok(())
    })?;
    connection.write_all(&REPLAYED, |put| {
        for refused in &diff.refused {
            let Some(row) = refused.row else { continue };
            put(params![refused.key, row.replayed_as])?;
        }
        Ok(())
    })?;
    Ok(())
}

fn insert(put: &mut Put<'_>, delivery: &DeliveryRow) -> Result<(), StoreError> {
    let body = delivery.body.as_ref();
    let form = body.map_or(body::PLAIN, body::form);
    put(params![
        delivery.number,
        delivery.id,
        delivery.detail_id,
        delivery.received_at,
        delivery.sent_at,
        delivery.published_at,
        delivery.detail_type,
        delivery.source,
        delivery.account,
        delivery.region,
        delivery.check_id,
        delivery.title,
        delivery.severity,
        delivery.outcome,
        i64::from(delivery.status),
        delivery.reason,
        delivery.users,
        delivery.new_users,
        texts::encode_some(delivery.known_users.iter().map(Login::spelling)),
        texts::encode_some(delivery.cleared_users.iter().map(Login::spelling)),
        delivery.skipped_logins,
        texts::encode_some(delivery.notes.iter().map(String::as_str)),
        delivery.size,
        delivery.is_packed,
        form,
        body.map(|body| stored_body(form, body.bytes())),
    ])
}

/// An uncompressed body is stored as text if it is text, so that people can read it.
pub(in crate::store) fn stored_body(form: i64, bytes: &[u8]) -> Param<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) if form == body::PLAIN && !text.contains('\0') => Param::Text(text),
        _ => Param::Bytes(bytes),
    }
}
