//! What a daemon tells while what is to be committed waits: for a standby, or for a server that hangs.

use std::{collections::BTreeSet, time::Duration};

use cii_test_cluster::{Cluster, Options};
use serde_json::Value;

use crate::harness::{Body, Exporter, Setup, until};

/// What the last try to commit came to.
const UP: &str = "cii_store_up";

fn body(id: &str) -> Value {
    Body::new(id, "no-mfa", &[&format!("{id}@example.com")]).json()
}

/// Why nothing can be committed; empty while something can.
async fn why(exporter: &Exporter) -> String {
    let request = reqwest::Client::new().get(format!("{}/-/ready", exporter.ops_url));
    let answer = request.header("accept", "application/json").send().await.unwrap();
    let condition: Value = answer.json().await.unwrap();
    condition["store_writes"]["reason"].as_str().unwrap_or_default().to_owned()
}

/// Delivers what cannot be committed; what the replicas say meanwhile of why.
async fn refused(id: &str, taker: &Exporter, replicas: &[&Exporter]) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    let body = body(id);
    let delivery = taker.deliver(&body);
    tokio::pin!(delivery);
    loop {
        tokio::select! {
            status = &mut delivery => {
                assert_eq!(status, 503, "{id}: {told:?}");
                return told;
            }
            () = tokio::time::sleep(Duration::from_millis(100)) => {
                for replica in replicas {
                    told.insert(why(replica).await);
                }
            }
        }
    }
}

async fn until_ready(exporter: &Exporter) {
    until("readiness", || async { (exporter.get("/-/ready").await.0 == 200).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_commits_wait_for_a_standby_is_told_by_every_replica() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
    let (one, other) = (
        Setup::new().at(&database.url).start().await,
        Setup::new().at(&database.url).start().await,
    );
    assert_eq!(one.deliver(&body("before")).await, 200);
    cluster.miss_a_standby();
    let mut told = refused("first", &one, &[&one, &other]).await;
    // The commit is still under way.
    for replica in [&one, &other] {
        assert_eq!(replica.metrics().await.get(UP), Some(0.0));
    }
    // It fails since the first one has the lock, whose wait the server does not end.
    told.extend(refused("second", &one, &[&one, &other]).await);
    let is_true = |why: &String| {
        why.is_empty() || why.contains("synchronous standby") || why.contains("has not answered")
    };
    assert!(told.iter().all(is_true), "{told:?}");
    for replica in [&one, &other] {
        assert!(why(replica).await.contains("synchronous standby"));
        let (status, text) = replica.get("/-/ready").await;
        assert!(status == 503 && text.contains("synchronous_standby_names"), "{text}");
        assert_eq!(replica.metrics().await.get(UP), Some(0.0));
    }
    assert!(one.log().contains("cannot commit"), "{}", one.log());
    cluster.miss_no_standby();
    for replica in [&one, &other] {
        until_ready(replica).await;
        replica.until_metric(UP, 1.0).await;
    }
    for id in ["first", "second"] {
        assert_eq!(one.deliver(&body(id)).await, 200);
    }
    let failing = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";
    assert_eq!(other.metrics().await.get(failing), Some(3.0), "each counts once");
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_server_hangs_is_told_before_a_commit_fails_by_it() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
    let exporter = Setup::new().at(&database.url).start().await;
    assert_eq!(exporter.deliver(&body("before")).await, 200);
    cluster.pause();
    let told = refused("while", &exporter, &[&exporter]).await;
    assert_eq!(exporter.metrics().await.get(UP), Some(0.0));
    cluster.resume();
    assert!(told.iter().any(|why| why.contains("has not answered")), "{told:?}");
    assert!(!told.iter().any(|why| why.contains("too many writes")), "{told:?}");
    until_ready(&exporter).await;
    exporter.until_metric(UP, 1.0).await;
    assert_eq!(exporter.deliver(&body("while")).await, 200);
}
