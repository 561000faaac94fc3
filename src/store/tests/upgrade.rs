//! A database of the first version.

use super::*;

#[tokio::test]
async fn a_database_of_the_first_version_keeps_what_it_knows() {
    let folder = TempDir::new().unwrap();
    {
        let connection = rusqlite::Connection::open(file(&folder)).unwrap();
        connection.execute_batch(include_str!("../sqlite/migrations/0001_initial.sql")).unwrap();
        connection
            .execute_batch(
                "INSERT INTO job_run (job, last_success_at) VALUES ('users', 7000000);
                 INSERT INTO watch (kind, subject, source, added_at)
                    VALUES ('user', 'a@example.com', 'configuration', 1000000);
                 INSERT INTO check_total (check_id, severity, failures, resolutions)
                    VALUES ('a', 'medium', 1, 2), ('a', 'moderate', 3, 4), ('b', 'moderate', 5, 6),
                        ('c', 'high', 7, 8), ('only-totals', 'low', 9, 10);
                 INSERT INTO failure (check_id, login, opened_at, reported_at, resolved_at)
                    VALUES ('only-ended', 'a@example.com', 1000000, 1000000, 2000000);
                 INSERT INTO check_definition (check_id, title, description, recommended_actions,
                        as_of, last_event_at)
                    VALUES ('a', 'A', '[]', '[]', 0, 0), ('b', 'B', '[]', '[]', 0, 0),
                        ('c', 'C', '[]', '[]', 0, 0);
                 UPDATE watch_total SET subjects = 1 WHERE kind = 'user';
                 INSERT INTO event (name, public, happened_at, observed_at, body, attributes)
                    VALUES ('cii.webhook.test', 1, 1000000, 1000000, 'A test', '{}');
                 PRAGMA user_version = 1;",
            )
            .unwrap();
    }
    let old = Reader::open_existing(&file(&folder)).unwrap_err();
    assert!(matches!(old, StoreError::TooOld(_)), "{old}");
    let (store, writer) = Store::open(&file(&folder)).unwrap();
    let job = store.read(|reader| reader.job_state("users")).await.unwrap().unwrap();
    assert_eq!(job.last_success_at, Some(at(7)));
    let list = store.read(Reader::watch_list).await.unwrap();
    // Also of a check that nothing describes: a counter must not go back.
    for (id, failures, resolutions) in
        [("a", 4, 6), ("b", 5, 6), ("c", 7, 8), ("only-totals", 9, 10)]
    {
        let check = store.read(move |reader| reader.check(id)).await.unwrap().unwrap();
        assert_eq!((check.failures, check.resolutions), (failures, resolutions), "{id}");
    }
    let ended = store.read(|reader| reader.check("only-ended")).await.unwrap();
    assert!(ended.is_some(), "a failure that ended is kept with its check");
    assert_eq!((list.len(), list[0].entry.added_at), (1, at(1)));
    assert_eq!(list[0].poll, None);
    // Whether the old version had an OTLP delivery is unknown: events that may wait are not left
    // out.
    assert_eq!(store.commit(BeginOtlp { is_on: true }).await.unwrap(), 0);
    assert_eq!(store.read(Reader::otlp_backlog).await.unwrap().pending, 1);
    drop(store);
    writer.stop().await;
    Reader::open_existing(&file(&folder)).unwrap();
}

/// A database as the third migration made it; the caller sets its version.
fn version_3(folder: &TempDir) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(file(folder)).unwrap();
    for script in [
        include_str!("../sqlite/migrations/0001_initial.sql"),
        include_str!("../sqlite/migrations/0002_truth.sql"),
        include_str!("../sqlite/migrations/0003_medium.sql"),
    ] {
        connection.execute_batch(script).unwrap();
    }
    connection
}

#[tokio::test]
async fn deliveries_of_an_older_version_keep_their_numbers_and_their_failures() {
    let folder = TempDir::new().unwrap();
    {
        version_3(&folder)
            .execute_batch(
                r#"INSERT INTO delivery (seq, id, received_at, detail_type, outcome, check_id, body)
                    VALUES (3, 'old', 20000000, 'FAILED_CHECK', 'accepted', 'no-mfa',
                            '{"detail":{"usersFailing":["a","b"]}}'),
                           (5, 'out', 30000000, '', 'filtered', 'other', NULL);
                 INSERT INTO failure (check_id, login, opened_at, reported_at, delivery_seq)
                    VALUES ('no-mfa', 'a', 10000000, 10000000, 3);
                 PRAGMA user_version = 3;"#,
            )
            .unwrap();
    }
    let (store, _writer) = Store::open(&file(&folder)).unwrap();
    let kept = store.read(|reader| reader.deliveries(None, i64::MAX, 10)).await.unwrap();
    let row = |kept: &KeptDelivery| (kept.number, kept.users_failing, kept.users_newly_failing);
    let rows: Vec<_> = kept.iter().map(row).collect();
    assert_eq!(rows, [(Some(5), 0, 0), (Some(3), 2, 1)]);
    let again = store.commit(delivery("old", &["a"])).await.unwrap();
    assert_eq!((again.number, again.outcome), (3, DeliveryOutcome::Duplicate));
    let new = store.commit(delivery("new", &["a"])).await.unwrap();
    assert_eq!(new.number, 6, "a number is never used twice");
}

