//! Several replicas on one PostgreSQL: what one is told, all tell; one polls and sends.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use cii_simulator::Simulator;
use cii_test_cluster::{Cluster, Options, Stop};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::harness::{Body, Exporter, Protocol, Receiver, Setup, attribute, until};

/// How often the leader is killed; a long run sets more by this variable.
fn kills() -> usize {
    #[expect(clippy::disallowed_methods, reason = "an argument of whoever runs the tests")]
    let given = std::env::var("CII_TEST_KILLS").ok();
    given.and_then(|kills| kills.parse().ok()).unwrap_or(2)
}

/// Kills between two restarts of the database.
const KILLS_A_RESTART: usize = 4;

/// How long a sender waits between two deliveries: what all of them sent is looked for at the end.
const BETWEEN: Duration = Duration::from_millis(50);

/// How long nobody may act after a leader's end: 15 seconds, and as much again for a busy machine.
const TAKEOVER: Duration = Duration::from_secs(30);

async fn leads(exporter: &Exporter) -> bool {
    exporter.scrape().await.get("cii_leader") == Some(1.0)
}

/// Waits until this one leads: on a busy machine, not the first try to take the lease may succeed.
async fn until_it_leads(exporter: &Exporter) {
    until("it leads", || async { leads(exporter).await.then_some(()) }).await;
}

/// Waits until exactly one of these leads; its place.
async fn until_one_leads(replicas: &[&Exporter]) -> usize {
    until("one leader", || async {
        let mut leaders = Vec::new();
        for (place, replica) in replicas.iter().enumerate() {
            if leads(replica).await {
                leaders.push(place);
            }
        }
        (leaders.len() == 1).then(|| leaders[0])
    })
    .await
}

/// The ids of events at the collector, each with how often it came.
fn uids(received: &[Value]) -> BTreeMap<String, usize> {
    let mut uids = BTreeMap::new();
    for line in received {
        *uids.entry(attribute(line, "log.record.uid").unwrap().to_string()).or_default() += 1;
    }
    uids
}

