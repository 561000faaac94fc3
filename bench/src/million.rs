//! Databases with a million events, made through the front door.

use std::{net::SocketAddr, path::Path, time::Duration};

use crate::{
    Result,
    bench::{Bench, progress},
    exporter::Setup,
    figure::Side,
    load::{large, send_at_once},
};

const DELIVERIES: u64 = 200;
const USERS: u64 = 5_000;

/// As many as a server with a queue bounded by work applies one after the other without a
/// sender that gives up.
const AT_ONCE: u64 = 4;

/// A server with such a database that sends nothing. Events that waited for a collector wait
/// no longer.
pub(crate) fn quiet(bench: &Bench, side: Side, binary: &Path) -> Result<Setup> {
    made(bench, side, binary)?;
    Setup::new(binary, &folder(bench, side))
}

/// A server with such a database whose collector is away.
pub(crate) fn waiting(bench: &Bench, side: Side, binary: &Path) -> Result<Setup> {
    // The port of the discard protocol: nobody listens there.
    sending_to(bench, side, binary, SocketAddr::from(([127, 0, 0, 1], 9)))
}

/// A server with such a database that sends to a collector what it has not taken yet.
pub(crate) fn sending_to(
    bench: &Bench,
    side: Side,
    binary: &Path,
    collector: SocketAddr,
) -> Result<Setup> {
    made(bench, side, binary)?;
    Ok(with_collector(Setup::new(binary, &folder(bench, side))?, collector))
}

fn with_collector(setup: Setup, collector: SocketAddr) -> Setup {
    setup.tables(&format!("[otlp]\nendpoint = \"http://{collector}\"\n"))
}

fn folder(bench: &Bench, side: Side) -> std::path::PathBuf {
    bench.folder.join(format!("million-{}", side.as_str()))
}

/// Makes the database, unless it was made: 200 deliveries of 5,000 users, all of them new.
fn made(bench: &Bench, side: Side, binary: &Path) -> Result<()> {
    let folder = folder(bench, side);
    if folder.exists() {
        return Ok(());
    }
    let begun = std::time::Instant::now();
    // With a collector from the start, so that events wait for it.
    let setup = with_collector(Setup::new(binary, &folder)?, SocketAddr::from(([127, 0, 0, 1], 9)));
    let mut exporter = setup.start()?;
    for _ in 0..DELIVERIES / AT_ONCE {
        let bodies = (0..AT_ONCE).map(|_| large(USERS)).collect();
        let outcome = send_at_once(&exporter.door(), bodies)?;
        if outcome.refused > 0.0 {
            return Err("a delivery of the million events was refused".into());
        }
    }
    exporter.process.settle(Duration::from_secs(30))?;
    exporter.stop()?;
    let bytes = std::fs::metadata(setup.database())?.len();
    progress(&format!(
        "made a million events for the {} in {:.0} s: {} MiB",
        side.as_str(),
        begun.elapsed().as_secs_f64(),
        bytes >> 20
    ));
    Ok(())
}
