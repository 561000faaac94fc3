//! How many users failed a check recently, and for how long.

use chrono::TimeDelta;

use super::*;
use crate::domain::failure::{Change, Trend, TrendDay};

const DAY: i64 = 86_400;

/// A delivery at a moment, recorded then.
fn delivered_at(second: i64, id: &str, logins: &[&str]) -> RecordDelivery {
    let mut change = delivery(id, logins);
    change.delivery.received_at = at(second);
    change.delivery.published_at = Some(at(second));
    change.recorded_at = at(second);
    change
}

/// An answer at a moment, by which a user fails nothing.
fn mended_at(second: i64, name: &str) -> RecordAnswer {
    fixtures::checks_only(FailureAnswer {
        login: login(name),
        verdict: Verdict::Fails(BTreeSet::new()),
        asked_at: at(second),
        answered_at: at(second),
        settle: TimeDelta::zero(),
    })
}

/// Three failures that began on three days; two of them ended on the fourth.
async fn four_days(store: &Store) {
    for (day, name) in [(0, "a"), (1, "b"), (2, "c")] {
        store.commit(delivered_at(100 + day * DAY, name, &[name])).await.unwrap();
    }
    for name in ["a", "b"] {
        store.commit(mended_at(100 + 3 * DAY, name)).await.unwrap();
    }
}

async fn trend(store: &Store) -> (Trend, u64) {
    let check = store.read(|reader| reader.check("no-mfa")).await.unwrap().unwrap();
    (check.trend, check.failing)
}

/// The number of people per set of checks.
async fn check_sets(store: &Store) -> Vec<(Vec<i64>, u64)> {
    let read = |reader: &Reader| {
        let mut sets = Vec::new();
        reader.each_check_set(|checks, people| sets.push((checks, people)))?;
        Ok(sets)
    };
    store.read(read).await.unwrap()
}

/// The number of failing users at the end of a day, and how many failures were new and resolved.
type Shown = (Option<u64>, Option<(u64, u64)>);

fn four_days_of(trend: &Trend, failing: u64) -> Vec<Shown> {
    let shown =
        |day: &TrendDay| (day.failing, day.change.map(|Change { new, resolved }| (new, resolved)));
    trend.days(at(100 + 3 * DAY), 5, failing).iter().map(shown).collect()
}

const EXPECTED: [Shown; 5] = [
    (None, None),
    (Some(1), Some((1, 0))),
    (Some(2), Some((1, 0))),
    (Some(3), Some((1, 0))),
    (Some(1), Some((0, 2))),
];

#[tokio::test]
async fn each_day_has_its_numbers_and_a_restart_keeps_them() {
    let fixture = Fixture::new();
    four_days(&fixture.store).await;
    let fixture = fixture.reopen().await;
    let (trend, failing) = trend(&fixture.store).await;
    assert_eq!(four_days_of(&trend, failing), EXPECTED);
    assert_eq!(trend.last_day(at(100 + 3 * DAY)), Change { new: 0, resolved: 2 });
}

#[tokio::test]
async fn an_upgrade_finds_in_the_log_what_a_newer_binary_would_have_counted() {
    let fixture = Fixture::in_file();
    four_days(&fixture.store).await;
    let (counted, failing) = trend(&fixture.store).await;
    let sets = check_sets(&fixture.store).await;
    assert!(!sets.is_empty());
    let place = fixture.close().await;
    // As the version before stored it.
    place.alter(
        "ALTER TABLE failure ADD COLUMN delivery INTEGER;
                 ALTER TABLE failure_closed ADD COLUMN delivery INTEGER;
                 UPDATE failure_closed SET delivery = 1;
                 CREATE INDEX event_observed ON event (observed_at);
                 ALTER TABLE head DROP COLUMN event_hour;
                 DROP TABLE event_hour;
                 ALTER TABLE checks DROP COLUMN trend;
                 DROP INDEX event_by_name;
                 DROP TABLE check_set;
                 DROP INDEX failure_closed_of_check;
                 ALTER TABLE failure_closed DROP COLUMN is_dated;
                 ALTER TABLE job_state DROP COLUMN hours;
                 PRAGMA user_version = 12;",
    );
    let (store, _writer) = place.open();
    let (found, _) = trend(&store).await;
    assert_eq!(found.parts().1, counted.parts().1, "days");
    assert_eq!(check_sets(&store).await, sets);
    assert_eq!(found.last_day(at(100 + 3 * DAY)), counted.last_day(at(100 + 3 * DAY)));
    assert_eq!(four_days_of(&found, failing), EXPECTED);
    let lasted =
        store.read(|reader| reader.ended_durations(None, at(0), 9)).await.unwrap().unwrap();
    assert_eq!(lasted.count, 2);
}

#[tokio::test]
async fn the_median_is_of_the_newest_that_ended() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    four_days(&store).await;
    let lasted = async |check: Option<&'static str>, since, most| {
        store.read(move |reader| reader.ended_durations(check, at(since), most)).await.unwrap()
    };
    let both = Some(EndedDurations { count: 2, median: TimeDelta::seconds(DAY * 5 / 2) });
    assert_eq!(lasted(None, 0, 9).await, both);
    assert_eq!(lasted(Some("no-mfa"), 0, 9).await, both);
    assert_eq!(lasted(Some("other"), 0, 9).await, None);
    assert_eq!(lasted(None, 101 + 3 * DAY, 9).await, None);
    assert_eq!(lasted(None, 0, 1).await.unwrap().count, 1);
}

#[tokio::test]
async fn what_is_old_is_counted_from_the_side_of_the_few() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    for (day, names) in [(0, ["a", "b", "c"].as_slice()), (1, &["d", "e"])] {
        let id = day.to_string();
        store.commit(delivered_at(100 + day * DAY, &id, names)).await.unwrap();
    }
    let before = async |second, most| {
        let read =
            move |reader: &Reader| reader.failures_before_at_most("no-mfa", at(second), 5, most);
        store.read(read).await.unwrap()
    };
    assert_eq!(before(DAY, 9).await, Counted::Exactly(3));
    assert_eq!(before(DAY, 2).await, Counted::Exactly(3));
    assert_eq!(before(DAY, 1).await, Counted::MoreThan(1));
    assert_eq!(before(9 * DAY, 0).await, Counted::Exactly(5));
    assert_eq!(before(0, 3).await, Counted::Exactly(0));
}

#[tokio::test]
async fn users_come_by_page_the_longest_first() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    for (day, names) in [(2, ["a", "b"].as_slice()), (0, &["z", "y"]), (1, &["m"])] {
        let id = day.to_string();
        store.commit(delivered_at(100 + day * DAY, &id, names)).await.unwrap();
    }
    let page = async |began: BeginRange, after: Option<(Timestamp, &'static str)>| {
        let read = move |reader: &Reader| reader.failing_by_age("no-mfa", &began, after, 2);
        let users = store.read(read).await.unwrap();
        users.into_iter().map(|user| user.login.as_str().to_owned()).collect::<Vec<_>>()
    };
    let all = BeginRange::default();
    assert_eq!(page(all, None).await, ["y", "z"]);
    assert_eq!(page(all, Some((at(100), "z"))).await, ["m", "a"]);
    assert_eq!(page(all, Some((at(100 + 2 * DAY), "a"))).await, ["b"]);
    let old = BeginRange { before: Some(at(100 + DAY)), ..all };
    assert_eq!(page(old, Some((at(100), "y"))).await, ["z"]);
    let new = BeginRange { since: Some(at(100 + 2 * DAY)), ..all };
    assert_eq!(page(new, None).await, ["a", "b"]);
}
