//! How answers of the API are read, seen from outside.

use cii_simulator::{
    AppsyncError, Fault, Kind, Options, Simulator,
    tenant::{IpAddress, User},
};
use serde_json::json;

use crate::harness::{Setup, until};

const ZOE: &str = "zoe@example.com";

async fn tenant() -> (Simulator, Setup) {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    simulator.tenant(|tenant| {
        let mut zoe = User::new(ZOE, "Zoe Example");
        zoe.ip_addresses = vec![IpAddress::new("203.0.113.99")];
        tenant.add_user(zoe);
    });
    let setup =
        Setup::new().polling(&simulator, "* * * * * *").watch(&format!("users = [\"{ZOE}\"]"));
    (simulator, setup)
}

fn of_zoe(name: &str) -> String {
    format!("{name}{{login=\"{ZOE}\"}}")
}

#[tokio::test]
async fn a_token_endpoint_that_takes_only_a_form_is_asked_in_it() {
    for status in [400, 415] {
        let (simulator, setup) = tenant().await;
        simulator.faults().add(Fault::token(Kind::FormOnly(status)));
        let exporter = setup.start().await;
        exporter.until_metric(&of_zoe("cii_user_ip_addresses"), 1.0).await;
        assert!(!exporter.log().contains("no access token"), "{}", exporter.log());
    }
    let (simulator, setup) = tenant().await;
    simulator.faults().add(Fault::token(Kind::FormOnly(400)));
    let exporter = setup.api("token_request = \"form\"").start().await;
    let metrics = exporter.until_metric(&of_zoe("cii_user_ip_addresses"), 1.0).await;
    let refused = "cii_api_requests_total{operation=\"token\",result=\"unauthorized\"}";
    assert_eq!(metrics.get(refused), Some(0.0));
}

#[tokio::test]
async fn a_token_that_expires_at_once_is_used_for_a_while() {
    for lifetime in [json!(0), json!(-1), json!("0"), json!(null)] {
        let (simulator, setup) = tenant().await;
        simulator.faults().add(Fault::token(Kind::ExpiresIn(lifetime)));
        let exporter = setup.start().await;
        until("some polls", || async {
            (simulator.requests().count("getEndUserState") > 3).then_some(())
        })
        .await;
        let metrics = exporter.metrics().await;
        let granted = "cii_api_requests_total{operation=\"token\",result=\"ok\"}";
        assert_eq!(metrics.get(granted), Some(1.0));
    }
}

#[tokio::test]
async fn a_promised_leaf_that_nulls_the_answer_is_left_out() {
    let (simulator, setup) = tenant().await;
    let error = AppsyncError::new("Custom", "no status").at_field("status").strictly();
    simulator.faults().add(Fault::graphql(Kind::Error(error)).of("getEndUserState"));
    let exporter = setup.start().await;
    exporter.until_metric(&of_zoe("cii_user_ip_addresses"), 1.0).await;
    let (_, user) = exporter.api("GET", &format!("/users/{ZOE}"), None).await;
    assert_eq!(user["snapshot"]["display_name"], "Zoe Example");
    // The status comes when it is told, and that is no change of it.
    simulator.faults().clear();
    until("the status", || async {
        let (_, user) = exporter.api("GET", &format!("/users/{ZOE}"), None).await;
        (user["snapshot"]["status"] == "ACTIVE").then_some(())
    })
    .await;
    let history = exporter.run(&["user", "--history", ZOE]).await;
    assert!(!history.output.contains("status.changed"), "{history:?}");
}

#[tokio::test]
async fn an_answer_beyond_its_bounds_says_which_setting_allows_more() {
    let (simulator, setup) = tenant().await;
    simulator.faults().add(Fault::graphql(Kind::ManyAddresses(500)).of("getEndUserState"));
    let exporter = setup.api("max_answer_items = 400").start().await;
    until("the reason", || async {
        let (_, user) = exporter.api("GET", &format!("/users/{ZOE}"), None).await;
        user.to_string().contains("api.max_answer_items").then_some(())
    })
    .await;
    let (simulator, setup) = tenant().await;
    simulator.faults().add(Fault::graphql(Kind::ManyAddresses(5000)).of("getEndUserState"));
    let exporter = setup.api("max_answer_bytes = 65536").start().await;
    until("the reason", || async { exporter.log().contains("api.max_answer_bytes").then_some(()) })
        .await;
}
