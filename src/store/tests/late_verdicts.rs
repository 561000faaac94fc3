//! Verdicts of a listing that are applied long after its last page came.

use super::{order::listing, *};
use crate::{
    domain::{CheckFilter, NullLists},
    ledger::change::ApplyVerdicts,
};

#[tokio::test]
async fn a_failure_is_announced_when_it_is_committed_however_long_ago_the_answer_came() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    fixtures::list(&store, listing(100, &[0].into())).await.unwrap();
    let last_failure = async || {
        let check = store.read(|reader| reader.check("no-mfa")).await.unwrap();
        check.and_then(|check| check.last_failure_at)
    };
    assert_eq!(last_failure().await, None, "the first listing announces nothing");
    let page = RecordListingPage { answered_at: at(200), ..listing(200, &[0, 1].into()) };
    store.commit(page).await.unwrap();
    let verdicts = ApplyVerdicts {
        after: None,
        limit: 9,
        filter: CheckFilter::default(),
        null_lists: NullLists::default(),
        at: at(5_000),
        is_suspect: false,
        settle: chrono::TimeDelta::zero(),
    };
    store.commit(verdicts).await.unwrap();
    assert_eq!(last_failure().await, Some(at(5_000)));
}