#[tokio::test]
async fn an_older_version_keeps_its_place_in_the_log_and_what_fails() {
    let folder = TempDir::new().unwrap();
    {
        version_3(&folder)
            .execute_batch(
                "INSERT INTO event
                        (seq, name, public, happened_at, observed_at, body, attributes)
                    VALUES (1, 'cii.check.delivery', 1, 10000000, 10000000, '1', '{}'),
                        (2, 'cii.check.delivery', 1, 10000000, 10000000, '2', '{}'),
                        (3, 'cii.check.delivery', 1, 10000000, 10000000, '3', '{}');
                 INSERT INTO cursor (consumer, seq) VALUES ('otlp', 2);
                 INSERT INTO parked_event (seq, reason, parked_at) VALUES (1, 'refused', 11000000);
                 INSERT INTO check_definition (check_id, title, severity, description,
                        recommended_actions, as_of, last_event_at)
                    VALUES ('no-mfa', 'No MFA', 'high', '[]', '[]', 10000000, 10000000);
                 INSERT INTO delivery (seq, id, received_at, detail_type, outcome, check_id, body)
                    VALUES (7, 'old', 20000000, 'FAILED_CHECK', 'accepted', 'no-mfa', '{}');
                 INSERT INTO failure (check_id, login, opened_at, reported_at, delivery_seq)
                    VALUES ('no-mfa', 'a', 10000000, 10000000, 7);
                 PRAGMA user_version = 3;",
            )
            .unwrap();
    }
    let (store, _writer) = Store::open(&file(&folder)).unwrap();
    let connection = rusqlite::Connection::open(file(&folder)).unwrap();
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("SELECT seq FROM cursor WHERE consumer = 'otlp'"), 2);
    assert_eq!(number("SELECT seq FROM parked_event"), 1);
    assert_eq!(number("SELECT count(*) FROM failure WHERE login = 'a'"), 1);
    assert_eq!(number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    // A user who fails already is known, and a failure of an old delivery still resolves.
    let again = store.commit(delivery("new", &["a", "b"])).await.unwrap();
    let DeliveryOutcome::Accepted { opened, .. } = again.outcome else { panic!("{again:?}") };
    assert_eq!((again.number, opened), (8, 1));
    // A delivery that is too old is removed, even when its failure is open.
    while store.sweep(Retention::uniform(Some(at(1_000_000))), true).await.unwrap() > 0 {}
    assert_eq!(number("SELECT count(*) FROM delivery WHERE seq = 7"), 0);
    assert_eq!(number("SELECT count(*) FROM failure WHERE login = 'a'"), 1);
    assert_eq!(number("SELECT count(*) FROM event WHERE seq = 3"), 1, "it is still to be sent");
}

