//! Checks of this machine: configuration, files, certificates, database, disk, and the running
//! daemon.

use std::{
    fs, io,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use cii_exporter::{
    clock,
    config::{Config, StorePlace, WebConfigFile},
    domain::Timestamp,
    store::{self, StoreError},
};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{super::keeper, finding::Finding, judge, server, validity};

/// Time limit of the database check.
const LOOK: Duration = Duration::from_secs(20);

/// Reports settings that are valid but probably not intended.
pub(super) fn examine_configuration(config: &Config) -> Vec<Finding> {
    let open = config.open_files();
    let warnings = config.warnings();
    let others = warnings.iter().filter(|warning| !open.contains(warning));
    let mut findings: Vec<_> = others.map(|text| Finding::warn("configuration", text)).collect();
    findings.extend(config.notes().iter().map(|text| Finding::unknown("configuration", text)));
    if findings.is_empty() {
        findings.push(Finding::ok("configuration", "nothing in it is doubtful"));
    }
    findings
}

/// Reports files with secrets or data that other users can read.
pub(super) fn examine_files(config: &Config) -> Vec<Finding> {
    let check = "files";
    let mut findings: Vec<_> =
        config.open_files().iter().map(|text| Finding::warn(check, text)).collect();
    let file = match &config.store.place {
        StorePlace::File(path) => Some(path),
        StorePlace::Server(_) => None,
    };
    let ends = file.into_iter().flat_map(|file| ["", "-wal", ".sock"].map(|end| (file, end)));
    for (file, end) in ends {
        let mut name = file.clone().into_os_string();
        name.push(end);
        let path = PathBuf::from(name);
        let Ok(metadata) = fs::metadata(&path) else { continue };
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            let found = format!(
                "{} names people, and its mode {mode:04o} lets others at it",
                path.display()
            );
            findings.push(
                Finding::warn(check, found).with_advice(format!("chmod 600 {}", path.display())),
            );
        }
    }
    if findings.is_empty() {
        let what = if file.is_some() { "secrets and database are" } else { "secrets are" };
        findings.push(Finding::ok(check, format!("{what} their owner's alone")));
    }
    findings
}

/// Reports how long the certificates of this machine are valid.
pub(super) fn examine_certificates(config: &Config) -> Vec<Finding> {
    let of_listener = |setting, file: &Option<WebConfigFile>| {
        let tls = file.as_ref()?.config.tls.as_ref()?;
        Some((setting, tls.certificate.read().ok()?.expose_secret().to_owned()))
    };
    let of_client = || {
        let identity = config.otlp.as_ref()?.identity.as_ref()?;
        Some(("the OTLP client", identity.certificate.clone()))
    };
    let of_server = || {
        let StorePlace::Server(server) = &config.store.place else { return None };
        let (certificate, _) = server.tls.identity.as_ref()?;
        Some(("the client of store.url", fs::read_to_string(certificate).ok()?))
    };
    let now = clock::now();
    [
        of_listener("webhook.web_config", &config.webhook.web_config),
        of_listener("ops.web_config", &config.ops.web_config),
        of_client(),
        of_server(),
    ]
    .into_iter()
    .flatten()
    .filter_map(|(whose, pem)| {
        Some(judge::judge_certificate(whose, validity::read_pem(pem.as_bytes())?, now))
    })
    .collect()
}

/// Checks the database file and its disk, or the database server.
pub(super) async fn examine_database(config: &Config) -> Vec<Finding> {
    let path = match &config.store.place {
        StorePlace::File(path) => path,
        StorePlace::Server(config) => return server::examine(config, LOOK).await,
    };
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    vec![examine_pages(&absolute).await, examine_disk(&absolute)]
}

/// Checks whether the disk has room for the database.
fn examine_disk(database: &Path) -> Finding {
    let check = "disk";
    let folder = database.parent().unwrap_or(Path::new("/"));
    if !folder.is_dir() {
        return Finding::unknown(check, "without its folder, nobody knows the database's disk");
    }
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let size = fs::metadata(database).map_or(0, |file| file.len());
            judge::judge_space(disk.f_bavail.saturating_mul(disk.f_frsize), size)
        }
        Err(error) => Finding::fail(check, format!("{}: {error}", folder.display())),
    }
}

