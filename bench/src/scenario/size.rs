//! The size of the program.

use std::fs;

use super::Scenario;
use crate::{
    Result,
    bench::Bench,
    figure::{Figure, Goal, Unit},
    samples::Samples,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "size",
    about: "the size of the binary as it is packaged",
    figures: &[&BINARY],
    run,
};

const BINARY: Figure = Figure {
    name: "binary",
    unit: Unit::Mebibytes,
    reference: None,
    goals: &[Goal::AtMost(20.0 * 1024.0 * 1024.0)],
    bound: "own code is 5 MiB, generics of libraries 4, SQLite, TLS and zstd 3, unwind tables 3; compiled \
            for size, a delivery costs more",
};

fn run(bench: &Bench, samples: &mut Samples) -> Result<()> {
    for (side, binary) in bench.exporters() {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
        samples.add(&BINARY, side, fs::metadata(binary)?.len() as f64);
    }
    Ok(())
}
