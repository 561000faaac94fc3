//! Removes what is too old, some of it at a time and by an index, so that no
//! delivery waits for long. Nothing that is shown or counted changes.

use rusqlite::{Connection, TransactionBehavior, params};

use crate::store::{StoreError, engine::Sweep, row::Moment, sqlite::shared::OTLP};

pub(super) fn sweep(
    connection: &mut Connection,
    rule: &Sweep,
    limit: usize,
) -> Result<usize, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut removed = orphans(&tx, limit)?;
    let before = rule.before.map(Moment);
    if let Some(before) = before.events {
        removed += events(&tx, before, rule.keep_pending, limit)?;
    }
    if let Some(before) = before.failures {
        removed += tx
            .prepare_cached(
                "DELETE FROM failure_closed WHERE number IN (
                    SELECT number FROM failure_closed WHERE closed_at < ?1
                    ORDER BY closed_at LIMIT ?2)",
            )?
            .execute(params![before, limit])?;
    }
    if let Some(before) = before.deliveries {
        // A repeat that comes after this would count as new: no sender waits so long.
        removed += tx
            .prepare_cached(
                "DELETE FROM delivery WHERE seq IN (
                    SELECT seq FROM delivery AS d
                    WHERE received_at < ?1
                    AND (status <> 200 OR seq < (SELECT max(seq) FROM delivery WHERE status = 200))
                    AND NOT EXISTS (SELECT 1 FROM failure WHERE delivery = d.seq)
                    ORDER BY received_at LIMIT ?2)",
            )?
            .execute(params![before, limit])?;
    }
    if let Some(before) = before.snapshots {
        removed += unwatched(&tx, before, limit)?;
        // What comes back after this is new again.
        removed += tx
            .prepare_cached(
                "DELETE FROM past WHERE (kind, subject, what, name) IN (
                    SELECT kind, subject, what, name FROM past WHERE gone_at < ?1
                    ORDER BY gone_at LIMIT ?2)",
            )?
            .execute(params![before, limit])?;
    }
    tx.commit()?;
    Ok(removed)
}

/// Members of listings that are neither under way nor the last complete one: below,
/// between and above the numbers of those, each a range of the primary key, so that the
/// members that stay are not read.
fn orphans(connection: &Connection, limit: i64) -> Result<usize, StoreError> {
    let mut removed = 0;
    for range in [
        "listing < (SELECT min(number) FROM listing)",
        "listing > (SELECT min(number) FROM listing)
         AND listing < (SELECT max(number) FROM listing)",
        "listing > (SELECT coalesce(max(number), 0) FROM listing)",
    ] {
        removed += connection
            .prepare_cached(&format!(
                "DELETE FROM listing_member WHERE (listing, login) IN (
                    SELECT listing, login FROM listing_member WHERE {range} LIMIT ?1)"
            ))?
            .execute([limit])?;
    }
    Ok(removed)
}

fn events(
    connection: &Connection,
    before: Moment,
    keep_pending: bool,
    limit: i64,
) -> Result<usize, StoreError> {
    let delivered: i64 = if keep_pending {
        connection
            .prepare_cached("SELECT coalesce(max(seq), 0) FROM cursor WHERE consumer = ?1")?
            .query_row([OTLP], |row| row.get(0))?
    } else {
        i64::MAX
    };
    // The newest event stays: what is read from the end of the log finds one.
    let mut select = connection.prepare_cached(
        "SELECT seq FROM event
         WHERE observed_at < ?1 AND seq <= ?2 AND seq < (SELECT event FROM head)
         AND (NOT ?4 OR seq NOT IN (SELECT seq FROM otlp_resend))
         ORDER BY observed_at LIMIT ?3",
    )?;
    let rows =
        select.query_map(params![before, delivered, limit, keep_pending], |row| row.get(0))?;
    let seqs = rows.collect::<Result<Vec<i64>, _>>()?;
    for sql in [
        // Without a delivery nothing waits, whatever somebody wanted sent before.
        "DELETE FROM otlp_resend WHERE seq = ?1",
        "DELETE FROM parked_event WHERE seq = ?1",
        "DELETE FROM event WHERE seq = ?1",
    ] {
        let mut delete = connection.prepare_cached(sql)?;
        for seq in &seqs {
            delete.execute([seq])?;
        }
    }
    // What events shared goes with the last of them: they stand together.
    connection
        .prepare_cached(
            "DELETE FROM event_context WHERE number IN (
                SELECT number FROM event_context AS c WHERE number < (
                    SELECT max(number) FROM event_context
                    WHERE number <= (SELECT min(seq) FROM event))
                LIMIT ?1)",
        )?
        .execute([limit])?;
    Ok(seqs.len())
}

/// Snapshots and polls of what is watched no longer.
fn unwatched(connection: &Connection, before: Moment, limit: i64) -> Result<usize, StoreError> {
    let mut removed = 0;
    for statement in [
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
        removed += connection.prepare_cached(statement)?.execute(params![before, limit])?;
    }
    Ok(removed)
}
