//! Webhook targets: registered by command, and kept.

use cii_simulator::{Options, Simulator};

use crate::harness::Setup;

#[tokio::test]
async fn a_target_that_is_registered_delivers_to_the_daemon_and_is_kept() {
    let simulator = Simulator::start(Options { users: 5, ..Options::default() }).await.unwrap();
    let mut exporter = Setup::new().polling(&simulator, "0 0 0 1 1 *").start().await;
    let url = exporter.webhook_url.clone();
    let nowhere = exporter.run(&["webhook", "register", "--check", "no-mfa"]).await;
    assert!(nowhere.code == 64 && nowhere.errors.contains("webhook.public_url"), "{nowhere:?}");
    for arguments in [
        &["webhook", "register", "--check", "no-mfa", "--url", "hooks.example.org/webhooks/cii"][..],
        &["webhook", "test", "--url", "hooks.example.org/webhooks/cii"],
        &["doctor", "--webhook-url", "hooks.example.org/webhooks/cii"],
    ] {
        let refused = exporter.run(arguments).await;
        let meant = "did you mean \"https://hooks.example.org/webhooks/cii\"?";
        assert!(refused.code == 64 && refused.errors.contains(meant), "{refused:?}");
    }
    exporter.setup().set_webhook(&format!("public_url = \"{url}\""));
    let ended = exporter.run(&["webhook", "register", "--check", "no-mfa"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        !ended.output.contains(crate::harness::SECRET)
            && !ended.errors.contains(crate::harness::SECRET)
    );
    let id = ended.output.trim().strip_prefix("registered as ").unwrap().to_owned();
    // The service's test message carries the right secret in the right header.
    exporter.until_metric("cii_webhook_requests_total{result=\"test\"}", 1.0).await;
    let list = exporter.run(&["webhook", "list", "--json"]).await.json();
    assert_eq!(
        (&list["targets"][0]["id"], &list["targets"][0]["url"]),
        (&id.clone().into(), &url.clone().into())
    );

    let setup = exporter.stop().await;
    let table = setup.run(&["webhook", "list"]).await;
    assert!(table.output.contains(&id) && table.output.contains("no-mfa"), "{table:?}");
    let gone = setup.run(&["webhook", "unregister", &id]).await;
    assert_eq!(gone.code, 0, "{gone:?}");
    assert!(setup.run(&["webhook", "list"]).await.output.contains("No webhook target"));
    let unknown = setup.run(&["webhook", "unregister", &id]).await;
    assert_eq!(unknown.code, 1);
    assert!(unknown.errors.contains("the service has no webhook target"), "{unknown:?}");
    let elsewhere = url.replace("/webhooks/cii", "/elsewhere");
    let register = ["webhook", "register", "--url", &elsewhere, "--check", "no-mfa"];
    let refused = setup.run(&register).await;
    assert!(
        refused.code == 64 && refused.errors.contains("webhook.path is /webhooks/cii"),
        "{refused:?}"
    );
    assert!(setup.run(&["webhook", "list"]).await.output.contains("No webhook target"));
    let forced = setup.run(&[&register[..], &["--force"]].concat()).await;
    // The service is asked; nobody is there any more for its test message.
    assert!(forced.code != 64 && !forced.errors.contains("webhook.path"), "{forced:?}");
    let no_url =
        setup.run(&["webhook", "register", "--url", "ftp://a.example", "--check", "x"]).await;
    assert_eq!(no_url.code, 64, "{no_url:?}");
}
