//! What users and addresses had, and have no longer.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use crate::{
    domain::{Past, WatchSubject},
    ledger::Differences,
    store::{StoreError, row::Moment},
};

pub(super) fn save(
    connection: &Connection,
    past: &Differences<'_, WatchSubject, Past>,
) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO past (kind, subject, what, name, gone_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut remove = connection.prepare_cached(
        "DELETE FROM past WHERE kind = ?1 AND subject = ?2 AND what = ?3 AND name = ?4",
    )?;
    let none = Past::default();
    for entry in past {
        let (kind, subject) = (entry.key.kind(), entry.key.text());
        let before: BTreeSet<_> = entry.stored.unwrap_or(&none).iter().collect();
        let now: BTreeSet<_> = entry.row.unwrap_or(&none).iter().collect();
        for (what, name, _) in before.difference(&now) {
            remove.execute(params![kind, subject, what.as_str(), name])?;
        }
        for (what, name, gone_at) in now.difference(&before) {
            put.execute(params![kind, subject, what.as_str(), name, Moment(*gone_at)])?;
        }
    }
    Ok(())
}
