//! Databases that older binaries made: what they knew is shown, and goes on.
//!
//! `tests/databases/README.md` says how they were made.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use cii_simulator::{Options, Simulator};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{
    Body, Exporter, Metrics, Protocol, Receiver, Setup, attribute, attribute_names, until,
};

/// A schedule that no test lives to see: jobs run when the test says so.
const NEVER: &str = "0 0 0 1 1 *";

/// Which binary made a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Old {
    /// The commit 245c6aa, with the second version of the schema.
    V2,
    /// The last one before the ledger, with the seventh.
    V7,
}

impl Old {
    const ALL: [Self; 2] = [Self::V2, Self::V7];

    fn path(self, name: &str) -> PathBuf {
        let folder = match self {
            Self::V2 => "245c6aa",
            Self::V7 => "before-ledger",
        };
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/databases").join(folder).join(name)
    }

    fn unpack(self, name: &str) -> Vec<u8> {
        let packed = fs::File::open(self.path(name)).unwrap();
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn json(self, name: &str) -> Value {
        serde_json::from_slice(&self.unpack(name)).unwrap()
    }

    /// What the old binary showed at `/metrics`.
    fn metrics(self) -> Metrics {
        Metrics::parse(fs::read_to_string(self.path("metrics.txt")).unwrap())
    }

    /// A daemon's setup on a copy of the database, with the checks, users and addresses
    /// that the old binary had, and jobs that do not run.
    fn setup(self, simulator: &Simulator, on_start: bool) -> Setup {
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
    fn tenant(self) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        for (series, value) in self.metrics().of_tenant() {
            *sums.entry(self.today(series)).or_default() += value;
        }
        sums
    }

    /// The same of a new binary, without the metrics that the old one did not have.
    fn known(self, new: &Metrics) -> BTreeMap<String, f64> {
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
    fn today_json(self, answer: &Value) -> Value {
        let moderate = "\"severity\":\"moderate\"";
        let text = answer.to_string();
        let text = match self {
            Self::V2 => text.replace(moderate, "\"severity\":\"medium\""),
            Self::V7 => text,
        };
        let renamed = |text: String, (old, today): &(&str, &str)| {
            text.replace(&format!("\"{old}\""), &format!("\"{today}\""))
        };
        let text = RENAMED.iter().fold(text, renamed);
        serde_json::from_str(&text).unwrap()
    }
}

/// A tenant as the old databases know it.
async fn simulator() -> Simulator {
    Simulator::start(Options { users: 24, ..Options::default() }).await.unwrap()
}

async fn start(old: Old) -> (Simulator, Exporter) {
    let simulator = simulator().await;
    let exporter = old.setup(&simulator, false).start().await;
    (simulator, exporter)
}

#[tokio::test]
async fn an_upgraded_database_shows_the_tenant_metrics_that_the_older_binary_showed() {
    for old in Old::ALL {
        let (_simulator, exporter) = start(old).await;
        assert_eq!(old.known(&exporter.metrics().await), old.tenant(), "{old:?}");
        // The tenant's own figures, too.
        let figures = |metrics: &Metrics| -> BTreeMap<String, f64> {
            let all = metrics.all();
            let tenant = all.filter(|(series, _)| series.starts_with("cii_tenant_users"));
            tenant.map(|(series, value)| (series.to_owned(), value)).collect()
        };
        let (shown, kept) = (exporter.metrics().await, old.metrics());
        assert_eq!(figures(&shown), figures(&kept), "{old:?}");
        assert!(!figures(&kept).is_empty(), "{old:?}: nothing is compared");
    }
}

/// Each key that the older answer has, with its value; fields that are new are left out.
fn only_known(new: &Value, old: &Value) -> Value {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => new
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), only_known(value, old.get(key)?))))
            .collect(),
        (Value::Array(new), Value::Array(old)) if new.len() == old.len() => {
            new.iter().zip(old).map(|(new, old)| only_known(new, old)).collect()
        }
        _ => new.clone(),
    }
}

