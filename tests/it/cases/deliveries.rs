//! Deliveries as odd senders make them, sent by the simulator. What each field may be is tried
//! in `door`.

use std::time::Duration;

use cii_simulator::{DeliveryPolicy, Fault, Kind, Options, Simulator, webhook::Target};
use serde_json::json;

use super::{events, failing};
use crate::harness::{Exporter, Protocol, Receiver, SECRET, Setup, attribute, names};

const LOGINS: [&str; 2] = ["alice@example.com", "hrms.serviceuser"];

async fn sender() -> Simulator {
    let delivery = DeliveryPolicy {
        attempts: 1,
        backoff: Duration::from_millis(1),
        ..DeliveryPolicy::default()
    };
    let options = Options { users: 12, delivery, ..Options::default() };
    let simulator = Simulator::start(options).await.unwrap();
    simulator.tenant(|tenant| {
        for login in LOGINS {
            tenant.set_failing(login, "no-mfa", false);
        }
    });
    simulator
}

/// Sends who newly fails; every delivery is answered with 200.
async fn deliver(simulator: &Simulator, exporter: &Exporter, check: &str) {
    simulator.add_webhook_target(Target {
        url: exporter.webhook_url.clone(),
        header: "x-api-client-token".to_owned(),
        secret: SECRET.to_owned(),
        check_ids: vec![check.to_owned()],
    });
    simulator.tenant(|tenant| {
        for login in LOGINS {
            tenant.set_failing(login, check, false);
            tenant.set_failing(login, check, true);
        }
    });
    let outcomes = simulator.deliver().await;
    assert!(!outcomes.is_empty());
    for outcome in outcomes {
        assert_eq!(outcome.status, Some(200), "{}", exporter.log());
    }
}

/// D1 to D4 and their mixture, as a sender makes them, over a restart.
#[tokio::test]
async fn whatever_is_odd_about_a_delivery_its_users_fail() {
    for kinds in [
        vec![Kind::OddSideFields],
        vec![Kind::DirectMessages],
        vec![Kind::Gzip],
        vec![Kind::ByteOrderMark],
        vec![Kind::NoEnvelopeId],
        vec![Kind::AlsoNames(json!("")), Kind::AlsoNames(json!(null))],
        vec![Kind::DirectMessages, Kind::OddSideFields, Kind::NoEnvelopeId],
        vec![Kind::OddSideFields, Kind::Gzip, Kind::ByteOrderMark, Kind::AlsoNames(json!(""))],
    ] {
        let simulator = sender().await;
        for kind in &kinds {
            simulator.faults().add(Fault::webhook(kind.clone()));
        }
        let exporter = Setup::new().start().await;
        deliver(&simulator, &exporter, "no-mfa").await;
        let metrics = exporter.metrics().await;
        assert_eq!(failing(&metrics, "no-mfa"), 2.0, "{kinds:?}\n{}", exporter.log());
        assert_eq!(events(&exporter, "cii.check.failed").await.len(), 2, "{kinds:?}");
        let exporter = exporter.kill().await.start().await;
        assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 2.0, "{kinds:?}");
    }
}

/// D1: a severity that is no word reaches both protocols, and alerts.
#[tokio::test]
async fn a_severity_that_is_a_number_is_told_as_its_text() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let simulator = sender().await;
        simulator.faults().add(Fault::webhook(Kind::OddSideFields));
        let receiver = Receiver::start().await;
        let exporter = Setup::new().sending(&receiver, protocol).start().await;
        deliver(&simulator, &exporter, "no-mfa").await;
        let metrics = exporter.metrics().await;
        let series = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"3\"}";
        assert_eq!(metrics.get(series), Some(2.0), "{}", metrics.text);
        assert_eq!(metrics.get("cii_failing_users{severity=\"3\"}"), Some(2.0));
        let received = receiver.until_received(3).await;
        assert_eq!(names(&received)[1..], ["cii.check.failed", "cii.check.failed"]);
        for record in &received[1..] {
            assert_eq!(record["record"]["severityText"], "3");
            assert_eq!(record["record"]["severityNumber"], "SEVERITY_NUMBER_WARN");
            assert_eq!(attribute(record, "cii.check.id"), Some(json!("no-mfa")));
        }
        exporter.stop().await;
    }
}

/// D3: unusable logins among good ones cost only themselves.
#[tokio::test]
async fn an_unusable_login_costs_only_itself() {
    let simulator = sender().await;
    simulator.faults().add(Fault::webhook(Kind::AlsoNames(json!("x".repeat(600)))));
    let exporter = Setup::new().start().await;
    deliver(&simulator, &exporter, "no-mfa").await;
    let metrics = exporter.metrics().await;
    assert_eq!(failing(&metrics, "no-mfa"), 2.0);
    assert_eq!(metrics.get("cii_webhook_skipped_logins_total"), Some(1.0));
}

/// FACTS, "When things change": the API learns of a failure later than the webhook tells it.
#[tokio::test]
async fn an_api_that_lags_behind_the_webhook_ends_no_failure() {
    let simulator = sender().await;
    simulator.faults().add(Fault::graphql(Kind::LagMillis(600_000)));
    let setup = Setup::new().polling(&simulator, super::NEVER);
    let setup = setup.tables("[metrics]\nuser_series = \"all\"");
    let exporter = setup.variable("CII_EXPORTER_SYNC__SETTLE", "15m").start().await;
    deliver(&simulator, &exporter, "no-mfa").await;
    // Within a minute the API is asked about the users who were named.
    super::until_asked(&simulator, "getEndUser", 2).await;
    exporter.until_metric("cii_user_new_ips_total{login=\"alice@example.com\"}", 0.0).await;
    assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 2.0, "{}", exporter.log());
    assert!(events(&exporter, "cii.check.resolved").await.is_empty());
}
