//! `export`: writes past values from the event log, for other programs.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    process::ExitCode,
};

use chrono::TimeDelta;
use cii_exporter::{
    clock,
    config::{Config, Needs},
    domain::{Timestamp, failure::Grid},
    metrics::{ExtraLabel, History},
    store::Reader,
};
use clap::Args;

use super::{config_file::ConfigFile, error::CommandError, finish::finish, keeper, moment};

/// Most samples of a series: a year in steps of five minutes has 105,120.
const MAX_MOMENTS: usize = 200_000;

/// What to write.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Write how many users failed each check, for a Prometheus that did not scrape then.
    ///
    /// What is open now is walked back over the event log, also while the daemon runs. The series
    /// are `cii_check_failing_users` and, to join them with, `cii_check_info` and
    /// `cii_tenant_info`, with the names and severities that checks have now. They begin where
    /// the log begins (`store.retention_days`), and each where its check is first known of. What
    /// the log does not tell is left out, and is no 0.
    ///
    /// Prometheus takes it as blocks:
    ///
    ///   cii-exporter export openmetrics --since 90d --until 2026-01-31T18:00:00Z \
    ///     --label job=cii-exporter --label instance=exporter:9847 --output past.om
    ///
    ///   promtool tsdb create-blocks-from openmetrics past.om /var/lib/prometheus
    ///
    /// Give `--until` the moment of the first scrape, so that nothing is there twice, and by
    /// `--label` the labels that your scrapes add, so that old and new samples are one series.
    /// Prometheus removes at once what is older than its `--storage.tsdb.retention.time`.
    #[command(verbatim_doc_comment)]
    Openmetrics(OpenMetrics),
}

/// `export openmetrics`
#[derive(Debug, Args)]
pub(crate) struct OpenMetrics {
    /// From when on: so long ago such as 90d, or a moment such as 2026-01-31T18:00:00Z.
    #[arg(long, value_name = "MOMENT", value_parser = moment::parse_past)]
    since: Timestamp,
    /// Until when, likewise; by default one step ago.
    #[arg(long, value_name = "MOMENT", value_parser = moment::parse_past)]
    until: Option<Timestamp>,
    /// The time from one sample to the next, in whole seconds. Prometheus draws a gap where it is
    /// longer than five minutes.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_step)]
    step: u32,
    /// A label for every series; may be repeated.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    labels: Vec<ExtraLabel>,
    /// The file to make, instead of standard output. One that exists is never replaced.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the command.
pub(crate) fn run(action: Action) -> ExitCode {
    finish(async move {
        match action {
            Action::Openmetrics(options) => export_openmetrics(&options),
        }
    })
}

/// Parses a step of whole seconds.
fn parse_step(text: &str) -> Result<u32, String> {
    let time = humantime::parse_duration(text).ok().filter(|time| time.subsec_nanos() == 0);
    let seconds = time.and_then(|time| u32::try_from(time.as_secs()).ok());
    let seconds = seconds.filter(|seconds| (1..=86_400).contains(seconds));
    seconds.ok_or_else(|| "expected whole seconds, of a day at most, such as 5m".to_owned())
}

fn export_openmetrics(options: &OpenMetrics) -> Result<ExitCode, CommandError> {
    let config = options.file.load(Needs::NOTHING)?;
    let (now, step) = (clock::now(), TimeDelta::seconds(options.step.into()));
    // The last step is left out: its deliveries may not have arrived yet.
    let newest = now - step;
    let until = options.until.map_or(newest, |until| until.min(newest));
    if options.since > until {
        let reason = "--since is later than --until, which is one step ago at the latest";
        return Err(CommandError::Usage(reason.to_owned()));
    }
    keeper::read_store(&config, |reader| export_history(options, &config, reader, (now, until)))
}

fn export_history(
    options: &OpenMetrics,
    config: &Config,
    reader: &Reader,
    (now, until): (Timestamp, Timestamp),
) -> Result<ExitCode, CommandError> {
    let Some(log_begins_at) = reader.log_begins_at()? else {
        return Err(CommandError::Refused("the log has no event yet".to_owned()));
    };
    // Some events outlive the retention, such as those that wait for the collector. The log is
    // complete only from the retention limit on.
    let kept = config.store.retention_days.events.map(|days| now - TimeDelta::days(days.into()));
    let begin = kept.map_or(log_begins_at, |kept| log_begins_at.max(kept));
    let since = options.since.max(begin);
    let Some(grid) = Grid::new(since, until, options.step) else {
        let reason = format!(
            "there is nothing to tell: the log begins at {}, and no step lies between that and {}",
            format_time(begin),
            format_time(until)
        );
        return Err(CommandError::Refused(reason));
    };
    if grid.len() > MAX_MOMENTS {
        let reason = format!(
            "these are {} samples a series, and {MAX_MOMENTS} are allowed; give a later --since or \
             a longer --step",
            grid.len()
        );
        return Err(CommandError::Usage(reason));
    }
    let checks = reader.failing_history(grid, config.metrics.max_checks)?;
    let history = History {
        grid,
        checks: &checks,
        tenant_name: config.tenant.name.as_deref(),
        tenant_id: reader.tenant_id()?,
        labels: &options.labels,
    };
    let samples = write_output(&history, options.output.as_ref())?;
    let series = checks.iter().filter(|check| check.curve.values().next().is_some()).count();
    if options.since < begin {
        eprintln!("the log begins at {}: nothing is known of the time before", format_time(begin));
    }
    eprintln!("{series} checks have {samples} samples, {} at most each", grid.len());
    Ok(ExitCode::SUCCESS)
}

fn write_output(history: &History<'_>, output: Option<&PathBuf>) -> Result<u64, CommandError> {
    let target = output.map_or("standard output".to_owned(), |path| path.display().to_string());
    let written = match output {
        None => write_to(history, io::stdout().lock()),
        Some(path) => OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|file| write_to(history, file)),
    };
    written.map_err(|source| CommandError::Output { target, source })
}

fn write_to(history: &History<'_>, out: impl Write) -> io::Result<u64> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let samples = history.write(&mut out)?;
    out.flush()?;
    Ok(samples)
}

fn format_time(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_whole_seconds_of_a_day_at_most() {
        assert_eq!(
            (parse_step("5m"), parse_step("1s"), parse_step("1d")),
            (Ok(300), Ok(1), Ok(86_400))
        );
        for text in ["0s", "1500ms", "25h", "often", ""] {
            assert!(parse_step(text).is_err(), "{text}");
        }
    }
}
