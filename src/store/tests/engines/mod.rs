//! The same changes on every engine, one by one and in groups.

mod changes;
mod step;

use std::time::Instant;

use cii_test_cluster::{Cluster, Database};
use proptest::prelude::*;

use super::{memory::Memory, *};
use crate::{
    domain::WatchSubject,
    ledger::{EventSlice, Facts, Keys, WholeTable},
    store::{
        announcements::Announcements,
        engine::Engine,
        group::Writer,
        health::Health,
        postgres::{Postgres, Server, Way},
        sqlite::Sqlite,
        touched::Recent,
        under_way::UnderWay,
    },
};
use changes::{JOBS, address, user, waiting};
use step::{Step, step};

/// The keys of everything that the steps can touch.
fn all_keys() -> Keys {
    let whole = [
        WholeTable::Refused,
        WholeTable::Checks,
        WholeTable::ListMemory,
        WholeTable::Listing,
        WholeTable::Tenant,
        WholeTable::Service,
        WholeTable::Otlp,
    ];
    let mut keys = Keys { whole: whole.into(), ..Keys::default() };
    keys.parked = Some(EventSlice { after: 0, limit: 99 });
    keys.watched_for =
        [WatchSource::Command, WatchSource::Configuration, WatchSource::Webhook].into();
    keys.jobs = JOBS.into();
    keys.targets = (0..3).map(|number| format!("t{number}")).collect();
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
    keys.watched.extend([address(0), address(1)].map(WatchSubject::Ip));
    keys.past.extend([address(0), address(1)].map(WatchSubject::Ip));
    keys
}

/// Commits the steps in groups of these sizes; returns the engine's whole state afterwards.
fn commit_steps(engine: Box<dyn Engine>, steps: &[Step], sizes: &[usize]) -> String {
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
    let way = Way::new(Server::at(&database.url, None)).unwrap();
    Box::new(Postgres::open(&way, true).unwrap().0)
}

fn sqlite(folder: &TempDir, name: &str) -> Box<dyn Engine> {
    Box::new(Sqlite::open(&folder.path().join(name), true).unwrap().0)
}

#[test]
fn a_step_that_is_only_large_gets_answers_all_the_time() {
    let folder = TempDir::new().unwrap();
    let database = Cluster::shared().create_database();
    for mut engine in [sqlite(&folder, "large"), postgres(&database)] {
        let under_way = UnderWay::default();
        engine.report_answers(under_way.clone());
        let (head, counts) = engine.begin().unwrap();
        let mut facts = Facts::new(head, counts);
        let mut keys = Keys::default();
        keys.failures_of.extend((0..20_000).map(|number| login(&format!("user{number}"))));
        under_way.track(|| {
            let begun = Instant::now();
            engine.load(&keys, &mut facts).unwrap();
            assert!(under_way.wait_longer_than(begun.elapsed()).is_none());
        });
        engine.roll_back();
    }
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
        let in_memory = commit_steps(Box::<Memory>::default(), &steps, &[1]);
        for (name, other) in [
            ("memory, in groups", commit_steps(Box::<Memory>::default(), &steps, &sizes)),
            ("SQLite, one by one", commit_steps(sqlite(&folder, "one"), &steps, &[1])),
            ("SQLite, in groups", commit_steps(sqlite(&folder, "groups"), &steps, &sizes)),
            ("PostgreSQL", commit_steps(postgres(&cluster.create_database()), &steps, &sizes)),
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
        [1, 2].map(|size| commit_steps(Box::<Memory>::default(), &steps, &[size]));
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
    let in_memory = commit_steps(Box::<Memory>::default(), &steps, &[1]);
    let stored = commit_steps(sqlite(&folder, "one"), &steps, &[1]);
    assert_eq!(difference(&in_memory, &stored), None);
}

#[test]
fn checks_that_the_configuration_makes_one_are_one_on_every_engine() {
    // Two provisional checks. Then either the other's title means the first check, whose id stays
    // in use, or both have the same title.
    for titles in [[(0, 1), (2, 2)], [(0, 2), (2, 2)]] {
        let folder = TempDir::new().unwrap();
        let steps = [
            Step::Answer { user: 0, ips: [].into(), fails: Some([0, 1].into()), found: false },
            Step::Configure { checks: titles.into() },
        ];
        let in_memory = commit_steps(Box::<Memory>::default(), &steps, &[1]);
        let stored = commit_steps(sqlite(&folder, "one"), &steps, &[1]);
        assert_eq!(difference(&in_memory, &stored), None, "{titles:?}");
    }
}
