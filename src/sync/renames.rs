//! Detects renamed checks at the end of a run.

use crate::{
    clock,
    domain::Timestamp,
    ledger::change::{JudgeRenames, JudgedRenames, SettleRenames},
    store::{Store, StoreError},
};

/// Maximum number of users that one commit settles: well below 20 ms of the writer thread.
const SETTLED_AT_ONCE: usize = 500;

/// Judges which checks were renamed, and logs each.
pub(super) async fn judge_renames(
    store: &Store,
    run_begun_at: Timestamp,
) -> Result<(), StoreError> {
    if !store.read(crate::store::Reader::has_exchanges).await? {
        return Ok(());
    }
    let judged = store.commit(JudgeRenames { run_begun_at, at: clock::now() }).await?;
    let JudgedRenames { told, renamed } = judged;
    for check in told {
        tracing::info!(
            check = %check.id,
            before = check.before,
            now = check.now,
            "a check was renamed in the service: everybody who failed it is listed with the new \
             title"
        );
    }
    let (mut after, mut is_over) = (None, renamed.is_empty());
    while !is_over {
        let settle = SettleRenames { renamed: renamed.clone(), after, limit: SETTLED_AT_ONCE };
        after = store.commit(settle).await?;
        is_over = after.is_none();
    }
    Ok(())
}
