//! `report`: what happened, what is open and what is late, from a running daemon's database.

use crate::harness::{Body, Setup, until};
use cii_simulator::{Options, Simulator, tenant::IpAddress, tenant::Location};

const LISTING: &str = "[sync.tenant]\nenabled = true\nschedule = \"* * * * * *\"\n\
                       [sync.service]\nschedule = \"* * * * * *\"";

#[tokio::test]
async fn a_report_says_what_is_new_open_and_late_and_how_far_that_is_known() {
    let simulator = Simulator::start(Options { users: 12, ..Options::default() }).await.unwrap();
    let (watched, innocent) = simulator.tenant(|tenant| {
        let innocent = tenant.users().find(|user| !user.failing_checks.contains("no-mfa"));
        (tenant.logins()[0].clone(), innocent.unwrap().login.clone())
    });
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .tables(LISTING)
        .tables("[tenant]\nname = \"acme\"\n[slo]\ncritical = \"1s\"\nhigh = \"1s\"")
        .watch(&format!("users = [{watched:?}]"))
        .start()
        .await;
    exporter.until_metric("cii_tenant_listing_complete", 1.0).await;
    exporter.until_metric("cii_sync_up{task=\"service\"}", 1.0).await;
    exporter.until_metric(&format!("cii_user_new_ips_total{{login={watched:?}}}"), 0.0).await;
    simulator.tenant(|tenant| {
        tenant.set_failing(&innocent, "no-mfa", true);
        let place = Location::new("Nuuk", "Sermersooq", "Greenland");
        let address = IpAddress::new("198.51.100.7").at(place);
        tenant.user_mut(&watched).unwrap().ip_addresses.push(address);
    });
    let mut body = Body::new("1", "no-mfa", &[&innocent]).json();
    body["detail"]["published"] = cii_exporter::clock::now().to_rfc3339().into();
    assert_eq!(exporter.deliver(&body).await, 200);

    let report = until("a report with all of it", || async {
        let ended = exporter.run(&["report", "--format", "json", "--since", "1h"]).await;
        let report = ended.json();
        let is_there = report["addresses"]["new_countries"]["count"] == 1
            && report["overdue"]["count"].as_u64() > Some(0)
            && report["summary"]["all"]["new"].as_u64() > Some(0);
        is_there.then_some(report)
    })
    .await;
    assert_eq!(report["tenant"], "acme");
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["id"] == "no-mfa").unwrap();
    assert_eq!(check["new"], 1, "{check}");
    let country = &report["addresses"]["new_countries"]["named"][0];
    assert_eq!(country["user"], watched.as_str(), "{country}");
    assert!(report["administrators"]["count"].as_u64() > Some(0), "{report}");
    assert_eq!(
        report["mfa"]["accounts"]["enabled"].as_u64().unwrap()
            + report["mfa"]["accounts"]["disabled"].as_u64().unwrap()
            + report["mfa"]["accounts"]["unknown"].as_u64().unwrap(),
        12
    );
    // The log begins later than the report: it says so, and does not look complete.
    assert_eq!(report["data"]["is_complete"], false);
    assert!(report["data"]["gaps"][0].as_str().unwrap().contains("The log begins at"), "{report}");

    let markdown = exporter.run(&["report"]).await;
    assert!(markdown.output.starts_with("# Identity findings of acme\n"), "{}", markdown.output);
    assert!(markdown.output.contains("As far as is known: "), "{}", markdown.output);
    exporter.stop().await;
}

#[tokio::test]
async fn without_an_api_a_report_says_what_it_cannot_know() {
    let exporter = Setup::new().start().await;
    let body = Body::new("1", "no-mfa", &["zoe@example.com"]).json();
    assert_eq!(exporter.deliver(&body).await, 200);
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, "an older one").unwrap();
    std::fs::write(folder.path().join("report.html.new"), "one that broke off").unwrap();
    let ended =
        exporter.run(&["report", "--format", "html", "--output", file.to_str().unwrap()]).await;
    assert_eq!((ended.code, ended.output.as_str()), (0, ""), "{}", ended.errors);
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.contains("No API is configured"), "{page}");
    assert!(page.contains("zoe@example.com"), "{page}");
    assert!(page.contains("How many administrators there are is not known."), "{page}");
    // Who fails what is nobody else's business.
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let others: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(others.len(), 1, "{others:?}");
    exporter.stop().await;
}

#[tokio::test]
async fn a_report_names_people_as_metrics_do() {
    let folder = tempfile::TempDir::new().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "key").unwrap();
    let exporter = Setup::new()
        .tables(&format!("[metrics]\nuser_label = \"hash\"\nhash_key_file = {key:?}"))
        .start()
        .await;
    let body = Body::new("1", "no-mfa", &["ann@example.com"]).json();
    assert_eq!(exporter.deliver(&body).await, 200);
    for format in ["markdown", "json", "html"] {
        let said = exporter.run(&["report", "--format", format]).await.output;
        assert!(!said.to_lowercase().contains("ann@"), "{said}");
        assert!(said.contains("9e477c88a643485898d5bad53f82b84a"), "{said}");
    }
    // With another key it would be no pseudonym.
    std::fs::remove_file(&key).unwrap();
    let ended = exporter.run(&["report"]).await;
    assert_eq!(ended.code, 64, "{}", ended.output);
    assert!(ended.errors.contains("metrics.hash_key_file"), "{}", ended.errors);
    exporter.stop().await;
}

#[tokio::test]
async fn the_unit_that_mails_a_report_runs_a_command_that_there_is() {
    let root = env!("CARGO_MANIFEST_DIR");
    let unit = format!("{root}/deploy/systemd/cii-exporter-report.service");
    let unit = std::fs::read_to_string(unit).unwrap();
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let runtime = "%t/cii-exporter-report";
    assert!(unit.contains("RuntimeDirectory=cii-exporter-report\n"));
    let command = command.replace(runtime, folder.path().to_str().unwrap());
    let words: Vec<_> = command.split(' ').collect();
    let (program, arguments) = words.split_first().unwrap();
    assert_eq!(*program, "/usr/local/bin/cii-exporter");
    let exporter = Setup::new().start().await;
    let ended = exporter.run(arguments).await;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert!(folder.path().join("report.html").exists());
    exporter.stop().await;
    // What is mailed is what was written; systemd reads a percent sign as two.
    let mail = unit.lines().filter_map(|line| line.strip_prefix("ExecStart=")).nth(1).unwrap();
    assert!(mail.contains(&format!("cat {runtime}/report.html")), "{mail}");
    assert!(!mail.replace("%%", "").replace("%t", "").contains('%'), "{mail}");
}
