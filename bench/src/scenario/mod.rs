//! What is measured, a file each.

mod backlog;
mod burst;
mod idle;
mod ingest;
mod latency;
mod million;
mod poll;
mod scrape;
mod server;
mod server_scrape;
mod size;

use crate::{Result, bench::Bench, figure::Figure, samples::Samples};

/// Something to measure.
pub(crate) struct Scenario {
    /// As it is chosen on the command line.
    pub(crate) name: &'static str,
    /// One line for `--help`.
    pub(crate) about: &'static str,
    /// The rows that it fills.
    pub(crate) figures: &'static [&'static Figure],
    pub(crate) run: fn(&Bench, &mut Samples) -> Result<()>,
}

/// Every scenario, in the order in which they run and stand in the table.
pub(crate) const ALL: &[Scenario] = &[
    ingest::SCENARIO,
    latency::SCENARIO,
    burst::SCENARIO,
    // Before "million", whose starts without a collector leave no event pending.
    backlog::SCENARIO,
    million::SCENARIO,
    poll::SCENARIO,
    scrape::SCENARIO,
    server::SCENARIO,
    idle::SCENARIO,
    size::SCENARIO,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let figures = || ALL.iter().flat_map(|scenario| scenario.figures);
        // Samples are kept by the figure's name.
        assert_eq!(
            figures().map(|figure| figure.name).collect::<BTreeSet<_>>().len(),
            figures().count()
        );
        assert_eq!(ALL.iter().map(|it| it.name).collect::<BTreeSet<_>>().len(), ALL.len());
    }
}
