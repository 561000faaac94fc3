//! What is the same in every dashboard: words, links, colours, variables.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{NAMES, dashboard, of_prometheus, panels, queries};

#[test]
fn every_panel_explains_itself_and_every_link_leads_somewhere() {
    let uids: BTreeSet<_> =
        NAMES.map(|name| dashboard(name)["uid"].as_str().unwrap().to_owned()).into();
    assert_eq!(uids.len(), NAMES.len());
    for name in NAMES {
        let dashboard = dashboard(name);
        for panel in panels(&dashboard) {
            let title = &panel["title"];
            assert!(panel["description"].as_str().unwrap().len() > 20, "{name}: {title}");
            if panel["type"] == "logs" {
                continue;
            }
            let shown = &panel["fieldConfig"]["defaults"];
            assert!(shown["unit"].is_string(), "{name}: {title}");
            // Nothing found is told apart from 0.
            assert!(shown["noValue"].is_string(), "{name}: {title}");
        }
        let text = dashboard.to_string();
        for link in text.split("\"/d/").skip(1) {
            let uid = link.split(['"', '?']).next().unwrap();
            assert!(uids.contains(uid), "{name} leads to {uid}");
        }
    }
}

/// Every value of the key, wherever it is.
fn values<'a>(of: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match of {
        Value::Object(fields) => {
            found.extend(fields.get(key));
            fields.values().for_each(|field| values(field, key, found));
        }
        Value::Array(items) => items.iter().for_each(|item| values(item, key, found)),
        _ => {}
    }
}

#[test]
fn colour_means_severity_and_nothing_else() {
    let severities =
        [("critical", "#8b1a3a"), ("high", "#b5450f"), ("medium", "#8a6d00"), ("low", "#3a6280")];
    let neutral = ["text", "#8e9199"];
    for name in NAMES {
        let dashboard = dashboard(name);
        let mut colours = Vec::new();
        for key in ["fixedColor", "iconColor", "color"] {
            values(&dashboard, key, &mut colours);
        }
        for colour in colours.into_iter().filter_map(Value::as_str) {
            let is_known = severities.iter().any(|(_, known)| *known == colour);
            assert!(is_known || neutral.contains(&colour), "{name}: {colour}");
        }
        for panel in of_prometheus(&dashboard).filter(|panel| panel["type"] == "timeseries") {
            for (severity, colour) in severities {
                let overrides = panel["fieldConfig"]["overrides"].as_array().unwrap();
                let found = overrides.iter().find(|one| one["matcher"]["options"] == severity);
                let properties = &found.unwrap()["properties"][0];
                assert_eq!(properties["value"]["fixedColor"], colour, "{name}: {severity}");
            }
        }
    }
}

/// The rules of github.com/grafana/dashboard-linter, where they are about what is here.
#[test]
fn the_public_linter_s_rules_hold() {
    for name in NAMES {
        let dashboard = dashboard(name);
        assert_eq!(dashboard["editable"], false, "{name}");
        assert!(dashboard["id"].is_null() && dashboard["version"].is_null(), "{name}");
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        let variable = |name: &str| variables.iter().find(|one| one["name"] == name).unwrap();
        assert_eq!(variable("datasource")["type"], "datasource");
        assert_eq!(variable("datasource")["label"], "Data source");
        for (template, label) in [("job", "Job"), ("instance", "Instance"), ("tenant", "Tenant")] {
            let template = variable(template);
            assert_eq!(template["type"], "query", "{name}: {label}");
            assert_eq!(template["label"], label, "{name}");
            assert_eq!(template["datasource"]["uid"], "${datasource}", "{name}: {label}");
            assert_eq!(template["multi"], true, "{name}: {label}");
            assert_eq!(template["allValue"], ".+", "{name}: {label}");
            assert_eq!(template["refresh"], 2, "{name}: {label}");
        }
        let mut sources = Vec::new();
        values(&dashboard, "datasource", &mut sources);
        for source in sources {
            let uid = source["uid"].as_str().unwrap();
            assert!(uid == "${datasource}" || uid == "${logs}", "{name}: {uid}");
        }
        for panel in panels(&dashboard) {
            assert!(!panel["title"].as_str().unwrap().is_empty(), "{name}");
            assert!(panel["id"].as_u64() > Some(0), "{name}");
            for query in queries(panel) {
                for call in query.split("rate(").skip(1) {
                    let window = call.split(['[', ']']).nth(1);
                    assert_eq!(window, Some("$__rate_interval"), "{name}: {query}");
                }
            }
        }
    }
}

/// What restarts, reloads and deliveries change is marked in every graph.
#[test]
fn what_happened_to_the_exporter_is_marked() {
    for name in NAMES {
        let dashboard = dashboard(name);
        let list = dashboard["annotations"]["list"].as_array().unwrap();
        let names: Vec<_> = list.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Delivery", "Restart", "Reload", "Stale"], "{name}");
    }
}
