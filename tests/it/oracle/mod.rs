//! A random walk over the service, the daemon and the collector, by a seed.
//!
//! At quiet points everything that is shown is held against what follows from the service's
//! own state. `scripts/oracle --help` says how to walk for long, and how to repeat a walk.

mod compare;
mod expected;
mod journal;
mod model;
mod relay;
mod service;
mod steps;
mod world;

use world::World;

/// Steps between two quiet points, and how often that goes: less than a minute.
const STEPS: usize = 10;
const ROUNDS: usize = 4;

async fn walk(seed: u64) {
    let mut world = World::new(seed).await;
    world.quiet().await;
    for round in 0..ROUNDS {
        for number in 0..STEPS {
            let told = steps::step(&mut world).await;
            eprintln!("oracle: seed {seed}, step {}: {told}", round * STEPS + number);
        }
        world.quiet().await;
        eprintln!("oracle: seed {seed}, quiet point {round}");
        if round % 2 == 1 {
            let body = steps::body(&mut world);
            world.freeze(&body).await;
            eprintln!("oracle: seed {seed}, the same to the byte after a kill");
        }
    }
    world.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_that_is_always_the_same_shows_what_the_service_has() {
    walk(1).await;
}

/// `ORACLE_SEED` repeats a walk.
#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_walk_shows_what_the_service_has() {
    #[expect(clippy::disallowed_methods, reason = "an argument of the test's")]
    let given = std::env::var("ORACLE_SEED").ok().and_then(|seed| seed.parse().ok());
    walk(given.unwrap_or_else(|| fastrand::u64(..1_000_000))).await;
}