/// "In the API, `totals` of a check is one object."
fn totals(by_severity: &Value) -> Value {
    let sum = |name: &str| -> u64 {
        by_severity.as_array().unwrap().iter().filter_map(|row| row[name].as_u64()).sum()
    };
    json!({ "failures": sum("failures"), "resolutions": sum("resolutions") })
}

#[tokio::test]
async fn an_upgraded_database_gives_the_answers_that_the_older_binary_gave() {
    for old in Old::ALL {
        let (_simulator, exporter) = start(old).await;
        let answers = old.json("answers.json.gz");
        for (path, before) in answers.as_object().unwrap() {
            // How OTLP stands is compared at the receiver.
            if path == "/otlp" {
                continue;
            }
            let (status, after) = exporter.api("GET", path, None).await;
            assert_eq!(status, 200, "{old:?} {path}");
            let mut before = before.clone();
            // A listing that was under way is begun anew: the last complete one is told of.
            if let Some(answer) = before.as_object_mut().filter(|_| path == "/checks") {
                answer.remove("listing");
            }
            let mut before = old.today_json(&before);
            for check in
                before.get_mut("checks").and_then(Value::as_array_mut).into_iter().flatten()
            {
                check["totals"] = totals(&check["totals"]);
            }
            assert_eq!(only_known(&after, &before), before, "{old:?} {path}");
        }
    }
}

#[tokio::test]
async fn deliveries_keep_their_numbers_and_new_ones_go_on_above_them() {
    for old in Old::ALL {
        let (_simulator, exporter) = start(old).await;
        let database = Connection::open(old_copy(old, &exporter)).unwrap();
        let mut rows = database.prepare("SELECT seq, id, outcome FROM delivery").unwrap();
        let before: BTreeSet<(i64, Option<String>, String)> = rows
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let list = async || {
            let (status, page) = exporter.api("GET", "/deliveries?limit=1000", None).await;
            assert_eq!(status, 200, "{page}");
            page["deliveries"].as_array().unwrap().clone()
        };
        let row = |one: &Value| {
            let id = one["id"].as_str().map(str::to_owned);
            (one["number"].as_i64().unwrap(), id, one["result"].as_str().unwrap().to_owned())
        };
        assert_eq!(list().await.iter().map(row).collect::<BTreeSet<_>>(), before, "{old:?}");
        let highest = before.iter().map(|(number, ..)| *number).max().unwrap();

        let failing = exporter.metrics().await.get(NO_MFA);
        let repeated = Body::new("first", "no-mfa", &["ines.eriksen@example.org"]).json();
        assert_eq!(exporter.deliver(&repeated).await, 200);
        let metrics = exporter.metrics().await;
        assert_eq!(metrics.get("cii_webhook_requests_total{result=\"duplicate\"}"), Some(1.0));
        assert_eq!(metrics.get(NO_MFA), failing);
        let new = Body::new("new", "no-mfa", &["new@example.com", "outside@example.com"]).json();
        assert_eq!(exporter.deliver(&new).await, 200);
        assert_eq!(exporter.metrics().await.get(NO_MFA), failing.map(|count| count + 1.0));
        let newest = list().await.into_iter().next().unwrap();
        assert_eq!((&newest["id"], &newest["number"]), (&json!("new"), &json!(highest + 1)));

        let last: i64 = database
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'event'", [], |row| row.get(0))
            .unwrap();
        let (_, page) = exporter.api("GET", "/events?limit=1000", None).await;
        let delivered = page["events"].as_array().unwrap().iter().find(|event| {
            event["name"] == "cii.check.failed" && event["login"] == "new@example.com"
        });
        assert!(delivered.unwrap()["seq"].as_i64().unwrap() > last, "{old:?}: {delivered:?}");
    }
}

const NO_MFA: &str = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";

/// The old database beside the one that the daemon upgraded.
fn old_copy(old: Old, exporter: &Exporter) -> PathBuf {
    let path = exporter.database().with_file_name("old.db");
    fs::write(&path, old.unpack("store.db.gz")).unwrap();
    path
}

