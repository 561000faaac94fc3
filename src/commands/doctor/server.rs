//! Checks a PostgreSQL server: connection, rights, tables, and what a failover could lose.

use std::time::Duration;

use cii_exporter::{
    config::ServerConfig,
    store::{Server, StoreError, Tables},
};
use tokio::sync::oneshot;

use super::finding::Finding;

const CHECK: &str = "store";

/// Checks the server on a thread of its own, which is abandoned after `patience`: the blocking
/// client cannot be cancelled.
pub(super) async fn examine(config: &ServerConfig, patience: Duration) -> Vec<Finding> {
    let (tell, told) = oneshot::channel();
    let server = Server::new(config);
    std::thread::spawn(move || tell.send(server.examine()));
    let name = config.name();
    let examined = match tokio::time::timeout(patience, told).await {
        Ok(Ok(examined)) => examined,
        Ok(Err(_)) => return vec![Finding::unknown(CHECK, "the look at it ended early")],
        Err(_) => {
            let found = format!("{name} did not answer within {} s", patience.as_secs());
            return vec![Finding::fail(CHECK, found)];
        }
    };
    let seen = match examined {
        Ok(seen) => seen,
        Err(error) => return vec![Finding::fail(CHECK, error_text(&error))],
    };
    let mut findings = Vec::new();
    if seen.is_read_only {
        let found =
            format!("{name} takes no writes: it is a standby, or read only by its settings");
        findings.push(Finding::fail(CHECK, found).with_advice(
            "name the primary in store.url, or take target_session_attrs=any out of it; or set \
                 default_transaction_read_only = off for the database and the role",
        ));
    }
    if let Some(right) = &seen.missing_right {
        let found = if seen.tables == Tables::Older {
            format!(
                "{name} has the tables of an older exporter, and the user of store.url may not \
                 upgrade them, which the next start does"
            )
        } else {
            format!("the user of store.url may not do what the exporter does in {name}")
        };
        let advice =
            format!("as the owner or a superuser, run {right}; or set store.schema to another one");
        findings.push(Finding::fail(CHECK, found).with_advice(advice));
    }
    if findings.is_empty() {
        let tables = match seen.tables {
            Tables::Current => "has the tables",
            Tables::Older => "has the tables of an older exporter; the next start upgrades them",
            Tables::Missing => "has no tables yet; the first start makes them",
        };
        let found =
            format!("{name} (PostgreSQL {}): schema {} {tables}", seen.version, seen.schema);
        findings.push(Finding::ok(CHECK, found));
    }
    findings.push(if seen.is_synchronous {
        Finding::ok("failover", "each commit waits for a standby (synchronous_standby_names)")
    } else {
        let found = "no commit waits for a standby: where there is one, a failover to it loses what \
                     was acknowledged in the last moments before it";
        let advice = "set synchronous_standby_names on the server; docs/high-availability.md";
        Finding::warn("failover", found).with_advice(advice)
    });
    findings
}

/// The text of an error, without the prefix that it is one of the database.
fn error_text(error: &StoreError) -> String {
    match error {
        StoreError::Sql(error) => error.to_string(),
        error => error.to_string(),
    }
}
