//! Work on many rows in slices is done to the end.

use super::{order::listing, *};
use crate::{
    domain::{ListAnswer, TenantUser},
    ledger::change::{CheckForgotten, ForgetCheck, JudgeRenames, JudgedRenames, SettleRenames},
};

/// An answer that lists these checks for a user.
pub(super) fn fails(user: &str, names: &[&str], second: i64) -> RecordAnswer {
    fixtures::checks_only(FailureAnswer {
        login: login(user),
        verdict: Verdict::Fails(names.iter().map(|&name| name.to_owned()).collect()),
        asked_at: at(second),
        answered_at: at(second),
        settle: chrono::TimeDelta::zero(),
    })
}

async fn open(store: &Store, id: &'static str) -> Option<u64> {
    store.read(move |reader| reader.check(id)).await.unwrap().map(|check| check.failing)
}

/// Five users fail a check, and the stored login of the second one is not valid.
async fn with_a_login_that_cannot_be_read() -> Fixture {
    let fixture = Fixture::new();
    let logins = ["u1@x", "u2@x", "u3@x", "u4@x", "u5@x"];
    fixture.store.commit(delivery("d1", &logins)).await.unwrap();
    make_unreadable(fixture, "failure").await
}

/// The store, with an invalid login of the second user in a table.
async fn make_unreadable(fixture: Fixture, table: &str) -> Fixture {
    let too_long = format!("u2{}", "x".repeat(600));
    let place = fixture.close().await;
    place.alter(&format!("UPDATE {table} SET login = '{too_long}' WHERE login = 'u2@x'"));
    Fixture::at(place)
}

#[tokio::test]
async fn a_login_that_cannot_be_read_ends_no_listing_early() {
    let Fixture { store, place: _place, .. } = with_a_login_that_cannot_be_read().await;
    let user = |number: u8| ListedUser {
        login: login(&format!("u{number}@x")),
        facts: TenantUser::default(),
        failing: ListAnswer::Given(BTreeSet::new()),
    };
    let page = RecordListingPage { users: (1..6).map(user).collect(), ..listing(50, &[].into()) };
    fixtures::list(&store, page).await.unwrap().unwrap();
    assert_eq!(open(&store, "no-mfa").await, Some(1), "all end whose login can be read");
}

#[tokio::test]
async fn a_login_that_cannot_be_read_ends_no_removal_of_a_check_early() {
    let Fixture { store, place: _place, .. } = with_a_login_that_cannot_be_read().await;
    let id = CheckId::new("no-mfa").unwrap();
    let mut slices = 1;
    while store.commit(ForgetCheck { id: id.clone(), limit: 2 }).await.unwrap()
        != CheckForgotten::Entirely
    {
        slices += 1;
    }
    assert_eq!(slices, 2);
    assert_eq!(store.read(Reader::failing_people).await.unwrap(), 1);
    assert_eq!(open(&store, "no-mfa").await, None);
}

/// Users whose answers of one run have another title in the place of the one that they had.
async fn with_a_renamed_check(users: usize) -> Fixture {
    let fixture = Fixture::new();
    let listed = |title: &'static str, second| {
        (0..users).map(move |number| fails(&format!("u{number}@x"), &[title], second))
    };
    for (title, second) in [("Old title", 30), ("New title", 100)] {
        fixture.store.commit_all(listed(title, second)).await.unwrap();
    }
    fixture
}

async fn judge(store: &Store) -> JudgedRenames {
    store.commit(JudgeRenames { run_begun_at: at(90), at: at(110) }).await.unwrap()
}

#[tokio::test]
async fn a_rename_is_settled_some_users_at_a_time_also_past_one_who_cannot_be_read() {
    let fixture = with_a_renamed_check(6).await;
    let Fixture { store, place, .. } = make_unreadable(fixture, "failure_answer").await;
    let JudgedRenames { told, renamed } = judge(&store).await;
    assert_eq!((told.len(), told[0].now.as_str()), (1, "New title"));
    let check = store.read(|reader| reader.check("Old title")).await.unwrap().unwrap();
    assert_eq!((check.title.as_str(), check.failing), ("New title", 6));
    // Judged again after an interruption, it is not reported again.
    assert_eq!(judge(&store).await, JudgedRenames { told: vec![], renamed: renamed.clone() });
    let (mut after, mut slices) = (None, 0);
    loop {
        let settle = SettleRenames { renamed: renamed.clone(), after, limit: 2 };
        after = store.commit(settle).await.unwrap();
        slices += 1;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(slices, 4);
    let pending = "SELECT count(*) FROM failure_answer WHERE exchange IS NOT NULL";
    assert_eq!(place.number(pending), 1, "that of whoever cannot be read");
    let listed = "SELECT count(*) FROM failure WHERE by_title = 1 AND reported_at > 90000000";
    assert_eq!(place.number(listed), 5);
}
