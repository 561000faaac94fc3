//! The references in `docs/` say what the program does. `UPDATE_DOCS=1` writes anew
//! what is generated.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use cii_exporter::{
    domain::EventName,
    metrics::{Definition, Family},
};
use cii_simulator::{Options, Simulator};
use strum::VariantArray as _;

use crate::harness::{
    Protocol, Receiver, Setup, attribute_names, names_in_names, sample_payload, until,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const METRICS: &str = "docs/metrics.md";
const BEGIN: &str = "<!-- generated: UPDATE_DOCS=1 cargo test --test it reference -->\n";

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(file)).unwrap()
}

/// What the reference tells of a metric.
#[derive(Default)]
struct Row {
    kind: String,
    labels: Vec<String>,
    help: String,
}

/// The names of the labels of a sample, but for those that histograms make.
fn labels(sample: &str) -> Vec<String> {
    let Some((_, rest)) = sample.split_once('{') else { return Vec::new() };
    let names = rest.split("=\"").filter_map(|part| part.rsplit(',').next());
    let names = names.filter(|name| !name.contains('}') && *name != "le");
    names.map(|name| format!("`{name}`")).collect()
}

/// A row for each metric that is shown, with its own description.
fn table(shown: &str) -> String {
    let mut rows = BTreeMap::<String, Row>::new();
    for line in shown.lines() {
        let words: Vec<_> = line.splitn(4, ' ').collect();
        if let ["#", what, name, text] = words[..] {
            let row = rows.entry(name.to_owned()).or_default();
            let column = if what == "HELP" { &mut row.help } else { &mut row.kind };
            text.clone_into(column);
            continue;
        }
        let name = line.split(['{', ' ']).next().unwrap();
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let name = base.filter(|base| rows.contains_key(*base)).unwrap_or(name);
        rows.get_mut(name).unwrap().labels = labels(line);
    }
    // Some of these are there only when there is something to tell.
    let of_tenant = Family::ALL.map(Family::definition);
    for Definition { name, kind, labels, help } in of_tenant {
        let row = rows.entry(name.to_owned()).or_insert_with(|| Row {
            kind: kind.as_str().to_owned(),
            help: help.to_owned(),
            ..Row::default()
        });
        let labels = labels.iter().map(|name| format!("`{name}`")).collect();
        assert!(row.labels.is_empty() || row.labels == labels, "{name}");
        row.labels = labels;
    }
    let (tenant, own): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(name, _)| of_tenant.iter().any(|family| family.name == name));
    let section = |title: &str, rows: Vec<(String, Row)>| {
        let mut text = format!("\n## {title}\n\n");
        text += "| name | type | labels | what it tells |\n|---|---|---|---|\n";
        for (name, Row { kind, labels, help }) in rows {
            let labels = labels.join(", ");
            writeln!(text, "| `{name}` | {kind} | {labels} | {help} |").unwrap();
        }
        text
    };
    section("From what is known of the tenant", tenant) + &section("From the exporter itself", own)
}

#[tokio::test]
async fn the_metrics_reference_is_what_a_scrape_shows() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let receiver = Receiver::start().await;
    let exporter = Setup::new()
        .with_web_config()
        .polling(&simulator, "* * * * * *")
        .sending(&receiver, Protocol::Http)
        .start()
        .await;
    exporter.post(sample_payload()).await.unwrap();
    exporter.until_metric("cii_sync_up{task=\"users\"}", 1.0).await;
    let text = read(METRICS);
    let (head, written) = text.split_once(BEGIN).unwrap();
    #[expect(clippy::disallowed_methods, reason = "an argument of the test's")]
    let is_to_be_written = std::env::var_os("UPDATE_DOCS").is_some();
    if is_to_be_written {
        let table = table(&exporter.metrics().await.text);
        fs::write(Path::new(ROOT).join(METRICS), format!("{head}{BEGIN}{table}")).unwrap();
        return;
    }
    until(&format!("{METRICS} as generated: UPDATE_DOCS=1 writes it anew"), || async {
        (table(&exporter.metrics().await.text) == written).then_some(())
    })
    .await;
    exporter.stop().await;
}

#[test]
fn the_reference_of_events_has_every_event_and_attribute_and_no_other() {
    let text = read("docs/events.md");
    let rows: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    let mut public: Vec<_> = EventName::VARIANTS
        .iter()
        .copied()
        .filter(|name| name.is_public())
        .map(EventName::as_str)
        .collect();
    public.sort_unstable();
    let mut documented = rows.clone();
    documented.sort_unstable();
    assert_eq!(documented, public);

    let attributes = attribute_names();
    assert!(attributes.len() > 20);
    for attribute in &attributes {
        assert!(text.contains(&format!("`{attribute}`")), "{attribute} is not documented");
    }
    // Resource attributes are the operator's as well, and stand beside those of a record.
    let mut all = attributes.clone();
    all.extend(["service.name", "service.version", "service.instance.id"].map(str::to_owned));
    assert!(names_in_names(&all).is_empty(), "{:?}", names_in_names(&all));
    let words = text.split('`').skip(1).step_by(2);
    for word in words.filter(|word| word.starts_with("cii.")) {
        assert!(rows.contains(&word) || attributes.contains(word), "{word} does not exist");
    }
}
