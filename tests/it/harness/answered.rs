//! What the service has told of users before a daemon starts.

use std::{collections::BTreeSet, fs::File, path::Path};

use cii_exporter::{
    clock,
    domain::{CheckFilter, Login, UserObservation, UserState},
    ledger::change::RecordAnswer,
    store::{Store, WriterThread},
};

use super::until;

/// Has the store know the state of a user, as if the service had just told it.
pub async fn tell_state(store: &Store, login: &str, state: UserState) {
    let observation = UserObservation {
        login: None,
        state,
        untold: BTreeSet::new(),
        null_lists: BTreeSet::new(),
    };
    let answer = RecordAnswer {
        login: Login::new(login).unwrap(),
        state: Some((observation, clock::now())),
        checks: None,
        filter: CheckFilter::default(),
        end: None,
    };
    store.commit(answer).await.unwrap();
}

/// Closes a store, and waits until a daemon can open it: a program that another test starts meanwhile
/// has the lock of this process between its fork and its exec.
pub async fn close(store: Store, writer: WriterThread, database: &Path) {
    drop(store);
    writer.stop().await;
    let lock = format!("{}.lock", database.display());
    until("the lock of the database", || async {
        File::open(&lock).expect("a lock").try_lock().is_ok().then_some(())
    })
    .await;
}
