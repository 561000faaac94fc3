//! The log, held against the counters, against itself and against what the collector got.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::model::{Model, Truth};
use crate::harness::{Exporter, Metrics, Receiver, attribute};

const FAILED: &str = "cii.check.failed";
const RESOLVED: &str = "cii.check.resolved";

/// Every event so far, in order. What was read once is not read again: a log only grows.
#[derive(Default)]
pub struct Journal {
    events: Vec<Value>,
    cursor: i64,
}

impl Journal {
    pub async fn read(&mut self, exporter: &Exporter) {
        loop {
            let path = format!("/events?limit=1000&cursor={}", self.cursor);
            let (status, page) = exporter.api("GET", &path, None).await;
            assert_eq!(status, 200, "{page}");
            self.events.extend(page["events"].as_array().unwrap().iter().cloned());
            self.cursor = page["next_cursor"].as_i64().unwrap();
            if page["has_more"] == false {
                return;
            }
        }
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    pub fn count(&self, name: &str, field: &str, value: &str) -> usize {
        self.events.iter().filter(|event| event["name"] == name && event[field] == value).count()
    }

    fn named(&self, name: &str) -> usize {
        self.events.iter().filter(|event| event["name"] == name).count()
    }

    /// How counters differ from the number of events that they count.
    pub fn counters(&self, model: &Model, metrics: &Metrics) -> Vec<String> {
        let mut expected = BTreeMap::new();
        for id in model.words.keys().filter(|id| model.admits(id)) {
            for (counter, name) in [("failures", FAILED), ("resolutions", RESOLVED)] {
                let series = format!("cii_check_{counter}_total{{check_id=\"{id}\"}}");
                expected.insert(series, self.count(name, "check_id", id));
            }
        }
        for (total, name) in [("ips", "ip"), ("countries", "country")] {
            let name = format!("cii.user.{name}.new");
            expected.insert(format!("cii_new_{total}_total"), self.named(&name));
        }
        for ip in model.listed_ips() {
            let series = format!("cii_ip_new_users_total{{ip=\"{ip}\"}}");
            expected.insert(series, self.count("cii.ip.user.new", "ip", ip));
        }
        let mut wrong = Vec::new();
        for id in model.words.keys().filter(|id| model.admits(id)) {
            let series = format!("cii_check_last_failure_timestamp_seconds{{check_id=\"{id}\"}}");
            let (shown, logged) = (metrics.get(&series), self.count(FAILED, "check_id", id));
            if shown.is_some() != (logged > 0) {
                wrong.push(format!("{series} is {shown:?}, and the log has {logged}"));
            }
            let lasted = format!("cii_check_failure_duration_seconds_count{{check_id=\"{id}\"}}");
            let (shown, ended) = (metrics.get(&lasted), self.count(RESOLVED, "check_id", id));
            if shown.is_none_or(|shown| shown > super::expected::number(ended)) {
                wrong.push(format!("{lasted} is {shown:?}, and {ended} ended"));
            }
        }
        let differs = |(series, count): (String, usize)| {
            let shown = metrics.get(&series);
            (shown != Some(super::expected::number(count)))
                .then(|| format!("{series} is {shown:?}, and the log has {count}"))
        };
        wrong.extend(expected.into_iter().filter_map(differs));
        wrong
    }

    /// How the log contradicts itself or the tenant: a failure is told as new once, ends
    /// once, and is open at the end where somebody fails the check. Of what was told before
    /// its check was filtered out nothing is known after.
    pub fn story(&self, model: &Model, truth: &Truth) -> Vec<String> {
        let (mut wrong, mut told) = (Vec::new(), BTreeMap::<(String, String), usize>::new());
        for (index, event) in self.events.iter().enumerate() {
            let text = |field: &str| event[field].as_str().unwrap_or_default().to_ascii_lowercase();
            let key = (text("check_id"), text("login"));
            let is_failed = event["name"] == FAILED;
            if !is_failed && event["name"] != RESOLVED {
                continue;
            }
            let before = told.remove(&key);
            let is_doubtful = before.is_some_and(|told| model.was_hidden(&key.0, told, index));
            if is_failed {
                if before.is_some() && !is_doubtful {
                    wrong.push(format!("told as new twice: {event}"));
                }
                told.insert(key, index);
            } else {
                let says = event["attributes"]["cii.check.announced"].as_bool();
                if says != Some(before.is_some()) && !is_doubtful {
                    wrong.push(format!("announced is {}: {event}", before.is_some()));
                }
            }
        }
        for ((check, login), index) in told {
            let is_open = model.failing(&check, truth).contains(&login);
            if !is_open && !model.was_hidden(&check, index, self.events.len()) {
                wrong.push(format!("{login} fails {check} no longer, and the log does not say so"));
            }
        }
        wrong
    }

    /// What the collector got is every public event, once by its id, in order.
    pub fn collected(&self, receiver: &Receiver) -> Vec<String> {
        let (mut seen, mut got) = (BTreeSet::new(), Vec::new());
        for line in receiver.received() {
            let uid = attribute(&line, "log.record.uid").unwrap().as_str().unwrap().to_owned();
            if seen.insert(uid.clone()) {
                got.push(uid);
            }
        }
        let logged: Vec<_> =
            self.events.iter().map(|event| event["uid"].as_str().unwrap().to_owned()).collect();
        if logged == got {
            return Vec::new();
        }
        let first = logged.iter().zip(&got).position(|(logged, got)| logged != got);
        let first = first.unwrap_or_else(|| logged.len().min(got.len()));
        let counts = format!("{} logged, {} at the collector", logged.len(), got.len());
        vec![format!("{counts}, the first difference at {first}: {:?}", self.events.get(first))]
    }
}
