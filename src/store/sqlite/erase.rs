//! Erases a person from rows, some of them at a time, so that no delivery waits for long.

mod deliveries;
mod files;
mod functions;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::{
    domain::Login,
    store::{
        StoreError,
        engine::{Erased, Erasure, Place},
        row::{body::Packer, redact::Redactor},
    },
};

/// Events, or failures that ended, that are looked at in one transaction.
const ROWS: i64 = 5000;

/// What an event about the person says from then on.
const BODY: &str = "It was about somebody who was forgotten";

/// Rows that are the person's, by a condition of which `?1` is the login.
const OWN: [(&str, &str); 7] = [
    ("failure_answer", "login = ?1"),
    ("user_snapshot", "login = ?1"),
    ("list_null", "login = ?1"),
    ("login_spelling", "login = ?1"),
    ("listing_member", "login = ?1"),
    ("poll", "kind = 'user' AND subject = ?1"),
    ("past", "(kind = 'user' AND subject = ?1) OR (what = 'user' AND is_person(name))"),
];

/// Rows of which numbers elsewhere depend: a change forgets them before anything is erased,
/// so that they are looked for only where nothing is to change.
const OWN_COUNTED: [(&str, &str); 3] = [
    ("failure", "login = ?1"),
    ("watch", "kind = 'user' AND subject = ?1"),
    ("admin", "login = ?1 OR is_person(login)"),
];

/// Columns of others that can name the person: texts, or JSON. What checks are called and the
/// operator's own settings are not looked into.
const MENTIONS: [(&str, &[&str]); 8] = [
    ("user_snapshot", &["state"]),
    ("failure_answer", &["shared_texts", "exchange"]),
    ("watch", &["note"]),
    ("poll", &["reason", "errors"]),
    ("job_state", &["reason"]),
    ("integration", &["name", "error"]),
    ("webhook_target", &["name", "url"]),
    ("listing", &["figures"]),
];

/// Does one step of an erasure, or tells what it would do.
pub(super) fn erase(
    connection: &mut Connection,
    packer: &mut Packer,
    erasure: &Erasure,
) -> Result<Erased, StoreError> {
    match erasure.place {
        Place::Files => return files::rewrite(connection),
        Place::Log => return files::empty_log(connection),
        _ => {}
    }
    functions::with(connection, Redactor::new(&erasure.login), |connection, redactor| {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut step = Step { tx: &tx, login: &erasure.login, erased: Erased::default() };
        step.erased.next = match erasure.place {
            Place::Tables => {
                step.tables(erasure.is_trial)?;
                Some(Place::Ended(0))
            }
            Place::Ended(after) => match step.last("failure_closed", "number", after, ROWS)? {
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
            Place::Events(after) => match step.last("event", "seq", after, ROWS)? {
                Some(last) => {
                    step.events(after, last)?;
                    Some(Place::Events(last))
                }
                None => Some(Place::Contexts(0)),
            },
            Place::Contexts(after) => match step.last("event_context", "number", after, ROWS)? {
                Some(last) => {
                    let range = format!("number > {after} AND number <= {last}");
                    step.redact("event_context", &["attributes"], &range)?;
                    Some(Place::Contexts(last))
                }
                None => Some(Place::Deliveries(0)),
            },
            Place::Deliveries(after) => {
                match step.last("delivery", "seq", after, deliveries::ROWS)? {
                    Some(last) => {
                        deliveries::redact(&mut step, redactor, packer, after, last)?;
                        Some(Place::Deliveries(last))
                    }
                    // Where nothing changes, nothing is to be written anew.
                    None => (!erasure.is_trial).then_some(Place::Files),
                }
            }
            Place::Files | Place::Log => None,
        };
        let erased = step.erased;
        if erasure.is_trial {
            tx.rollback()?;
        } else {
            tx.commit()?;
        }
        Ok(erased)
    })
}

/// One transaction of an erasure.
struct Step<'a> {
    tx: &'a Transaction<'a>,
    login: &'a Login,
    erased: Erased,
}

impl Step<'_> {
    /// The tables that are small beside the log.
    fn tables(&mut self, is_trial: bool) -> Result<(), StoreError> {
        let login = self.login.as_str();
        // The position is compared with logins: the one before it is the same position.
        self.tx.execute(
            "UPDATE listing SET position = (
                SELECT max(login) FROM listing_member
                WHERE listing = listing.number AND login < ?1)
             WHERE position = ?1",
            [login],
        )?;
        for (table, condition) in OWN {
            self.remove(table, condition, [login])?;
        }
        for (table, condition) in OWN_COUNTED {
            if is_trial {
                self.remove(table, condition, [login])?;
            }
        }
        for (table, columns) in MENTIONS {
            self.redact(table, columns, "true")?;
        }
        let redacted = self.tx.execute(
            "UPDATE ip_snapshot SET users = without_member(users)
             WHERE without_member(users) IS NOT NULL",
            [],
        )?;
        self.erased.redacted("ip_snapshot", redacted);
        self.redact("ip_snapshot", &["users"], "true")
    }

    /// Events about the person say no more than what happened; others do not name them.
    fn events(&mut self, after: i64, last: i64) -> Result<(), StoreError> {
        let redacted = self
            .tx
            .prepare_cached(
                "UPDATE event SET login = NULL, ip = NULL, application = NULL, body = ?4,
                                  attributes = impersonal(attributes)
                 WHERE login = ?1 AND seq > ?2 AND seq <= ?3",
            )?
            .execute(params![self.login.as_str(), after, last, BODY])?;
        self.erased.redacted("event", redacted);
        let range = format!("seq > {after} AND seq <= {last}");
        self.redact("event", &["application", "body", "attributes"], &range)
    }

    /// The last of the next keys in a table; nothing when there is none.
    fn last(
        &self,
        table: &str,
        key: &str,
        after: i64,
        rows: i64,
    ) -> Result<Option<i64>, StoreError> {
        Ok(self.tx.query_row(
            &format!(
                "SELECT max(key) FROM (
                    SELECT {key} AS key FROM {table} WHERE {key} > ?1 ORDER BY {key} LIMIT ?2)"
            ),
            [after, rows],
            |row| row.get(0),
        )?)
    }

    fn remove(
        &mut self,
        table: &'static str,
        condition: &str,
        params: impl rusqlite::Params,
    ) -> Result<(), StoreError> {
        let removed = self.tx.execute(&format!("DELETE FROM {table} WHERE {condition}"), params)?;
        self.erased.removed(table, removed);
        Ok(())
    }

    /// Takes the person out of columns of others.
    fn redact(
        &mut self,
        table: &'static str,
        columns: &[&str],
        condition: &str,
    ) -> Result<(), StoreError> {
        let set: Vec<_> = columns
            .iter()
            .map(|column| format!("{column} = coalesce(without_person({column}), {column})"))
            .collect();
        let named: Vec<_> =
            columns.iter().map(|column| format!("without_person({column}) IS NOT NULL")).collect();
        let sql = format!(
            "UPDATE {table} SET {} WHERE {condition} AND ({})",
            set.join(", "),
            named.join(" OR ")
        );
        let redacted = self.tx.execute(&sql, [])?;
        self.erased.redacted(table, redacted);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
