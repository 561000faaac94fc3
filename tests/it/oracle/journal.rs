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
        for ip in &model.ips {
            let series = format!("cii_ip_new_users_total{{ip=\"{ip}\"}}");
            expected.insert(series, self.count("cii.ip.user.new", "ip", ip));
        }
        let differs = |(series, count): (String, usize)| {
            let shown = metrics.get(&series);
            (shown != Some(super::expected::number(count)))
                .then(|| format!("{series} is {shown:?}, and the log has {count}"))
        };
        expected.into_iter().filter_map(differs).collect()
    }

    /// How the log contradicts itself or the tenant: a failure is told as new once, ends
    /// once, and is open at the end where somebody fails the check.
    pub fn story(&self, model: &Model, truth: &Truth) -> Vec<String> {
        let (mut wrong, mut told) = (Vec::new(), BTreeSet::<(String, String)>::new());
        for event in &self.events {
            let text = |field: &str| event[field].as_str().unwrap_or_default().to_ascii_lowercase();
            let key = (text("check_id"), text("login"));
            let is_hidden = model.once_hidden.contains(&key.0);
            if event["name"] == FAILED {
                if !told.insert(key) && !is_hidden {
                    wrong.push(format!("told as new twice: {event}"));
                }
            } else if event["name"] == RESOLVED {
                let was_told = told.remove(&key);
                let says = event["attributes"]["cii.check.announced"].as_bool();
                if says != Some(was_told) && !is_hidden {
                    wrong.push(format!("announced is {was_told}: {event}"));
                }
            }
        }
        for (check, login) in told {
            let is_open = model.failing(&check, truth).contains(&login);
            if !is_open && !model.once_hidden.contains(&check) {
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
