//! Loads the watch list.

use std::collections::{BTreeMap, BTreeSet};

use super::each_of_subjects;
use crate::{
    domain::{Timestamp, WatchSource, WatchSubject},
    ledger::{EXPIRED_AT_ONCE, Facts, Reason, Reasons},
    store::{
        StoreError,
        row::Unreadable,
        sql::{Connection, Param, Row, params},
    },
};

/// Loads the reasons why these subjects are watched.
pub(super) fn subjects(
    connection: &dyn Connection,
    subjects: &BTreeSet<WatchSubject>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let mut found = BTreeMap::<&WatchSubject, Result<Reasons, Unreadable>>::new();
    each_of_subjects(
        connection,
        "SELECT subject, source, added_at, expires_at, note FROM watch
         WHERE kind = ?1 AND subject IN rarray(?2)",
        subjects,
        |subject, row| {
            let reasons = found.entry(subject).or_insert_with(|| Ok(Reasons::new()));
            match (reason(row)?, &mut *reasons) {
                (Ok((source, reason)), Ok(known)) => {
                    known.insert(source, reason);
                }
                (Err(why), _) => *reasons = Err(why),
                (Ok(_), Err(_)) => {}
            }
            Ok(())
        },
    )?;
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
    let Some(source) = WatchSource::parse(row.text(1).unwrap_or_default()) else {
        return Ok(Err(Unreadable::Unknown("source")));
    };
    let moments = (row.get(2), row.get::<Option<Timestamp>>(3));
    let (Ok(added_at), Ok(expires_at)) = moments else {
        return Ok(Err(Unreadable::Moment));
    };
    Ok(Ok((source, Reason { added_at, expires_at, note: row.get(4)? })))
}

/// Loads the subjects that are watched for these reasons, and those whose entries expired.
pub(super) fn matching_subjects(
    connection: &dyn Connection,
    sources: &BTreeSet<WatchSource>,
    expired_at: Option<Timestamp>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if sources.is_empty() && expired_at.is_none() {
        return Ok(());
    }
    let mut matching = BTreeSet::new();
    // Each part uses its own index. Users named by a webhook can be many, so the index of the other
    // sources does not contain them.
    let listed = sources.iter().filter(|source| **source != WatchSource::Webhook);
    let listed: Vec<_> = listed.map(|source| source.as_str()).collect();
    if !listed.is_empty() {
        let sql = "SELECT DISTINCT kind, subject FROM watch
             WHERE source <> 'webhook' AND source IN rarray(?1)";
        take_matching(connection, sql, params![listed[..]], &mut matching)?;
    }
    if sources.contains(&WatchSource::Webhook) {
        let sql = "SELECT kind, subject FROM watch WHERE source = 'webhook'";
        take_matching(connection, sql, &[], &mut matching)?;
    }
    if let Some(expired_at) = expired_at {
        take_expired(connection, expired_at, &mut matching)?;
    }
    facts.matching.load(matching);
    Ok(())
}

/// Adds the first entries that expired before a moment. A row that cannot be decoded stays, and
/// does not block the others.
fn take_expired(
    connection: &dyn Connection,
    expired_at: Timestamp,
    matching: &mut BTreeSet<WatchSubject>,
) -> Result<(), StoreError> {
    let sql = "SELECT kind, subject FROM watch WHERE expires_at <= ?1
               ORDER BY expires_at LIMIT ?2 OFFSET ?3";
    let most = i64::from(EXPIRED_AT_ONCE);
    let mut passed = 0;
    loop {
        let params = params![expired_at, most, passed];
        let seen = take_matching(connection, sql, params, matching)?;
        passed += seen;
        if !matching.is_empty() || seen < most {
            return Ok(());
        }
    }
}

/// Adds the results of a statement that can be decoded; returns the number of rows found.
fn take_matching(
    connection: &dyn Connection,
    sql: &str,
    params: &[Param<'_>],
    matching: &mut BTreeSet<WatchSubject>,
) -> Result<i64, StoreError> {
    let mut seen = 0;
    connection.each(sql, params, |row| {
        seen += 1;
        let kind = row.text(0).unwrap_or_default();
        let text = row.text(1).unwrap_or_default();
        matching.extend(WatchSubject::parse(kind, text));
        Ok(())
    })?;
    Ok(seen)
}
