//! The projector's promise: however the events came, the view is what the store
//! says.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::TimeDelta;
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Coding, Exposition, Format, Projector, Scope, TenantListing};
use crate::{
    config::{UserLabel, UserSeries},
    domain::{
        CheckDefinition, CheckFilter, CheckId, CheckWords, ConfiguredChecks, Delivery,
        DeliveryKind, FailingUser, IpUser, ListAnswer, Login, Objectives, Place, PollEnd,
        PollOutcome, ReportedCheck, Severity, TenantUser, Timestamp, UserObservation, UserState,
        WatchPolicy,
        failure::{FailureAnswer, Verdict},
    },
    ledger::change::{
        AddressAnswer, AnswerRules, ConfigureChecks, ExpireWatch, FilterChecks, ForgetCheck,
        JudgeRenames, ListedUser, RecordAddress, RecordAnswer, RecordDelivery, RecordListingPage,
        SettleRenames,
    },
    store::{Store, fixtures},
};

/// Something that happens to the store.
#[derive(Debug, Clone)]
enum Step {
    Delivery {
        id: u8,
        check: u8,
        severity: u8,
        published: i64,
        users: BTreeSet<u8>,
    },
    User {
        user: u8,
        ips: BTreeSet<u8>,
        unused: BTreeSet<u8>,
        used: BTreeSet<u8>,
        status: u8,
    },
    Ip {
        ip: u8,
        users: BTreeSet<u8>,
    },
    Watch {
        users: BTreeSet<u8>,
        ips: BTreeSet<u8>,
    },
    /// How asking about a user ended, half a day after the step before.
    Poll {
        user: u8,
        is_known: bool,
    },
    /// Half a day passes.
    Expire,
    /// What the API answers about a user; nothing when it does not know the user.
    Answer {
        user: u8,
        fails: Option<BTreeSet<u8>>,
    },
    /// The configured severities of checks.
    Configure {
        checks: BTreeMap<u8, u8>,
    },
    /// A check that is gone for good.
    Forget {
        check: u8,
    },
    /// The checks that the operator admits.
    Filter {
        admitted: BTreeSet<u8>,
    },
    /// The end of a run, which contains renamed checks.
    Renames,
    /// A listing of the tenant that comes to its end.
    Listing {
        fails: BTreeMap<u8, Option<BTreeSet<u8>>>,
    },
}

/// Severities of checks, each a kind of its own.
const SEVERITIES: [Option<&str>; 8] = [
    Some("low"),
    Some("HIGH"),
    None,
    Some("moderate"),
    Some("medium"),
    Some("3"),
    Some("critical"),
    Some("info"),
];

