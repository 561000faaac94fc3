//! Erases a person from rows, a number of rows per step, so that no delivery waits for long.
//!
//! The rules for what names a person are our own and do not exist in SQL: rows are read, and those
//! that name the person are rewritten.

mod deliveries;
mod mentions;

use super::{
    StoreError, columns,
    engine::{Erased, Erasure, Place},
    row::redact::Redactor,
    sql::{Bulk, Connection, Param, params, text},
};
use crate::domain::Login;
use mentions::Mentions;
#[cfg(test)]
pub(in crate::store) use mentions::TABLES;

/// Events, or ended failures, per transaction.
const ROWS: i64 = 5000;

/// The sentence of events about the person afterwards.
const BODY: &str = "It was about somebody who was forgotten";

/// Tables with rows of the person, each with its condition; `?1` is the login.
const OWN: [(&str, &str); 7] = [
    ("failure_answer", "login = ?1"),
    ("user_snapshot", "login = ?1"),
    ("list_null", "login = ?1"),
    ("login_spelling", "login = ?1"),
    ("listing_member", "login = ?1"),
    ("poll", "kind = 'user' AND subject = ?1"),
    ("past", "kind = 'user' AND subject = ?1"),
];

/// Tables whose rows are counted elsewhere. A change removes these rows before the erasure, so they
/// are searched only in a trial.
const OWN_COUNTED: [(&str, &str); 2] =
    [("failure", "login = ?1"), ("watch", "kind = 'user' AND subject = ?1")];

static EVENT: Bulk = Bulk::update(columns::EVENT.only(&[
    text("login"),
    text("ip"),
    text("application"),
    text("body"),
    text("attributes"),
]));

static USERS: Bulk = Bulk::update(columns::IP_SNAPSHOT.only(&[text("users")]));

/// Does one step of an erasure, or counts what it would do. The caller's transaction must be rolled
/// back after a trial. The files are erased by the engine.
pub(in crate::store) fn erase(
    connection: &dyn Connection,
    erasure: &Erasure,
) -> Result<Erased, StoreError> {
    let redactor = &Redactor::new(&erasure.login);
    let erased = Erased::default();
    let mut step = Step { connection, login: &erasure.login, redactor, erased };
    step.erased.next = match erasure.place {
        Place::Tables => {
            step.erase_tables(erasure.is_trial)?;
            Some(Place::Ended(0))
        }
        Place::Ended(after) => match step.last_of_slice("failure_closed", "number", after, ROWS)? {
            Some(last) => {
                step.remove(
                    "failure_closed",
                    "login = ?1 AND number > ?2 AND number <= ?3",
                    params![step.login.as_str(), after, last],
                )?;
                Some(Place::Ended(last))
            }
            None => Some(Place::Events(0)),
        },
        Place::Events(after) => match step.last_of_slice("event", "seq", after, ROWS)? {
            Some(last) => {
                step.redact_events(after, last)?;
                Some(Place::Events(last))
            }
            None => Some(Place::Contexts(0)),
        },
        Place::Contexts(after) => {
            match step.last_of_slice("event_context", "number", after, ROWS)? {
                Some(last) => {
                    step.redact(&mentions::CONTEXTS, params![after, last])?;
                    Some(Place::Contexts(last))
                }
                None => Some(Place::Deliveries(0)),
            }
        }
        Place::Deliveries(after) => {
            match step.last_of_slice("delivery", "seq", after, deliveries::ROWS)? {
                Some(last) => {
                    deliveries::redact(&mut step, after, last)?;
                    Some(Place::Deliveries(last))
                }
                // A trial changes no row, so the files contain nothing to erase.
                None => (!erasure.is_trial).then_some(Place::Files),
            }
        }
        Place::Files | Place::Log => None,
    };
    Ok(step.erased)
}

/// One step of an erasure, which is one transaction.
struct Step<'a> {
    connection: &'a dyn Connection,
    login: &'a Login,
    redactor: &'a Redactor,
    erased: Erased,
}

