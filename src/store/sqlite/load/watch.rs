//! The watch list.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row, Rows, params};

use super::texts;
use crate::{
    domain::{Timestamp, WatchSource, WatchSubject},
    ledger::{EXPIRED_AT_ONCE, Facts, Reason, Reasons},
    store::{
        StoreError,
        row::{Moment, Unreadable},
    },
};

/// Why these are watched.
pub(super) fn subjects(
    connection: &Connection,
    subjects: &BTreeSet<WatchSubject>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let mut by_text = BTreeMap::<(&str, String), &WatchSubject>::new();
    for subject in subjects {
        by_text.insert((subject.kind(), subject.text()), subject);
    }
    let mut select = connection.prepare_cached(
        "SELECT subject, source, added_at, expires_at, note FROM watch
         WHERE kind = ?1 AND subject IN rarray(?2)",
    )?;
    let mut found = BTreeMap::<&WatchSubject, Result<Reasons, Unreadable>>::new();
    for kind in ["user", "ip"] {
        let of_kind = by_text.keys().filter(|(of_kind, _)| *of_kind == kind);
        let keys = texts(of_kind.map(|(_, text)| text.as_str()));
        if keys.is_empty() {
            continue;
        }
        let mut rows = select.query(params![kind, keys])?;
        while let Some(row) = rows.next()? {
            let Some(subject) = by_text.get(&(kind, row.get(0)?)) else { continue };
            let reasons = found.entry(subject).or_insert_with(|| Ok(Reasons::new()));
            match (reason(row)?, &mut *reasons) {
                (Ok((source, reason)), Ok(known)) => {
                    known.insert(source, reason);
                }
                (Err(why), _) => *reasons = Err(why),
                (Ok(_), Err(_)) => {}
            }
        }
    }
    for subject in subjects {
        match found.remove(subject) {
            None => facts.load_watched(subject.clone(), None),
            Some(Ok(reasons)) => facts.load_watched(subject.clone(), Some(reasons)),
            Some(Err(why)) => facts.load_unreadable_watched(subject.clone(), &why.to_string()),
        }
    }
    Ok(())
}

fn reason(row: &Row<'_>) -> Result<Result<(WatchSource, Reason), Unreadable>, StoreError> {
    let Some(source) = WatchSource::parse(row.get_ref(1)?.as_str().unwrap_or_default()) else {
        return Ok(Err(Unreadable::Unknown("source")));
    };
    let moments = (row.get(2), row.get::<_, Option<Moment>>(3));
    let (Ok(Moment(added_at)), Ok(expires_at)) = moments else {
        return Ok(Err(Unreadable::Moment));
    };
    let expires_at = expires_at.map(Timestamp::from);
    Ok(Ok((source, Reason { added_at, expires_at, note: row.get(4)? })))
}

/// What is watched for these reasons, or was to be watched up to a moment.
pub(super) fn matching(
    connection: &Connection,
    sources: &BTreeSet<WatchSource>,
    expired_at: Option<Timestamp>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if sources.is_empty() && expired_at.is_none() {
        return Ok(());
    }
    // Each half by what it is found by.
    let mut select = connection
        .prepare_cached("SELECT DISTINCT kind, subject FROM watch WHERE source IN rarray(?1)")?;
    let sources = texts(sources.iter().map(|source| source.as_str()));
    take_matching(select.query([sources])?, facts)?;
    let Some(expired_at) = expired_at else { return Ok(()) };
    let mut select = connection.prepare_cached(
        "SELECT kind, subject FROM watch WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2",
    )?;
    take_matching(select.query(params![Moment(expired_at), EXPIRED_AT_ONCE])?, facts)
}

fn take_matching(mut rows: Rows<'_>, facts: &mut Facts) -> Result<(), StoreError> {
    while let Some(row) = rows.next()? {
        let kind = row.get_ref(0)?.as_str().unwrap_or_default();
        let text = row.get_ref(1)?.as_str().unwrap_or_default();
        if let Ok(subject) = WatchSubject::parse(kind, text) {
            facts.matching.insert(subject);
        }
    }
    Ok(())
}
