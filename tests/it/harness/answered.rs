//! What the service has told of users before a daemon starts.

use std::collections::BTreeSet;

use cii_exporter::{
    clock,
    domain::{CheckFilter, Login, UserObservation, UserState},
    ledger::change::RecordAnswer,
    store::Store,
};

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
