//! Removes what is too old, some of it at a time and by an index, so that no
//! delivery waits for long. Nothing that is shown or counted changes.

use super::{
    StoreError,
    engine::Sweep,
    shared::OTLP,
    sql::{Connection, params},
};
use crate::{domain::Timestamp, ledger::EventHour};

/// Hours of the log that one sweep looks into.
const HOURS_AT_ONCE: i64 = 16;

/// Does it within a transaction.
pub(in crate::store) fn sweep(
    connection: &dyn Connection,
    rule: &Sweep,
    limit: usize,
) -> Result<usize, StoreError> {
    let mut removed = remove_orphans(connection, limit)?;
    let before = rule.before;
    if let Some(before) = before.events {
        removed += remove_events(connection, before, rule.keep_pending, limit)?;
    }
    if let Some(before) = before.failures {
        removed += connection.execute(
            "DELETE FROM failure_closed WHERE number IN (
                SELECT number FROM failure_closed WHERE closed_at < ?1
                ORDER BY closed_at LIMIT ?2)",
            params![before, limit],
        )?;
    }
    if let Some(before) = before.deliveries {
        // A repeat that comes after this would count as new: no sender waits so long.
        removed += connection.execute(
            "DELETE FROM delivery WHERE seq IN (
                SELECT seq FROM delivery
                WHERE received_at < ?1
                AND (status <> 200 OR seq < (SELECT max(seq) FROM delivery WHERE status = 200))
                ORDER BY received_at LIMIT ?2)",
            params![before, limit],
        )?;
    }
    // These read a table as a whole: once the slices of the rest are done, and not with each.
    if let Some(before) = before.snapshots.filter(|_| removed == 0) {
        removed += remove_unwatched(connection, before, limit)?;
        // What comes back after this is new again.
        removed += connection.execute(
            "DELETE FROM past WHERE (kind, subject, what, name) IN (
                SELECT kind, subject, what, name FROM past WHERE gone_at < ?1
                ORDER BY gone_at LIMIT ?2)",
            params![before, limit],
        )?;
    }
    Ok(removed)
}

/// Members of listings that are neither under way nor the last complete one: below,
/// between and above the numbers of those, each a range of the primary key, so that the
/// members that stay are not read.
fn remove_orphans(connection: &dyn Connection, limit: usize) -> Result<usize, StoreError> {
    let mut removed = 0;
    for range in [
        "listing < (SELECT min(number) FROM listing)",
        "listing > (SELECT min(number) FROM listing)
         AND listing < (SELECT max(number) FROM listing)",
        "listing > (SELECT coalesce(max(number), 0) FROM listing)",
    ] {
        let sql = format!(
            "DELETE FROM listing_member WHERE (listing, login) IN (
                SELECT listing, login FROM listing_member WHERE {range} LIMIT ?1)"
        );
        removed += connection.execute(&sql, params![limit])?;
    }
    Ok(removed)
}

fn remove_events(
    connection: &dyn Connection,
    before: Timestamp,
    keep_pending: bool,
    limit: usize,
) -> Result<usize, StoreError> {
    let delivered: i64 = if keep_pending {
        // What is sent on purpose keeps what is behind it, too, for as long: to pass by each of a
        // million such events would hold up the writer. There is none without its event: the table
        // refers to that.
        connection.one(
            "SELECT seq FROM (
                SELECT coalesce(max(seq), 0) AS seq FROM cursor WHERE consumer = ?1
                UNION ALL SELECT min(seq) - 1 FROM otlp_resend) AS up_to
             WHERE seq IS NOT NULL ORDER BY seq LIMIT 1",
            params![OTLP],
            |row| row.get(0),
        )?
    } else {
        i64::MAX
    };
    let hour = EventHour::hour_at(before);
    let mut seqs = first_events_of_hours(connection, "hour < ?1", (hour, delivered, limit))?;
    let room = limit.saturating_sub(seqs.len());
    if room > 0 {
        // Of the hour in which the moment lies, only the first ones are looked at: what is old stands
        // before what is young, and a busy hour has more events than the writer may read at a time.
        let first = first_events_of_hours(connection, "hour = ?1", (hour, delivered, room))?;
        seqs.extend(connection.all(
            "SELECT seq FROM event WHERE seq IN rarray(?1) AND observed_at < ?2",
            params![first[..], before],
            |row| row.get::<i64>(0),
        )?);
    }
    for sql in [
        // Without a delivery nothing waits, whatever somebody wanted sent before.
        "DELETE FROM otlp_resend WHERE seq IN rarray(?1)",
        "DELETE FROM parked_event WHERE seq IN rarray(?1)",
        "DELETE FROM event WHERE seq IN rarray(?1)",
    ] {
        connection.execute(sql, params![seqs[..]])?;
    }
    // What events shared goes with the last of them: they stand together.
    connection.execute(
        "DELETE FROM event_context WHERE number IN (
            SELECT number FROM event_context AS c WHERE number < (
                SELECT max(number) FROM event_context
                WHERE number <= (SELECT min(seq) FROM event))
            LIMIT ?1)",
        params![limit],
    )?;
    // Counted, so that a sweep that only finds hours without events is not taken for the last one.
    Ok(seqs.len() + remove_empty_hours(connection, hour)?)
}

