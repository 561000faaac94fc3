//! The life of failures, compared with a model that knows only the most recent observations.

use proptest::prelude::*;

use super::{order::listing, *};
use crate::domain::failure::Grid;

const HOUR: i64 = 3600;

/// An observation, some hours after the one before.
#[derive(Debug, Clone)]
enum Step {
    Delivery(u8),
    Answer(u8, bool),
    /// The service does not know the user.
    Unknown(u8),
    Listing(BTreeSet<u8>),
}

fn step() -> impl Strategy<Value = (i64, Step)> {
    let user = 0..3_u8;
    let step = prop_oneof![
        user.clone().prop_map(Step::Delivery),
        (user.clone(), any::<bool>()).prop_map(|(user, fails)| Step::Answer(user, fails)),
        user.prop_map(Step::Unknown),
        proptest::collection::btree_set(0..3_u8, 0..4).prop_map(Step::Listing),
    ];
    (1..20_i64, step)
}

/// The model: who fails.
#[derive(Debug, Default)]
struct Model {
    failing: BTreeSet<u8>,
    unknown_since: BTreeMap<u8, i64>,
    /// When a delivery last named each failing user.
    named_at: BTreeMap<u8, i64>,
}

impl Model {
    fn apply_step(&mut self, now: i64, step: &Step) {
        match step {
            Step::Delivery(user) => {
                self.failing.insert(*user);
                self.named_at.insert(*user, now);
            }
            Step::Answer(user, fails) => self.apply_answer(*user, *fails),
            Step::Unknown(user) => {
                let since = *self.unknown_since.entry(*user).or_insert(now);
                let named_at = self.named_at.get(user).copied().unwrap_or(since);
                if now - since.max(named_at) >= 24 {
                    self.failing.remove(user);
                    self.named_at.remove(user);
                }
            }
            Step::Listing(failing) => {
                for user in 0..3 {
                    // An answer about a user who neither fails nor failed is not stored.
                    if failing.contains(&user) || self.failing.contains(&user) {
                        self.apply_answer(user, failing.contains(&user));
                    }
                }
            }
        }
    }

    fn apply_answer(&mut self, user: u8, fails: bool) {
        self.unknown_since.remove(&user);
        if fails {
            self.failing.insert(user);
        } else {
            self.failing.remove(&user);
            self.named_at.remove(&user);
        }
    }
}

async fn commit_step(store: &Store, now: i64, position: usize, step: &Step) {
    let now = now * HOUR;
    let answer = |user: u8, verdict| FailureAnswer {
        login: login(&format!("user{user}@x")),
        verdict,
        asked_at: at(now),
        answered_at: at(now),
        settle: chrono::TimeDelta::zero(),
    };
    match step {
        Step::Delivery(user) => {
            let mut record = delivery(&position.to_string(), &[&format!("user{user}@x")]);
            record.delivery.published_at = Some(at(now));
            record.delivery.received_at = at(now);
            record.recorded_at = at(now);
            store.commit(record).await.unwrap();
        }
        Step::Answer(user, fails) => {
            let fails = fails.then(|| "no-mfa".to_owned()).into_iter().collect();
            let answer = answer(*user, Verdict::Fails(fails));
            store.commit(fixtures::checks_only(answer)).await.unwrap();
        }
        Step::Unknown(user) => {
            let answer = answer(*user, Verdict::Unknown);
            store.commit(fixtures::checks_only(answer)).await.unwrap();
        }
        Step::Listing(failing) => {
            let page = RecordListingPage { answered_at: at(now), ..listing(now, failing) };
            fixtures::list(store, page).await.unwrap();
        }
    }
}

/// The events of each user's failures, in order.
async fn read_failure_events(store: &Store) -> BTreeMap<String, Vec<EventName>> {
    let mut story = BTreeMap::<String, Vec<EventName>>::new();
    for (_, name, login) in log(store).await {
        let is_told = matches!(
            name,
            EventName::CheckFailed | EventName::CheckBaseline | EventName::CheckResolved
        );
        if let Some(login) = login.filter(|_| is_told) {
            story.entry(login).or_default().push(name);
        }
    }
    story
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn failing_resolved_failing_as_the_model_has_it(
        steps in proptest::collection::vec(step(), 1..25),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let fixture = Fixture::new();
            let (mut model, mut now) = (Model::default(), 0);
            let mut shown = BTreeMap::new();
            for (position, (hours, step)) in steps.iter().enumerate() {
                now += hours;
                model.apply_step(now, step);
                commit_step(&fixture.store, now, position, step).await;
                let check = fixture.store.read(|reader| reader.check("no-mfa")).await.unwrap();
                let failing = check.as_ref().map_or(0, |check| check.failing);
                assert_eq!(failing, model.failing.len() as u64, "after {step:?} at {now}");
                shown.insert(now * HOUR, check.map(|check| check.failing));
            }
            // Walking back over the log reproduces what was shown.
            let grid = Grid::new(at(0), at((now + 1) * HOUR), 3600).unwrap();
            let history = fixture.place.reader().failing_history(grid, 10).unwrap();
            let found: BTreeMap<_, _> =
                history.iter().flat_map(|check| check.curve.values()).collect();
            for index in 0..grid.len() {
                let then = shown.range(..=grid.second(index)).next_back();
                let then = then.and_then(|(_, failing)| *failing);
                assert_eq!(found.get(&index).copied(), then, "{index}: {shown:?} {steps:?}");
            }
            let mut open = 0;
            for (login, names) in read_failure_events(&fixture.store).await {
                // It begins with a failure, and failures and ends alternate. A failure that the
                // first look found is announced by the first delivery that names it.
                let mut is_open = false;
                for (position, name) in names.iter().enumerate() {
                    let before = position.checked_sub(1).map(|before| names[before]);
                    let is_told_late =
                        before == Some(EventName::CheckBaseline) && *name == EventName::CheckFailed;
                    let is_end = *name == EventName::CheckResolved;
                    assert_eq!(is_end, is_open && !is_told_late, "{login}: {names:?}");
                    is_open = !is_end;
                }
                open += usize::from(is_open);
            }
            assert_eq!(open, model.failing.len());
            fixture.writer.stop().await;
        });
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_does_not_stop_answers_from_counting() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    let year = 365 * 24;
    commit_step(&store, year, 0, &Step::Delivery(0)).await;
    commit_step(&store, year, 1, &Step::Answer(0, true)).await;
    // The clock is set right, a year back.
    commit_step(&store, 1, 2, &Step::Answer(0, false)).await;
    let failing = |check: Option<CheckState>| check.unwrap().failing;
    assert_eq!(failing(store.read(|reader| reader.check("no-mfa")).await.unwrap()), 0);
    commit_step(&store, 2, 3, &Step::Delivery(0)).await;
    assert_eq!(failing(store.read(|reader| reader.check("no-mfa")).await.unwrap()), 1);
}
