//! Webhook deliveries, accepted and refused.

use std::{collections::BTreeMap, fmt::Write as _};

use super::Reader;
use crate::{
    domain::{
        Timestamp,
        run::{RunHour, RunHours},
    },
    store::{
        StoreError,
        row::{body, texts},
        sql::{Bind as _, Row, params},
    },
};

/// A delivery that was received with a valid secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDelivery {
    /// The delivery's number; none when the store could not record it.
    pub number: Option<i64>,
    /// The envelope's id; none when it was refused.
    pub id: Option<String>,
    /// `detail.id`.
    pub detail_id: Option<String>,
    /// When it was received.
    pub received_at: Timestamp,
    /// The envelope's `time`.
    pub sent_at: Option<Timestamp>,
    /// When it was published, or else the envelope's time.
    pub published_at: Option<Timestamp>,
    /// The envelope's `detail-type`.
    pub detail_type: Option<String>,
    /// The envelope's `source`.
    pub source: Option<String>,
    /// The envelope's `account`.
    pub account: Option<String>,
    /// The envelope's `region`.
    pub region: Option<String>,
    /// The check it is about.
    pub check_id: Option<String>,
    /// The check's title as sent.
    pub title: Option<String>,
    /// The check's severity as sent.
    pub severity: Option<String>,
    /// The result: `accepted`, `filtered` or `test`, or when it was refused `malformed`,
    /// `too_large` or `unavailable`.
    pub result: String,
    /// The status of the answer.
    pub status: u16,
    /// Why it was refused, or opened no failure.
    pub reason: Option<String>,
    /// Users that it names as failing.
    pub users_failing: u64,
    /// Users whose failure it opened.
    pub users_newly_failing: u64,
    /// Users who were known to fail.
    pub users_known: u64,
    /// Users whom a more recent API answer cleared.
    pub users_cleared: u64,
    /// Logins in it that cannot be used.
    pub logins_skipped: u64,
    /// Notes about values in an unusual form, and how they were read.
    pub notes: Vec<String>,
    /// How often it was received again.
    pub repeats: u64,
    /// When it was last received again.
    pub last_repeat_at: Option<Timestamp>,
    /// The number of the delivery that replayed this refused one.
    pub replayed_as: Option<i64>,
    /// Bytes of the body, if known.
    pub size: Option<u64>,
    /// Whether the body, or the start of it, is stored.
    pub has_body: bool,
}

impl KeptDelivery {
    /// Whether the sender was asked to correct it or to retry.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        self.status != 200
    }
}

/// A delivery with the details of a single one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// The fields that a list has.
    pub kept: KeptDelivery,
    /// Named users who were known to fail the check.
    pub known_users: Vec<String>,
    /// Named users whom a more recent API answer cleared.
    pub cleared_users: Vec<String>,
    /// The body, or the start of it.
    pub body: Option<Vec<u8>>,
    /// Whether only the start of the body is stored.
    pub body_is_cut: bool,
    /// Whether the body is gzip that could not be decompressed.
    pub body_is_packed: bool,
}

/// The number of deliveries since a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliveryCounts {
    /// Accepted deliveries.
    pub accepted: u64,
    /// Repeats of accepted deliveries, even when these are older.
    pub repeats: u64,
    /// Refused deliveries that are still stored.
    pub refused: u64,
}

const COLUMNS: &str = "seq, id, detail_id, received_at, sent_at, published_at, detail_type, source, \
     account, region, check_id, title, severity, outcome, status, reason, users, new_users, \
     coalesce(json_array_length(known_users), 0), coalesce(json_array_length(cleared_users), 0), skipped_logins, notes, \
     repeats, last_repeat_at, replayed_as, size, body IS NOT NULL";

/// A filter for deliveries; every part that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// The id of the check.
    pub check_id: Option<String>,
    /// The result: `accepted`, `filtered`, `test`, or `refused` for all refused ones.
    pub result: Option<String>,
}