/// Checks the pages of the file on a thread of its own, which is abandoned after [`LOOK`]: a
/// blocking read cannot be cancelled.
async fn examine_pages(path: &Path) -> Finding {
    let check = "store";
    let (tell, told) = oneshot::channel();
    let database = path.to_owned();
    std::thread::spawn(move || tell.send(store::inspect_pages(&database)));
    let shown = path.display();
    match tokio::time::timeout(LOOK, told).await {
        Ok(Ok(Ok(problems))) if problems.is_empty() => {
            Finding::ok(check, format!("{shown} can be read, and its pages are whole"))
        }
        Ok(Ok(Ok(problems))) => {
            let first = problems.first().cloned().unwrap_or_default();
            Finding::fail(check, format!("{shown} is damaged: {first}")).with_advice(
                "stop the daemon, and put a copy there: `cii-exporter db restore FILE`",
            )
        }
        Ok(Ok(Err(StoreError::Missing { .. }))) => Finding::unknown(
            check,
            format!("there is none at {shown} yet; the first start makes it"),
        ),
        Ok(Ok(Err(StoreError::Empty(_)))) => {
            let found = format!("{shown} is empty, and no database yet; the first start makes one");
            Finding::unknown(check, found)
        }
        Ok(Ok(Err(error))) => Finding::fail(check, error.with_remedy(path).to_string()),
        Ok(Err(_)) => Finding::unknown(check, "the look at it ended early"),
        Err(_) => {
            let found =
                format!("{shown} can be read; its pages take longer than {} s", LOOK.as_secs());
            Finding::unknown(check, found).with_advice("`cii-exporter db check` takes its time")
        }
    }
}

/// Checks whether the daemon could listen, while none runs.
pub(super) async fn examine_listeners(config: &Config) -> Vec<Finding> {
    let check = "listeners";
    if keeper::is_daemon_running(config).await {
        return Vec::new();
    }
    let tried = [("webhook.listen", config.webhook.listen), ("ops.listen", config.ops.listen)];
    let refused = tried.into_iter().filter_map(|(setting, address)| {
        let error = TcpListener::bind(address).err()?;
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => "end the program that listens there, or set another port",
            io::ErrorKind::AddrNotAvailable => "set an address of this machine, such as 127.0.0.1",
            io::ErrorKind::PermissionDenied => "set a port above 1023",
            _ => "set another address",
        };
        let found = format!("the daemon cannot listen at {setting}, {address}: {error}");
        Some(Finding::fail(check, found).with_advice(format!("{advice}: {setting}")))
    });
    let refused: Vec<_> = refused.collect();
    if refused.is_empty() {
        return vec![Finding::ok(check, "the daemon can listen at webhook.listen and ops.listen")];
    }
    refused
}

/// Reports the readiness of the running daemon and its last scrape.
pub(super) async fn examine_daemon(config: &Config) -> Vec<Finding> {
    let place = &config.store.place;
    let none = || {
        let found = match place {
            StorePlace::File(_) => format!("none runs on {place}"),
            StorePlace::Server(_) => format!("none answers at ops.listen, {}", config.ops.listen),
        };
        vec![
            Finding::unknown("daemon", found).with_advice("start it: `cii-exporter run`"),
            Finding::unknown("prometheus", "no daemon runs that could be scraped"),
        ]
    };
    let Some(daemon) = keeper::daemon_url(config) else { return none() };
    match (keeper::probe_daemon(&daemon, "ready").await, place) {
        (Ok((401 | 403, _)), _) => {
            let found = "it runs, and tells its users alone how it does (ops.web_config)";
            vec![Finding::unknown("daemon", found), Finding::unknown("prometheus", found)]
        }
        (Ok((status, answer)), _) => {
            vec![readiness_finding(status, &answer), scrape_finding(&answer)]
        }
        // Without an answer nothing indicates that a daemon runs: a server has no lock file.
        (Err(_), StorePlace::Server(_)) => none(),
        (Err(error), StorePlace::File(_)) => vec![
            Finding::fail("daemon", error.to_string()),
            Finding::unknown("prometheus", "the daemon does not answer"),
        ],
    }
}

fn readiness_finding(status: u16, answer: &Value) -> Finding {
    let check = "daemon";
    let reasons = |state: &str| -> Vec<String> {
        let parts = answer.as_object().into_iter().flatten();
        let of_state = parts.filter(|(_, part)| part["state"] == state);
        of_state
            .map(|(name, part)| format!("{name}: {}", part["reason"].as_str().unwrap_or(state)))
            .collect()
    };
    let ails: Vec<_> =
        ["starting", "stopping", "failing", "waiting"].into_iter().flat_map(reasons).collect();
    let found = ails.join("; ");
    match (status, ails.is_empty()) {
        (200, true) => Finding::ok(check, "it is ready, and so are its parts"),
        (200, false) => Finding::warn(check, format!("it takes deliveries; {found}")),
        _ => Finding::fail(check, format!("it is not ready; {found}"))
            .with_advice("its log says more"),
    }
}

fn scrape_finding(answer: &Value) -> Finding {
    let last = &answer["last_scrape_at"];
    // A daemon of an older version does not return it.
    if answer.get("last_scrape_at").is_none() {
        return Finding::unknown(
            "prometheus",
            "the daemon does not say; it is of an older version",
        );
    }
    let at = last.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    judge::judge_scrape(at, clock::now())
}
