//! Lists that are null for users, and what the service gave so far.

use std::collections::BTreeSet;

use rusqlite::Connection;
use strum::VariantArray as _;

use super::each_of_users;
use crate::{
    domain::{
        ListField, Login,
        null_list::{FieldMemory, NullMeaning},
    },
    ledger::{Facts, NullList},
    store::{
        StoreError,
        row::{Moment, Unreadable},
    },
};

pub(super) fn of_users(
    connection: &Connection,
    logins: &BTreeSet<Login>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    each_of_users(
        connection,
        "SELECT login, field, since, last_at, meaning FROM list_null WHERE login IN rarray(?1)",
        logins,
        |login, row| {
            let Some(field) = ListField::parse(row.get_ref(1)?.as_str().unwrap_or_default()) else {
                return Ok(());
            };
            let meaning = NullMeaning::parse(row.get_ref(4)?.as_str().unwrap_or_default());
            match (row.get(2), row.get(3), meaning) {
                (Ok(Moment(since)), Ok(Moment(last_at)), Some(meaning)) => {
                    let null = NullList { since, last_at, meaning };
                    facts.nulls.load((login, field), Some(null));
                }
                _ => facts.nulls.load_unreadable((login, field), "a moment or its meaning"),
            }
            Ok(())
        },
    )?;
    for login in logins {
        for &field in ListField::VARIANTS {
            facts.nulls.load((login.clone(), field), None);
        }
    }
    Ok(())
}

pub(super) fn memory(connection: &Connection, facts: &mut Facts) -> Result<(), StoreError> {
    let mut select =
        connection.prepare_cached("SELECT field, last_list_at, gave_empty FROM list_memory")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let Some(field) = ListField::parse(row.get_ref(0)?.as_str().unwrap_or_default()) else {
            continue;
        };
        match row.get(1) {
            Ok(Moment(at)) => {
                let memory = FieldMemory { last_list_at: Some(at), gave_empty: row.get(2)? };
                facts.list_memory.load(field, Some(memory));
            }
            Err(_) => facts.list_memory.load_unreadable(field, &Unreadable::Moment.to_string()),
        }
    }
    for &field in ListField::VARIANTS {
        facts.list_memory.load(field, None);
    }
    Ok(())
}
