//! Somebody is forgotten: by command, on a running daemon and on its file alone.

use std::{path::Path, sync::Arc};

use cii_simulator::{
    Options, Simulator,
    tenant::{IpAddress, User},
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};

use crate::{
    harness::{Body, Exporter, Protocol, Receiver, Setup, until},
    pages::until_listed,
};

const ANN: &str = "ann.purged@example.com";

/// The files of the database that have a text, in any case.
fn files_with(database: &Path, text: &str) -> Vec<String> {
    let text = text.to_ascii_lowercase();
    let folder = std::fs::read_dir(database.parent().unwrap()).unwrap();
    let files = folder.map(|entry| entry.unwrap().path()).filter(|path| {
        path.file_name().unwrap().to_string_lossy().starts_with("store.db")
            && path.is_file()
            && std::fs::read(path)
                .unwrap()
                .to_ascii_lowercase()
                .windows(text.len())
                .any(|window| window == text.as_bytes())
    });
    files.map(|path| path.display().to_string()).collect()
}

/// Deliveries that name her and others, taken and refused, in several spellings and forms.
async fn deliver(exporter: &Exporter) {
    let mut body = Body::new("1", "no-mfa", &["Ann.Purged@Example.com", "bob@example.com"]).json();
    body["detail"]["loginDetails"] = json!([
        { "login": ANN, "details": [{ "key": "userTitle", "value": "Astronaut" }] },
        { "login": "bob@example.com", "details": [{ "key": "userTitle", "value": "Baker" }] },
    ]);
    assert_eq!(exporter.deliver(&body).await, 200);
    let again = Body::new("2", "no-mfa", &[ANN, "bob@example.com"]).json();
    assert_eq!(exporter.deliver(&again).await, 200);
    let mut message = Body::new("3", "stale", &[]).json();
    message["detail"]["login"] = json!(ANN);
    message["detail"]["explainabilityDetails"] = json!([{ "key": "t", "value": "Astronaut" }]);
    assert_eq!(exporter.deliver(&message).await, 200);
    let escaped = Body::new("4", "other", &["bob@example.com", "x"]).json().to_string();
    let escaped = escaped.replace("\"x\"", "\"ANN.purged\\u0040example.com\"");
    assert_eq!(exporter.post(escaped).await.unwrap().0, 200);
    let cut = format!("{{\"detail\":{{\"usersFailing\":[\"{ANN}\",\"carl@");
    assert_eq!(exporter.post(cut).await.unwrap().0, 400);
    until_listed(exporter, 5).await;
}

async fn bodies(exporter: &Exporter) -> String {
    let mut bodies = String::new();
    let list = exporter.api("GET", "/deliveries", None).await.1;
    for delivery in list["deliveries"].as_array().unwrap() {
        let path = format!("/deliveries/{}", delivery["number"]);
        bodies += &exporter.api("GET", &path, None).await.1.to_string();
    }
    bodies
}

fn rows(report: &Value, kind: &str, table: &str) -> u64 {
    report[kind][table].as_u64().unwrap_or(0)
}