/// A database in which two spellings of an e-mail login were two users.
fn with_twins(folder: &TempDir) {
    let connection = rusqlite::Connection::open(file(folder)).unwrap();
    sqlite::make_version(&connection, 8).unwrap();
    connection
        .execute_batch(
            r#"INSERT INTO checks (number, id, title, as_of, last_event_at, version, open)
                VALUES (1, 'no-mfa', 'No MFA', 0, 0, 1, 3);
             INSERT INTO check_words (check_number, version, description, recommended_actions)
                VALUES (1, 1, '[]', '[]');
             INSERT INTO check_total (check_number, severity, failures, resolutions)
                VALUES (1, 'unknown', 3, 0);
             INSERT INTO failure (check_number, login, opened_at, reported_at, is_announced)
                VALUES (1, 'Mixed@example.com', 5000000, 9000000, 0),
                       (1, 'mixed@example.com', 7000000, 8000000, 1),
                       (1, 'Svc.Account', 7000000, 8000000, 1);
             INSERT INTO failure_answer (login, as_of, unknown_since)
                VALUES ('Mixed@example.com', 6000000, 6000000), ('mixed@example.com', 4000000, NULL);
             INSERT INTO watch (kind, subject, source, added_at, note)
                VALUES ('user', 'MIXED@example.com', 'configuration', 3000000, NULL),
                       ('user', 'Mixed@example.com', 'webhook', 2000000, NULL),
                       ('user', 'mixed@example.com', 'webhook', 1000000, NULL);
             INSERT INTO user_snapshot (login, state, first_observed_at, observed_at, new_ips)
                VALUES ('Mixed@example.com', '{"id":"","display_name":"New","status":"A"}', 3000000,
                        9000000, 1),
                       ('mixed@example.com', '{"id":"","display_name":"Old","status":"A"}', 2000000,
                        8000000, 2);
             INSERT INTO poll (kind, subject, outcome, since, last_at)
                VALUES ('user', 'Mixed@example.com', 'not_found', 1000000, 2000000),
                       ('user', 'mixed@example.com', 'answered', 1000000, 3000000);
             INSERT INTO list_null (login, field, since, last_at)
                SELECT 'Mixed@example.com', 'failing_checks', 1000000, 2000000 WHERE 0;
             INSERT INTO event (seq, name, public, ordinal, login, happened_at, observed_at, body,
                                attributes)
                VALUES (1, 'cii.check.failed', 1, 1, 'Mixed@example.com', 5000000, 5000000, 'B',
                        '{"user.name":"Mixed@example.com"}');
             INSERT INTO ip_snapshot (ip, users, first_observed_at, observed_at)
                VALUES ('203.0.113.7',
                        '{"Mixed@example.com":{"id":"1","display_name":"M","reference_url":null},
                          "mixed@example.com":{"id":"1","display_name":"M","reference_url":null}}',
                        1000000, 1000000);
             INSERT INTO listing (state, number, begun_at, pages, users, told, skipped, figures,
                                  is_verdict, ended_at)
                VALUES ('done', 1, 1000000, 1, 2, 2, 0, '[]', 1, 1000000);
             INSERT INTO listing_member (listing, login, failing, is_null, asked_at)
                VALUES (1, 'Mixed@example.com', '[]', 0, 1000000),
                       (1, 'mixed@example.com', '[]', 0, 1000000);
             UPDATE head SET event = 1, public_events = 1, users = 3, failing_people = 3,
                listing = 1, check_number = 1;"#,
        )
        .unwrap();
}

#[tokio::test]
async fn two_spellings_of_an_email_login_become_one_user_and_nothing_is_announced() {
    let folder = TempDir::new().unwrap();
    with_twins(&folder);
    let (store, _writer) = Store::open(&file(&folder)).unwrap();
    let failing = store.read(|reader| reader.failing_logins("no-mfa", "", 9)).await.unwrap();
    let failing: Vec<_> = failing
        .iter()
        .map(|user| (user.login.as_str(), user.login.spelling(), user.since, user.reported_at))
        .collect();
    let expected = [
        ("Svc.Account", "Svc.Account", at(7), at(8)),
        ("mixed@example.com", "Mixed@example.com", at(5), at(9)),
    ];
    assert_eq!(failing, expected);
    let check = store.read(|reader| reader.check("no-mfa")).await.unwrap().unwrap();
    assert_eq!((check.failing, check.failures), (2, 3));
    assert_eq!(store.read(Reader::failing_people).await.unwrap(), 2);
    assert_eq!(names(&store).await.len(), 1, "nothing is announced");
    let user = store.read(|reader| reader.user_record("mixed@example.com")).await.unwrap().unwrap();
    assert_eq!((user.state.display_name.as_str(), user.observed_at), ("New", at(9)));
    assert_eq!((user.first_observed_at, user.new_ips), (at(2), 2));
    let list = store.read(Reader::watch_list).await.unwrap();
    let list: Vec<_> = list.iter().map(|w| (w.entry.source, w.entry.added_at)).collect();
    assert_eq!(list, [(WatchSource::Configuration, at(3)), (WatchSource::Webhook, at(1))]);
    let filter =
        EventFilter { login: Some("mixed@example.com".to_owned()), ..EventFilter::default() };
    let page = store.read(move |reader| reader.events_after(&filter, 0, 9)).await.unwrap();
    assert_eq!(page.events[0].event.login.as_ref().unwrap().spelling(), "Mixed@example.com");
    let ip = store.read(|reader| reader.ip_record("203.0.113.7")).await.unwrap().unwrap();
    assert_eq!(ip.users.len(), 1);
    // Another spelling is still the same user.
    let again = store.commit(delivery("new", &["MIXED@example.com"])).await.unwrap();
    assert!(matches!(again.outcome, DeliveryOutcome::Accepted { opened: 0, .. }), "{again:?}");
}

