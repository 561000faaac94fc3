//! How often a group waits for the server.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_group_waits_for_the_server_as_often_whatever_its_size() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let proxy = Proxy::to(cluster.port());
    let store = connect(&proxy.url(&database.name));
    // The check is known from then on.
    deliver(&store, "first").await.unwrap();
    proxy.delay(Duration::from_millis(10));
    proxy.round_trips();
    let mut waits = Vec::new();
    for size in [1, 20, 500] {
        let group = (0..size).map(|number| about_one(&format!("{size}-{number}")));
        for outcome in store.commit_all(group).await.unwrap() {
            assert_eq!(outcome.unwrap().outcome, NEW);
        }
        let [once] = proxy.round_trips()[..] else { panic!("one group is one transaction") };
        waits.push(once);
    }
    assert!(waits.iter().all(|once| *once <= MOST), "{waits:?}");
}

/// Some more than a group of deliveries of a known check needs.
const MOST: usize = 8;
