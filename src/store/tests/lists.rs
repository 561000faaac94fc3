//! Pages of the watch list, and searches, whose rows are read in one query.

use super::*;

/// A listed user with stored state, one without, a followed user, an address with stored state, and
/// one without.
async fn store_with_watch_list() -> Fixture {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let ips = ["203.0.113.7", "203.0.113.8"].map(|ip| ip.parse().unwrap());
    watch(store, [login("Ada@x"), login("bob@x")], ips, at(1)).await.unwrap();
    let mut answer = snapshot("ada@x", &[]);
    let state = &mut answer.state.as_mut().unwrap().0.state;
    (state.display_name, state.status) = ("Ada L.".to_owned(), "ACTIVE".to_owned());
    answer.end = Some((PollEnd::answered(), at(30)));
    store.commit(answer).await.unwrap();
    store.commit(delivery("d1", &["Ada@x", "cy@x"])).await.unwrap();
    let answer = Some(AddressAnswer { users: BTreeMap::new(), is_partial: false });
    let seen = RecordAddress { ip: ips[0], answer, end: PollEnd::answered(), at: at(30) };
    store.commit(seen).await.unwrap();
    fixture
}

#[tokio::test]
async fn a_page_of_the_watch_list_says_of_each_how_it_stands() {
    let Fixture { store, place: _place, .. } = store_with_watch_list().await;
    let users = store.read(|reader| reader.watched_users_page(0, 9)).await.unwrap();
    let shown: Vec<_> = users
        .iter()
        .map(|user| (user.login.spelling(), user.is_followed, user.failing_checks))
        .collect();
    assert_eq!(shown, [("Ada@x", false, 1), ("bob@x", false, 0), ("cy@x", true, 1)]);
    let name = Some(("Ada L.".to_owned(), "ACTIVE".to_owned()));
    assert_eq!((&users[0].name_and_status, users[0].observed_at), (&name, Some(at(30))));
    assert_eq!(users[0].poll.as_ref().map(|poll| poll.last_at), Some(at(30)));
    for user in &users[1..] {
        assert!(user.name_and_status.is_none() && user.observed_at.is_none());
        assert!(user.poll.is_none());
    }
    let second = store.read(|reader| reader.watched_users_page(1, 2)).await.unwrap();
    assert_eq!(second, users[1..]);
    let view = |reader: &Reader| reader.watched_users_of(WatchView::Configured, 0, 9);
    assert_eq!(store.read(view).await.unwrap(), users[..2]);

    let ips = store.read(|reader| reader.watched_ips_page(0, 9)).await.unwrap();
    let shown = ips.iter().map(|ip| (ip.ip.as_str(), ip.users, ip.poll.is_some()));
    let expected = [("203.0.113.7", Some(0), true), ("203.0.113.8", None, false)];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_was_listed_since_an_event_is_told_in_its_spelling() {
    let Fixture { store, place: _place, .. } = store_with_watch_list().await;
    let (last, listed) = store.read(|reader| reader.watch_additions_after(0, 9)).await.unwrap();
    assert_eq!(last, store.read(Reader::last_seq).await.unwrap());
    let spelled = listed.iter().map(|subject| match subject {
        WatchSubject::User(login) => login.spelling().to_owned(),
        WatchSubject::Ip(ip) => ip.to_string(),
    });
    let spelled: BTreeSet<_> = spelled.collect();
    let expected = ["203.0.113.7", "203.0.113.8", "Ada@x", "bob@x"].map(str::to_owned);
    assert_eq!(spelled, expected.into());
}

#[tokio::test]
async fn whoever_is_found_is_shown_once_and_only_when_something_is_known() {
    let Fixture { store, place: _place, .. } = store_with_watch_list().await;
    let find = async |text: &'static str, limit| {
        let found = store.read(move |reader| reader.find(text, limit)).await.unwrap();
        let user = |user: &FoundUser| {
            (user.login.spelling().to_owned(), user.name.clone(), user.failing_checks)
        };
        found.users.iter().map(user).collect::<Vec<_>>()
    };
    let ada = ("Ada@x".to_owned(), Some("Ada L.".to_owned()), 1);
    for text in ["ada", "ADA@", " da l", "Ada@x"] {
        assert_eq!(find(text, 9).await, std::slice::from_ref(&ada), "{text}");
    }
    let (bob, cy) = (("bob@x".to_owned(), None, 0), ("cy@x".to_owned(), None, 1));
    assert_eq!(find("@x", 9).await, [ada.clone(), bob, cy]);
    assert_eq!(find("@x", 1).await, [ada]);
    assert_eq!(find("nobody", 9).await, []);
}
