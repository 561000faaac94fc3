//! Checks that were known by a text alone, and are identified as others.

use super::{slices::fails, *};
use crate::{
    domain::CheckFilter,
    ledger::{Change, CheckNumber, Command, Facts, Fault, Keys, Subject, change::MoveEnded},
};

async fn open(store: &Store, id: &'static str) -> Option<u64> {
    store.read(move |reader| reader.check(id)).await.unwrap().map(|check| check.failing)
}

/// A delivery without users that gives a title to a check.
fn delivery_with_title(id: &str, check: &str, title: &str) -> RecordDelivery {
    let mut record = delivery(id, &[]);
    let check_of = record.delivery.check.as_mut().unwrap();
    check_of.id = CheckId::new(check).unwrap();
    check_of.definition =
        CheckDefinition { title: title.to_owned(), ..CheckDefinition::undefined(&check_of.id) }
            .with_dates(true, at(10));
    record
}

#[tokio::test]
async fn a_check_that_gets_its_id_takes_its_failures_along_and_touches_nobody_s() {
    let Fixture { store, place, .. } = Fixture::new();
    store.commit(fails("a@x", &["First title"], 30)).await.unwrap();
    let commit = *store.changes().borrow();
    store.commit(delivery_with_title("d1", "first", "First title")).await.unwrap();
    let touched = store.touched_after(commit).unwrap();
    let subjects: Vec<_> = touched.iter().flat_map(|touched| &touched.subjects).collect();
    let is_of_user = |subject: &&Subject| matches!(subject, Subject::User(_));
    assert!(!subjects.iter().any(is_of_user), "{subjects:?}");
    assert!(touched.iter().any(|touched| touched.is_anew), "everything is shown anew");
    assert_eq!((open(&store, "first").await, open(&store, "First title").await), (Some(1), None));
    assert_eq!(store.read(Reader::failing_people).await.unwrap(), 1);
    place.assert_check_sets_are_counted();
}

#[tokio::test]
async fn a_check_that_was_hidden_brings_its_people_when_it_gets_its_id() {
    let Fixture { store, place, .. } = Fixture::new();
    let filter = CheckFilter::new([CheckId::new("first").unwrap()]);
    for (user, second) in [("a@x", 30), ("b@x", 31)] {
        let answer =
            RecordAnswer { filter: filter.clone(), ..fails(user, &["First title"], second) };
        store.commit(answer).await.unwrap();
    }
    assert_eq!(store.read(Reader::failing_people).await.unwrap(), 0);
    store.commit(delivery_with_title("d1", "first", "First title")).await.unwrap();
    assert_eq!(store.read(Reader::failing_people).await.unwrap(), 2);
    assert_eq!(open(&store, "first").await, Some(2));
    place.assert_check_sets_are_counted();
}

#[tokio::test]
async fn checks_that_turn_out_to_be_one_in_one_group_are_one() {
    let Fixture { store, place, .. } = Fixture::new();
    store.commit(fails("a@x", &["First title"], 30)).await.unwrap();
    store.commit(fails("b@x", &["Second title"], 31)).await.unwrap();
    store.commit(fails("c@x", &["First title", "Second title"], 32)).await.unwrap();
    // When the group is loaded, no two of them must be merged yet.
    let titles = [("d1", "First title"), ("d2", "Second title"), ("d3", "First title")];
    let group = titles.map(|(id, title)| delivery_with_title(id, "first", title));
    let outcomes = store.commit_all(group).await.unwrap();
    let numbers: Vec<_> = outcomes.iter().flatten().map(|recorded| recorded.number).collect();
    assert_eq!(numbers, [1, 2, 3], "in their order: {outcomes:?}");
    assert_eq!((open(&store, "first").await, open(&store, "Second title").await), (Some(3), None));
    assert_eq!(store.read(Reader::failing_people).await.unwrap(), 3);
    place.assert_check_sets_are_counted();
}

/// Merges a check with another one, for ended failures only.
#[derive(Debug)]
struct Merge(CheckNumber, CheckNumber);

impl Change for Merge {
    type Outcome = ();

    fn keys(&self, _: &mut Keys) {}

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        facts.command(Command::MergeCheck { from: self.0, into: self.1, at: at(50) });
        Ok(())
    }
}

#[tokio::test]
async fn what_ended_of_a_merged_check_follows_some_at_a_time() {
    let fixture = Fixture::new();
    for number in 0..5 {
        let user = format!("u{number}@x");
        fixture.store.commit(fails(&user, &["First title"], 30)).await.unwrap();
        fixture.store.commit(fails(&user, &[], 40)).await.unwrap();
    }
    let ended = |place: &TestPlace, check: CheckNumber| {
        let sql = format!("SELECT count(*) FROM failure_closed WHERE check_number = {check}");
        place.number(&sql)
    };
    assert_eq!(ended(&fixture.place, 1), 5);
    let to_move = async |store: &Store| store.read(Reader::has_ended_to_move).await.unwrap();
    let step = async |store: &Store| store.commit(MoveEnded { limit: 2 }).await.unwrap();
    fixture.store.commit(delivery_with_title("d1", "first", "Another title")).await.unwrap();
    assert!(!to_move(&fixture.store).await);
    fixture.store.commit(delivery_with_title("d2", "first", "First title")).await.unwrap();
    assert!(to_move(&fixture.store).await, "its number is another one");
    assert!(step(&fixture.store).await);
    assert_eq!((ended(&fixture.place, 1), ended(&fixture.place, 2)), (3, 2));
    // A kill loses nothing. Meanwhile the other check is merged with a third one, and all failures
    // follow.
    let Fixture { store, place, .. } = fixture.reopen().await;
    store.commit(Merge(2, 3)).await.unwrap();
    while step(&store).await {}
    assert_eq!((ended(&place, 1), ended(&place, 2), ended(&place, 3)), (0, 0, 5));
    assert!(!to_move(&store).await);
    assert!(!step(&store).await, "nothing is left");
}
