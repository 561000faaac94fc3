//! Saves the watch list.

use crate::{
    domain::WatchSubject,
    ledger::{Differences, Reasons},
    store::{
        StoreError, columns,
        sql::{Bulk, Connection, params},
    },
};

static REASON: Bulk = Bulk::put(columns::WATCH);

static NO_REASON: Bulk = Bulk::delete(columns::WATCH);

pub(super) fn save(
    connection: &dyn Connection,
    watched: &Differences<'_, WatchSubject, Reasons>,
) -> Result<(), StoreError> {
    let none = Reasons::new();
    connection.write_all(&NO_REASON, |put| {
        for entry in watched {
            let (kind, subject) = (entry.key.kind(), entry.key.text());
            let (before, now) = (entry.stored.unwrap_or(&none), entry.row.unwrap_or(&none));
            for source in before.keys().filter(|source| !now.contains_key(source)) {
                put(params![kind, subject, source.as_str()])?;
            }
        }
        Ok(())
    })?;
    connection.write_all(&REASON, |put| {
        for entry in watched {
            let (kind, subject) = (entry.key.kind(), entry.key.text());
            let (before, now) = (entry.stored.unwrap_or(&none), entry.row.unwrap_or(&none));
            for (source, reason) in now {
                if before.get(source) != Some(reason) {
                    put(params![
                        kind,
                        subject,
                        source.as_str(),
                        reason.added_at,
                        reason.expires_at,
                        reason.note,
                    ])?;
                }
            }
        }
        Ok(())
    })?;
    Ok(())
}
