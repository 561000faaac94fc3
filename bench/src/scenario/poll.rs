//! A poll of 10,000 watched users: the first, and one that finds nothing changed.

use super::Scenario;
use crate::{
    Result,
    bench::{Bench, progress},
    figure::{Figure, Goal, Unit},
    polled,
    samples::Samples,
    simulator::Simulator,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "poll",
    about: "a poll of 10,000 watched users, the first and one that finds nothing changed",
    figures: &[&FIRST, &UNCHANGED, &COMMITS, &PEAK],
    run,
};

const FIRST: Figure = Figure {
    name: "poll of 10,000 users, first: CPU",
    unit: Unit::Seconds,
    reference: None,
    goals: &[Goal::AtMost(5.0)],
    bound: "reading 1,000 answers, and writing 10,000 snapshots and their events",
};

const UNCHANGED: Figure = Figure {
    name: "poll of 10,000 users, nothing changed: CPU",
    unit: Unit::Seconds,
    reference: None,
    goals: &[Goal::AtMost(1.5)],
    bound: "reading 1,000 answers, and comparing 10,000 snapshots; the start is included",
};

const COMMITS: Figure = Figure {
    name: "poll of 10,000 users, first: commits",
    unit: Unit::Count,
    reference: None,
    // A batch has ten users; beside the batches there are the job's own record and the start's.
    goals: &[Goal::AtMost(1_050.0)],
    bound: "one for each batch of answers",
};

const PEAK: Figure = Figure {
    name: "poll of 10,000 users, first: peak memory",
    unit: Unit::Mebibytes,
    reference: None,
    goals: &[],
    bound: "the view with a line for each series",
};

const USERS: usize = 10_000;

fn run(bench: &Bench, samples: &mut Samples) -> Result<()> {
    progress("starting the simulator");
    let simulator = Simulator::start(bench, USERS)?;
    let mut setups = Vec::new();
    for (side, binary) in bench.exporters() {
        let setup = polled::setup(binary, &bench.new_folder()?, &simulator, true)?;
        let first = polled::run(&setup)?;
        samples.add(&FIRST, side, first.cpu);
        samples.add(&COMMITS, side, first.commits);
        samples.add(&PEAK, side, first.peak_resident);
        setups.push((side, setup));
    }
    for _ in 0..bench.rounds.min(2) {
        for (side, setup) in &setups {
            samples.add(&UNCHANGED, *side, polled::run(setup)?.cpu);
        }
    }
    simulator.stop()
}
