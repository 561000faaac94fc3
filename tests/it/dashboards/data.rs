//! Every query finds data in a real Prometheus.

use cii_simulator::{
    Options, Simulator,
    tenant::{IpAddress, Location},
};

use super::{NAMES, annotations, dashboard, of_prometheus, queries};
use crate::harness::{Body, Protocol, Setup, Stack, until};

#[tokio::test]
async fn every_panel_finds_data_in_a_prometheus_with_exporters_of_two_tenants() {
    let simulator = Simulator::start(Options { users: 40, ..Options::default() }).await.unwrap();
    let (login, ip) = simulator.tenant(|tenant| {
        let ip = tenant.busiest_addresses()[0].0.clone();
        (tenant.logins()[0].clone(), ip)
    });
    let mut stack = Stack::start().await;
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .tables(
            "[sync.tenant]\nenabled = true\nschedule = \"* * * * * *\"\n\
             [sync.service]\nschedule = \"* * * * * *\"",
        )
        .watch(&format!("users = [{login:?}]\nips = [{ip:?}]"))
        .tables("[tenant]\nname = \"acme\"")
        .sending_to(&stack.otlp_endpoint(), Protocol::Http)
        .start()
        .await;
    // Another exporter, of another tenant, in which the same happens.
    let other = Setup::new()
        .polling(&simulator, "* * * * * *")
        .tables(
            "[sync.tenant]\nenabled = true\nschedule = \"* * * * * *\"\n\
             [sync.service]\nschedule = \"* * * * * *\"\n[tenant]\nname = \"globex\"",
        )
        .watch(&format!("users = [{login:?}]\nips = [{ip:?}]"))
        .sending_to("http://127.0.0.1:1", Protocol::Http)
        .start()
        .await;
    for exporter in [&exporter, &other] {
        exporter.until_metric("cii_sync_up{task=\"tenant\"}", 1.0).await;
    }
    let addresses = [&exporter, &other].map(|one| one.ops_url.trim_start_matches("http://"));
    stack.watch_all(&addresses).await;
    // A collector that is not there, and somebody who does not know the secret.
    for exporter in [&exporter, &other] {
        let wrong = reqwest::Client::new().post(&exporter.webhook_url);
        let wrong = wrong.header("x-api-client-token", "a-wrong-secret").body("{}");
        assert_eq!(wrong.send().await.unwrap().status(), 401);
    }
    // Something of everything that panels count, seen once before and once after.
    let innocent: Vec<_> = simulator.tenant(|tenant| {
        let users = tenant.users().filter(|user| !user.failing_checks.contains("no-mfa"));
        let users = users.filter(|user| user.login != login && !user.has_ip(&ip));
        users.map(|user| user.login.clone()).take(2).collect()
    });
    for (number, name) in innocent.iter().enumerate() {
        simulator.tenant(|tenant| {
            let place = Location::new("Nuuk", "Sermersooq", ["Greenland", "Iceland"][number]);
            let address = IpAddress::new(&format!("198.51.100.{number}")).at(place);
            tenant.user_mut(&login).unwrap().ip_addresses.push(address);
            tenant.user_mut(name).unwrap().ip_addresses.push(IpAddress::new(&ip));
        });
        let mut delivery = Body::new(&number.to_string(), "no-mfa", &[name]).json();
        delivery["detail"]["published"] = cii_exporter::clock::now().to_rfc3339().into();
        for exporter in [&exporter, &other] {
            assert_eq!(exporter.deliver(&delivery).await, 200);
        }
        let seen = "cii_check_resolutions_total{check_id=\"no-mfa\"} > 0";
        until("a resolution in Prometheus", || async {
            stack.query(seen).await.filter(|found| *found > 1)
        })
        .await;
    }
    let variables = [
        // All that happens here is within it, also on a machine that stalls.
        ("$__rate_interval", "10m"),
        // Nobody has waited for a week here: what was then is what is now.
        (" offset 7d", ""),
        ("$mfa_target", "95"),
        ("$severity", ".*"),
        ("$check", ".*"),
        ("$instance", ".*"),
        ("$job", ".*"),
        ("$login", login.as_str()),
        ("$ip", ip.as_str()),
    ];
    for name in NAMES {
        let dashboard = dashboard(name);
        let of_panels = of_prometheus(&dashboard).flat_map(|panel| {
            queries(panel).into_iter().map(|query| (panel["title"].as_str().unwrap(), query))
        });
        let annotations = annotations(&dashboard);
        // Nothing is stale here.
        let of_annotations = annotations.iter().filter(|query| !query.contains("CiiSyncStale"));
        for (title, query) in of_panels.chain(of_annotations.map(|query| ("annotation", *query))) {
            let mut asked = query.to_owned();
            for (variable, value) in variables {
                asked = asked.replace(variable, value);
            }
            // By one tenant, then by all of them. Only the other's collector is not there.
            let waits = title.starts_with("Oldest waiting");
            for tenants in if waits { ["globex", ".*"] } else { ["acme", ".*"] } {
                let asked = asked.replace("$tenant", tenants);
                until(&format!("data for {name}: {title}: {asked}"), || async {
                    stack.query(&asked).await.filter(|found| *found > 0)
                })
                .await;
            }
            let nobody = stack.query(&asked.replace("$tenant", "nobody")).await;
            assert!(query.contains("(up{") || nobody == Some(0), "{name}: {title}: {asked}");
        }
    }
    every_rule_is_evaluated(&stack).await;
    exporter.stop().await;
    other.stop().await;
    stack.stop().await;
}

/// No rule finds two series where it joins one.
async fn every_rule_is_evaluated(stack: &Stack) {
    let rules = until("an evaluation of every rule", || stack.evaluated_rules()).await;
    let alerts = include_str!("../../../alerts/cii-exporter.rules.yml");
    let count = |kind: &str| alerts.matches(&format!("- {kind}: ")).count();
    assert_eq!(rules.len(), count("alert") + count("record"));
    for (rule, error) in rules {
        assert_eq!(error, "", "{rule}");
    }
}