/// Removes hours before this one that have no events any more. The newest one stays: the next event
/// may be of that hour.
fn remove_empty_hours(connection: &dyn Connection, before: i64) -> Result<usize, StoreError> {
    connection.execute(
        "DELETE FROM event_hour WHERE first IN (
            SELECT h.first FROM event_hour AS h
            WHERE h.hour < ?1 AND h.first < (SELECT max(first) FROM event_hour)
            AND NOT EXISTS (
                SELECT 1 FROM event AS e WHERE e.seq >= h.first AND e.seq < (
                    SELECT min(n.first) FROM event_hour AS n WHERE n.first > h.first))
            ORDER BY h.first LIMIT ?2)",
        params![before, HOURS_AT_ONCE],
    )
}

/// The first events of the hours that a condition names, up to a number. The newest event is never
/// among them: what is read from the end of the log finds one.
///
/// Hour by hour: asked for at once, and in their order, an engine would read and sort all of them. A
/// few hours at a time, since each is a round trip to a server.
fn first_events_of_hours(
    connection: &dyn Connection,
    condition: &str,
    (hour, up_to, limit): (i64, i64, usize),
) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "SELECT first, coalesce(
            (SELECT min(n.first) FROM event_hour AS n WHERE n.first > h.first),
            (SELECT event FROM head)) AS next
         FROM event_hour AS h WHERE {condition} AND first <= ?2 ORDER BY first LIMIT ?3"
    );
    let runs: Vec<(i64, i64)> =
        connection
            .all(&sql, params![hour, up_to, HOURS_AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut seqs = Vec::new();
    for (first, next) in runs {
        if seqs.len() >= limit {
            break;
        }
        seqs.extend(connection.all(
            "SELECT seq FROM event WHERE seq >= ?1 AND seq < ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4",
            params![first, next, up_to, limit - seqs.len()],
            |row| row.get::<i64>(0),
        )?);
    }
    Ok(seqs)
}

/// Snapshots and polls of what is watched no longer.
fn remove_unwatched(
    connection: &dyn Connection,
    before: Timestamp,
    limit: usize,
) -> Result<usize, StoreError> {
    let mut removed = 0;
    for sql in [
        "DELETE FROM user_snapshot WHERE login IN (
            SELECT login FROM user_snapshot WHERE observed_at < ?1 AND NOT EXISTS (
                SELECT 1 FROM watch WHERE kind = 'user' AND subject = login) LIMIT ?2)",
        "DELETE FROM ip_snapshot WHERE ip IN (
            SELECT ip FROM ip_snapshot WHERE observed_at < ?1 AND NOT EXISTS (
                SELECT 1 FROM watch WHERE kind = 'ip' AND subject = ip) LIMIT ?2)",
        "DELETE FROM list_null WHERE (login, field) IN (
            SELECT login, field FROM list_null WHERE last_at < ?1 AND NOT EXISTS (
                SELECT 1 FROM watch WHERE kind = 'user' AND subject = login) LIMIT ?2)",
        "DELETE FROM poll WHERE (kind, subject) IN (
            SELECT kind, subject FROM poll WHERE last_at < ?1 AND NOT EXISTS (
                SELECT 1 FROM watch
                WHERE watch.kind = poll.kind AND watch.subject = poll.subject) LIMIT ?2)",
    ] {
        removed += connection.execute(sql, params![before, limit])?;
    }
    Ok(removed)
}
