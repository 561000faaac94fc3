//! Measures the exporter as a whole.
//!
//! `bench/run` builds what is needed and calls this. Every scenario measures the exporter of
//! this tree, a baseline if one is given, and a reference if there is one, in turns; the table
//! shows medians and ratios.

mod bare;
mod bench;
mod clock;
mod exporter;
mod figure;
mod http;
mod load;
mod machine;
mod million;
mod nginx;
mod page;
mod polled;
mod process;
mod samples;
mod scenario;
mod simulator;
mod sink;
mod table;

use std::{error::Error, fs, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};

use bench::{Bench, Programs};
use samples::Samples;
use scenario::Scenario;
use table::Table;

/// Whatever fails ends the run; its text is for the person who started it.
type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

#[derive(Debug, Parser)]
#[command(name = "cii-bench", version, about = "The programs behind bench/run")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures and prints the table
    #[command(after_help = scenarios_help())]
    Run(Run),
    /// Receives deliveries and does as little with them as can be done durably
    Bare {
        /// Where to listen
        #[arg(long)]
        listen: SocketAddr,
        /// The database, which must not exist but for the exporter's rows
        #[arg(long)]
        database: PathBuf,
        /// What becomes of deliveries
        #[arg(long, value_enum, default_value_t = bare::Way::Together)]
        way: bare::Way,
    },
    /// The same over PostgreSQL
    BareServer {
        /// Where to listen
        #[arg(long)]
        listen: SocketAddr,
        /// The URL of a database, which must be empty
        #[arg(long)]
        url: String,
        /// Write the rows that the exporter writes, into its tables
        #[arg(long)]
        same_rows: bool,
    },
    /// Receives OTLP logs over HTTP and counts them
    Sink {
        /// Where to listen
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Sends small deliveries to an exporter that runs, such as one under a profiler
    Load(Drive),
}

#[derive(Debug, clap::Args)]
struct Drive {
    /// Where the exporter takes deliveries
    #[arg(long)]
    address: SocketAddr,
    /// The webhook's path
    #[arg(long, default_value = "/webhooks/cii")]
    path: String,
    /// The file that has the webhook's secret
    #[arg(long, value_name = "FILE")]
    secret_file: PathBuf,
    /// Connections at once
    #[arg(long, value_name = "NUMBER", default_value_t = 256)]
    connections: u32,
    /// How long to send
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    seconds: u64,
}

#[derive(Debug, clap::Args)]
struct Run {
    /// The exporter to measure
    #[arg(long, value_name = "PATH")]
    exporter: PathBuf,
    /// The commit that the exporter was built from
    #[arg(long, value_name = "COMMIT", hide = true)]
    commit: Option<String>,
    /// Another exporter to measure in turns with it, such as one built before a change
    #[arg(long, value_name = "PATH")]
    baseline: Option<PathBuf>,
    /// The stand-in for the service's API
    #[arg(long, value_name = "PATH")]
    simulator: PathBuf,
    /// Where databases are written; should be on the disk that counts, not in memory
    #[arg(long, value_name = "FOLDER", hide = true)]
    folder: PathBuf,
    /// Write the page docs/performance.md here; only done when every scenario ran
    #[arg(long, value_name = "FILE", hide = true)]
    page: Option<PathBuf>,
    /// How often each side is measured; slow scenarios do it at most twice
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    rounds: u32,
    /// How long a load lasts
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    seconds: u64,
    /// One round of one second: proves that everything works, its figures prove nothing
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    quick: bool,
    /// Only these scenarios; all of them by default
    #[arg(value_name = "SCENARIO", value_parser = clap::builder::PossibleValuesParser::new(names()))]
    scenarios: Vec<String>,
}

fn names() -> impl Iterator<Item = &'static str> {
    scenario::ALL.iter().map(|scenario| scenario.name)
}

fn scenarios_help() -> String {
    let line = |scenario: &Scenario| format!("  {:<10} {}\n", scenario.name, scenario.about);
    format!("Scenarios:\n{}", scenario::ALL.iter().map(line).collect::<String>())
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(arguments) => arguments.run(),
        Command::Bare { listen, database, way } => serve(bare::serve_file(listen, &database, way)),
        Command::BareServer { listen, url, same_rows } => {
            serve(bare::serve_server(listen, &url, same_rows))
        }
        Command::Sink { listen } => serve(sink::serve(listen)),
        Command::Load(arguments) => arguments.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(server: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut told = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            ended = server => ended,
            _ = told.recv() => Ok(()),
        }
    })
}

impl Drive {
    fn run(self) -> Result<()> {
        let file = &self.secret_file;
        let secret = fs::read_to_string(file)
            .map_err(|error| format!("{}: {error}", file.display()))?
            .trim()
            .to_owned();
        let endpoint = load::Endpoint { address: self.address, path: self.path, secret };
        let (connections, lasting) = (self.connections, Duration::from_secs(self.seconds));
        let report =
            load::Load { connections, pace: load::Pace::Closed, lasting }.run(&endpoint)?;
        println!(
            "{:.0} accepted, {:.0} refused, {:.0} a second, p99 {:.1} ms",
            report.accepted,
            report.refused,
            report.rate(),
            report.latency(0.99) * 1e3
        );
        Ok(())
    }
}

impl Run {
    fn run(self) -> Result<()> {
        kill_children_when_interrupted()?;
        let is_chosen = |scenario: &&Scenario| {
            self.scenarios.is_empty() || self.scenarios.iter().any(|name| name == scenario.name)
        };
        let chosen: Vec<_> = scenario::ALL.iter().filter(is_chosen).collect();
        let facts = page::Facts::gather(&self)?;
        let (rounds, seconds) =
            if self.quick { (1, 1) } else { (self.rounds.max(1), self.seconds.max(1)) };
        let programs = Programs {
            exporter: self.exporter,
            baseline: self.baseline,
            simulator: self.simulator,
        };
        let bench = Bench::new(programs, self.folder, rounds, Duration::from_secs(seconds));
        let mut samples = Samples::default();
        for scenario in &chosen {
            eprintln!("{}: {}", scenario.name, scenario.about);
            if let Err(error) = (scenario.run)(&bench, &mut samples) {
                return Err(format!("scenario {}: {error}", scenario.name).into());
            }
        }
        let figures = chosen.iter().flat_map(|scenario| scenario.figures.iter().copied());
        let has_baseline = bench.programs.baseline.is_some();
        let table = Table { figures: figures.collect(), samples: &samples, has_baseline };
        println!("{}", table.render());
        println!("{}, {:.0} s", table.summary(), bench.begun.elapsed().as_secs_f64());
        match self.page {
            Some(file) if chosen.len() == scenario::ALL.len() && !self.quick => {
                fs::write(&file, page::render(&table, &facts))?;
                eprintln!("wrote {}", file.display());
            }
            Some(file) => eprintln!("{} is not written: not everything ran", file.display()),
            None => {}
        }
        Ok(())
    }
}

/// The programs that are measured would outlive this one.
fn kill_children_when_interrupted() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            process::kill_all();
            std::process::exit(130);
        });
    });
    Ok(())
}