#[tokio::test]
async fn who_is_purged_is_nowhere_any_more_and_the_others_stay() {
    let simulator = Simulator::start(Options { users: 5, ..Options::default() }).await.unwrap();
    let address = "203.0.113.77";
    simulator.tenant(|tenant| {
        for (login, name) in [(ANN, "Ann Astronaut"), ("bob@example.com", "Bob")] {
            let mut user = User::new(login, name);
            user.ip_addresses.push(IpAddress::new(address));
            tenant.add_user(user);
            tenant.set_failing(login, "no-mfa", true);
        }
    });
    let receiver = Receiver::start().await;
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .listing()
        .watch(&format!("ips = [\"{address}\"]"))
        .sending(&receiver, Protocol::Http)
        .start()
        .await;
    let added =
        exporter.run(&["watch", "add", "user", "ANN.purged@example.com", "--note", ANN]).await;
    assert_eq!(added.code, 0, "{added:?}");
    let noted = exporter
        .run(&[
            "watch",
            "add",
            "user",
            "bob@example.com",
            "--note",
            "works for Ann.Purged@example.com",
        ])
        .await;
    assert_eq!(noted.code, 0, "{noted:?}");
    deliver(&exporter).await;
    exporter.until_metric(&format!("cii_user_poll_up{{login=\"{ANN}\"}}"), 1.0).await;
    exporter.until_metric("cii_user_poll_up{login=\"bob@example.com\"}", 1.0).await;
    exporter.until_metric(&format!("cii_ip_users{{ip=\"{address}\"}}"), 2.0).await;
    until("a listing", || async {
        let jobs = exporter.api("GET", "/jobs", None).await.1.to_string();
        jobs.contains("tenant").then_some(())
    })
    .await;
    assert!(!files_with(&exporter.database(), ANN).is_empty());
    let before = exporter.metrics().await;
    let failures = "cii_check_failures_total{check_id=\"no-mfa\"}";

    let trial = exporter.run(&["purge", "user", ANN, "--dry-run"]).await;
    assert!(trial.code == 0 && trial.output.contains("delivery"), "{trial:?}");
    assert_eq!(exporter.api("GET", &format!("/users/{ANN}"), None).await.0, 200);

    // The service knows her no longer: else the next answer would bring her back.
    simulator.tenant(|tenant| {
        tenant.remove_user(ANN);
    });
    exporter.until_metric(&format!("cii_user_poll_up{{login=\"{ANN}\"}}"), 0.0).await;
    // A request about her may have been under way.
    until("a purge that nothing comes in beside", || async {
        let purged = exporter.run(&["purge", "user", "Ann.PURGED@example.com", "--yes"]).await;
        assert!(purged.code == 0 || purged.output.contains("came in meanwhile"), "{purged:?}");
        (purged.code == 0).then_some(())
    })
    .await;
    until("nothing of her", || async {
        let again = exporter.api("DELETE", &format!("/users/{ANN}"), None).await;
        assert_eq!(again.0, 200, "{}", again.1);
        files_with(&exporter.database(), ANN).is_empty().then_some(())
    })
    .await;

    assert_eq!(exporter.api("GET", &format!("/users/{ANN}"), None).await.0, 404);
    let events = exporter.api("GET", "/events?limit=1000", None).await.1.to_string();
    let kept = bodies(&exporter).await;
    let watched = exporter.api("GET", "/watch", None).await.1.to_string();
    let after = exporter.metrics().await;
    for (what, text) in
        [("events", &events), ("bodies", &kept), ("watch", &watched), ("metrics", &after.text)]
    {
        let text = text.to_ascii_lowercase();
        assert!(!text.contains(ANN) && !text.contains("astronaut"), "{what}: {text}");
    }
    assert!(kept.contains("bob@example.com") && kept.contains("Baker"), "{kept}");
    assert!(watched.contains("works for (forgotten)"), "{watched}");
    for text in [ANN, "Ann Astronaut", "ann.purged%40"] {
        assert_eq!(files_with(&exporter.database(), text), [""; 0], "{text}");
    }
    assert!(after.get(failures) >= before.get(failures), "{:?}", after.get(failures));
    assert!(after.get("cii_store_purges_total") >= Some(2.0));
    let failing = exporter.api("GET", "/checks/no-mfa/users", None).await.1.to_string();
    assert!(failing.contains("bob@example.com") && !failing.contains(ANN), "{failing}");
    assert!(!exporter.log().to_ascii_lowercase().contains(ANN), "{}", exporter.log());
    // What is derived from the rows is what a start derives from them.
    let exporter = exporter.stop().await.start().await;
    assert_eq!(exporter.metrics().await.get(failures), after.get(failures));
    assert_eq!(exporter.api("GET", &format!("/users/{ANN}"), None).await.0, 404);
}

#[tokio::test]
async fn what_waits_for_the_collector_is_sent_without_the_name() {
    let mut receiver = Receiver::start().await;
    let setup = Setup::new().sending(&receiver, Protocol::Http);
    receiver.stop().await;
    let exporter = setup.start().await;
    deliver(&exporter).await;
    // A batch is in hand, and has been tried.
    let is_tried = || async { exporter.log().contains("they wait").then_some(()) };
    until("a try", is_tried).await;
    let purged = exporter.api("DELETE", &format!("/users/{ANN}"), None).await;
    assert_eq!(purged.0, 200, "{}", purged.1);
    assert!(rows(&purged.1, "redacted", "event") >= 2, "{}", purged.1);
    receiver.restart().await;
    // Two failures of hers, two of the other's, four deliveries.
    let received = receiver.until_received(8).await;
    let text = json!(received).to_string().to_ascii_lowercase();
    assert!(!text.contains("ann.purged") && !text.contains("astronaut"), "{text}");
    assert!(text.contains("bob@example.com"), "{text}");
    exporter.until_metric("cii_otlp_pending_events", 0.0).await;
}

