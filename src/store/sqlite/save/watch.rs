//! The watch list.

use rusqlite::{Connection, params};

use crate::{
    domain::WatchSubject,
    ledger::{Differences, Reasons},
    store::{StoreError, row::Moment},
};

pub(super) fn save(
    connection: &Connection,
    watched: &Differences<'_, WatchSubject, Reasons>,
) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO watch (kind, subject, source, added_at, expires_at, note)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut remove = connection
        .prepare_cached("DELETE FROM watch WHERE kind = ?1 AND subject = ?2 AND source = ?3")?;
    let none = Reasons::new();
    for entry in watched {
        let (kind, subject) = (entry.key.kind(), entry.key.text());
        let (before, now) = (entry.stored.unwrap_or(&none), entry.row.unwrap_or(&none));
        for source in before.keys().filter(|source| !now.contains_key(source)) {
            remove.execute(params![kind, subject, source.as_str()])?;
        }
        for (source, reason) in now.iter().filter(|(source, now)| before.get(source) != Some(now)) {
            put.execute(params![
                kind,
                subject,
                source.as_str(),
                Moment(reason.added_at),
                reason.expires_at.map(Moment),
                reason.note,
            ])?;
        }
    }
    Ok(())
}
