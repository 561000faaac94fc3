//! The simulator as a program of its own.

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use cii_simulator::{Fault, Options, Simulator, webhook::Target};
use clap::Parser;

/// The kinds of faults, for `--help`.
const FAULTS: &str = include_str!("faults.txt");

/// A stand-in for Cisco Identity Intelligence.
///
/// Serves its GraphQL API and token endpoint for a made-up tenant, and sends
/// webhooks. Routes below /_simulator control it:
///
///   curl -X POST localhost:8080/_simulator/tick
///
///   curl -X POST localhost:8080/_simulator/faults -H 'content-type: application/json' \
///     -d '{"endpoint":"graphql","kind":{"status":[429,30]},"times":3}'
///
///   curl -X POST localhost:8080/_simulator/failing -H 'content-type: application/json' \
///     -d '{"login":"alice@example.com","check_id":"no-mfa","failing":true}'
///
///   curl -X POST localhost:8080/_simulator/checks -H 'content-type: application/json' \
///     -d '{"id":"no-mfa","title":"Accounts Without MFA","severity":"high"}'
///
///   curl -X POST localhost:8080/_simulator/deliver
///
///   curl localhost:8080/_simulator/state
#[derive(Debug, Parser)]
#[command(name = "cii-simulator", version, verbatim_doc_comment, after_long_help = FAULTS)]
struct Cli {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The number that the tenant is made from; the same one makes the same tenant.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Users of the tenant.
    #[arg(long, default_value_t = 50)]
    users: usize,
    /// Make random changes every so many seconds.
    #[arg(long, value_name = "SECONDS")]
    change_interval: Option<u64>,
    /// Where webhook deliveries go.
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// The header that carries the webhook's secret.
    #[arg(long, default_value = "x-api-client-token")]
    webhook_header: String,
    /// The webhook's secret.
    #[arg(long, default_value = "simulator-webhook-secret")]
    webhook_secret: String,
    /// The id that the token endpoint takes.
    #[arg(long, default_value = "simulator-client")]
    client_id: String,
    /// The secret that the token endpoint takes.
    #[arg(long, default_value = "simulator-secret")]
    client_secret: String,
    /// The audience that the token endpoint demands.
    #[arg(long)]
    audience: Option<String>,
    /// What each GraphQL request waits before it is answered.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// A fault in force from the start, as JSON; may be given more than once.
    #[arg(long = "fault", value_name = "JSON", value_parser = fault)]
    faults: Vec<Fault>,
    /// Draw a mix of all unfriendliness from this number; the same one draws the same.
    #[arg(long, value_name = "SEED")]
    unfriendly: Option<u64>,
}

fn fault(text: &str) -> Result<Fault, serde_json::Error> {
    serde_json::from_str(text)
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let target = cli.webhook_url.map(|url| Target {
        url,
        header: cli.webhook_header,
        secret: cli.webhook_secret,
        check_ids: Vec::new(),
    });
    let options = Options {
        listen: cli.listen,
        seed: cli.seed,
        users: cli.users,
        client_id: cli.client_id,
        client_secret: cli.client_secret,
        audience: cli.audience,
        latency: Duration::from_millis(cli.latency_ms),
        change_interval: cli.change_interval.map(Duration::from_secs),
        faults: cli.faults,
        unfriendly: cli.unfriendly,
        webhook_targets: target.into_iter().collect(),
        ..Options::default()
    };
    let simulator = match Simulator::start(options).await {
        Ok(simulator) => simulator,
        Err(error) => {
            eprintln!("cii-simulator: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("GraphQL   {}", simulator.graphql_url());
    println!("token     {}", simulator.token_url());
    println!("controls  {}", simulator.control_url());
    // Without signals, it runs until it is killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    simulator.stop().await;
    ExitCode::SUCCESS
}
