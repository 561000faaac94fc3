//! Many large deliveries at the same moment, and one that is larger still.

use std::time::Duration;

use super::Scenario;
use crate::{
    Result,
    bench::{Bench, progress},
    figure::{Figure, Goal, Unit},
    load::{large, send_at_once},
    samples::Samples,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "burst",
    about: "64 deliveries of 5,000 users at once, small ones beside them; one of 50,000 users",
    figures: &[&REFUSED, &SLOWEST, &BESIDE, &PEAK, &LARGEST, &LARGEST_AFTER],
    run,
};

const REFUSED: Figure = Figure {
    name: "64 × 5,000 users at once: refused",
    unit: Unit::Count,
    reference: None,
    goals: &[Goal::AtMost(0.0)],
    bound: "the time until the last of them is committed, and the exporter's limit for a sender: 10 s",
};

const SLOWEST: Figure = Figure {
    name: "64 × 5,000 users at once: slowest answer",
    unit: Unit::Seconds,
    reference: None,
    goals: &[Goal::AtMost(5.0)],
    bound: "the writer: 320,000 failures and their events",
};

const BESIDE: Figure = Figure {
    name: "64 × 5,000 users at once: slowest small delivery",
    unit: Unit::Seconds,
    reference: None,
    goals: &[],
    bound: "the large delivery that is being applied: it is one transaction",
};

const PEAK: Figure = Figure {
    name: "64 × 5,000 users at once: peak memory",
    unit: Unit::Mebibytes,
    reference: None,
    goals: &[],
    bound: "the bodies in flight, parsed, and the facts of one group",
};

const LARGEST: Figure = Figure {
    name: "one delivery of 50,000 users: answer",
    unit: Unit::Seconds,
    reference: None,
    goals: &[Goal::AtMost(0.5)],
    bound: "the writer: 50,000 failures and their events in one transaction",
};

const LARGEST_AFTER: Figure = Figure {
    name: "one delivery of 50,000 users: memory after it",
    unit: Unit::Mebibytes,
    reference: None,
    goals: &[Goal::AtMost(60.0 * 1024.0 * 1024.0)],
    bound: "what the allocator gives back to the system",
};

fn run(bench: &Bench, samples: &mut Samples) -> Result<()> {
    for round in 1..=bench.rounds.min(2) {
        progress(&format!("round {round}"));
        for (side, binary) in bench.exporters() {
            let exporter = bench.fresh(binary)?.start()?;
            let bodies = (0..64).map(|_| large(5_000)).collect();
            let outcome = send_at_once(&exporter.endpoint(), bodies)?;
            samples.add(&REFUSED, side, outcome.refused);
            samples.add(&SLOWEST, side, outcome.slowest);
            samples.add(&BESIDE, side, outcome.slowest_beside);
            samples.add(&PEAK, side, exporter.process.peak_resident()?);
            exporter.stop()?;
        }
    }
    for _ in 0..bench.rounds {
        for (side, binary) in bench.exporters() {
            let mut exporter = bench.fresh(binary)?.start()?;
            let outcome = send_at_once(&exporter.endpoint(), vec![large(50_000)])?;
            if outcome.refused > 0.0 {
                return Err("the delivery of 50,000 users was refused".into());
            }
            samples.add(&LARGEST, side, outcome.slowest);
            exporter.process.settle(Duration::from_secs(10))?;
            samples.add(&LARGEST_AFTER, side, exporter.process.resident()?);
            exporter.stop()?;
        }
    }
    Ok(())
}
