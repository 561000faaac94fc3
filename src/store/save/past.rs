//! Saves attributes that users and addresses no longer have.

use std::collections::BTreeSet;

use crate::{
    domain::{Past, PastKind, Timestamp, WatchSubject},
    ledger::Differences,
    store::{
        StoreError, columns,
        sql::{Bulk, Connection, params},
    },
};

static GONE: Bulk = Bulk::put(columns::PAST);

static BACK: Bulk = Bulk::delete(columns::PAST);

pub(super) fn save(
    connection: &dyn Connection,
    past: &Differences<'_, WatchSubject, Past>,
) -> Result<(), StoreError> {
    connection.write_all(&BACK, |put| {
        for entry in past {
            let (kind, subject) = (entry.key.kind(), entry.key.text());
            let now: BTreeSet<_> =
                known_entries(entry.row).map(|(what, name, _)| (what, name)).collect();
            for (what, name, _) in known_entries(entry.stored) {
                if !now.contains(&(what, name)) {
                    put(params![kind, subject, what.as_str(), name])?;
                }
            }
        }
        Ok(())
    })?;
    connection.write_all(&GONE, |put| {
        for entry in past {
            let (kind, subject) = (entry.key.kind(), entry.key.text());
            let before: BTreeSet<_> = known_entries(entry.stored).collect();
            for (what, name, gone_at) in known_entries(entry.row) {
                if !before.contains(&(what, name, gone_at)) {
                    put(params![kind, subject, what.as_str(), name, gone_at])?;
                }
            }
        }
        Ok(())
    })?;
    Ok(())
}

fn known_entries(past: Option<&Past>) -> impl Iterator<Item = (PastKind, &str, Timestamp)> {
    past.into_iter().flat_map(Past::iter)
}
