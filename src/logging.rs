//! The exporter's own log, on standard error.

use std::io::IsTerminal;

use cii_exporter::config::Environment;
use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging. `directives` is a level, or a filter in the form of
/// `tracing`; `RUST_LOG` wins over it.
pub(crate) fn start(directives: &str, as_json: bool) {
    // The scheduler's library logs its set-up at INFO on every start.
    let usual = || EnvFilter::new(format!("tokio_cron_scheduler=warn,{directives}"));
    let environment = Environment::of_process();
    let wanted = environment.log_filter().and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter = wanted.unwrap_or_else(usual);
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call in the same process has no effect: the first subscriber stays.
    let _ = if as_json {
        builder.json().try_init()
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
}
