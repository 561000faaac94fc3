//! The log for people, in which a delivery is one entry.

use super::*;

/// The content of each entry: the kind, and the users who newly fail.
async fn read_log(
    store: &Store,
    filter: EventFilter,
    limit: usize,
) -> Vec<(EventName, Vec<String>)> {
    let read = move |reader: &Reader| reader.log_before(&filter, i64::MAX, limit);
    let page = store.read(read).await.unwrap();
    let entries = page.entries.into_iter().map(|entry| {
        let logins = entry.newly_failing.iter().map(|login| login.as_str().to_owned());
        (entry.event.event.name, logins.collect())
    });
    entries.collect()
}

#[tokio::test]
async fn a_delivery_is_one_entry_with_those_who_newly_fail() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    store.commit(delivery("1", &["a", "b", "c"])).await.unwrap();
    store.commit(delivery("2", &["a", "d"])).await.unwrap();
    store.commit(delivery("3", &["a"])).await.unwrap();
    let names = |of: &[&str]| of.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let expected = [
        // Without a new user: the delivery alone. With one new user: the failure alone.
        (EventName::CheckDelivery, names(&[])),
        (EventName::CheckFailed, names(&[])),
        (EventName::CheckDelivery, names(&["a", "b", "c"])),
    ];
    let is_about_the_check = |(name, _): &(EventName, Vec<String>)| {
        matches!(name, EventName::CheckDelivery | EventName::CheckFailed)
    };
    let mut all = read_log(&store, EventFilter::default(), 20).await;
    all.retain(is_about_the_check);
    assert_eq!(all, expected);
    // A filter by a kind or a user is about single events.
    let failed = EventFilter { name: Some(EventName::CheckFailed), ..EventFilter::default() };
    assert_eq!(read_log(&store, failed, 20).await.len(), 4);
    let of_b = EventFilter { login: Some("b".to_owned()), ..EventFilter::default() };
    assert_eq!(read_log(&store, of_b, 20).await[0], (EventName::CheckFailed, names(&[])));
}

#[tokio::test]
async fn a_delivery_of_many_is_passed_in_one_step_and_names_the_first() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    store.commit(delivery("0", &["first@x"])).await.unwrap();
    let logins: Vec<_> = (0..200).map(|number| format!("u{number:03}@x")).collect();
    let names: Vec<_> = logins.iter().map(String::as_str).collect();
    store.commit(delivery("1", &names)).await.unwrap();
    let read = |reader: &Reader| reader.log_before(&EventFilter::default(), i64::MAX, 20);
    let page = store.read(read).await.unwrap();
    let folded = page.entries.iter().find(|entry| !entry.newly_failing.is_empty()).unwrap();
    assert_eq!((folded.newly_failing.len(), folded.newly_failing[0].as_str()), (20, "u000@x"));
    let last = page.entries.iter().filter(|entry| entry.event.seq < folded.event.seq);
    assert!(last.into_iter().any(|entry| entry.event.event.name == EventName::CheckFailed));
}
