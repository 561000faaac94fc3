//! Connections that are cut during a commit.

use super::*;

/// A commit whose answer does not arrive is waited for, and nothing else.
const LIMITS: Limits = Limits { commit: SHORT.commit, ..PATIENT };

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_looked_up_and_never_doubled() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let proxy = Proxy::to(cluster.port());
    let store = connect_within(LIMITS, &proxy.url(&database.name)).unwrap().0;
    let mut expected = Vec::new();
    for (position, (cuts, is_stored)) in [
        (&[Cut::Before][..], false),
        (&[Cut::After], true),
        (&[Cut::Unanswered], true),
        (&[Cut::Withheld], false),
        // The look-up is cut, too, and then its answer is lost.
        (&[Cut::After, Cut::Before], true),
        (&[Cut::After, Cut::After, Cut::Unanswered], true),
        (&[Cut::Before, Cut::Before], false),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("d{position}");
        proxy.cut(cuts);
        let seen = *store.changes().borrow();
        let outcome = deliver(&store, &id).await;
        assert!(proxy.is_done(), "{cuts:?}");
        if is_stored {
            assert_eq!(outcome.unwrap(), NEW, "{cuts:?}");
        } else {
            let error = outcome.unwrap_err();
            assert_eq!(kind(&error), Some(SqlErrorKind::Unreachable), "{cuts:?}: {error}");
            assert_eq!(stored_delivery_ids(cluster, &database.name), expected, "{cuts:?}");
            // Whatever the outcome, readers read everything again.
            let touched = store.touched_after(seen).unwrap();
            assert!(touched.iter().any(|touched| touched.is_anew), "{cuts:?}: {touched:?}");
            // A sender without an answer repeats the delivery.
            assert_eq!(deliver(&store, &id).await.unwrap(), NEW, "{cuts:?}");
        }
        expected.push(id);
        assert_eq!(stored_delivery_ids(cluster, &database.name), expected, "{cuts:?}");
    }
    assert_numbered(cluster, &database.name);
    let people = cluster.sql(&database.name, "SELECT open FROM checks");
    assert_eq!(people, expected.len().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_given_up_is_closed_whatever_the_server_does() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let proxy = Proxy::to(cluster.port());
    let store = connect_within(LIMITS, &proxy.url(&database.name)).unwrap().0;
    deliver(&store, "d1").await.unwrap();
    let before = proxy.open();
    for position in 0..3 {
        proxy.cut(&[Cut::Unanswered]);
        deliver(&store, &format!("unanswered {position}")).await.unwrap();
    }
    // The listening connection may have been opened since.
    until("the connections are closed", async || proxy.open() <= before + 1).await;
}
