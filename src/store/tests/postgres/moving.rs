//! Copies of a whole database to a server, and what stands between.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::{
    config::{ServerConfig, StorePlace},
    store::{MoveError, Moved, move_store},
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

/// Copies, on a thread that may wait.
async fn copy(from: StorePlace, to: StorePlace) -> Result<Moved, MoveError> {
    let copied = tokio::task::spawn_blocking(move || move_store(&from, &to, false, &mut |_| ()));
    copied.await.unwrap()
}

fn at(url: &str) -> StorePlace {
    StorePlace::Server(Box::new(ServerConfig::parse(url).unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_which_nothing_was_ever_sent_is_copied_and_back() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let (folder, path) = file().await;
    copy(StorePlace::File(path), at(&database.url)).await.unwrap();
    let back = folder.path().join("back.db");
    copy(at(&database.url), StorePlace::File(back.clone())).await.unwrap();
    // And another time, since an engine may add a row of its own.
    let database = cluster.create_database();
    copy(StorePlace::File(back), at(&database.url)).await.unwrap();
    assert_eq!(stored(cluster, &database.name), ["one"]);
}
