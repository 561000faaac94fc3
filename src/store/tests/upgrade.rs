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
    assert_eq!((list.len(), list[0].entry.added_at, list[0].poll), (1, at(1), None));
    drop(store);
    writer.stop().await;
    Reader::look_into(&file(&folder)).unwrap();
}
