//! How long a delivery takes at half of the load that the server can take.

use std::time::Duration;

use super::Scenario;
use crate::{
    Result,
    bench::{Bench, progress},
    figure::{Figure, Goal, Side, Unit},
    load::{Endpoint, Load, Pace},
    samples::Samples,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "latency",
    about: "the time to an answer at half of the measured load, sent at an even rate",
    figures: &[&RATE, &HALF, &SLOW],
    run,
};

const RATE: Figure = Figure {
    name: "half load: deliveries",
    unit: Unit::PerSecond,
    reference: Some("bare, group commit"),
    goals: &[],
    bound: "",
};

const HALF: Figure = Figure {
    name: "half load: p50",
    unit: Unit::Milliseconds,
    reference: Some("bare, group commit"),
    goals: &[],
    bound: "a delivery waits for the group before it, and for the sync of its own",
};

const SLOW: Figure = Figure {
    name: "half load: p99",
    unit: Unit::Milliseconds,
    reference: Some("bare, group commit"),
    goals: &[Goal::AtMost(0.01)],
    bound: "the slowest syncs of the disk, checkpoints, and contention for the CPU",
};

const CONNECTIONS: u32 = 256;

fn run(bench: &Bench, samples: &mut Samples) -> Result<()> {
    for round in 1..=bench.rounds.min(2) {
        progress(&format!("round {round}"));
        for (side, binary) in bench.exporters() {
            let exporter = bench.fresh(binary)?.start()?;
            measure(bench, samples, side, &exporter.endpoint())?;
            exporter.stop()?;
        }
        let (bare, _) = bench.bare("together")?;
        measure(bench, samples, Side::Reference, &bare.endpoint())?;
        bare.process.stop()?;
    }
    Ok(())
}

fn measure(bench: &Bench, samples: &mut Samples, side: Side, endpoint: &Endpoint) -> Result<()> {
    let load = |pace, lasting| Load { connections: CONNECTIONS, pace, lasting };
    load(Pace::Closed, Duration::from_millis(500)).run(endpoint)?;
    let half = load(Pace::Closed, bench.lasting / 2).run(endpoint)?.rate() / 2.0;
    let report = load(Pace::PerSecond(half), bench.lasting).run(endpoint)?;
    if report.refused > 0.0 {
        return Err(
            format!("{} deliveries were refused at half of the load", report.refused).into()
        );
    }
    samples.add(&RATE, side, half);
    samples.add(&HALF, side, report.latency(0.5));
    samples.add(&SLOW, side, report.latency(0.99));
    Ok(())
}
