//! The same changes on every engine, one by one and in groups.

use cii_test_cluster::{Cluster, Database};
use proptest::prelude::*;

use super::{memory::Memory, order::listing, *};
use crate::{
    domain::{
        CheckFilter, CheckWords, ConfiguredChecks, IpAddress, NullLists, PollError, PollOutcome,
        WatchSource, WatchSubject,
    },
    ledger::{
        Facts, Keys, Whole,
        change::{
            AddWatch, ApplyVerdicts, ConfigureChecks, ExpireWatch, FilterChecks, ForgetCheck,
            JudgeNulls, JudgeRenames, RemoveWatch,
        },
    },
    store::{
        announcements::Announcements,
        engine::Engine,
        group::Writer,
        health::Health,
        pending::{Pending, Waiting},
        postgres::{Postgres, Server, Way},
        sqlite::Sqlite,
        touched::Recent,
    },
};

/// Something to commit.
#[derive(Debug, Clone)]
enum Step {
    Delivery { id: u8, title: u8, severity: u8, users: BTreeSet<u8>, admitted: bool },
    Answer { user: u8, ips: BTreeSet<u8>, fails: Option<BTreeSet<u8>>, found: bool },
    Nulls { user: u8 },
    Address { ip: u8, users: BTreeSet<u8>, is_partial: bool },
    Page { failing: BTreeSet<u8> },
    Verdicts,
    Filter { admitted: BTreeSet<u8> },
    Renames,
    Add { user: u8, expires: Option<u8> },
    Remove { user: u8 },
    Expire,
    Progress { cursor: u8, parked: bool },
    Otlp { is_on: bool },
    Retry,
    Backfill,
    Configure { checks: BTreeMap<u8, u8> },
    Forget { check: u8, limit: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let few = || proptest::collection::btree_set(0..4_u8, 0..4);
    prop_oneof![
        4 => (0..6_u8, 1..4_u8, 0..3_u8, few(), any::<bool>()).prop_map(
            |(id, title, severity, users, admitted)| Step::Delivery {
                id, title, severity, users, admitted
            }
        ),
        4 => (0..4_u8, few(), proptest::option::of(few()), any::<bool>())
            .prop_map(|(user, ips, fails, found)| Step::Answer { user, ips, fails, found }),
        1 => (0..4_u8).prop_map(|user| Step::Nulls { user }),
        1 => (0..2_u8, few(), any::<bool>())
            .prop_map(|(ip, users, is_partial)| Step::Address { ip, users, is_partial }),
        1 => few().prop_map(|failing| Step::Page { failing }),
        2 => Just(Step::Verdicts),
        1 => proptest::collection::btree_set(0..3_u8, 0..3)
            .prop_map(|admitted| Step::Filter { admitted }),
        1 => Just(Step::Renames),
        1 => (0..4_u8, proptest::option::of(0..9_u8))
            .prop_map(|(user, expires)| Step::Add { user, expires }),
        1 => (0..4_u8).prop_map(|user| Step::Remove { user }),
        1 => Just(Step::Expire),
        1 => (0..20_u8, any::<bool>()).prop_map(|(cursor, parked)| Step::Progress { cursor, parked }),
        1 => any::<bool>().prop_map(|is_on| Step::Otlp { is_on }),
        1 => Just(Step::Retry),
        1 => Just(Step::Backfill),
        1 => proptest::collection::btree_map(0..4_u8, 0..3_u8, 0..3)
            .prop_map(|checks| Step::Configure { checks }),
        1 => (0..4_u8, 1..4_u8).prop_map(|(check, limit)| Step::Forget { check, limit }),
    ]
}

fn user(number: u8) -> Login {
    login(&format!("user{number}@x"))
}

/// One of two spellings of a user.
fn spelled(number: u8, which: u8) -> String {
    let login = format!("user{number}@x");
    if which.is_multiple_of(2) { login } else { login.to_uppercase() }
}

/// Ids and titles, some of which mean the same.
fn check_names(numbers: &BTreeSet<u8>) -> BTreeSet<String> {
    numbers
        .iter()
        .map(|number| ["check0", "Title 1", "title 2", "Title 3"][usize::from(*number)].to_owned())
        .collect()
}

fn waiting(step: &Step, now: i64) -> Box<dyn Waiting> {
    match step {
        Step::Delivery { id, title, severity, users, admitted } => {
            let logins: Vec<_> = users.iter().map(|number| spelled(*number, *severity)).collect();
            let logins: Vec<_> = logins.iter().map(String::as_str).collect();
            let mut record = delivery(&format!("d{id}"), &logins);
            let check = record.delivery.check.as_mut().unwrap();
            check.id = CheckId::new(&format!("check{}", id % 3)).unwrap();
            check.definition = CheckDefinition {
                title: format!("Title {title}"),
                severity: Severity::new([None, Some("low"), Some("High")][usize::from(*severity)]),
                description: vec![format!("Words {severity}")],
                ..CheckDefinition::undefined(&check.id)
            }
            .dated(*title > 0, at(now));
            record.delivery.source = Some(format!("00000000-0000-4000-8000-00000000000{title}__x"));
            record.delivery.received_at = at(now);
            record.delivery.published_at = Some(at(now));
            record.recorded_at = at(now);
            record.admitted = *admitted;
            Pending::new(record).0
        }
        Step::Answer { user: number, ips, fails, found } => {
            let verdict =
                fails.as_ref().map_or(Verdict::Unknown, |fails| Verdict::Fails(check_names(fails)));
            let answer = FailureAnswer {
                login: user(*number),
                verdict,
                asked_at: at(now),
                answered_at: at(now),
                settle: chrono::TimeDelta::zero(),
            };
            let addresses: BTreeMap<_, _> =
                ips.iter().map(|ip| (format!("192.0.2.{ip}"), Place::default())).collect();
            let state = UserState { ip_addresses: Some(addresses), ..UserState::default() };
            let null_lists = [crate::domain::UserField::UsedFactors].into();
            let echo = spelled(*number, u8::try_from(ips.len()).unwrap());
            let login = Login::new(&echo).ok();
            let observation = UserObservation { login, state, untold: [].into(), null_lists };
            let outcome = if *found { PollOutcome::Answered } else { PollOutcome::Refused };
            let errors = vec![PollError { message: "no".into(), ..PollError::default() }];
            let end = PollEnd { outcome, errors, ..PollEnd::answered() };
            Pending::new(RecordAnswer {
                state: found.then(|| (observation, at(now))),
                end: Some((end, at(now))),
                ..fixtures::checks_only(answer)
            })
            .0
        }
        other => of_operator(other, now),
    }
}

/// What comes from an operator, or from the end of a run.
fn of_operator(step: &Step, now: i64) -> Box<dyn Waiting> {
    match step {
        Step::Nulls { user: number } => {
            Pending::new(JudgeNulls {
                snapshots: [user(*number)].into(),
                checks: [(user(*number), at(now))].into(),
                choice: NullLists::Empty,
                filter: CheckFilter::default(),
                settle: chrono::TimeDelta::zero(),
                at: at(now),
            })
            .0
        }
        Step::Address { ip, users, is_partial } => {
            let one = IpUser {
                id: "1".into(),
                display_name: "A".into(),
                reference_url: None,
                since: None,
            };
            let users = users.iter().map(|number| (user(*number), one.clone())).collect();
            Pending::new(RecordAddress {
                ip: address(*ip),
                answer: Some(AddressAnswer { users, is_partial: *is_partial }),
                end: PollEnd::answered(),
                at: at(now),
            })
            .0
        }
        Step::Page { failing } => {
            let page = RecordListingPage { answered_at: at(now), ..listing(now, failing) };
            Pending::new(page).0
        }
        Step::Verdicts => {
            Pending::new(ApplyVerdicts {
                after: None,
                limit: 9,
                filter: CheckFilter::default(),
                null_lists: NullLists::Auto,
                at: at(now),
                is_suspect: now % 3 == 0,
                settle: chrono::TimeDelta::seconds(1),
            })
            .0
        }
        Step::Filter { admitted } => {
            let ids = admitted.iter().map(|id| CheckId::new(&format!("check{id}")).unwrap());
            Pending::new(FilterChecks { filter: CheckFilter::new(ids) }).0
        }
        Step::Renames => Pending::new(JudgeRenames { run_begun_at: at(now - 9), at: at(now) }).0,
        Step::Add { user: number, expires } => {
            Pending::new(AddWatch {
                subject: WatchSubject::User(user(*number)),
                note: Some("why".into()),
                expires_at: expires.map(|after| at(now + i64::from(after))),
                most: 3,
                at: at(now),
            })
            .0
        }
        Step::Remove { user: number } => {
            Pending::new(RemoveWatch { subject: WatchSubject::User(user(*number)), at: at(now) }).0
        }
        Step::Expire => Pending::new(ExpireWatch { at: at(now) }).0,
        Step::Progress { cursor, parked } => {
            Pending::new(RecordProgress {
                cursor: i64::from(*cursor),
                resent: vec![1, 2],
                parked: parked.then(|| (vec![1], "refused")),
                at: at(now),
            })
            .0
        }
        Step::Otlp { is_on } => Pending::new(BeginOtlp { is_on: *is_on }).0,
        Step::Retry => Pending::new(RetryParked).0,
        Step::Backfill => Pending::new(Backfill { since: at(0) }).0,
        Step::Configure { checks } => Pending::new(configure(checks, now)).0,
        Step::Forget { check, limit } => {
            let id = CheckId::new(["check0", "check1", "Title 1", "other"][usize::from(*check)]);
            Pending::new(ForgetCheck { id: id.unwrap(), limit: usize::from(*limit) }).0
        }
        other => panic!("{other:?} is committed elsewhere"),
    }
}

/// Titles and severities of checks, some of which answers list, or deliveries tell of.
fn configure(checks: &BTreeMap<u8, u8>, now: i64) -> ConfigureChecks {
    let mut configured = ConfiguredChecks::default();
    for (check, words) in checks {
        let name = ["check0", "check5", "Title 1", "other"][usize::from(*check)];
        let title = [None, Some("Title 1"), Some("Other")][usize::from(*words)];
        let severity = Severity::new([Some("critical"), None, Some("low")][usize::from(*words)]);
        configured.insert(name, CheckWords { title: title.map(str::to_owned), severity });
    }
    ConfigureChecks { configured: Arc::new(configured), at: at(now) }
}

fn address(number: u8) -> IpAddress {
    format!("203.0.113.{number}").parse().unwrap()
}

/// The keys of everything that the steps can touch.
fn all_keys() -> Keys {
    let whole = [
        Whole::Refused,
        Whole::Checks,
        Whole::ListMemory,
        Whole::Listing,
        Whole::Tenant,
        Whole::Service,
        Whole::Otlp,
        Whole::Parked,
    ];
    let mut keys = Keys { whole: whole.into(), ..Keys::default() };
    keys.watched_for = [WatchSource::Command, WatchSource::Webhook].into();
    for number in 0..6 {
        keys.envelopes.insert(format!("d{number}"));
        keys.checks.extend(CheckId::new(&format!("check{number}")));
        keys.titles.insert(format!("title {number}"));
    }
    keys.checks
        .extend(["no-mfa", "Title 1", "title 2", "Title 3"].map(|id| CheckId::new(id).unwrap()));
    for number in 0..4 {
        let login = user(number);
        keys.failures_of.insert(login.clone());
        keys.answered.insert(login.clone());
        keys.users.insert(login.clone());
        keys.nulls_of.insert(login.clone());
        keys.members.insert(login.clone());
        keys.watched.insert(WatchSubject::User(login.clone()));
        keys.past.insert(WatchSubject::User(login.clone()));
        keys.spellings.insert(login.clone());
        keys.polls.insert(WatchSubject::User(login));
    }
    keys.titles.insert("other".to_owned());
    keys.ips.extend([address(0), address(1)]);
    keys.polls.extend([address(0), address(1)].map(WatchSubject::Ip));
    keys.past.extend([address(0), address(1)].map(WatchSubject::Ip));
    keys
}

/// Commits the steps in groups of these sizes; returns all that the engine then knows.
fn committed(engine: Box<dyn Engine>, steps: &[Step], sizes: &[usize]) -> String {
    let (health, current_health) = watch::channel(Health::default());
    let announcements = Announcements {
        event: watch::channel(0).0,
        recent: Arc::new(Recent::new()),
        erasures: Arc::default(),
        health,
    };
    let meters = Meters::of_server().unwrap();
    let mut writer = Writer::new(engine, announcements, meters);
    let mut sizes = sizes.iter().cycle();
    let mut position = 0;
    while position < steps.len() {
        let end = steps.len().min(position + sizes.next().copied().unwrap_or(1));
        let group = (position..end)
            .map(|number| {
                waiting(&steps[number], 1_000_000_000 + 60 * i64::try_from(number).unwrap())
            })
            .collect();
        writer.commit(group);
        let error = current_health.borrow().error();
        assert!(error.is_none(), "{}", error.map(|error| error.to_string()).unwrap_or_default());
        position = end;
    }
    let engine = writer.engine();
    let (head, counts) = engine.begin().unwrap();
    let mut facts = Facts::new(head, counts);
    engine.load(&all_keys(), &mut facts).unwrap();
    engine.roll_back();
    format!("{facts:#?}")
}

/// The first lines that differ, with some before them.
fn difference(left: &str, right: &str) -> Option<String> {
    let (left, right): (Vec<_>, Vec<_>) = (left.lines().collect(), right.lines().collect());
    let first =
        (0..left.len().max(right.len())).find(|line| left.get(*line) != right.get(*line))?;
    let around = |lines: &[&str]| {
        let (begin, end) = (first.saturating_sub(25).min(lines.len()), lines.len().min(first + 4));
        lines[begin..end].join("\n")
    };
    Some(format!("{}\n--- and\n{}", around(&left), around(&right)))
}

fn postgres(database: &Database) -> Box<dyn Engine> {
    let way = Way::to(Server::at(&database.url, None)).unwrap();
    Box::new(Postgres::open(&way, true).unwrap().0)
}

fn sqlite(folder: &TempDir, name: &str) -> Box<dyn Engine> {
    Box::new(Sqlite::open(&folder.path().join(name), true).unwrap().0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_by_one_and_in_groups_and_on_every_engine_the_rows_are_the_same(
        steps in proptest::collection::vec(step(), 1..40),
        sizes in proptest::collection::vec(1..9_usize, 1..6),
    ) {
        let folder = TempDir::new().unwrap();
        let cluster = Cluster::shared();
        let in_memory = committed(Box::<Memory>::default(), &steps, &[1]);
        for (name, other) in [
            ("memory, in groups", committed(Box::<Memory>::default(), &steps, &sizes)),
            ("SQLite, one by one", committed(sqlite(&folder, "one"), &steps, &[1])),
            ("SQLite, in groups", committed(sqlite(&folder, "groups"), &steps, &sizes)),
            ("PostgreSQL", committed(postgres(&cluster.create_database()), &steps, &sizes)),
        ] {
            let difference = difference(&in_memory, &other);
            prop_assert!(difference.is_none(), "{name}:\n{}", difference.unwrap_or_default());
        }
        for name in ["one", "groups"] {
            let miscounted = fixtures::miscounted_check_sets(&folder.path().join(name));
            prop_assert!(miscounted.is_empty(), "{name}: {miscounted:?}");
        }
    }
}

#[test]
fn an_entry_of_the_watch_list_can_share_a_group_with_a_delivery_that_spells_the_user_otherwise() {
    let steps = [
        Step::Delivery { id: 5, title: 1, severity: 1, users: [2].into(), admitted: true },
        Step::Add { user: 2, expires: None },
    ];
    let [one_by_one, together] =
        [1, 2].map(|size| committed(Box::<Memory>::default(), &steps, &[size]));
    assert_eq!(difference(&one_by_one, &together), None);
}

#[test]
fn an_id_that_one_check_gives_up_is_free_for_another_in_the_same_change() {
    let folder = TempDir::new().unwrap();
    let steps = [
        Step::Answer { user: 0, ips: [].into(), fails: Some([1].into()), found: false },
        // The provisional check becomes `check0`, and its id that of a check of its own.
        Step::Configure { checks: [(0, 1), (2, 2)].into() },
    ];
    let in_memory = committed(Box::<Memory>::default(), &steps, &[1]);
    let stored = committed(sqlite(&folder, "one"), &steps, &[1]);
    assert_eq!(difference(&in_memory, &stored), None);
}

#[test]
fn checks_that_the_configuration_makes_one_are_one_on_every_engine() {
    // Two provisional checks. Then the first is what the other's title means, whose id stays in
    // use; or both have the same title from then on.
    for titles in [[(0, 1), (2, 2)], [(0, 2), (2, 2)]] {
        let folder = TempDir::new().unwrap();
        let steps = [
            Step::Answer { user: 0, ips: [].into(), fails: Some([0, 1].into()), found: false },
            Step::Configure { checks: titles.into() },
        ];
        let in_memory = committed(Box::<Memory>::default(), &steps, &[1]);
        let stored = committed(sqlite(&folder, "one"), &steps, &[1]);
        assert_eq!(difference(&in_memory, &stored), None, "{titles:?}");
    }
}
