//! What the exporter occupies with 100 watched users and nothing to do.

use std::time::Duration;

use super::Scenario;
use crate::{
    Result,
    bench::Bench,
    figure::{Figure, Goal, Unit},
    http,
    samples::Samples,
    simulator::Simulator,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "idle",
    about: "memory with 100 watched users, after their first poll and a scrape",
    figures: &[&MEMORY, &OWN],
    run,
};

const MEMORY: Figure = Figure {
    name: "idle with 100 watched users: memory",
    unit: Unit::Mebibytes,
    reference: None,
    goals: &[Goal::AtMost(25.0 * 1024.0 * 1024.0)],
    bound: "pages of files are two thirds: those of the program's that the system has mapped beside \
            each page that ran, and takes back where memory is short",
};

const OWN: Figure = Figure {
    name: "idle with 100 watched users: memory of its own",
    unit: Unit::Mebibytes,
    reference: None,
    goals: &[],
    bound: "the threads, what was read at the start, and SQLite's caches",
};

fn run(bench: &Bench, samples: &mut Samples) -> Result<()> {
    let simulator = Simulator::start(bench, 100)?;
    let users = serde_json::to_string(&simulator.logins()?)?;
    for (side, binary) in bench.exporters() {
        let tables = format!("{}[watch]\nusers = {users}\n", simulator.api);
        let mut exporter = bench.fresh(binary)?.tables(&tables).start()?;
        // The jobs at the start begin within a moment; then there is nothing to do for long.
        std::thread::sleep(Duration::from_secs(2));
        exporter.process.settle(Duration::from_secs(20))?;
        http::get(exporter.ops, "/metrics", true)?.ok()?;
        std::thread::sleep(Duration::from_secs(1));
        samples.add(&MEMORY, side, exporter.process.resident()?);
        samples.add(&OWN, side, exporter.process.anonymous()?);
        exporter.stop()?;
    }
    simulator.stop()
}
