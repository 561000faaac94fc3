//! The same rows with a file that the exporter made. A statement a row, prepared once, as in the
//! exporter.

use std::collections::HashMap;

use rusqlite::{Transaction, params};

use super::{Job, PACKED, SHARED};
use crate::clock;

const NEW_CHECK: &str =
    "INSERT INTO checks (number, id, title, severity, last_event_at, version, open)
    VALUES (?1, ?2, 'No MFA Configured (' || ?2 || ')', 'critical', ?3, 1, 0)";

const CHECK: &str = "UPDATE checks SET open = open + ?2, failures = failures + ?2,
    last_event_at = ?3, last_failure_at = ?3 WHERE number = ?1";

const CHECK_SET: &str = "INSERT INTO check_set (checks, people) VALUES ('[' || ?1 || ']', ?2)
    ON CONFLICT (checks) DO UPDATE SET people = people + excluded.people";

const DELIVERY: &str =
    "INSERT INTO delivery (seq, id, detail_id, received_at, sent_at, published_at,
        detail_type, source, account, region, check_id, title, severity, outcome, status, users,
        new_users, size, body_form, body)
    VALUES (?1, ?2, ?2, ?3, ?3, ?3, 'FAILED_CHECK', ?4, '988897525199', 'us-east-2', ?5,
        'No MFA Configured (' || ?5 || ')', 'critical', 'accepted', 200, ?6, ?6, 2048, 2, ?7)";

const FAILURE: &str = "INSERT INTO failure (login, check_number, opened_at, reported_at, named_at,
        is_announced, by_title, is_dated)
    VALUES (?1, ?2, ?3, ?3, ?3, 1, 0, 1)
    ON CONFLICT (login, check_number) DO UPDATE SET named_at = excluded.named_at";

const WATCH: &str = "INSERT INTO watch (kind, subject, source, added_at)
    VALUES ('user', ?1, 'webhook', ?2)
    ON CONFLICT (kind, subject, source) DO UPDATE SET added_at = excluded.added_at";

const CONTEXT: &str = "INSERT INTO event_context (number, attributes) VALUES (?1, ?2)";

const EVENT: &str = "INSERT INTO event (seq, name, public, ordinal, check_id, login, happened_at,
        observed_at, severity, body, attributes, context, uid)
    VALUES (?1, ?2, 1, ?1, ?3, ?4, ?5, ?5, 'critical', ?6, ?7, ?8, ?9)";

const HEAD: &str = "UPDATE head SET delivery = ?1, event = ?2, public_events = ?2,
    followed = followed + ?3, failing_people = failing_people + ?3";

#[derive(Debug, Default)]
pub(in crate::bare) struct SameRows {
    /// The numbers of the delivery and of the event that came last.
    last: (i64, i64),
    checks: HashMap<String, i64>,
}

impl SameRows {
    pub(in crate::bare) fn write(
        &mut self,
        transaction: &Transaction<'_>,
        group: &[Job],
    ) -> rusqlite::Result<()> {
        let now = clock::now().timestamp_micros();
        let context = SHARED.repeat(10);
        // As long as the exporter's, on average.
        let (text, attributes) = (SHARED.repeat(2), SHARED.repeat(3));
        let run = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
            transaction.prepare_cached(sql)?.execute(params)
        };
        let mut people = 0;
        for Job { envelope, body, .. } in group {
            let (detail, users) = (&envelope.detail, envelope.detail.users_failing.len());
            let next = i64::try_from(self.checks.len()).unwrap_or(0) + 1;
            let check = *self.checks.entry(detail.check_id.clone()).or_insert(next);
            if check == next {
                run(NEW_CHECK, params![check, detail.check_id, now])?;
            }
            self.last.0 += 1;
            let (delivery, first) = (self.last.0, self.last.1 + 1);
            let packed = &body[..PACKED.min(body.len())];
            run(CHECK, params![check, users, now])?;
            run(CHECK_SET, params![check, users])?;
            run(
                DELIVERY,
                params![delivery, envelope.id, now, SHARED, detail.check_id, users, packed],
            )?;
            run(CONTEXT, params![first, context])?;
            let mut event = |login: Option<&str>| {
                self.last.1 += 1;
                let name = if login.is_some() { "cii.check.failed" } else { "cii.check.delivery" };
                let uid = &envelope.id.as_bytes()[..16.min(envelope.id.len())];
                run(
                    EVENT,
                    params![
                        self.last.1,
                        name,
                        detail.check_id,
                        login,
                        now,
                        if login.is_some() { "" } else { text.as_str() },
                        attributes,
                        first,
                        uid
                    ],
                )
            };
            event(None)?;
            for login in &detail.users_failing {
                run(FAILURE, params![login, check, now])?;
                run(WATCH, params![login, now])?;
                event(Some(login))?;
            }
            people += users;
        }
        run(HEAD, params![self.last.0, self.last.1, people]).map(drop)
    }
}