fn step() -> impl Strategy<Value = Step> {
    let few = || proptest::collection::btree_set(0..4_u8, 0..4);
    prop_oneof![
        (0..6_u8, 0..3_u8, 0..8_u8, 0..9_i64, few()).prop_map(
            |(id, check, severity, published, users)| Step::Delivery {
                id,
                check,
                severity,
                published,
                users
            }
        ),
        (0..4_u8, any::<bool>()).prop_map(|(user, is_known)| Step::Poll { user, is_known }),
        Just(Step::Expire),
        (0..4_u8, few(), few(), few(), 0..3_u8).prop_map(|(user, ips, unused, used, status)| {
            Step::User { user, ips, unused, used, status }
        }),
        (0..3_u8, few()).prop_map(|(ip, users)| Step::Ip { ip, users }),
        (few(), few()).prop_map(|(users, ips)| Step::Watch { users, ips }),
        (0..4_u8, proptest::option::of(few()))
            .prop_map(|(user, fails)| Step::Answer { user, fails }),
        proptest::collection::btree_map(0..4_u8, 0..8_u8, 0..3)
            .prop_map(|checks| Step::Configure { checks }),
        (0..4_u8).prop_map(|check| Step::Forget { check }),
        proptest::collection::btree_set(0..3_u8, 0..3)
            .prop_map(|admitted| Step::Filter { admitted }),
        Just(Step::Renames),
        proptest::collection::btree_map(0..4_u8, proptest::option::of(few()), 0..4)
            .prop_map(|fails| Step::Listing { fails }),
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

/// Checks as answers name them; the last is a title that a delivery may explain.
fn check_ids(numbers: &BTreeSet<u8>) -> BTreeSet<String> {
    let text = |number: &u8| match number {
        3 => "Check 1 of 4".to_owned(),
        number => format!("check{number}"),
    };
    numbers.iter().map(text).collect()
}

/// An answer about a user's state.
fn observation(
    ips: &BTreeSet<u8>,
    unused: &BTreeSet<u8>,
    used: &BTreeSet<u8>,
    status: u8,
) -> UserObservation {
    let ips = ips.iter().map(|&ip| (address(ip), Place::default())).collect();
    let state = UserState {
        status: ["ACTIVE", "SUSPENDED", "DELETED"][usize::from(status)].to_owned(),
        ip_addresses: Some(ips),
        unused_applications: Some(names(unused)),
        used_applications: Some(names(used)),
        ..UserState::default()
    };
    UserObservation { login: None, state, untold: BTreeSet::new(), null_lists: BTreeSet::new() }
}

/// A listing of one page.
fn page(fails: BTreeMap<u8, Option<BTreeSet<u8>>>, now: Timestamp) -> RecordListingPage {
    let users = fails.into_iter().map(|(user, fails)| ListedUser {
        login: login(user),
        facts: TenantUser::default(),
        failing: fails
            .as_ref()
            .map_or(ListAnswer::Missing, |fails| ListAnswer::Given(check_ids(fails))),
    });
    RecordListingPage {
        skipped: 0,
        users: users.collect(),
        begun_at: now,
        asked_at: now,
        answered_at: now,
        next: None,
    }
}

/// The configured checks.
fn configure(checks: BTreeMap<u8, u8>, at: Timestamp) -> ConfigureChecks {
    let mut configured = ConfiguredChecks::default();
    for (check, severity) in checks {
        let severity = Severity::new(SEVERITIES[usize::from(severity)]);
        let title = (check % 2 == 0).then(|| format!("Configured {check}"));
        configured.insert(&format!("check{check}"), CheckWords { title, severity });
    }
    ConfigureChecks { configured: Arc::new(configured), at }
}

async fn judge_renames(store: &Store, now: Timestamp) {
    let judge = JudgeRenames { run_begun_at: at(0), at: now };
    let renamed = store.commit(judge).await.unwrap().renamed;
    store.commit(SettleRenames { renamed, after: None, limit: 9 }).await.unwrap();
}

async fn happen(store: &Store, step: Step, now: Timestamp) {
    match step {
        Step::Delivery { id, check, severity, published, users } => {
            let title = format!("Check {check} of {published}");
            let check = CheckId::new(&format!("check{check}")).unwrap();
            let severity = Severity::new(SEVERITIES[usize::from(severity)]);
            let definition =
                CheckDefinition { title, severity, ..CheckDefinition::undefined(&check) }
                    .with_dates(true, at(published));
            let failing =
                users.iter().map(|&user| FailingUser { login: login(user), explanation: None });
            let record = RecordDelivery {
                delivery: Delivery {
                    id: id.to_string(),
                    kind: DeliveryKind::FailedCheck,
                    received_at: now,
                    published_at: Some(at(published)),
                    check: Some(ReportedCheck { id: check, definition }),
                    failing: failing.collect(),
                    ..Delivery::default()
                },
                body: b"{}".to_vec().into(),
                admitted: id != 0,
                policy: WatchPolicy { failing_users: true, max_users: 3, max_ips: 1000 },
                answers: AnswerRules { has_api: true, settle: chrono::TimeDelta::zero() },
                recorded_at: now,
                replays: None,
            };
            store.commit(record).await.unwrap();
        }
        Step::User { user, ips, unused, used, status } => {
            let observation = observation(&ips, &unused, &used, status);
            let record = fixtures::state_only(login(user), observation, now);
            store.commit(record).await.unwrap();
        }
        Step::Ip { ip, users } => {
            let user = IpUser {
                id: "1".into(),
                display_name: "A".into(),
                reference_url: None,
                since: None,
            };
            let users = users.into_iter().map(|number| (login(number), user.clone())).collect();
            let record = RecordAddress {
                ip: address(ip).parse().unwrap(),
                answer: Some(AddressAnswer { users, is_partial: false }),
                end: PollEnd::answered(),
                at: now,
            };
            store.commit(record).await.unwrap();
        }
        Step::Poll { user, is_known } => {
            let outcome = if is_known { PollOutcome::Answered } else { PollOutcome::NotFound };
            let end = PollEnd { outcome, ..PollEnd::answered() };
            let record = RecordAnswer {
                login: login(user),
                state: None,
                checks: None,
                filter: CheckFilter::default(),
                end: Some((end, now)),
            };
            store.commit(record).await.unwrap();
        }
        Step::Filter { admitted } => {
            let ids = admitted.iter().map(|id| CheckId::new(&format!("check{id}")).unwrap());
            store.commit(FilterChecks { filter: CheckFilter::new(ids) }).await.unwrap();
        }
        Step::Renames => {
            judge_renames(store, now).await;
        }
        Step::Expire => {
            store.commit(ExpireWatch { at: now }).await.unwrap();
        }
        Step::Answer { user, fails } => {
            let verdict = fails.map_or(Verdict::Unknown, |fails| Verdict::Fails(check_ids(&fails)));
            let answer = FailureAnswer {
                login: login(user),
                verdict,
                asked_at: now,
                answered_at: now,
                settle: chrono::TimeDelta::zero(),
            };
            store.commit(fixtures::checks_only(answer)).await.unwrap();
        }
        Step::Listing { fails } => {
            fixtures::list(store, page(fails, now)).await.unwrap();
        }
        Step::Configure { checks } => {
            store.commit(configure(checks, now)).await.unwrap();
        }
        Step::Forget { check } => {
            let id = CheckId::new(&format!("check{check}")).unwrap();
            store.commit(ForgetCheck { id, limit: 2 }).await.unwrap();
        }
        Step::Watch { users, ips } => {
            let ips = ips.into_iter().map(|ip| address(ip).parse().unwrap());
            fixtures::watch(store, users.into_iter().map(login), ips, now).await.unwrap();
        }
    }
}

/// What is shown; of two users at most snapshots are taken.
fn scope(listing: TenantListing, user_series: UserSeries) -> watch::Receiver<Scope> {
    let week = ["critical", "high", "unknown"].map(|label| (label.to_owned(), TimeDelta::days(7)));
    let scope = Scope {
        backlog: true,
        tenant_name: None,
        listing,
        user_series,
        user_label: UserLabel::Login,
        max_users: 2,
        max_checks: 3,
        objectives: Arc::new(Objectives::new(week, [])),
    };
    watch::channel(scope).1
}

async fn exposition(store: &Store, series: UserSeries) -> (Exposition, Projector) {
    let scope = scope(TenantListing::On, series);
    Exposition::build(store.clone(), prometheus::Registry::new(), scope).await.unwrap()
}

/// A scrape that does not lag: on a busy machine the projector can take longer than one waits for it.
async fn text(exposition: &Exposition) -> String {
    loop {
        let scrape = exposition.scrape(Format::Text, Coding::Identity).await.unwrap();
        let text = String::from_utf8(scrape.into_frames().concat()).unwrap();
        let lag = text.lines().find_map(|line| line.strip_prefix("cii_metrics_lag_seconds "));
        if lag.unwrap().parse() == Ok(0.0) {
            return text;
        }
    }
}

async fn followed_and_rebuilt(steps: Vec<Step>, series: UserSeries) -> (String, String) {
    let folder = TempDir::new().unwrap();
    let (store, writer) = Store::open(&folder.path().join("store.db")).unwrap();
    let (followed, projector) = exposition(&store, series).await;
    let stop = CancellationToken::new();
    let following = tokio::spawn(projector.run(stop.clone()));
    let mut now = at(100);
    for step in steps {
        let is_later = matches!(step, Step::Poll { .. } | Step::Expire);
        now += if is_later { TimeDelta::hours(12) } else { TimeDelta::seconds(1) };
        happen(&store, step, now).await;
        // A scrape in between must not change later ones.
        text(&followed).await;
    }
    let followed = text(&followed).await;
    let (rebuilt, _) = exposition(&store, series).await;
    let rebuilt = text(&rebuilt).await;
    stop.cancel();
    following.await.unwrap().unwrap();
    drop(store);
    writer.stop().await;
    let miscounted = fixtures::miscounted_check_sets(&folder.path().join("store.db"));
    assert!(miscounted.is_empty(), "{miscounted:?}");
    (followed, rebuilt)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_view_that_followed_the_log_is_one_that_was_rebuilt(
        steps in proptest::collection::vec(step(), 1..24),
        series in proptest::sample::select(&[UserSeries::All, UserSeries::Listed, UserSeries::None][..]),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (followed, rebuilt) = runtime.block_on(followed_and_rebuilt(steps, series));
        prop_assert_eq!(followed, rebuilt);
    }
}

fn people(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("cii_failing_users")).collect()
}

fn delivery(id: u8, check: u8, severity: u8, users: &[u8]) -> Step {
    let users = users.iter().copied().collect();
    Step::Delivery { id, check, severity, published: i64::from(id), users }
}

#[tokio::test]
async fn a_person_counts_once_at_the_worst_and_a_check_takes_its_people_along() {
    let folder = TempDir::new().unwrap();
    let (store, writer) = Store::open(&folder.path().join("store.db")).unwrap();
    let (exposition, projector) = exposition(&store, UserSeries::Listed).await;
    let stop = CancellationToken::new();
    let following = tokio::spawn(projector.run(stop.clone()));
    let listing = |fails: &[u8]| Step::Listing {
        fails: BTreeMap::from([(0, Some(fails.iter().copied().collect()))]),
    };
    for (second, (step, expected)) in (100..).zip([
        // Low, then also the words "3" and high: once, at high.
        (delivery(1, 0, 0, &[0, 1]), vec!["{severity=\"low\"} 2"]),
        (delivery(2, 1, 5, &[0]), vec!["{severity=\"3\"} 1", "{severity=\"low\"} 1"]),
        // The check of the text "3" is rated high, and no user is named.
        (delivery(3, 1, 1, &[]), vec!["{severity=\"high\"} 1", "{severity=\"low\"} 1"]),
        // After a listing, severities without users are 0.
        (
            listing(&[1]),
            vec![
                "{severity=\"critical\"} 0",
                "{severity=\"high\"} 1",
                "{severity=\"info\"} 0",
                "{severity=\"low\"} 1",
                "{severity=\"medium\"} 0",
                "{severity=\"unknown\"} 0",
            ],
        ),
    ]) {
        happen(&store, step, at(second)).await;
        let text = text(&exposition).await;
        assert_eq!(people(&text), expected);
        let is_complete = text.contains("cii_tenant_listing_complete 1\n");
        assert_eq!(is_complete, expected.len() == 6, "{text}");
    }
    for (listing, shown) in [
        (TenantListing::NoApi, None),
        (TenantListing::Off, Some("cii_tenant_listing_complete 0\n")),
    ] {
        let registry = prometheus::Registry::new();
        let scope = scope(listing, UserSeries::Listed);
        let (exposition, _) = Exposition::build(store.clone(), registry, scope).await.unwrap();
        let text = text(&exposition).await;
        assert_eq!(people(&text).len(), 2, "{text}");
        assert!(shown.is_none_or(|shown| text.contains(shown)), "{text}");
        assert_eq!(text.contains("cii_tenant_listing_complete"), shown.is_some(), "{text}");
    }
    stop.cancel();
    following.await.unwrap().unwrap();
    drop(store);
    writer.stop().await;
}

#[tokio::test]
async fn who_falls_behind_shows_nothing_that_went_meanwhile() {
    let folder = TempDir::new().unwrap();
    let (store, writer) = Store::open(&folder.path().join("store.db")).unwrap();
    let watch = |users: &[u8]| {
        let users: Vec<_> = users.iter().copied().map(login).collect();
        let store = store.clone();
        async move { fixtures::watch(&store, users, [], at(1)).await.unwrap() }
    };
    watch(&[0, 1]).await;
    let (exposition, projector) = exposition(&store, UserSeries::Listed).await;
    assert!(text(&exposition).await.contains("user1@example.com"));
    watch(&[0]).await;
    // Touched subjects are returned once; the projector finds none.
    assert!(store.touched_after(0).is_some());
    let stop = CancellationToken::new();
    let following = tokio::spawn(projector.run(stop.clone()));
    let text = text(&exposition).await;
    assert!(text.contains("user0@example.com") && !text.contains("user1@example.com"), "{text}");
    stop.cancel();
    following.await.unwrap().unwrap();
    drop((store, exposition));
    writer.stop().await;
}