/// What a record is sent as today, where the changelog says that it has other attributes.
fn today_record(record: &Value) -> Value {
    let mut record = record.clone();
    let name = record["eventName"].clone();
    let attributes = record["attributes"].as_array_mut().unwrap();
    for attribute in attributes.iter_mut() {
        if let Some((_, today)) = RENAMED.iter().find(|(old, _)| attribute["key"] == *old) {
            attribute["key"] = json!(today);
        }
    }
    // "A check is `security_rule.*`, too."
    let rules = [("cii.check.id", "uuid"), ("cii.check.title", "name")];
    let rules = rules.iter().filter_map(|(own, name)| {
        let found = attributes.iter().find(|attribute| attribute["key"] == *own)?;
        Some(json!({ "key": format!("security_rule.{name}"), "value": found["value"] }))
    });
    let mut rules: Vec<_> = rules.collect();
    let found = attributes.iter().find(|attribute| attribute["key"] == "cii.check.description");
    let sentences = found.and_then(|found| found["value"]["arrayValue"]["values"].as_array());
    let sentences = sentences.into_iter().flatten().filter_map(|one| one["stringValue"].as_str());
    let description = sentences.collect::<Vec<_>>().join(" ");
    if !description.is_empty() {
        let value = json!({ "stringValue": description });
        rules.push(json!({ "key": "security_rule.description", "value": value }));
    }
    attributes.extend(rules);
    // "The name of an event is the attribute `event.name`, too."
    attributes.push(json!({ "key": "event.name", "value": { "stringValue": name } }));
    record
}

/// "What was before is `….previous_status` and `….previous_outcome`."
const RENAMED: [(&str, &str); 5] = [
    ("error.message", "cii.error.message"),
    ("cii.user.status.previous", "cii.user.previous_status"),
    ("cii.integration.status.previous", "cii.integration.previous_status"),
    ("cii.poll.outcome.previous", "cii.poll.previous_outcome"),
    ("cii.sync.outcome.previous", "cii.sync.previous_outcome"),
];

/// A record with its attributes in the order of their names: they have none.
fn by_key(mut record: Value) -> Value {
    let attributes = record["attributes"].as_array_mut().unwrap();
    attributes.sort_by_key(|attribute| attribute["key"].to_string());
    record
}

#[tokio::test]
async fn what_waited_for_the_collector_is_sent_once_with_the_ids_it_had() {
    for old in Old::ALL {
        let simulator = simulator().await;
        let receiver = Receiver::start().await;
        let setup = old.setup(&simulator, false).sending(&receiver, Protocol::Http);
        let exporter = setup.start().await;
        let expected = old.json("sent.json.gz");
        let expected = expected.as_array().unwrap();
        exporter.until_metric("cii_otlp_pending_events", 0.0).await;
        let received = receiver.until_received(expected.len()).await;
        assert_eq!(received.len(), expected.len(), "{old:?}");
        let texts = |record: &Value, key: &str| {
            attribute(&json!({ "record": record }), key).unwrap_or_default().to_string()
        };
        for (new, old_record) in received.iter().map(|line| &line["record"]).zip(expected) {
            for key in ["eventName", "body", "timeUnixNano", "observedTimeUnixNano"] {
                assert_eq!(new[key], old_record[key], "{old:?} {key}");
            }
            for key in ["log.record.uid", "user.email", "cii.check.id", "cii.check.description"] {
                assert_eq!(texts(new, key), texts(old_record, key), "{old:?} {key}");
            }
            if old == Old::V7 {
                assert_eq!(by_key(new.clone()), by_key(today_record(old_record)));
            }
        }
        // What older versions stored under other names, too.
        let records = received.iter().filter_map(|line| line["record"]["attributes"].as_array());
        let keys = records.flatten().map(|attribute| attribute["key"].as_str().unwrap().to_owned());
        let unknown: BTreeSet<_> = keys.filter(|key| !attribute_names().contains(key)).collect();
        assert!(unknown.is_empty(), "{old:?}: {unknown:?}");
    }
}

