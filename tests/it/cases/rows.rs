//! Lists with rows that no reader expects, and page tokens that lead nowhere.

use cii_simulator::{
    AppsyncError, Fault, Kind, Oddity,
    tenant::{IpAddress, User},
};
use serde_json::{Value, json};

use super::{
    EVERY_SECOND, NEVER, listed, listing, simulator, targets, until_asked, until_logged, up,
};
use crate::harness::{Setup, until};

/// A5: leaves of a row.
#[tokio::test]
async fn an_odd_leaf_of_a_row_costs_only_itself() {
    let at_row = |field: &str| {
        let path = [json!("items"), json!(3), json!(field)];
        Kind::Error(AppsyncError::timed_out().at(path))
    };
    let set = |field: &str, value: Value| Kind::OddRow(3, Oddity::Set(field.to_owned(), value));
    for kind in [
        at_row("lastSignIn"),
        at_row("failingChecks"),
        at_row("devices"),
        at_row("providers"),
        set("providers", Value::Null),
        set("providers", json!(["SNOWFLAKE", null, 7])),
        set("devices", json!({ "deviceId": 7 })),
        set("devices", json!([null, 7, { "deviceId": null }])),
        set("lastActive", json!("yesterday")),
        set("firstCreatedDate", json!(1_764_072_000)),
        set("lastSignIn", json!("never")),
        set("mfaEnabled", json!("yes")),
        set("status", json!(7)),
        set("userTypeClassification", json!([])),
        set("failingChecks", json!("no-mfa")),
        set("failingChecks", json!([null, 7, "no-mfa"])),
        set("endUserTrustScore", json!("high")),
    ] {
        let simulator = simulator(6).await;
        simulator.faults().add(Fault::graphql(kind.clone()).of("listEndUsers"));
        let exporter = listing(&simulator).start().await;
        let metrics = exporter.until_metric(&up("tenant"), 1.0).await;
        assert_eq!(listed(&metrics), 6.0, "{kind:?}\n{}", exporter.log());
        assert_eq!(metrics.get(&targets("tenant", "skipped")), Some(0.0), "{kind:?}");
    }
}

/// A5: rows without a usable login.
#[tokio::test]
async fn a_row_without_a_usable_login_is_skipped_counted_and_logged() {
    for oddity in [
        Oddity::Null,
        Oddity::NullWithError,
        Oddity::EmptyLogin,
        Oddity::LongLogin,
        Oddity::RefusedLogin,
        Oddity::Set("login".to_owned(), json!(true)),
        Oddity::Set("login".to_owned(), json!({ "name": "a" })),
    ] {
        let simulator = simulator(6).await;
        simulator.faults().add(Fault::graphql(Kind::OddRow(3, oddity.clone())).of("listEndUsers"));
        let exporter = listing(&simulator).start().await;
        let metrics = exporter.until_metric(&targets("tenant", "skipped"), 1.0).await;
        exporter.until_metric(&up("tenant"), 1.0).await;
        assert_eq!(listed(&metrics), 5.0, "{oddity:?}\n{}", exporter.log());
        until_logged(&exporter, "WARN", &["skipped"]).await;
    }
}

/// A5: the other lists.
#[tokio::test]
async fn every_list_counts_its_good_rows() {
    for oddity in [Oddity::Null, Oddity::NullWithError, Oddity::EmptyLogin, Oddity::LongLogin] {
        let simulator = simulator(30).await;
        let ip = simulator.tenant(|tenant| tenant.busiest_addresses()[0].clone());
        for operation in ["getEndUsersByIp", "listAdminLogins", "getIntegrationsStatus"] {
            let row = Kind::ExtraRow(1, oddity.clone());
            simulator.faults().add(Fault::graphql(row).of(operation));
        }
        let exporter = Setup::new()
            .polling(&simulator, super::EVERY_SECOND)
            .api("retries = 0")
            .watch(&format!("ips = [\"{}\"]", ip.0))
            .tables("[sync.service]\nschedule = \"* * * * * *\"")
            .start()
            .await;
        let users = f64::from(u32::try_from(ip.1).unwrap());
        exporter.until_metric(&format!("cii_ip_users{{ip=\"{}\"}}", ip.0), users).await;
        exporter.until_metric(&up("service"), 1.0).await;
        let metrics = exporter.until_metric("cii_admins", 3.0).await;
        let integrations = metrics.series("cii_integration_up").len();
        assert_eq!(integrations, 2, "{oddity:?}\n{}", metrics.text);
        exporter.until_metric(&targets("ips", "skipped"), 1.0).await;
        exporter.until_metric(&targets("service", "skipped"), 2.0).await;
    }
}

