//! Logs and counts panics of all threads.

use std::{panic, thread};

use prometheus::{IntCounter, Registry};

/// Installs the panic hook. It logs only the place of a panic: the message may contain personal
/// data.
pub(super) fn install_hook(registry: &Registry) -> prometheus::Result<()> {
    let counter = IntCounter::new(
        "cii_panics_total",
        "Mistakes in the program that broke something off. One in a task ends the process with 70; \
         one in a decision over a single change fails that change alone.",
    )?;
    registry.register(Box::new(counter.clone()))?;
    panic::set_hook(Box::new(move |info| {
        counter.inc();
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let thread = thread::current().name().unwrap_or_default().to_owned();
        tracing::error!(place, thread, "the program has a mistake here; please report it");
    }));
    Ok(())
}
