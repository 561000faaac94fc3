//! The projector's promise: however the events came, the view is what the store
//! says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{Exposition, Projector};
use crate::{
    domain::{
        CheckDefinition, CheckId, Delivery, DeliveryKind, FailingUser, IpUser, Login, Place,
        ReportedCheck, Severity, Timestamp, UserObservation, UserState, WatchPolicy,
    },
    store::{RecordDelivery, RecordIp, RecordUser, Store},
};

/// Something that happens to the store.
#[derive(Debug, Clone)]
enum Step {
    Delivery { id: u8, check: u8, severity: u8, published: i64, users: BTreeSet<u8> },
    User { user: u8, ips: BTreeSet<u8>, unused: BTreeSet<u8>, used: BTreeSet<u8>, status: u8 },
    Ip { ip: u8, users: BTreeSet<u8> },
    Watch { users: BTreeSet<u8>, ips: BTreeSet<u8> },
}

fn step() -> impl Strategy<Value = Step> {
    let few = || proptest::collection::btree_set(0..4_u8, 0..4);
    prop_oneof![
        (0..6_u8, 0..2_u8, 0..3_u8, 0..9_i64, few()).prop_map(
            |(id, check, severity, published, users)| Step::Delivery {
                id,
                check,
                severity,
                published,
                users
            }
        ),
        (0..4_u8, few(), few(), few(), 0..2_u8).prop_map(|(user, ips, unused, used, status)| {
            Step::User { user, ips, unused, used, status }
        }),
        (0..3_u8, few()).prop_map(|(ip, users)| Step::Ip { ip, users }),
        (few(), few()).prop_map(|(users, ips)| Step::Watch { users, ips }),
    ]
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(second, 0).unwrap()
}

fn login(number: u8) -> Login {
    Login::new(&format!("user{number}@example.com")).unwrap()
}

fn address(number: u8) -> String {
    format!("192.0.2.{number}")
}

fn names(numbers: &BTreeSet<u8>) -> BTreeSet<String> {
    numbers.iter().map(|number| format!("app{number}")).collect()
}

async fn happen(store: &Store, step: Step, now: Timestamp) {
    match step {
        Step::Delivery { id, check, severity, published, users } => {
            let definition = CheckDefinition {
                title: format!("Check {check} of {published}"),
                severity: Severity::new([Some("low"), Some("HIGH"), None][usize::from(severity)]),
                description: vec![],
                recommended_actions: vec![],
                as_of: at(published),
            };
            let check = CheckId::new(&format!("check{check}")).unwrap();
            let failing =
                users.iter().map(|&user| FailingUser { login: login(user), explanation: None });
            let record = RecordDelivery {
                delivery: Delivery {
                    id: id.to_string(),
                    kind: DeliveryKind::FailedCheck,
                    detail_type: String::new(),
                    published_at: Some(at(published)),
                    account: None,
                    region: None,
                    check: Some(ReportedCheck { id: check, definition }),
                    failing: failing.collect(),
                },
                body: "{}".into(),
                admitted: id != 0,
                policy: WatchPolicy { failing_users: true, max_users: 3 },
                received_at: now,
            };
            store.record_delivery(record).await.unwrap();
        }
        Step::User { user, ips, unused, used, status } => {
            let ips: BTreeMap<_, _> =
                ips.into_iter().map(|ip| (address(ip), Place::default())).collect();
            let state = UserState {
                status: ["ACTIVE", "SUSPENDED"][usize::from(status)].to_owned(),
                ip_addresses: Some(ips),
                unused_applications: Some(names(&unused)),
                used_applications: Some(names(&used)),
                ..UserState::default()
            };
            let observation =
                UserObservation { state, untold: BTreeSet::new(), null_lists: BTreeSet::new() };
            let record = RecordUser { login: login(user), observation, observed_at: now };
            store.record_user(record).await.unwrap();
        }
        Step::Ip { ip, users } => {
            let user = IpUser { id: "1".into(), display_name: "A".into(), reference_url: None };
            let record = RecordIp {
                ip: address(ip).parse().unwrap(),
                users: users.into_iter().map(|number| (login(number), user.clone())).collect(),
                observed_at: now,
            };
            store.record_ip(record).await.unwrap();
        }
        Step::Watch { users, ips } => {
            let ips = ips.into_iter().map(|ip| address(ip).parse().unwrap());
            store.configure_watch(users.into_iter().map(login), ips, now).await.unwrap();
        }
    }
}

async fn exposition(store: &Store) -> (Exposition, Projector) {
    Exposition::build(store.clone(), prometheus::Registry::new(), true).await.unwrap()
}

async fn followed_and_rebuilt(steps: Vec<Step>) -> (String, String) {
    let folder = TempDir::new().unwrap();
    let (store, writer) = Store::open(&folder.path().join("store.db")).unwrap();
    let (followed, projector) = exposition(&store).await;
    let stop = CancellationToken::new();
    let following = tokio::spawn(projector.run(stop.clone()));
    for (second, step) in (100..).zip(steps) {
        happen(&store, step, at(second)).await;
        // Asking in between must not make a difference to what is told later.
        followed.text().await.unwrap();
    }
    let followed = followed.text().await.unwrap();
    let (rebuilt, _) = exposition(&store).await;
    let rebuilt = rebuilt.text().await.unwrap();
    stop.cancel();
    following.await.unwrap().unwrap();
    drop(store);
    writer.stop().await;
    (followed, rebuilt)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_view_that_followed_the_log_is_one_that_was_rebuilt(
        steps in proptest::collection::vec(step(), 1..20)
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (followed, rebuilt) = runtime.block_on(followed_and_rebuilt(steps));
        prop_assert_eq!(followed, rebuilt);
    }
}
