//! The last complete listing of the tenant, as far as it concerns failures.

use rusqlite::{OptionalExtension, Savepoint};

use crate::{domain::Login, store::StoreError};

/// When the last complete listing began, if it told of this user's failing
/// checks: whoever it does not name failed none then, unless it has rows that
/// could not be read.
pub(super) fn verdict_as_of(tx: &Savepoint<'_>, login: &Login) -> Result<Option<i64>, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT begun_at FROM tenant_complete WHERE is_verdict = 1 AND coalesce(
                (SELECT is_told FROM tenant_member WHERE login = ?1), skipped = 0)",
        )?
        .query_row([login.as_str()], |row| row.get(0))
        .optional()?)
}
