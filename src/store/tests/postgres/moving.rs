//! Copies of a whole database to a server, and their faults.

use std::path::PathBuf;

use cii_test_cluster::Replication;
use tempfile::TempDir;

use super::*;
use crate::{
    config::{ServerConfig, StorePlace},
    store::{MoveError, Moved, move_store, postgres::Uncommitted, tables::TABLES},
};

/// A database in a file, with a delivery, and its folder.
async fn file() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let (store, writer) = Store::open(&path).unwrap();
    assert_eq!(deliver(&store, "one").await.unwrap(), NEW);
    drop(store);
    writer.stop_within(BOUND).await;
    (folder, path)
}

/// Opens a copy.
fn open(copied: &Path) -> (Store, WriterThread) {
    wait_for_lock(copied);
    Store::open(copied).unwrap()
}

/// Copies, on a thread that may block.
async fn copy(from: StorePlace, to: StorePlace) -> Result<Moved, MoveError> {
    if let StorePlace::File(path) = &from {
        wait_for_lock(path);
    }
    let copied = tokio::task::spawn_blocking(move || move_store(&from, &to, false, &mut |_| ()));
    copied.await.unwrap()
}

fn at(url: &str) -> StorePlace {
    StorePlace::Server(Box::new(ServerConfig::parse(url).unwrap()))
}

/// How many tables of the exporter a database has.
fn tables(cluster: &Cluster, database: &str) -> String {
    cluster.sql(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_which_nothing_was_ever_sent_is_copied_and_back() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let (folder, path) = file().await;
    copy(StorePlace::File(path), at(&database.url)).await.unwrap();
    let back = folder.path().join("back.db");
    copy(at(&database.url), StorePlace::File(back.clone())).await.unwrap();
    // And once more, because an engine may have rows of its own.
    let database = cluster.create_database();
    copy(StorePlace::File(back), at(&database.url)).await.unwrap();
    assert_eq!(stored_delivery_ids(cluster, &database.name), ["one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_answer_is_lost_is_looked_up() {
    let cluster = Cluster::shared();
    let proxy = Proxy::to(cluster.port());
    let (_folder, path) = file().await;
    for (cuts, is_stored) in [
        (&[Cut::Before][..], false),
        (&[Cut::After], true),
        // The answer to the look-up's own commit is lost, too.
        (&[Cut::After, Cut::After], true),
        (&[Cut::After, Cut::Before], true),
    ] {
        let database = cluster.create_database();
        let name = &database.name;
        proxy.cut(cuts);
        let copied = copy(StorePlace::File(path.clone()), at(&proxy.url(name))).await;
        assert!(proxy.is_done(), "{cuts:?}");
        if is_stored {
            copied.unwrap();
        } else {
            let error = copied.unwrap_err();
            assert!(matches!(error, MoveError::Broken { .. }), "{cuts:?}: {error}");
            assert!(error.to_string().contains("nothing of the copy is kept"), "{error}");
            assert_eq!(tables(cluster, name), "0", "{cuts:?}");
            copy(StorePlace::File(path.clone()), at(&proxy.url(name))).await.unwrap();
        }
        assert_eq!(stored_delivery_ids(cluster, name), ["one"], "{cuts:?}");
        // The copy can be used.
        let store = connect(&database.url);
        assert_eq!(deliver(&store, "two").await.unwrap(), NEW);
        assert_numbered(cluster, name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_end_cannot_be_found_out_is_neither_done_nor_failed() {
    let cluster = Cluster::shared();
    let proxy = Proxy::to(cluster.port());
    for (cut, tables_after) in [(Cut::Before, false), (Cut::After, true)] {
        let database = cluster.create_database();
        let limits = Limits { look_up: Duration::from_millis(200), ..PATIENT };
        let way = Way::new(server(&proxy.url(&database.name), None)).unwrap().with_limits(limits);
        let ended = tokio::task::block_in_place(|| {
            let filling = way.filling().unwrap();
            filling.finish(&TABLES).unwrap();
            proxy.cut(&[cut]);
            // The look-up gets no answer.
            proxy.refuse(true);
            let ended = filling.commit();
            proxy.refuse(false);
            ended
        });
        assert!(matches!(ended, Err(Uncommitted::Unknown)), "{cut:?}: {ended:?}");
        until("the server has ended it", async || {
            (tables(cluster, &database.name) != "0") == tables_after
        })
        .await;
    }
    let place = "somewhere".to_owned();
    let error = MoveError::Unknown { place }.to_string();
    assert!(error.contains("run the command again"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_done_once_the_standby_has_it() {
    let primary = Cluster::start(&Options::fast());
    let database = primary.create_database();
    let standby = primary.standby("second", Replication::Synchronous, &Options::fast());
    let (_folder, path) = file().await;
    copy(StorePlace::File(path.clone()), at(&database.url)).await.unwrap();
    primary.kill();
    standby.promote();
    assert_eq!(stored_delivery_ids(&standby, &database.name), ["one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_wait_for_the_standby_somebody_ends_is_not_done_before_the_standby_has_it() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
    let name = &database.name;
    // The server says of it that it succeeded, with a warning: not even that where none is asked for.
    cluster.sql("postgres", &format!("ALTER DATABASE {name} SET client_min_messages = error"));
    cluster.miss_a_standby();
    let (_folder, path) = file().await;
    let copied = tokio::spawn(copy(StorePlace::File(path), at(&database.url)));
    let end = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
        WHERE wait_event = 'SyncRep'";
    let mut ended = 0;
    until("two waits were ended: the copy's, and the look-up's", async || {
        ended += usize::from(cluster.sql("postgres", end) != "0");
        ended > 1
    })
    .await;
    assert!(!copied.is_finished(), "no standby has it");
    cluster.miss_no_standby();
    copied.await.unwrap().unwrap();
    assert_eq!(stored_delivery_ids(&cluster, name), ["one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_goes_through_a_pool_and_back() {
    let cluster = Cluster::shared();
    let pool = cluster.pool();
    let database = cluster.create_database();
    let (folder, path) = file().await;
    copy(StorePlace::File(path), at(&pool.url(&database.name))).await.unwrap();
    assert_eq!(stored_delivery_ids(cluster, &database.name), ["one"]);
    let back = folder.path().join("back.db");
    copy(at(&pool.url(&database.name)), StorePlace::File(back.clone())).await.unwrap();
    let (store, _writer) = open(&back);
    assert_eq!(deliver(&store, "one").await.unwrap(), DeliveryOutcome::Duplicate);
}
