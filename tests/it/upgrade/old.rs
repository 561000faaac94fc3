//! A database that an older binary made, and what that binary showed of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use cii_simulator::Simulator;
use serde_json::Value;

use crate::harness::{Metrics, Setup};

/// A schedule that no test lives to see: jobs run when the test says so. On a day that comes in four
/// years: a run that was due since the database was made would be made up for at the start.
const NEVER: &str = "0 0 0 29 2 *";

/// When a run is due by it.
const NEXT: &str = "2028-02-29T00:00:00Z";

/// "What was before is `….previous_status` and `….previous_outcome`."
pub(super) const RENAMED: [(&str, &str); 5] = [
    ("error.message", "cii.error.message"),
    ("cii.user.status.previous", "cii.user.previous_status"),
    ("cii.integration.status.previous", "cii.integration.previous_status"),
    ("cii.poll.outcome.previous", "cii.poll.previous_outcome"),
    ("cii.sync.outcome.previous", "cii.sync.previous_outcome"),
];

/// Which binary made a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Old {
    /// The commit 245c6aa, with the second version of the schema.
    V2,
    /// The last one before the ledger, with the seventh.
    V7,
}

impl Old {
    pub(super) const ALL: [Self; 2] = [Self::V2, Self::V7];

    fn path(self, name: &str) -> PathBuf {
        let folder = match self {
            Self::V2 => "245c6aa",
            Self::V7 => "before-ledger",
        };
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/databases").join(folder).join(name)
    }

    pub(super) fn unpack(self, name: &str) -> Vec<u8> {
        let packed = fs::File::open(self.path(name)).unwrap();
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
        bytes
    }

    pub(super) fn json(self, name: &str) -> Value {
        serde_json::from_slice(&self.unpack(name)).unwrap()
    }

    /// What the old binary showed at `/metrics`.
    pub(super) fn metrics(self) -> Metrics {
        Metrics::parse(fs::read_to_string(self.path("metrics.txt")).unwrap())
    }

    /// A daemon's setup on a copy of the database, with the checks, users and addresses
    /// that the old binary had, and jobs that do not run.
    pub(super) fn setup(self, simulator: &Simulator, on_start: bool) -> Setup {
        let quiet = format!("schedule = \"{NEVER}\"\non_start = false");
        let mut setup = Setup::new()
            .webhook(
                "check_ids = [\"no-mfa\", \"dormant-account\", \"bare\", \"renamed\", \"parked\", \
                 \"ended\", \"user-impersonation\", \"mfa-flood\", \"rare-browser\"]",
            )
            .watch(
                "users = [\"alice@example.com\", \"sven.hansen@example.com\", \
                 \"hugo.weber@example.com\"]\nips = [\"203.0.113.7\"]",
            )
            .polling(simulator, NEVER)
            // The database grows older with the project, and nothing of it is to be swept.
            .variable("CII_EXPORTER_STORE__RETENTION_DAYS", "36500")
            // Older binaries showed series for followed users, too.
            .tables("[metrics]\nuser_series = \"all\"")
            .tables(&format!("[sync.tenant]\nenabled = true\n{quiet}\n[sync.service]\n{quiet}"));
        for job in ["users", "ips"] {
            let table = format!("[sync.{job}]\n");
            setup.replace(&table, &format!("{table}on_start = {}\n", on_start && job == "users"));
        }
        fs::write(setup.database(), self.unpack("store.db.gz")).unwrap();
        setup
    }

    /// What a series is called now, where the changelog says that it is called otherwise.
    fn today(self, series: &str) -> String {
        let series = match self {
            // "The severity `moderate` counts as `medium` in every label."
            Self::V2 => series.replace("severity=\"moderate\"", "severity=\"medium\""),
            Self::V7 => series.to_owned(),
        };
        // "The totals of a check have the label `check_id` alone."
        match series.split_once(",severity=") {
            Some((check, _)) if check.contains("_total{") => format!("{check}}}"),
            _ => series,
        }
    }

    /// What the old binary showed of the tenant, under the names of today.
    pub(super) fn tenant(self) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        for (series, value) in self.metrics().of_tenant() {
            *sums.entry(self.today(series)).or_default() += value;
        }
        sums
    }

    /// The same of a new binary, without the metrics that the old one did not have.
    pub(super) fn known(self, new: &Metrics) -> BTreeMap<String, f64> {
        let family = |series: &str| series.split('{').next().unwrap_or_default().to_owned();
        let known: BTreeSet<_> = self.tenant().keys().map(|series| family(series)).collect();
        let followed = new.get("cii_followed_users").unwrap_or_default();
        let new = new.of_tenant().into_iter().filter(|(series, _)| known.contains(&family(series)));
        let mut known: BTreeMap<_, _> =
            new.map(|(series, value)| (series.to_owned(), value)).collect();
        // "`cii_watched` counts listed users", and not those whom deliveries named.
        if let Some(users) = known.get_mut("cii_watched{kind=\"user\"}") {
            *users += followed;
        }
        known
    }

    /// The same for an answer of the API. Attributes of events keep the service's word.
    pub(super) fn today_json(self, answer: &Value) -> Value {
        let moderate = "\"severity\":\"moderate\"";
        let text = answer.to_string();
        let text = match self {
            Self::V2 => text.replace(moderate, "\"severity\":\"medium\""),
            Self::V7 => text,
        };
        let renamed = |text: String, (old, today): &(&str, &str)| {
            text.replace(&format!("\"{old}\""), &format!("\"{today}\""))
        };
        // What the jobs of the old binary were told, and what follows from it.
        let text = text
            .replace("\"0 0 0 1 1 *\"", &format!("\"{NEVER}\""))
            .replace("\"2027-01-01T00:00:00Z\"", &format!("\"{NEXT}\""));
        let text = RENAMED.iter().fold(text, renamed);
        serde_json::from_str(&text).unwrap()
    }
}
