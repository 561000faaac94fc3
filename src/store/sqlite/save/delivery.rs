//! Deliveries: new ones, repeats, and refused ones that were replayed or go.

use rusqlite::{
    Connection, params,
    types::{ToSqlOutput, Value, ValueRef},
};

use crate::{
    domain::Login,
    ledger::{DeliveryRow, Diff},
    store::{
        StoreError,
        row::{Moment, body, texts},
    },
};

pub(super) fn save(
    connection: &Connection,
    packer: &mut body::Packer,
    diff: &Diff<'_>,
) -> Result<(), StoreError> {
    let mut remove = connection.prepare_cached("DELETE FROM delivery WHERE seq = ?1")?;
    for delivery in diff.deliveries {
        if delivery.is_again {
            remove.execute([delivery.number])?;
        }
        insert(connection, delivery, packer)?;
    }
    let mut repeat = connection.prepare_cached(
        "UPDATE delivery SET repeats = repeats + 1, last_repeat_at = ?2 WHERE seq = ?1",
    )?;
    for again in diff.repeats {
        repeat.execute(params![again.number, Moment(again.at)])?;
    }
    let mut replayed =
        connection.prepare_cached("UPDATE delivery SET replayed_as = ?2 WHERE seq = ?1")?;
    for refused in &diff.refused {
        match refused.row {
            None => remove.execute([refused.key])?,
            Some(row) => replayed.execute(params![refused.key, row.replayed_as])?,
        };
    }
    Ok(())
}

fn insert(
    connection: &Connection,
    delivery: &DeliveryRow,
    packer: &mut body::Packer,
) -> Result<(), StoreError> {
    let packed = delivery.body.as_deref().map(|body| packer.pack(body));
    let (form, body) = match &packed {
        Some((form, bytes)) => (*form, Some(bytes)),
        None => (body::PLAIN, None),
    };
    connection
        .prepare_cached(
            "INSERT INTO delivery
                (seq, id, detail_id, received_at, sent_at, published_at, detail_type, source,
                 account, region, check_id, title, severity, outcome, status, reason, users,
                 new_users, known_users, cleared_users, skipped_logins, notes, size, is_packed,
                 body_form, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                     ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)",
        )?
        .execute(params![
            delivery.number,
            delivery.id,
            delivery.detail_id,
            Moment(delivery.received_at),
            delivery.sent_at.map(Moment),
            delivery.published_at.map(Moment),
            delivery.detail_type,
            delivery.source,
            delivery.account,
            delivery.region,
            delivery.check_id,
            delivery.title,
            delivery.severity,
            delivery.outcome,
            delivery.status,
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
            body.map(|bytes| stored_body(form, bytes)),
        ])?;
    Ok(())
}

/// A body that is not packed is text where it is text, so that people can read it.
pub(in crate::store::sqlite) fn stored_body(form: i64, bytes: &[u8]) -> ToSqlOutput<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) if form == body::PLAIN && !text.contains('\0') => {
            ToSqlOutput::Borrowed(ValueRef::Text(bytes))
        }
        _ => ToSqlOutput::Owned(Value::Blob(bytes.to_vec())),
    }
}
