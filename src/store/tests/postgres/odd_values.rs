//! Unusual and large values.

use super::*;
use crate::{
    domain::FailingUser,
    ledger::{Change, Facts, Fault, Keys, UserSnapshot},
};

/// A store on each engine.
fn open_on_both_engines() -> (Fixture, Store) {
    (Fixture::in_file(), connect(&Cluster::shared().create_database().url))
}

/// What is shown of a delivery and of its check.
async fn read_shown(store: &Store, check: &str) -> String {
    let check = check.to_owned();
    let read = move |reader: &Reader| {
        let deliveries = reader.deliveries(None, i64::MAX, 9)?;
        let events = reader.public_events_after(0, BatchLimit::events(9))?.events;
        let events: Vec<_> = events.into_iter().map(|stored| stored.event).collect();
        Ok(format!("{deliveries:#?} {:#?} {events:#?}", reader.check(&check)?))
    };
    store.read(read).await.unwrap()
}

/// A delivery in which each text is this one, and others the same.
fn delivery_with_text(text: &str) -> RecordDelivery {
    let mut record = delivery_of_one_user("d");
    let words = || Some(text.to_owned());
    record.delivery.id = text.to_owned();
    record.delivery.source = words();
    record.delivery.detail_id = words();
    record.delivery.account = words();
    record.delivery.region = words();
    record.delivery.explanation = None;
    record.delivery.notes = vec![text.to_owned()];
    let check = record.delivery.check.as_mut().unwrap();
    check.id = CheckId::new(text).unwrap();
    check.definition.title = text.to_owned();
    check.definition.description = vec![text.to_owned()];
    check.definition.recommended_actions = vec![text.to_owned()];
    if let Ok(login) = Login::new(text) {
        record.delivery.failing.push(FailingUser { login, explanation: None });
    }
    record.body = text.as_bytes().to_vec().into();
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_any_script_are_the_same_on_both_engines() {
    for text in
        ["Grüße, 漢字 \u{1f600} e\u{301}", "it's \"so\" \\ %_ ?1 $1 ::x", "\u{fffd}\u{10ffff}"]
    {
        let (file, server) = open_on_both_engines();
        for store in [&file.store, &server] {
            let opened = delivery_with_text(text).delivery.failing.len();
            let outcome = store.commit(delivery_with_text(text)).await.unwrap().outcome;
            assert_eq!(outcome, DeliveryOutcome::Accepted { opened, past_limit: 0 }, "{text}");
            let again = store.commit(delivery_with_text(text)).await.unwrap().outcome;
            assert_eq!(again, DeliveryOutcome::Duplicate, "{text}");
        }
        assert_eq!(read_shown(&file.store, text).await, read_shown(&server, text).await, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_character_nul_is_stored_as_a_mark_and_fails_nothing() {
    let (file, server) = open_on_both_engines();
    for store in [&file.store, &server] {
        for (id, title) in [("one", "a\0b"), ("two", "a\0b"), ("three", "a\u{fffd}b")] {
            let mut record = delivery_with_text("a\0b");
            record.delivery.id = id.to_owned();
            record.delivery.check.as_mut().unwrap().definition.title = title.to_owned();
            let outcome = store.commit(record).await.unwrap().outcome;
            assert!(matches!(outcome, DeliveryOutcome::Accepted { .. }), "{outcome:?}");
        }
        let answer = fixtures::checks_only(FailureAnswer {
            login: login("nul@x"),
            verdict: Verdict::Fails(["a\0b".to_owned()].into()),
            asked_at: at(100),
            answered_at: at(100),
            settle: chrono::TimeDelta::zero(),
        });
        store.commit(answer).await.unwrap();
        let check = store.read(|reader| reader.check("a\u{fffd}b")).await.unwrap().unwrap();
        assert_eq!(check.failing, 2);
    }
    // A body is stored as received.
    let read = |reader: &Reader| reader.delivery(1);
    let kept = server.read(read).await.unwrap().unwrap();
    assert_eq!(kept.body.as_deref(), Some(&b"a\0b"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_the_character_nul_stands_in_no_other_s_way() {
    let (file, server) = open_on_both_engines();
    for store in [&file.store, &server] {
        watch(store, [login("a@x"), login("b@x")], [], at(1)).await.unwrap();
        for (name, display_name) in [("a@x", "Ada\0 \\u0000 \\\\u0000"), ("b@x", "Bob")] {
            let mut answer = snapshot(name, &[]);
            answer.state.as_mut().unwrap().0.state.display_name = display_name.to_owned();
            store.commit(answer).await.unwrap();
        }
        let users = store.read(|reader| reader.watched_users_page(0, 9)).await.unwrap();
        assert_eq!(users.len(), 2);
        let found = store.read(|reader| reader.find("bob", 9)).await.unwrap();
        assert_eq!(found.users.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_of_a_hundred_thousand_users_and_a_body_of_10_mib_are_stored() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let store = connect(&database.url);
    let mut record = delivery_of_one_user("many");
    record.delivery.failing = (0..100_000)
        .map(|number| FailingUser { login: login(&format!("u{number}@x")), explanation: None })
        .collect();
    let mut seed = 1_u64;
    let noise = (0..10 * 1024 * 1024).map(|_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed.to_be_bytes()[0]
    });
    let body: Vec<u8> = noise.collect();
    record.body = body.clone().into();
    let recorded = store.commit(record).await.unwrap();
    assert_eq!(recorded.outcome, DeliveryOutcome::Accepted { opened: 100_000, past_limit: 0 });
    let number = recorded.number;
    let kept = store.read(move |reader| reader.delivery(number)).await.unwrap().unwrap();
    assert!(kept.body.as_deref() == Some(&body[..]));
    assert_eq!(cluster.sql(&database.name, "SELECT count(*) FROM failure"), "100000");
    assert_numbered(cluster, &database.name);
}

/// Keeps a snapshot of a user who has so many new addresses.
#[derive(Debug)]
struct NewAddresses(Login, u64);

impl Change for NewAddresses {
    type Outcome = ();

    fn keys(&self, keys: &mut Keys) {
        keys.users.insert(self.0.clone());
    }

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        let row = UserSnapshot {
            state: Arc::default(),
            first_observed_at: at(1),
            observed_at: at(1),
            new_ips: self.1,
            last_new_ip_at: None,
            last_new_country_at: None,
        };
        facts.users.put(self.0.clone(), row);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_no_column_holds_fails_its_change_and_no_other() {
    let (file, server) = open_on_both_engines();
    for store in [&file.store, &server] {
        let most = u64::try_from(i64::MAX).unwrap();
        let numbers = [("a", 1), ("b", most), ("c", most + 1), ("d", u64::MAX), ("e", 2)];
        let group = numbers.map(|(name, number)| NewAddresses(login(name), number));
        let outcomes = store.commit_all(group).await.unwrap();
        let is_kept: Vec<_> = outcomes.iter().map(Result::is_ok).collect();
        assert_eq!(is_kept, [true, true, false, false, true], "{outcomes:?}");
    }
}

/// The server refuses a row long after it was sent, when the COMMIT is already on its way.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_server_refuses_fails_its_change_and_no_other() {
    let cluster = Cluster::shared();
    for table in ["failure", "watch", "event"] {
        let database = cluster.create_database();
        let store = connect(&database.url);
        let column = if table == "watch" { "subject" } else { "login" };
        cluster.sql(
            &database.name,
            &format!("ALTER TABLE {table} ADD CHECK ({column} <> 'refused@x')"),
        );
        let group = ["first", "refused", "last"].map(delivery_of_one_user);
        let outcomes = store.commit_all(group).await.unwrap();
        let is_kept: Vec<_> = outcomes.iter().map(Result::is_ok).collect();
        assert_eq!(is_kept, [true, false, true], "{table}: {outcomes:?}");
        assert_eq!(stored_delivery_ids(cluster, &database.name), ["first", "last"], "{table}");
        assert_numbered(cluster, &database.name);
    }
}
