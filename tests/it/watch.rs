//! The watch list: by command, on a running daemon and on its file alone, and
//! over the ops listener.

use cii_simulator::{Options, Simulator, tenant::User};
use serde_json::{Value, json};

use crate::harness::{Body, Setup, make_older, until};

fn subjects(list: &Value) -> Vec<(&str, &str, &str)> {
    let text = |entry: &'_ Value, name: &str| -> &str {
        entry[name].as_str().map_or("", |text| Box::leak(text.to_owned().into_boxed_str()))
    };
    let entries = list["entries"].as_array().unwrap();
    entries.iter().map(|e| (text(e, "kind"), text(e, "subject"), text(e, "source"))).collect()
}

#[tokio::test]
async fn a_user_added_to_a_running_daemon_is_polled_and_shown_with_where_it_came_from() {
    let simulator = Simulator::start(Options { users: 5, ..Options::default() }).await.unwrap();
    simulator.tenant(|tenant| tenant.add_user(User::new("new@example.com", "New")));
    let setup = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch("users = [\"configured@example.com\"]");
    let exporter = setup.start().await;
    let added =
        exporter.run(&["watch", "add", "user", "new@example.com", "--note", "contractor"]).await;
    assert_eq!(added.code, 0, "{added:?}");
    exporter.until_metric("cii_user_new_ips_total{login=\"new@example.com\"}", 0.0).await;
    exporter.until_metric("cii_user_poll_up{login=\"new@example.com\"}", 1.0).await;
    // The configured one is none that the service knows.
    exporter.until_metric("cii_user_poll_up{login=\"configured@example.com\"}", 0.0).await;

    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["new@example.com"]).json()).await, 200);
    let list = exporter.run(&["watch", "list", "--json"]).await.json();
    let expected = [
        ("user", "configured@example.com", "configuration"),
        ("user", "new@example.com", "command"),
        ("user", "new@example.com", "webhook"),
    ];
    assert_eq!(subjects(&list), expected);
    assert_eq!(list["entries"][1]["note"], "contractor");
    assert_eq!(list["entries"][0]["poll"]["outcome"], "not_found");
    assert_eq!(exporter.api("GET", "/watch", None).await.1["entries"].as_array().unwrap().len(), 3);
    // Nothing is known of who is not found; 0 would say more than that.
    let page = exporter.get("/watched").await.1;
    let list = page.split("id=\"users\"").nth(1).unwrap();
    let row = list.split("<tr>").find(|row| row.contains("configured@example.com")).unwrap();
    assert!(row.contains("<td data-is=\"fails\">not found</td>"), "{row}");
    // Said again over the ops listener, it keeps its note.
    let wish = json!({ "kind": "user", "subject": "new@example.com" });
    assert_eq!(exporter.api("POST", "/watch", Some(&wish)).await.0, 200);
    let list = exporter.run(&["watch", "list", "--json"]).await.json();
    assert_eq!(list["entries"][1]["note"], "contractor");
    let table = exporter.run(&["watch", "list"]).await.output;
    assert!(table.contains("contractor") && table.contains("not_found"), "{table}");

    let removed = exporter.run(&["watch", "remove", "user", "new@example.com"]).await;
    assert_eq!(removed.code, 0, "{removed:?}");
    exporter.until_metric("cii_watched{kind=\"user\"}", 1.0).await;
    let refused = exporter.run(&["watch", "remove", "user", "configured@example.com"]).await;
    assert!(refused.code == 1 && refused.errors.contains("the configuration"), "{refused:?}");
}

