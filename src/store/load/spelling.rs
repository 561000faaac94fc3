//! Loads spellings of logins.

use std::collections::BTreeSet;

use super::by_user;
use crate::{
    domain::Login,
    ledger::Facts,
    store::{StoreError, sql::Connection},
};

pub(super) fn of_users(
    connection: &dyn Connection,
    logins: &BTreeSet<Login>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    by_user(
        connection,
        "SELECT login, spelling FROM login_spelling WHERE login IN rarray(?1)",
        logins,
        &mut facts.spellings,
        |row| Ok(Ok(row.text(1)?.into())),
    )
}
