//! A database of the first version.

use super::*;

#[tokio::test]
async fn a_database_of_the_first_version_keeps_what_it_knows() {
    let folder = TempDir::new().unwrap();
    {
        let connection = rusqlite::Connection::open(file(&folder)).unwrap();
        connection.execute_batch(include_str!("../migrations/0001_initial.sql")).unwrap();
        connection
            .execute_batch(
                "INSERT INTO job_run (job, last_success_at) VALUES ('users', 7000000);
                 INSERT INTO watch (kind, subject, source, added_at)
                    VALUES ('user', 'a@example.com', 'configuration', 1000000);
                 INSERT INTO check_total (check_id, severity, failures, resolutions)
                    VALUES ('a', 'medium', 1, 2), ('a', 'moderate', 3, 4), ('b', 'moderate', 5, 6),
                        ('c', 'high', 7, 8);
                 INSERT INTO check_definition (check_id, title, description, recommended_actions,
                        as_of, last_event_at)
                    VALUES ('a', 'A', '[]', '[]', 0, 0), ('b', 'B', '[]', '[]', 0, 0),
                        ('c', 'C', '[]', '[]', 0, 0);
                 UPDATE watch_total SET subjects = 1 WHERE kind = 'user';
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
    for (id, severity, failures, resolutions) in
        [("a", "medium", 4, 6), ("b", "medium", 5, 6), ("c", "high", 7, 8)]
    {
        let check = store.read(move |reader| reader.check(id)).await.unwrap().unwrap();
        let severity = severity.to_owned();
        assert_eq!(check.totals, [CheckTotals { severity, failures, resolutions }], "{id}");
    }
    assert_eq!((list.len(), list[0].entry.added_at), (1, at(1)));
    assert_eq!(list[0].poll, None);
    drop(store);
    writer.stop().await;
    Reader::look_into(&file(&folder)).unwrap();
}