#[tokio::test]
async fn without_a_daemon_the_file_is_changed_and_the_next_start_knows() {
    let setup = Setup::new();
    for (arguments, code) in [
        (&["watch", "add", "ip", "::ffff:203.0.113.7", "--expires", "30d"][..], 0),
        (&["watch", "add", "ip", "203.0.113.7", "--note", "kept"], 0),
        (&["watch", "add", "ip", "203.0.113.0/24"], 64),
        (&["watch", "add", "user", "a", "--expires", "2001-01-01T00:00:00Z"], 64),
        (&["watch", "remove", "ip", "198.51.100.1"], 1),
    ] {
        let ended = setup.run(arguments).await;
        assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
    }
    let range = setup.run(&["watch", "add", "ip", "203.0.113.0/24"]).await;
    assert!(range.errors.contains("is a range"), "{range:?}");
    let list = setup.run(&["watch", "list", "--json"]).await.json();
    assert_eq!(subjects(&list), [("ip", "203.0.113.7", "command")]);
    // What is not given stays.
    assert_eq!(list["entries"][0]["note"], "kept");
    let expires_at = list["entries"][0]["expires_at"].clone();
    assert!(expires_at.is_string(), "{list}");
    assert_eq!(setup.run(&["watch", "add", "ip", "203.0.113.7", "--expires", "9d"]).await.code, 0);
    let list = setup.run(&["watch", "list", "--json"]).await.json();
    assert_eq!(list["entries"][0]["note"], "kept");
    assert!(list["entries"][0]["expires_at"] != expires_at, "{list}");
    // A note is kept as the ops listener keeps it.
    let lines = ("a\nb\t\u{1b}c".to_owned(), Some(6));
    for (note, kept) in [("x".repeat(3000), Some(1024)), (" ".to_owned(), None), lines] {
        let added = setup.run(&["watch", "add", "ip", "203.0.113.7", "--note", &note]).await;
        assert_eq!(added.code, 0, "{added:?}");
        let list = setup.run(&["watch", "list", "--json"]).await.json();
        assert_eq!(list["entries"][0]["note"].as_str().map(str::len), kept);
    }
    let exporter = setup.start().await;
    exporter.until_metric("cii_watched{kind=\"ip\"}", 1.0).await;
}

#[tokio::test]
async fn the_ops_listener_says_what_is_wrong_and_how_many_may_be_watched() {
    let exporter = Setup::new().watch("max_users = 1").start().await;
    let wish = |kind: &str, subject: &str| json!({ "kind": kind, "subject": subject });
    for (wish, status, word) in [
        (wish("user", "a"), 201, ""),
        (wish("user", "a"), 200, ""),
        (wish("user", "b"), 409, "watch.max_users"),
        (wish("ip", "2001:DB8::1"), 201, ""),
        (wish("ip", "10.0.0.0/8"), 422, "range"),
        (wish("planet", "x"), 422, "expected"),
        (json!({ "kind": "user" }), 422, "subject"),
        (
            json!({ "kind": "ip", "subject": "192.0.2.1", "expires_at": "2001-01-01T00:00:00Z" }),
            422,
            "passed",
        ),
    ] {
        let (answered, body) = exporter.api("POST", "/watch", Some(&wish)).await;
        assert_eq!(answered, status, "{wish}: {body}");
        assert!(body["detail"].as_str().unwrap_or_default().contains(word), "{wish}: {body}");
    }
    let gone = exporter.api("DELETE", "/watch/ip/2001:db8:0::1", None).await;
    assert_eq!((gone.0, &gone.1["result"]), (200, &json!("removed")));
    assert_eq!(exporter.api("DELETE", "/watch/user/nobody", None).await.0, 404);
    // A page of another site cannot make a browser add an entry unasked.
    let form = reqwest::Client::new().post(format!("{}/api/v1/watch", exporter.ops_url));
    let form = form.header("content-type", "text/plain").body("{}").send().await.unwrap();
    assert_eq!(form.status(), 415);
}

#[tokio::test]
async fn an_entry_that_expires_is_gone_by_itself() {
    let exporter = Setup::new().start().await;
    let added = exporter.run(&["watch", "add", "user", "a", "--expires", "10s"]).await;
    assert_eq!(added.code, 0, "{added:?}");
    exporter.until_metric("cii_watched{kind=\"user\"}", 1.0).await;
    exporter.until_metric("cii_watched{kind=\"user\"}", 0.0).await;
    let empty = until("an empty list", || async {
        let list = exporter.run(&["watch", "list"]).await;
        list.output.contains("Nothing").then_some(list)
    })
    .await;
    assert_eq!(empty.code, 0);
}

#[tokio::test]
async fn a_command_does_not_upgrade_a_database() {
    let setup = Setup::new();
    make_older(&setup.database());
    let ended = setup.run(&["watch", "add", "user", "a@example.com"]).await;
    assert!(
        ended.code != 0 && ended.errors.contains("`cii-exporter run` upgrades it"),
        "{ended:?}"
    );
    // It is as it was: another command says the same.
    let again = setup.run(&["watch", "add", "user", "a@example.com"]).await;
    assert_eq!(again.errors, ended.errors);
    // The daemon does, and the command works.
    let setup = setup.start().await.stop().await;
    let ended = setup.run(&["watch", "add", "user", "a@example.com"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
}