/// A5, item 4: where a row cannot be read, nobody is absent; who fails is asked by name.
#[tokio::test]
async fn a_user_whose_row_cannot_be_read_is_not_gone() {
    let simulator = simulator(6).await;
    let login = simulator.tenant(|tenant| {
        let login = tenant.logins()[3].clone();
        tenant.set_failing(&login, "no-mfa", true);
        login
    });
    let count = simulator.tenant(|tenant| tenant.failing("no-mfa").count());
    let count = f64::from(u32::try_from(count).unwrap());
    let exporter = listing(&simulator).start().await;
    let shows = |expected: f64| {
        let exporter = &exporter;
        async move {
            until(&format!("{expected} who fail\n{}", exporter.log()), || async {
                let metrics = exporter.metrics().await;
                (super::failing(&metrics, "no-mfa") == expected).then_some(())
            })
            .await;
        }
    };
    shows(count).await;
    let asked = simulator.requests().count("getEndUser");
    simulator.faults().add(Fault::graphql(Kind::OddRow(3, Oddity::Null)).of("listEndUsers"));
    exporter.until_metric(&targets("tenant", "skipped"), 1.0).await;
    until_asked(&simulator, "listEndUsers", 3).await;
    assert_eq!(super::failing(&exporter.metrics().await, "no-mfa"), count);
    // The service knows by name that the failure ended. A question that is under way already can
    // be the one that hears of it.
    simulator.tenant(|tenant| tenant.set_failing(&login, "no-mfa", false));
    until(&format!("a question by name\n{}", exporter.log()), || async {
        (simulator.requests().count("getEndUser") > asked).then_some(())
    })
    .await;
    shows(count - 1.0).await;
}

/// A6, in circles of any length.
#[tokio::test]
async fn page_tokens_in_a_circle_end_the_listing_as_malformed() {
    for pages in [1, 2, 5] {
        let simulator = simulator(6).await;
        simulator.faults().add(Fault::graphql(Kind::PageCircle(pages)).of("listEndUsers"));
        let tables = format!("[sync.tenant]\nenabled = true\nschedule = \"{NEVER}\"");
        let exporter = Setup::new()
            .polling(&simulator, NEVER)
            .api("retries = 0")
            .tables(&tables)
            .start()
            .await;
        until_logged(&exporter, "WARN", &["listEndUsers"]).await;
        let metrics = exporter.until_metric(&up("tenant"), 0.0).await;
        let asked = simulator.requests().count("listEndUsers");
        // The first page, one for each token, and none for a token that was seen.
        assert_eq!(asked, pages + 1, "{}", exporter.log());
        assert_eq!(listed(&metrics), 0.0);
        assert!(metrics.get("cii_tenant_listing_complete").unwrap_or(0.0) == 0.0);
    }
}

/// A6 for the other listings.
#[tokio::test]
async fn a_circle_in_another_listing_fails_what_asked_for_it() {
    let simulator = simulator(6).await;
    for operation in ["getEndUsersByIp", "listAdminLogins"] {
        simulator.faults().add(Fault::graphql(Kind::PageCircle(2)).of(operation));
    }
    let exporter = Setup::new()
        .polling(&simulator, NEVER)
        .api("retries = 0")
        .watch("ips = [\"203.0.113.7\"]")
        .tables("[sync.service]\nschedule = \"0 0 0 1 1 *\"")
        .start()
        .await;
    exporter.until_metric(&up("ips"), 0.0).await;
    exporter.until_metric("cii_ip_poll_up{ip=\"203.0.113.7\"}", 0.0).await;
    until(&format!("the administrators failed\n{}", exporter.log()), || async {
        let metrics = exporter.metrics().await;
        (metrics.get(&targets("service", "failed"))? >= 1.0).then_some(())
    })
    .await;
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_ip_users{ip=\"203.0.113.7\"}"), None, "half a listing is shown");
    assert_eq!(metrics.get("cii_admins"), None, "half a listing is shown");
    assert_eq!(simulator.requests().count("getEndUsersByIp"), 3);
    assert_eq!(simulator.requests().count("listAdminLogins"), 3);
}

/// A page token that the service takes no more starts the listing anew.
#[tokio::test]
async fn a_page_token_that_expired_does_not_stop_the_listing_for_good() {
    let simulator = simulator(25).await;
    let tables = "[sync.tenant]\nenabled = true\npage_size = 10\nschedule = \"* * * * * *\"";
    let setup = Setup::new().polling(&simulator, NEVER).api("retries = 0").tables(tables);
    // The second page fails, so that the listing is to go on there; then its token has expired.
    simulator.faults().add(Fault::graphql(Kind::Status(502, None)).about("page-a").times(1));
    simulator.faults().add(Fault::graphql(Kind::ExpiredPage).of("listEndUsers").times(1));
    let exporter = setup.start().await;
    until(&format!("a whole listing\n{}", exporter.log()), || async {
        (listed(&exporter.metrics().await) == 25.0).then_some(())
    })
    .await;
    assert!(simulator.faults().list().is_empty());
}

/// A5 for the users of an address: a few of many that cannot be read do not fail the job, and most do.
#[tokio::test]
async fn rows_of_an_address_are_compared_with_its_rows() {
    for (odd, skipped, is_up) in [(2, 2.0, 1.0), (5, 5.0, 0.0)] {
        let simulator = simulator(0).await;
        simulator.tenant(|tenant| {
            for number in 0..8 {
                let mut user = User::new(&format!("u{number}@example.com"), "U");
                user.ip_addresses = vec![IpAddress::new("203.0.113.1")];
                tenant.add_user(user);
            }
        });
        for row in 0..odd {
            let kind = Kind::OddRow(row, Oddity::Null);
            simulator.faults().add(Fault::graphql(kind).of("getEndUsersByIp"));
        }
        let exporter = Setup::new()
            .polling(&simulator, EVERY_SECOND)
            .watch("ips = [\"203.0.113.1\"]")
            .start()
            .await;
        exporter.until_metric(&targets("ips", "skipped"), skipped).await;
        exporter.until_metric("cii_sync_up{task=\"ips\"}", is_up).await;
    }
}