/// Waits until both tell the same of the tenant, and returns that.
async fn until_equal(one: &Exporter, other: &Exporter) -> String {
    until("the same metrics of the tenant", || async {
        let (one, other) = (one.metrics().await, other.metrics().await);
        let (one, other) = (one.of_tenant(), other.of_tenant());
        (one == other).then(|| format!("{one:?}"))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_replica_takes_all_tell_and_one_sends() {
    let database = Cluster::shared().create_database();
    let simulator = Simulator::start(cii_simulator::Options::default()).await.unwrap();
    let receiver = Receiver::start().await;
    let setup = || {
        Setup::new()
            .at(&database.url)
            .polling(&simulator, "0 0 0 1 1 *")
            .watch("users = [\"ada@example.com\"]")
            .sending(&receiver, Protocol::Http)
    };
    let one = setup().start().await;
    until_it_leads(&one).await;
    let other = setup().start().await;
    assert!(leads(&one).await && !leads(&other).await, "the first one leads");
    for number in 0..20 {
        let body = Body::new(&format!("d{number}"), "no-mfa", &[&format!("u{number}@example.com")]);
        let taker = if number % 2 == 0 { &one } else { &other };
        assert_eq!(taker.deliver(&body.json()).await, 200);
        // Whoever repeats it to another replica has it counted once.
        let repeater = if number % 2 == 0 { &other } else { &one };
        assert_eq!(repeater.deliver(&body.json()).await, 200);
    }
    // A scrape shows what any replica acknowledged before it.
    let failing = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";
    for replica in [&one, &other] {
        assert_eq!(replica.metrics().await.get(failing), Some(20.0));
    }
    until_equal(&one, &other).await;
    let received = until("every event at the collector", || async {
        let received = receiver.received();
        let failed =
            received.iter().filter(|line| line["record"]["eventName"] == "cii.check.failed");
        (failed.count() >= 20).then_some(received)
    })
    .await;
    assert!(uids(&received).values().all(|times| *times == 1), "each event is sent once");

    let (_, ready) = other.get("/-/ready").await;
    assert_eq!(ready, "ready\n");
    let (_, page) = other.get("/health").await;
    assert!(page.contains("polls, sends and prunes"), "{page}");
    let (_, users) = other.api("GET", "/checks/no-mfa/users?limit=100", None).await;
    assert_eq!(users["users"].as_array().map(Vec::len), Some(20), "{users}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_over_without_a_collector_or_the_api_leaves_both_to_who_has_them() {
    let database = Cluster::shared().create_database();
    let simulator = Simulator::start(cii_simulator::Options::default()).await.unwrap();
    let receiver = Receiver::start().await;
    let with_both = Setup::new()
        .at(&database.url)
        .polling(&simulator, "0 0 0 1 1 *")
        .sending(&receiver, Protocol::Http);
    let one = with_both.start().await;
    let administrators = "cii_admins";
    until("figures of the service", || async { one.metrics().await.get(administrators) }).await;
    let other = Setup::new().at(&database.url).start().await;
    until("the difference is told", || async {
        let log = other.log();
        ["differs from the leader's", "api", "otlp"]
            .iter()
            .all(|word| log.contains(word))
            .then_some(())
    })
    .await;
    let with_both = one.stop().await;
    until("the other one leads", || async { leads(&other).await.then_some(()) }).await;
    let body = |id: &str| Body::new(id, "no-mfa", &[&format!("{id}@example.com")]).json();
    assert_eq!(other.deliver(&body("meanwhile")).await, 200);
    assert!(other.metrics().await.get(administrators).is_some(), "what was asked for is not gone");
    let one = with_both.start().await;
    other.stop().await;
    until("the first one leads again", || async { leads(&one).await.then_some(()) }).await;
    until("what happened meanwhile at the collector", || async {
        let is_it = |line: &Value| {
            line["record"]["eventName"] == "cii.check.failed"
                && line.to_string().contains("meanwhile@example.com")
        };
        receiver.received().iter().any(is_it).then_some(())
    })
    .await;
    one.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_hides_also_what_another_replica_took_before_it_had_it() {
    let database = Cluster::shared().create_database();
    let mut leader = Setup::new().at(&database.url).start().await;
    until_it_leads(&leader).await;
    let other = Setup::new().at(&database.url).start().await;
    let body = |id: &str, check: &str| Body::new(id, check, &["a@example.com"]).json();
    assert_eq!(other.deliver(&body("before", "no-mfa")).await, 200);
    leader.setup().set_webhook("check_ids = [\"no-mfa\"]");
    leader.setup().write_config();
    let reload = reqwest::Client::new().post(format!("{}/-/reload", leader.ops_url));
    assert_eq!(reload.send().await.unwrap().status().as_u16(), 200);
    assert_eq!(other.deliver(&body("late", "late-check")).await, 200);
    until("the check is hidden", || async {
        let mut shown = Vec::new();
        for replica in [&leader, &other] {
            let metrics = replica.metrics().await;
            for check in ["no-mfa", "late-check"] {
                let series = format!("cii_check_failures_total{{check_id=\"{check}\"}}");
                shown.push(metrics.get(&series).is_some());
            }
        }
        (shown == [true, false, true, false]).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_takeover_hides_by_its_filter_also_what_another_replica_took_before_it_had_that() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let name = &database.name;
    let first = Setup::new().at(&database.url).start().await;
    until_it_leads(&first).await;
    // One that never leads, and does not see the leader's rules as long as a policy hides them.
    cluster.sql(
        name,
        &format!(
            "CREATE ROLE {name} LOGIN;
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name};
             REVOKE UPDATE ON lease FROM {name};
             CREATE POLICY late ON meta TO {name} USING (key <> 'rules');
             ALTER TABLE meta ENABLE ROW LEVEL SECURITY"
        ),
    );
    let url = database.url.replace("postgres@", &format!("{name}@"));
    let late = Setup::new().at(&url).start().await;
    let next = Setup::new().at(&database.url).webhook("check_ids = [\"no-mfa\"]").start().await;
    let body = |id: &str, check: &str| Body::new(id, check, &["a@example.com"]).json();
    for check in ["no-mfa", "early-check"] {
        assert_eq!(next.deliver(&body(check, check)).await, 200);
    }
    first.stop().await;
    until("the one with the filter leads and has applied it", || async {
        let hidden = "cii_check_failures_total{check_id=\"early-check\"}";
        let is_hidden = next.metrics().await.get(hidden).is_none();
        (leads(&next).await && is_hidden).then_some(())
    })
    .await;
    assert_eq!(late.deliver(&body("late", "late-check")).await, 200);
    let shown = async || {
        let mut shown = Vec::new();
        for replica in [&next, &late] {
            let metrics = replica.metrics().await;
            for check in ["no-mfa", "late-check"] {
                let series = format!("cii_check_failures_total{{check_id=\"{check}\"}}");
                shown.push(metrics.get(&series).is_some());
            }
        }
        shown
    };
    assert!(shown().await[3], "it is recorded by the former leader's filter");
    cluster.sql(name, "ALTER TABLE meta DISABLE ROW LEVEL SECURITY");
    until("the check is hidden", || async {
        (shown().await == [true, false, true, false]).then_some(())
    })
    .await;
    late.stop().await;
    next.stop().await;
    cluster.sql(name, &format!("DROP OWNED BY {name}; DROP ROLE {name}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn leaders_are_killed_and_the_server_restarted_and_nothing_is_lost_or_doubled() {
    let cluster = Cluster::start(&Options::new());
    let database = cluster.create_database();
    let receiver = Receiver::start().await;
    let setup = || Setup::new().at(&database.url).sending(&receiver, Protocol::Http);
    let mut replicas = vec![setup().start().await, setup().start().await];
    let mut acknowledged = BTreeSet::new();
    let (kills, mut restarts, mut takeovers) = (kills(), 0, Vec::new());
    for round in 0..kills {
        let leader = until_one_leads(&replicas.iter().collect::<Vec<_>>()).await;
        let pair: Arc<Vec<Exporter>> = Arc::new(std::mem::take(&mut replicas));
        let stop = Arc::new(AtomicBool::new(false));
        let mut senders = JoinSet::new();
        for sender in 0..8 {
            let (pair, stop) = (pair.clone(), stop.clone());
            senders.spawn(async move {
                let mut seen = Vec::new();
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let id = format!("{round}-{sender}-{number}");
                    let body = Body::new(&id, "load", &[&format!("{id}@example.com")]);
                    // As a balancer does: to the other one where the first is gone.
                    for replica in [&pair[number % 2], &pair[(number + 1) % 2]] {
                        if replica.deliver(&body.json()).await == 200 {
                            seen.push(id);
                            break;
                        }
                    }
                    tokio::time::sleep(BETWEEN).await;
                }
                seen
            });
        }
        until("some load", || async {
            let metrics = pair[leader].scrape().await;
            let accepted = metrics.get("cii_webhook_requests_total{result=\"accepted\"}")?;
            (accepted >= 50.0).then_some(())
        })
        .await;
        let killed_at = Instant::now();
        pair[leader].signal("KILL");
        let survivor = &pair[1 - leader];
        until("a new leader", || async { leads(survivor).await.then_some(()) }).await;
        takeovers.push(killed_at.elapsed());
        assert!(takeovers[round] < TAKEOVER, "{takeovers:?}");
        if round % KILLS_A_RESTART == KILLS_A_RESTART - 1 || round + 1 == kills {
            cluster.restart(if round % 2 == 0 { Stop::Fast } else { Stop::Immediate });
            restarts += 1;
            survivor.until_metric("cii_store_up", 1.0).await;
        }
        stop.store(true, Ordering::Relaxed);
        while let Some(seen) = senders.join_next().await {
            acknowledged.extend(seen.unwrap());
        }
        for (place, replica) in Arc::into_inner(pair).unwrap().into_iter().enumerate() {
            if place == leader {
                replicas.push(replica.kill().await.start().await);
            } else {
                replicas.push(replica);
            }
        }
    }
    until_equal(&replicas[0], &replicas[1]).await;
    let count = f64::from(u32::try_from(acknowledged.len()).unwrap());
    // One that was committed and whose answer was lost with the leader is repeated by a sender.
    let failing = "cii_check_failing_users{check_id=\"load\",severity=\"high\"}";
    let counted = replicas[0].metrics().await.get(failing).unwrap();
    assert!(counted >= count, "{counted} of {count}");
    assert_eq!(repeated(&acknowledged, &replicas[1]).await, count, "each is a repeat");
    assert_eq!(replicas[1].metrics().await.get(failing), Some(counted), "repeats count once");
    replicas[0].until_metric("cii_otlp_pending_events", 0.0).await;
    // An event for the failure and one for the delivery; what is repeated has its id.
    let ids = || f64::from(u32::try_from(uids(&receiver.received()).len()).unwrap());
    until("all that was sent", || async { (ids() >= 2.0 * counted).then_some(()) }).await;
    assert_eq!(ids(), 2.0 * counted, "each event has one id");
    let received = receiver.received();
    let failed: BTreeSet<_> = received
        .iter()
        .filter(|line| line["record"]["eventName"] == "cii.check.failed")
        .filter_map(|line| attribute(line, "user.email")?.as_str().map(str::to_owned))
        .collect();
    let lost: Vec<_> =
        acknowledged.iter().filter(|id| !failed.contains(&format!("{id}@example.com"))).collect();
    assert!(lost.is_empty(), "acknowledged, and not at the collector: {lost:?}");
    takeovers.sort();
    println!(
        "{count} deliveries were acknowledged over {kills} kills of the leader and {restarts} \
         restarts of the database; none was lost, and none counted twice when all were repeated. \
         Another replica led after {:?} (median), {:?} (worst)",
        takeovers[kills / 2],
        takeovers[kills - 1]
    );
}

/// Sends all of these again; how many the replica counts as repeats.
async fn repeated(acknowledged: &BTreeSet<String>, replica: &Exporter) -> f64 {
    let repeats = "cii_webhook_requests_total{result=\"duplicate\"}";
    let before = replica.metrics().await.get(repeats).unwrap();
    stream::iter(acknowledged)
        .for_each_concurrent(32, async |id| {
            let body = Body::new(id, "load", &[&format!("{id}@example.com")]).json();
            // A busy server can refuse one, which does not count.
            until(id, || async { (replica.deliver(&body).await == 200).then_some(()) }).await;
        })
        .await;
    replica.metrics().await.get(repeats).unwrap() - before
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_and_started_is_waited_for() {
    let cluster = Cluster::start(&Options::new());
    let database = cluster.create_database();
    let exporter = Setup::new().at(&database.url).start().await;
    let body = |id: &str| Body::new(id, "no-mfa", &[&format!("{id}@example.com")]).json();
    assert_eq!(exporter.deliver(&body("before")).await, 200);
    let before = exporter.metrics().await;
    for how in [Stop::Fast, Stop::Immediate] {
        cluster.stop(how);
        assert_eq!(exporter.deliver(&body("away")).await, 503);
        let away = exporter.until_metric("cii_store_up", 0.0).await;
        assert_eq!(away.of_tenant(), before.of_tenant(), "the last that was known");
        assert!(away.get("cii_metrics_lag_seconds").unwrap() > 0.0);
        assert_eq!(exporter.get("/-/ready").await.0, 503);
        assert_eq!(exporter.get("/-/healthy").await.0, 200);
        cluster.start_again();
        let back = exporter.until_metric("cii_store_up", 1.0).await;
        assert_eq!(back.get("cii_metrics_lag_seconds"), Some(0.0));
        until("readiness", || async { (exporter.get("/-/ready").await.0 == 200).then_some(()) })
            .await;
    }
    assert_eq!(exporter.deliver(&body("after")).await, 200);
    let failing = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";
    assert_eq!(exporter.metrics().await.get(failing), Some(2.0), "and not the refused one");
}
