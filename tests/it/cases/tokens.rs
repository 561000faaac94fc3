//! Token endpoints in the forms that public texts disagree about.

use cii_simulator::{Fault, Kind, Simulator};
use serde_json::{Value, json};

use super::{EVERY_SECOND, simulator, until_asked, up, watching};
use crate::harness::{Setup, until};

const ALICE: &str = "alice@example.com";

async fn refusing(kind: Kind) -> Simulator {
    let simulator = simulator(3).await;
    simulator.faults().add(Fault::token(kind));
    simulator
}

/// JSON first, then the form, then what was taken.
#[tokio::test]
async fn a_token_endpoint_that_wants_a_form_gets_one_and_is_remembered() {
    for status in [400, 415] {
        let simulator = refusing(Kind::FormOnly(status)).await;
        let exporter = watching(&simulator, &[ALICE]).start().await;
        exporter.until_metric(&up("users"), 1.0).await;
        assert_eq!(simulator.requests().count("token"), 2, "{}", exporter.log());
        simulator.revoke_tokens();
        until("a new token", || async { (simulator.requests().count("token") > 2).then_some(()) })
            .await;
        until_asked(&simulator, "getEndUserState", 2).await;
        assert_eq!(simulator.requests().count("token"), 3, "{}", exporter.log());
        exporter.until_metric(&up("users"), 1.0).await;
    }
}

/// One that changes its mind is followed.
#[tokio::test]
async fn a_token_endpoint_that_goes_over_to_the_other_form_is_followed() {
    let simulator = refusing(Kind::FormOnly(415)).await;
    let exporter = watching(&simulator, &[ALICE]).start().await;
    exporter.until_metric(&up("users"), 1.0).await;
    simulator.faults().clear();
    simulator.faults().add(Fault::token(Kind::JsonOnly(415)));
    simulator.revoke_tokens();
    let before = simulator.requests().count("token");
    until("a new token", || async {
        (simulator.requests().count("token") >= before + 2).then_some(())
    })
    .await;
    until_asked(&simulator, "getEndUserState", 2).await;
    exporter.until_metric(&up("users"), 1.0).await;
}

/// The form can be set, and then the other is never tried.
#[tokio::test]
async fn a_form_that_is_set_is_the_only_one_tried() {
    for (setting, taken, refused) in [
        ("form", Kind::FormOnly(415), Kind::JsonOnly(415)),
        ("json", Kind::JsonOnly(415), Kind::FormOnly(415)),
    ] {
        let line = format!("token_request = \"{setting}\"");
        let simulator = refusing(taken).await;
        let exporter = watching(&simulator, &[ALICE]).api(&line).start().await;
        exporter.until_metric(&up("users"), 1.0).await;
        assert_eq!(simulator.requests().count("token"), 1, "{setting}");
        let simulator = refusing(refused).await;
        let exporter = watching(&simulator, &[ALICE]).api(&line).start().await;
        exporter.until_metric(&up("users"), 0.0).await;
    }
}

/// A token is used for a while, whatever is said of its end.
#[tokio::test]
async fn a_token_is_used_whatever_is_said_of_its_end() {
    for expiry in [json!(0), json!(-1), json!("36000"), json!("soon"), Value::Null, json!(1e300)] {
        let simulator = refusing(Kind::ExpiresIn(expiry.clone())).await;
        let exporter = watching(&simulator, &[ALICE]).start().await;
        exporter.until_metric(&up("users"), 1.0).await;
        until_asked(&simulator, "getEndUserState", 4).await;
        let tokens = simulator.requests().count("token");
        assert_eq!(tokens, 1, "{expiry}\n{}", exporter.log());
    }
}

/// Editors put a mark before the secrets that they save.
#[tokio::test]
async fn a_byte_order_mark_in_a_secret_s_file_is_dropped() {
    let simulator = simulator(3).await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = |name: &str, secret: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("\u{feff}{secret}\r\n")).unwrap();
        path.display().to_string()
    };
    let secret = file("client", simulator.client_secret());
    let mut setup =
        Setup::new().polling(&simulator, EVERY_SECOND).watch(&format!("users = [\"{ALICE}\"]"));
    let line = format!("client_secret = \"{}\"", simulator.client_secret());
    setup.replace(&line, &format!("client_secret_file = \"{secret}\""));
    let exporter = setup.start().await;
    exporter.until_metric(&up("users"), 1.0).await;
}
