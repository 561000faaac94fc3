//! Loads lists that are null for users, and which lists the service gave.

use std::collections::BTreeSet;

use strum::VariantArray as _;

use super::each_of_users;
use crate::{
    domain::{
        ListField, Login,
        null_list::{FieldMemory, NullMeaning},
    },
    ledger::{Facts, NullList},
    store::{StoreError, row::Unreadable, sql::Connection},
};

pub(super) fn of_users(
    connection: &dyn Connection,
    logins: &BTreeSet<Login>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    each_of_users(
        connection,
        "SELECT login, field, since, last_at, meaning FROM list_null WHERE login IN rarray(?1)",
        logins,
        |login, row| {
            let Some(field) = ListField::parse(row.text(1).unwrap_or_default()) else {
                return Ok(());
            };
            let meaning = NullMeaning::parse(row.text(4).unwrap_or_default());
            match (row.get(2), row.get(3), meaning) {
                (Ok(since), Ok(last_at), Some(meaning)) => {
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

pub(super) fn memory(connection: &dyn Connection, facts: &mut Facts) -> Result<(), StoreError> {
    connection.each("SELECT field, last_list_at, gave_empty FROM list_memory", &[], |row| {
        let Some(field) = ListField::parse(row.text(0).unwrap_or_default()) else {
            return Ok(());
        };
        match row.get(1) {
            Ok(at) => {
                let memory = FieldMemory { last_list_at: Some(at), gave_empty: row.get(2)? };
                facts.list_memory.load(field, Some(memory));
            }
            Err(_) => facts.list_memory.load_unreadable(field, &Unreadable::Moment.to_string()),
        }
        Ok(())
    })?;
    for &field in ListField::VARIANTS {
        facts.list_memory.load(field, None);
    }
    Ok(())
}