impl Reader {
    /// Deliveries that match, with a number below `before`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn matching_deliveries(
        &self,
        filter: &DeliveryFilter,
        before: i64,
        limit: usize,
    ) -> Result<Vec<KeptDelivery>, StoreError> {
        // Only conditions that are set are in the text, so that SQLite can use the index by check,
        // and the one of refused deliveries.
        let (mut conditions, mut values) = (String::new(), vec![before.bind(), limit.bind()]);
        if let Some(check_id) = &filter.check_id {
            values.push(check_id.bind());
            // Writing to a string does not fail.
            let _ = write!(conditions, " AND check_id = ?{}", values.len());
        }
        match filter.result.as_deref() {
            None => {}
            Some("refused") => conditions.push_str(" AND status <> 200"),
            Some(result) => {
                values.push(result.bind());
                let _ = write!(conditions, " AND outcome = ?{}", values.len());
            }
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM delivery WHERE seq < ?1{conditions} ORDER BY seq DESC LIMIT ?2"
        );
        self.sql().all(&sql, &values, decode_kept)
    }

    /// Deliveries with a number below `before`, newest first; only refused ones or only accepted
    /// ones when `refused` is set.
    ///
    /// # Errors
    /// When the database fails.
    pub fn deliveries(
        &self,
        refused: Option<bool>,
        before: i64,
        limit: usize,
    ) -> Result<Vec<KeptDelivery>, StoreError> {
        let condition = match refused {
            None => "true",
            Some(true) => "status <> 200",
            Some(false) => "status = 200",
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM delivery WHERE seq < ?1 AND {condition}
             ORDER BY seq DESC LIMIT ?2"
        );
        self.sql().all(&sql, params![before, limit], decode_kept)
    }

    /// The delivery with this number.
    ///
    /// # Errors
    /// When the database fails.
    pub fn delivery(&self, number: i64) -> Result<Option<DeliveryRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, known_users, cleared_users, is_packed, body, body_form
             FROM delivery WHERE seq = ?1"
        );
        self.sql().optional(&sql, params![number], |row| {
            let body = row.get::<Option<&[u8]>>(30)?;
            let body = body.map(|bytes| {
                body::unpack(row.get(31)?, bytes)
                    .map_err(|error| StoreError::corrupt("delivery", &number, error))
            });
            let (kept, body) = (decode_kept(row)?, body.transpose()?);
            let length = body.as_ref().map_or(0, Vec::len) as u64;
            Ok(DeliveryRecord {
                known_users: decode_list(row, 27)?,
                cleared_users: decode_list(row, 28)?,
                body_is_cut: body.is_some() && kept.size.is_some_and(|size| size > length),
                body_is_packed: row.get(29)?,
                body,
                kept,
            })
        })
    }

    /// The number of the accepted delivery with this envelope id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn delivery_number(&self, id: &str) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT seq FROM delivery WHERE id = ?1 AND status = 200";
        self.sql().optional(sql, params![id], |row| row.get(0))
    }

    /// The newest accepted delivery about a check.
    ///
    /// # Errors
    /// When the database fails.
    pub fn last_delivery_of(&self, check_id: &str) -> Result<Option<KeptDelivery>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM delivery WHERE check_id = ?1 AND outcome = 'accepted'
             ORDER BY seq DESC LIMIT 1"
        );
        self.sql().optional(&sql, params![check_id], decode_kept)
    }

    /// The numbers of accepted and refused deliveries since a moment, by hour.
    ///
    /// # Errors
    /// When the database fails.
    pub fn deliveries_by_hour(&self, since: Timestamp) -> Result<RunHours, StoreError> {
        // Two counts that indexes answer, as below.
        let by_hour = |condition: &str| -> Result<BTreeMap<i64, u64>, StoreError> {
            let sql = format!(
                "SELECT received_at / 3600000000, count(*) FROM delivery WHERE {condition}
                 GROUP BY received_at / 3600000000"
            );
            let hours =
                self.sql().all(&sql, params![since], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(hours.into_iter().collect())
        };
        let refused = by_hour("status <> 200 AND +received_at >= ?1")?;
        let hours = by_hour("received_at >= ?1")?.into_iter().map(|(at, all)| {
            let failed = refused.get(&at).copied().unwrap_or(0);
            RunHour { at, succeeded: all.saturating_sub(failed), failed }
        });
        Ok(RunHours::new(hours.collect()))
    }

    /// The numbers of deliveries since a moment.
    ///
    /// # Errors
    /// When the database fails.
    pub fn delivery_counts(&self, since: Timestamp) -> Result<DeliveryCounts, StoreError> {
        // Two counts that indexes answer: whether a delivery was accepted would be read from its
        // row.
        let all = self
            .sql()
            .count("SELECT count(*) FROM delivery WHERE received_at >= ?1", params![since])?;
        let refused = self.sql().count(
            "SELECT count(*) FROM delivery WHERE status <> 200 AND +received_at >= ?1",
            params![since],
        )?;
        Ok(DeliveryCounts {
            accepted: all.saturating_sub(refused),
            repeats: self.sql().count(
                "SELECT coalesce(CAST(sum(repeats) AS BIGINT), 0) FROM delivery
                 WHERE last_repeat_at >= ?1",
                params![since],
            )?,
            refused,
        })
    }
}

fn decode_kept(row: &Row<'_>) -> Result<KeptDelivery, StoreError> {
    Ok(KeptDelivery {
        number: row.get(0)?,
        id: row.get(1)?,
        detail_id: row.get(2)?,
        received_at: row.get(3)?,
        sent_at: row.get(4)?,
        published_at: row.get(5)?,
        detail_type: row.get(6)?,
        source: row.get(7)?,
        account: row.get(8)?,
        region: row.get(9)?,
        check_id: row.get(10)?,
        title: row.get(11)?,
        severity: row.get(12)?,
        result: row.get(13)?,
        status: row.get(14)?,
        reason: row.get(15)?,
        users_failing: row.get(16)?,
        users_newly_failing: row.get(17)?,
        users_known: row.get(18)?,
        users_cleared: row.get(19)?,
        logins_skipped: row.get(20)?,
        notes: decode_list(row, 21)?,
        repeats: row.get(22)?,
        last_repeat_at: row.get(23)?,
        replayed_as: row.get(24)?,
        size: row.get(25)?,
        has_body: row.get(26)?,
    })
}

fn decode_list(row: &Row<'_>, column: usize) -> Result<Vec<String>, StoreError> {
    let Some(json) = row.get(column)? else { return Ok(Vec::new()) };
    texts::decode(json).or_else(|error| {
        let number: i64 = row.get(0)?;
        Err(StoreError::corrupt("delivery", &number, error))
    })
}
