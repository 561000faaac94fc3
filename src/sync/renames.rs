//! Checks that were renamed in the service, told at the end of a run.

use crate::{
    clock,
    domain::Timestamp,
    ledger::change::JudgeRenames,
    store::{Store, StoreError},
};

/// Judges which checks were renamed, with a line in the log for each.
pub(super) async fn judge(store: &Store, run_begun_at: Timestamp) -> Result<(), StoreError> {
    if !store.read(crate::store::Reader::has_exchanges).await? {
        return Ok(());
    }
    let renamed = store.commit(JudgeRenames { run_begun_at, at: clock::now() }).await?;
    for check in renamed {
        tracing::info!(
            check = %check.id,
            before = check.before,
            now = check.now,
            "a check was renamed in the service: everybody who failed it is listed with the new \
             title"
        );
    }
    Ok(())
}
