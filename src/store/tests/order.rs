//! Observations in any order.

use proptest::prelude::*;

use super::*;
use crate::domain::{ListAnswer, TenantUser};

/// An observation of who fails a check.
#[derive(Debug, Clone)]
enum Observation {
    Delivery { published: i64, users: BTreeSet<u8> },
    Answer { asked: i64, user: u8, fails: bool },
    Listing { asked: i64, failing: BTreeSet<u8> },
}

fn any_observation() -> impl Strategy<Value = Observation> {
    prop_oneof![
        (0..50_i64, proptest::collection::btree_set(0..3_u8, 1..3))
            .prop_map(|(published, users)| Observation::Delivery { published, users }),
        (0..50_i64, 0..3_u8, any::<bool>()).prop_map(|(asked, user, fails)| Observation::Answer {
            asked,
            user,
            fails
        }),
        (0..50_i64, proptest::collection::btree_set(0..3_u8, 0..3))
            .prop_map(|(asked, failing)| Observation::Listing { asked, failing }),
    ]
}

async fn record_observation(store: &Store, position: usize, word: &Observation) {
    match word {
        Observation::Delivery { published, users } => {
            let users: Vec<_> = users.iter().map(|user| format!("user{user}@x")).collect();
            let users: Vec<_> = users.iter().map(String::as_str).collect();
            let mut record = delivery(&position.to_string(), &users);
            record.delivery.published_at = Some(at(*published));
            // In transit for longer than any answer is considered.
            record.delivery.received_at = at(60);
            record.recorded_at = at(60);
            store.commit(record).await.unwrap();
        }
        Observation::Answer { asked, user, fails } => {
            let fails = fails.then(|| "no-mfa".to_owned()).into_iter().collect();
            let answer = FailureAnswer {
                login: login(&format!("user{user}@x")),
                verdict: Verdict::Fails(fails),
                asked_at: at(*asked),
                answered_at: at(100),
                settle: chrono::TimeDelta::zero(),
            };
            store.commit(fixtures::checks_only(answer)).await.unwrap();
        }
        Observation::Listing { asked, failing } => {
            fixtures::list(store, listing(*asked, failing)).await.unwrap();
        }
    }
}

/// A listing of three users on one page.
pub(super) fn listing(asked: i64, failing: &BTreeSet<u8>) -> RecordListingPage {
    let user = |user: u8| ListedUser {
        login: login(&format!("user{user}@x")),
        facts: TenantUser::default(),
        failing: ListAnswer::Given(
            failing.contains(&user).then(|| "no-mfa".to_owned()).into_iter().collect(),
        ),
    };
    RecordListingPage {
        users: (0..3).map(user).collect(),
        skipped: 0,
        begun_at: at(asked),
        asked_at: at(asked),
        answered_at: at(100),
        next: None,
    }
}

/// Who fails the check after these observations, received in this order.
async fn failing_after(words: &[Observation], order: &[usize]) -> Vec<Option<u64>> {
    let fixture = Fixture::new();
    watch(&fixture.store, (0..3).map(|n| login(&format!("user{n}@x"))), [], at(0)).await.unwrap();
    for position in order {
        record_observation(&fixture.store, *position, &words[*position]).await;
    }
    let failing = fixture
        .store
        .read(|reader| {
            (0..3)
                .map(|n| {
                    Ok(watched_user(reader, &format!("user{n}@x"))?.map(|user| user.failing_checks))
                })
                .collect()
        })
        .await
        .unwrap();
    drop(fixture.store);
    fixture.writer.stop().await;
    failing
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_any_order_and_however_often_the_same_words_open_the_same_failures(
        mut words in proptest::collection::vec(any_observation(), 1..12),
        repeats in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
        order in any::<u64>(),
    ) {
        // Two answers of one moment would contradict each other.
        let mut asked = BTreeSet::new();
        words.retain(|word| match word {
            Observation::Answer { asked: at, user, .. } => asked.insert((*at, *user)),
            Observation::Listing { asked: at, .. } => {
                let users: Vec<_> = (0..3).map(|user| (*at, user)).collect();
                let is_free = users.iter().all(|word| !asked.contains(word));
                asked.extend(users);
                is_free
            }
            Observation::Delivery { .. } => true,
        });
        let straight: Vec<usize> = (0..words.len()).collect();
        let mut shuffled = straight.clone();
        shuffled.extend(repeats.iter().map(|index| index.index(words.len())));
        let mut seed = order;
        for last in (1..shuffled.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(last, usize::try_from(seed >> 33).unwrap() % (last + 1));
        }
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (first, second) = runtime.block_on(async {
            (failing_after(&words, &straight).await, failing_after(&words, &shuffled).await)
        });
        prop_assert_eq!(first, second);
    }
}

#[tokio::test]
async fn an_answer_ends_a_failure_and_a_later_one_opens_a_new_one() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    store.commit(delivery("d1", &["user0@x"])).await.unwrap();
    for (position, fails) in [(1, true), (2, false), (3, false), (4, true)] {
        record_observation(
            &store,
            0,
            &Observation::Answer { asked: 20 + position, user: 0, fails },
        )
        .await;
    }
    let events = names(&store).await;
    let about_failures: Vec<_> = events
        .into_iter()
        .filter(|name| matches!(name, EventName::CheckFailed | EventName::CheckResolved))
        .collect();
    let expected = [EventName::CheckFailed, EventName::CheckResolved, EventName::CheckFailed];
    assert_eq!(about_failures, expected);
    let check = store.read(|reader| reader.check("no-mfa")).await.unwrap().unwrap();
    assert_eq!((check.failing, check.failures, check.resolutions), (1, 2, 1));
}
