//! A disk without a place.

use std::{fs::File, io::Write as _};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_what_has_no_place_and_takes_it_once_there_is_one() {
    let cluster = Cluster::start(&Options::fast());
    let Some(disk) = cluster.small_tablespace("small", 48) else {
        eprintln!("skipped: this user may not mount a file system");
        return;
    };
    cluster.sql("postgres", "CREATE DATABASE here TABLESPACE small");
    let store = connect(&cluster.url("here"));
    assert_eq!(deliver(&store, "before").await.unwrap(), NEW);
    let filler = disk.join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    // More than the server can free meanwhile, such as by removing a cache of its catalog.
    let large = |id: &str| {
        let mut seed = 1_u32;
        let noise = (0..3_000_000).map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed.to_be_bytes()[0]
        });
        RecordDelivery { body: noise.collect::<Vec<u8>>().into(), ..delivery_of_one_user(id) }
    };
    let error = store.commit(large("large")).await.unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::DiskFull), "{error}");
    assert_eq!(error.reason(), "disk_full");
    store.read(Reader::last_seq).await.unwrap();
    drop(file);
    std::fs::remove_file(filler).unwrap();
    assert_eq!(store.commit(large("large")).await.unwrap().outcome, NEW);
    assert_eq!(stored_delivery_ids(&cluster, "here"), ["before", "large"]);
    assert_numbered(&cluster, "here");
}