#[tokio::test]
async fn without_a_daemon_the_file_forgets_and_says_who_comes_back() {
    let setup = Setup::new().watch(&format!("users = [\"{ANN}\"]"));
    let exporter = setup.start().await;
    deliver(&exporter).await;
    let failures = "cii_check_failures_total{check_id=\"no-mfa\"}";
    let before = exporter.metrics().await.get(failures);
    let mut setup = exporter.stop().await;
    let trial = setup.run(&["purge", "user", ANN, "--dry-run"]).await;
    assert!(trial.output.contains("Nothing was changed"), "{trial:?}");
    assert!(!files_with(&setup.database(), ANN).is_empty());
    // Nobody sits at a terminal: nothing is asked.
    let purged = setup.run(&["purge", "user", ANN]).await;
    assert_eq!(purged.code, 0, "{purged:?}");
    for word in ["failure", "delivery", "event", "watch", "The configuration lists", "The service"]
    {
        assert!(purged.output.contains(word), "{word}: {purged:?}");
    }
    assert_eq!(files_with(&setup.database(), ANN), [""; 0]);
    let again = setup.run(&["purge", "user", ANN]).await;
    assert!(again.output.contains("Nothing is stored"), "{again:?}");
    let nobody = setup.run(&["purge", "user", " "]).await;
    assert_eq!(nobody.code, 64, "{nobody:?}");
    setup.set_watch("");
    let exporter = setup.start().await;
    assert_eq!(exporter.metrics().await.get(failures), before);
    // The redacted body of a refused delivery names nobody by its mark.
    let list = exporter.api("GET", "/deliveries?outcome=malformed", None).await.1;
    let path = format!("/deliveries/{}/replay", list["deliveries"][0]["number"]);
    exporter.api("POST", &path, None).await;
    assert!(!exporter.metrics().await.text.contains("forgotten)"));
}

#[tokio::test]
async fn whom_metrics_do_not_name_no_event_that_is_sent_names() {
    let receiver = Receiver::start().await;
    let exporter = Setup::new()
        .sending(&receiver, Protocol::Http)
        .tables("[metrics]\nuser_label = \"hash\"\nhash_key = \"0123456789abcdef\"")
        .start()
        .await;
    deliver(&exporter).await;
    let received = receiver.until_received(8).await;
    let text = json!(received).to_string().to_ascii_lowercase();
    assert!(text.contains("user.hash") && !text.contains("user.name"), "{text}");
    for name in ["ann.purged", "bob", "astronaut", "baker"] {
        assert!(!text.contains(name), "{name}: {text}");
    }
    // The store has the login: whoever may see it finds it there.
    assert!(exporter.api("GET", "/events", None).await.1.to_string().contains(ANN));
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_no_half_of_a_purge() {
    let exporter = Setup::new().start().await;
    deliver(&exporter).await;
    let address = exporter.ops_url.trim_start_matches("http://");
    let mut client = TcpStream::connect(address).await.unwrap();
    let head = format!("DELETE /api/v1/users/{ANN} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    until("the begin of the purge", || async {
        let failing = exporter.api("GET", "/checks/no-mfa/users", None).await.1.to_string();
        (!failing.contains(ANN)).then_some(())
    })
    .await;
    drop(client);
    until("the end of the purge", || async {
        exporter.log().contains("somebody was forgotten").then_some(())
    })
    .await;
    assert_eq!(files_with(&exporter.database(), ANN), [""; 0]);
}

#[tokio::test]
async fn purges_keep_no_page_waiting() {
    let exporter = Arc::new(Setup::new().start().await);
    deliver(&exporter).await;
    // A page that waits for its turn does so each time; one that the machine keeps waiting does not.
    let mut waited = Vec::new();
    while waited.len() < 5 && waited.last().is_none_or(|done| *done >= 8) {
        waited.push(purges_before_a_page(&exporter).await);
    }
    assert!(waited.last().is_some_and(|done| *done < 8), "the page waited for purges: {waited:?}");
}

/// How many of several purges are done before a page that is asked for beside them.
async fn purges_before_a_page(exporter: &Arc<Exporter>) -> usize {
    // More than there are turns for answers; they are done one after the other.
    let mut purges = JoinSet::new();
    for _ in 0..16 {
        let exporter = exporter.clone();
        let purge = async move { exporter.api("DELETE", &format!("/users/{ANN}"), None).await.0 };
        purges.spawn(purge);
    }
    let first = purges.join_next().await.unwrap().unwrap();
    assert_eq!((first, exporter.get("/").await.0), (200, 200));
    let mut done = 1;
    while let Some(status) = purges.try_join_next() {
        assert_eq!(status.unwrap(), 200);
        done += 1;
    }
    while let Some(status) = purges.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    done
}