/// The version of the database before the rows about people.
const BEFORE_PEOPLE: usize = 8;

#[tokio::test]
async fn an_upgrade_tells_followed_users_from_listed_ones_and_new_places_from_old() {
    let folder = TempDir::new().unwrap();
    let connection = rusqlite::Connection::open(file(&folder)).unwrap();
    sqlite::make_version(&connection, BEFORE_PEOPLE).unwrap();
    connection
        .execute_batch(
            r#"INSERT INTO checks (number, id, title, as_of, last_event_at, version, open)
                VALUES (1, 'no-mfa', 'No MFA', 0, 0, 1, 1);
             INSERT INTO failure (check_number, login, opened_at, reported_at, is_announced)
                VALUES (1, 'fails@x', 5000000, 9000000, 1);
             INSERT INTO failure_closed (check_number, login, opened_at, closed_at, is_announced)
                VALUES (1, 'mended@x', 1000000, 6000000, 1), (1, 'mended@x', 1000000, 7000000, 1);
             INSERT INTO watch (kind, subject, source, added_at) VALUES
                ('user', 'fails@x', 'webhook', 1000000), ('user', 'mended@x', 'webhook', 1000000),
                ('user', 'named@x', 'webhook', 8000000), ('user', 'both@x', 'webhook', 9000000),
                ('user', 'both@x', 'command', 9000000), ('ip', '192.0.2.1', 'command', 1000000);
             INSERT INTO user_snapshot (login, state, first_observed_at, observed_at, new_ips)
                VALUES ('both@x', '{"id":"","display_name":"","status":"A","ip_addresses":
                        {"192.0.2.1":{"city":null,"state":null,"country":null}}}',
                        1000000, 2000000, 3);
             INSERT INTO ip_snapshot (ip, users, first_observed_at, observed_at)
                VALUES ('192.0.2.1', '{"both@x":{"id":"1","display_name":"B","reference_url":null},
                        "new@x":{"id":"2","display_name":"N","reference_url":null}}', 1000000, 1000000);
             INSERT INTO event (seq, name, public, ordinal, login, ip, happened_at, observed_at,
                                body, attributes) VALUES
                (1, 'cii.ip.user.new', 1, 1, 'new@x', '192.0.2.1', 4000000, 4000000, 'B', '{}'),
                (2, 'cii.user.ip.gone', 1, 2, 'both@x', '192.0.2.9', 5000000, 5000000, 'B', '{}'),
                (3, 'cii.user.ip.gone', 1, 3, 'both@x', '192.0.2.1', 5000000, 5000000, 'B', '{}');
             UPDATE head SET event = 3, public_events = 3, users = 4, ips = 1, failing_people = 1,
                check_number = 1;"#,
        )
        .unwrap();
    drop(connection);
    let (store, _writer) = Store::open(&file(&folder)).unwrap();
    let counts = store.read(Reader::counts).await.unwrap();
    assert_eq!((counts.users, counts.followed, counts.ips), (1, 3, 1));
    let list = store.read(Reader::watch_list).await.unwrap();
    let ends: BTreeMap<_, _> = list
        .iter()
        .filter(|watched| watched.entry.source == WatchSource::Webhook)
        .map(|watched| (watched.entry.subject.text(), watched.entry.expires_at))
        .collect();
    let day = 86_400;
    let expected = [
        ("both@x", Some(at(9 + day))),
        ("fails@x", None),
        ("mended@x", Some(at(7 + day))),
        ("named@x", Some(at(8 + day))),
    ];
    assert_eq!(ends, expected.map(|(login, end)| (login.to_owned(), end)).into());
    // New addresses continue the count of the addresses that users had.
    assert_eq!((counts.new_ips, counts.new_countries), (3, 0));
    let ip = store.read(|reader| reader.ip_record("192.0.2.1")).await.unwrap().unwrap();
    let since: Vec<_> = ip.users.iter().map(|user| (user.login.as_str(), user.since)).collect();
    assert_eq!(since, [("both@x", at(1)), ("new@x", at(4))]);
    // What the log says is gone, and is not there, comes back as known.
    let mut back = snapshot("both@x", &["192.0.2.1", "192.0.2.9", "192.0.2.10"]);
    back.state.as_mut().unwrap().1 = at(30);
    store.commit(back).await.unwrap();
    let is_of_place = |name: &EventName| *name != EventName::UserStatusChanged;
    let new: Vec<_> = names(&store).await.into_iter().skip(3).filter(is_of_place).collect();
    assert_eq!(new, [EventName::UserIpNew, EventName::UserIpBack]);
}