#[tokio::test]
async fn an_answer_ends_a_failure_that_was_open_before_the_upgrade() {
    for old in Old::ALL {
        let simulator = simulator().await;
        simulator.tenant(|tenant| {
            for check in ["dormant-account", "mfa-flood", "rare-browser", "user-impersonation"] {
                tenant.set_failing("sven.hansen@example.com", check, false);
            }
        });
        let before = old.metrics();
        let resolved = |event: &Value| {
            event["name"] == "cii.check.resolved" && event["check_id"] == "dormant-account"
        };
        let open = "cii_check_failing_users{check_id=\"dormant-account\",severity=\"medium\"}";
        let exporter = old.setup(&simulator, true).start().await;
        exporter.until_metric(open, before.get(open).unwrap() - 1.0).await;
        until("the event", || async {
            let path = "/events?login=sven.hansen@example.com&limit=1000";
            let (_, page) = exporter.api("GET", path, None).await;
            page["events"].as_array()?.iter().any(resolved).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn the_last_failure_of_a_check_is_that_of_its_events_and_its_words_have_their_dates() {
    for old in Old::ALL {
        let (_simulator, exporter) = start(old).await;
        let (_, page) = exporter.api("GET", "/events?name=cii.check.failed&limit=1000", None).await;
        let mut last = BTreeMap::<String, chrono::DateTime<chrono::Utc>>::new();
        for event in page["events"].as_array().unwrap() {
            let check = event["check_id"].as_str().unwrap().to_owned();
            let at = event["observed_at"].as_str().unwrap().parse().unwrap();
            let known = last.entry(check).or_insert(at);
            *known = at.max(*known);
        }
        assert!(!last.is_empty(), "{old:?}: nothing is compared");
        let metrics = exporter.metrics().await;
        for (check, at) in last {
            let name = "cii_check_last_failure_timestamp_seconds";
            let shown = metrics.get(&format!("{name}{{check_id={check:?}}}"));
            #[expect(clippy::cast_precision_loss, reason = "as the metric is read")]
            let expected = at.timestamp_micros() as f64 / 1e6;
            assert_eq!(shown, Some(expected), "{old:?} {check}");
        }

        // A delivery that is older than what is known does not rename the check.
        let words = async || {
            let (_, answer) = exporter.api("GET", "/checks", None).await;
            let checks = answer["checks"].as_array().unwrap();
            let check = checks.iter().find(|check| check["id"] == "no-mfa").unwrap();
            ["title", "severity", "description"].map(|field| check[field].clone())
        };
        let before = words().await;
        let mut late = Body::new("late", "no-mfa", &["late@example.com"]).json();
        late["detail"]["published"] = json!("2024-01-01T00:00:00Z");
        late["detail"]["title"] = json!("As it was called before");
        late["detail"]["severity"] = json!("low");
        late["detail"]["description"] = json!(["As it was described before"]);
        assert_eq!(exporter.deliver(&late).await, 200);
        assert_eq!(words().await, before, "{old:?}");
    }
}

#[tokio::test]
async fn a_command_refuses_an_older_database_and_leaves_every_byte() {
    for old in Old::ALL {
        let simulator = simulator().await;
        let setup = old.setup(&simulator, false);
        for arguments in
            [&["watch", "add", "user", "x@example.com"][..], &["watch", "list"], &["deliveries"]]
        {
            let ended = setup.run(arguments).await;
            assert!(ended.code != 0, "{old:?} {arguments:?}: {ended:?}");
            assert!(ended.errors.contains("`cii-exporter run` upgrades it"), "{ended:?}");
            assert!(fs::read(setup.database()).unwrap() == old.unpack("store.db.gz"), "{old:?}");
        }
    }
}

/// Tables, indexes and columns of a database, in the words of SQLite.
fn schema(database: &Path) -> BTreeSet<(String, String, Option<String>)> {
    let database = Connection::open(database).unwrap();
    let mut rows = database.prepare("SELECT type, name, sql FROM sqlite_schema").unwrap();
    rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[tokio::test]
async fn an_upgraded_database_is_sound_and_has_the_schema_of_a_new_one() {
    let new = Setup::new().start().await.stop().await;
    for old in Old::ALL {
        let (_simulator, exporter) = start(old).await;
        let setup = exporter.stop().await;
        assert_eq!(schema(&setup.database()), schema(&new.database()), "{old:?}");
        let database = Connection::open(setup.database()).unwrap();
        let text = |sql: &str| database.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(text("PRAGMA integrity_check"), "ok", "{old:?}");
        let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0, "{old:?}");
        // A second start finds nothing to do and shows the same.
        drop(database);
        let exporter = setup.start().await;
        assert_eq!(old.known(&exporter.metrics().await), old.tenant(), "{old:?}");
    }
}

#[tokio::test]
async fn an_upgrade_that_is_killed_or_fails_leaves_the_database_as_it_was() {
    for old in Old::ALL {
        let simulator = simulator().await;
        let setup = old.setup(&simulator, false);
        // Much more than SQLite's cache, so that there is a log long before the end.
        let database = Connection::open(setup.database()).unwrap();
        database
            .execute_batch(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
                 INSERT INTO event (name, public, happened_at, observed_at, body, attributes)
                 SELECT 'cii.check.delivery', 1, i, i, printf('%0200d', i), '{}' FROM n;
                 PRAGMA wal_checkpoint(TRUNCATE)",
            )
            .unwrap();
        drop(database);
        let facts = |database: &Connection| -> (i64, i64, i64) {
            let sql = "SELECT (SELECT user_version FROM pragma_user_version),
                              (SELECT count(*) FROM event), (SELECT count(*) FROM watch_total)";
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            database.query_row(sql, [], row).unwrap()
        };
        let before = facts(&Connection::open(setup.database()).unwrap());
        setup.write_config();
        let mut child = Setup::command(&["run"], &setup.config_file())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let log = setup.database().with_file_name("store.db-wal");
        until("the migration's first pages", || async {
            fs::metadata(&log).ok().filter(|found| found.len() > 1_000_000)
        })
        .await;
        child.kill().await.unwrap();
        assert_eq!(facts(&Connection::open(setup.database()).unwrap()), before, "{old:?}");

        // A script that cannot go on to its end: a table of its last lines is not there.
        let database = Connection::open(setup.database()).unwrap();
        database.execute_batch("ALTER TABLE user_application RENAME TO elsewhere").unwrap();
        drop(database);
        let failed = setup.run(&["run"]).await;
        assert!(failed.code == 1 && failed.errors.contains("user_application"), "{failed:?}");
        let database = Connection::open(setup.database()).unwrap();
        assert_eq!(facts(&database), before, "{old:?}");
        database.execute_batch("ALTER TABLE elsewhere RENAME TO user_application").unwrap();
        drop(database);

        // And then it succeeds.
        let exporter = setup.start().await;
        assert!(exporter.metrics().await.get(NO_MFA).is_some(), "{old:?}");
    }
}

#[tokio::test]
async fn the_tenant_is_the_one_of_the_first_delivery_that_is_kept() {
    let simulator = simulator().await;
    let setup = Old::V7.setup(&simulator, false);
    let database = Connection::open(setup.database()).unwrap();
    let id = "a229bd52-608a-4225-bd01-b2214a3c4127";
    for (source, which) in [
        (format!("{id}__a7708c35"), "(SELECT seq FROM delivery ORDER BY seq LIMIT 1 OFFSET 3)"),
        (id.replace('a', "b"), "(SELECT max(seq) FROM delivery)"),
    ] {
        let sql = format!("UPDATE delivery SET source = ?1 WHERE seq = {which}");
        assert_eq!(database.execute(&sql, [source]).unwrap(), 1);
    }
    drop(database);
    let exporter = setup.start().await;
    let series = format!("cii_tenant_info{{tenant=\"{id}\",id=\"{id}\"}}");
    assert_eq!(exporter.metrics().await.get(&series), Some(1.0));
}