impl Step<'_> {
    /// Erases from the tables that are small compared with the log.
    fn erase_tables(&mut self, is_trial: bool) -> Result<(), StoreError> {
        let login = self.login.as_str();
        // The position is compared with logins, so it can be replaced by the text just before it.
        self.connection.execute(
            "UPDATE listing SET position = (
                SELECT max(login) FROM listing_member
                WHERE listing = listing.number AND login < ?1)
             WHERE position = ?1",
            params![login],
        )?;
        for (table, condition) in OWN {
            self.remove(table, condition, params![login])?;
        }
        self.remove_named("past", "name", "what = 'user'")?;
        if is_trial {
            for (table, condition) in OWN_COUNTED {
                self.remove(table, condition, params![login])?;
            }
            self.remove_named("admin", "login", "true")?;
        }
        for table in &mentions::TABLES {
            self.redact(table, &[])?;
        }
        self.redact_addresses()?;
        self.redact(&mentions::ADDRESSES, &[])
    }

    /// Redacts the person in the users of addresses.
    fn redact_addresses(&mut self) -> Result<(), StoreError> {
        let mut others = Vec::new();
        self.connection.each("SELECT ip, users FROM ip_snapshot", &[], |row| {
            if let Some(users) =
                self.redactor.redact_members(&String::from_utf8_lossy(row.bytes(1)?))
            {
                others.push((row.get::<String>(0)?, users));
            }
            Ok(())
        })?;
        self.connection.write_all(&USERS, |put| {
            others.iter().try_for_each(|(ip, users)| put(params![ip, users]))
        })?;
        self.erased.count_redacted("ip_snapshot", others.len());
        Ok(())
    }

    /// Reduces events about the person to what happened; redacts the person in other events.
    fn redact_events(&mut self, after: i64, last: i64) -> Result<(), StoreError> {
        let mut own = Vec::new();
        self.connection.each(
            "SELECT seq, attributes FROM event WHERE login = ?1 AND seq > ?2 AND seq <= ?3",
            params![self.login.as_str(), after, last],
            |row| {
                let attributes = String::from_utf8_lossy(row.bytes(1)?);
                // An event that cannot be decoded may name the person, so it is reduced, too.
                let impersonal = self
                    .redactor
                    .redact_attributes(&attributes)
                    .unwrap_or_else(|_| "{}".to_owned());
                own.push((row.get::<i64>(0)?, impersonal));
                Ok(())
            },
        )?;
        self.connection.write_all(&EVENT, |put| {
            own.iter().try_for_each(|(seq, attributes)| {
                put(params![seq, Param::Null, Param::Null, Param::Null, BODY, attributes])
            })
        })?;
        self.erased.count_redacted("event", own.len());
        self.redact(&mentions::EVENTS, params![after, last])
    }

    /// The last key of the next slice of a table; none when no row is left.
    fn last_of_slice(
        &self,
        table: &str,
        key: &str,
        after: i64,
        rows: i64,
    ) -> Result<Option<i64>, StoreError> {
        let sql = format!(
            "SELECT max(key) FROM (
                SELECT {key} AS key FROM {table} WHERE {key} > ?1 ORDER BY {key} LIMIT ?2) AS s"
        );
        self.connection.one(&sql, params![after, rows], |row| row.get(0))
    }

    fn remove(
        &mut self,
        table: &'static str,
        condition: &str,
        params: &[Param<'_>],
    ) -> Result<(), StoreError> {
        let sql = format!("DELETE FROM {table} WHERE {condition}");
        let removed = self.connection.execute(&sql, params)?;
        self.erased.count_removed(table, removed);
        Ok(())
    }

    /// Removes rows whose login column has the person's login in any spelling.
    fn remove_named(
        &mut self,
        table: &'static str,
        column: &str,
        condition: &str,
    ) -> Result<(), StoreError> {
        let sql = format!("SELECT DISTINCT {column} FROM {table} WHERE {condition}");
        let mut named = Vec::<String>::new();
        self.connection.each(&sql, &[], |row| {
            named.extend(
                row.text(0).ok().filter(|name| self.redactor.is_login(name)).map(str::to_owned),
            );
            Ok(())
        })?;
        let named: Vec<_> = named.iter().map(String::as_str).collect();
        if named.is_empty() {
            return Ok(());
        }
        let condition = format!("{condition} AND {column} IN rarray(?1)");
        self.remove(table, &condition, params![named[..]])
    }

    /// Redacts the person in other rows' columns.
    fn redact(&mut self, mentions: &Mentions, params: &[Param<'_>]) -> Result<(), StoreError> {
        let redacted = mentions.redact(self.connection, self.redactor, params)?;
        self.erased.count_redacted(mentions.table, redacted);
        Ok(())
    }
}
