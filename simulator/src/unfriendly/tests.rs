use chrono::DateTime;

use super::*;

fn drawn(seed: u64) -> (Vec<Fault>, Vec<Vec<Fault>>, Vec<Vec<Fault>>) {
    let unfriendly = Unfriendly::new(seed);
    let mut tenant = Tenant::seeded(1, 20, DateTime::UNIX_EPOCH);
    let standing = unfriendly.standing(&mut tenant);
    let requests = (0..200).map(|_| unfriendly.of_request().list()).collect();
    let deliveries = (0..50).map(|_| unfriendly.of_delivery().list()).collect();
    (standing, requests, deliveries)
}

#[test]
fn a_seed_always_draws_the_same() {
    assert_eq!(drawn(7), drawn(7));
    assert_ne!(drawn(7), drawn(8));
}

#[test]
fn most_requests_meet_no_passing_fault_and_some_do() {
    for seed in 0..20 {
        let met = drawn(seed).1.iter().filter(|faults| !faults.is_empty()).count();
        assert!((10..70).contains(&met), "{met} of 200 with seed {seed}");
    }
}
