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
    let old = Reader::look_into(&file(&folder)).unwrap_err();
    assert!(matches!(old, StoreError::TooOld), "{old}");
    let (store, writer) = Store::open(&file(&folder)).unwrap();
    let job = store.read(|reader| reader.job_state("users")).await.unwrap().unwrap();
    assert_eq!(job.last_success_at, Some(at(7)));
    let list = store.read(Reader::watch_list).await.unwrap();
    // Also of a check that nothing describes: a counter must not go back.
    for (id, severity, failures, resolutions) in [
        ("a", "medium", 4, 6),
        ("b", "medium", 5, 6),
        ("c", "high", 7, 8),
        ("only-totals", "low", 9, 10),
    ] {
        let check = store.read(move |reader| reader.check(id)).await.unwrap().unwrap();
        let severity = severity.to_owned();
        assert_eq!(check.totals, [CheckTotals { severity, failures, resolutions }], "{id}");
    }
    let ended = store.read(|reader| reader.check("only-ended")).await.unwrap();
    assert!(ended.is_some(), "a failure that ended is kept with its check");
    assert_eq!((list.len(), list[0].entry.added_at), (1, at(1)));
    assert_eq!(list[0].poll, None);
    // Nobody knows whether it ran with OTLP: an event that may wait is not given up.
    assert_eq!(store.commit(BeginOtlp { is_on: true }).await.unwrap(), 0);
    assert_eq!(store.read(Reader::otlp_backlog).await.unwrap().pending, 1);
    drop(store);
    writer.stop().await;
    Reader::look_into(&file(&folder)).unwrap();
}

/// A database as the third migration left it; the caller says its version.
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
    assert_eq!(number("SELECT d.seq FROM failure JOIN delivery AS d ON d.seq = delivery"), 7);
    assert_eq!(number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    // One who fails already is known, and what that delivery opened is still resolved.
    let again = store.commit(delivery("new", &["a", "b"])).await.unwrap();
    let DeliveryOutcome::Accepted { opened, .. } = again.outcome else { panic!("{again:?}") };
    assert_eq!((again.number, opened), (8, 1));
    // A delivery that failures refer to is not forgotten, whatever its age.
    while store.sweep(Some(at(1_000_000)), true).await.unwrap() > 0 {}
    assert_eq!(number("SELECT count(*) FROM delivery WHERE seq = 7"), 1);
    assert_eq!(number("SELECT count(*) FROM event WHERE seq = 3"), 1, "it is still to be sent");
}
