//! What comes from outside is bounded: checks in metrics, addresses on the watch list, texts.

use cii_simulator::{Options, Simulator};
use serde_json::json;

use crate::harness::{Body, Exporter, Setup, until};

async fn shown(exporter: &Exporter) -> (Vec<String>, Option<f64>) {
    let metrics = exporter.metrics().await;
    let is_shown = |id: &String| {
        let series = format!("cii_check_failures_total{{check_id=\"{id}\"}}");
        metrics.get(&series).is_some()
    };
    let all = ["e", "d", "c", "b", "a"].map(str::to_owned).into_iter();
    (all.filter(is_shown).collect(), metrics.get("cii_checks_dropped"))
}

#[tokio::test]
async fn checks_past_the_limit_have_no_series_and_are_counted() {
    let exporter = Setup::new().tables("[metrics]\nmax_checks = 3").start().await;
    assert_eq!(shown(&exporter).await, (vec![], Some(0.0)));
    for (number, id) in ["e", "d", "c", "b", "a"].iter().enumerate() {
        let body = Body::new(&number.to_string(), id, &["a@example.com"]).json();
        assert_eq!(exporter.deliver(&body).await, 200);
    }
    let three = |ids: [&str; 3]| ids.map(str::to_owned).to_vec();
    assert_eq!(shown(&exporter).await, (three(["e", "d", "c"]), Some(2.0)));
    let log = exporter.until_logged("metrics.max_checks").await;
    assert_eq!(log.matches("metrics.max_checks").count(), 1, "{log}");
    // The page and the API show them all.
    let (_, page) = exporter.api("GET", "/checks", None).await;
    assert_eq!(page["checks"].as_array().unwrap().len(), 5);
    // Where one goes, the next takes its place; a restart shows the same.
    assert_eq!(exporter.api("DELETE", "/checks/d", None).await.0, 200);
    assert_eq!(shown(&exporter).await, (three(["e", "c", "b"]), Some(1.0)));
    let mut exporter = exporter.stop().await.start().await;
    assert_eq!(shown(&exporter).await, (three(["e", "c", "b"]), Some(1.0)));
    exporter.setup().replace("max_checks = 3", "max_checks = 4");
    exporter.setup().write_config();
    let reload = format!("{}/-/reload", exporter.ops_url);
    let answer = reqwest::Client::new().post(reload).send().await.unwrap().text().await.unwrap();
    assert!(answer.contains("\"needs_restart\":[]"), "{answer}");
    exporter.until_metric("cii_checks_dropped", 0.0).await;
}

#[tokio::test]
async fn no_more_addresses_are_listed_than_may_be() {
    let exporter = Setup::new().watch("ips = [\"192.0.2.1\"]\nmax_ips = 2").start().await;
    let add = async |ip: &str| {
        let wish = json!({ "kind": "ip", "subject": ip, "note": "n".repeat(5000) });
        exporter.api("POST", "/watch", Some(&wish)).await
    };
    assert_eq!(add("192.0.2.2").await.0, 201);
    let (status, answer) = add("192.0.2.3").await;
    assert!(status == 409 && answer.to_string().contains("watch.max_ips"), "{answer}");
    assert_eq!(add("192.0.2.2").await.0, 200, "one that is listed can be changed");
    let (_, list) = exporter.api("GET", "/watch", None).await;
    let notes =
        list["entries"].as_array().unwrap().iter().filter_map(|entry| entry["note"].as_str());
    let notes: Vec<_> = notes.collect();
    assert!(notes[0].len() <= 1024 && notes[0].ends_with("n…"), "{notes:?}");
    // Users have a limit of their own.
    let user = json!({ "kind": "user", "subject": "a@example.com" });
    assert_eq!(exporter.api("POST", "/watch", Some(&user)).await.0, 201);
    let ended = exporter.run(&["watch", "add", "ip", "192.0.2.4"]).await;
    assert!(ended.code == 1 && ended.errors.contains("watch.max_ips"), "{}", ended.errors);
    let setup = exporter.stop().await;
    let ended = setup.run(&["watch", "add", "ip", "192.0.2.4"]).await;
    assert!(ended.code == 1 && ended.errors.contains("watch.max_ips"), "{}", ended.errors);
    let ended = setup.watch("ips = [\"192.0.2.1\"]\nmax_ips = 0").run(&["check-config"]).await;
    assert!(ended.code == 64 && ended.errors.contains("watch.max_ips"), "{}", ended.errors);
}

/// All pages of a list, with so many entries on each, by what names an entry.
async fn paged(exporter: &Exporter, path: &str, list: &str, name: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut question = format!("{path}?limit=2");
    loop {
        let (status, page) = exporter.api("GET", &question, None).await;
        assert_eq!(status, 200, "{page}");
        let entries = page[list].as_array().unwrap().iter();
        pages.push(entries.map(|entry| entry[name].as_str().unwrap().to_owned()).collect());
        let Some(cursor) = page["next_cursor"].as_str() else { return pages };
        let cursor: String = form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
        question = format!("{path}?limit=2&cursor={cursor}");
    }
}

#[tokio::test]
async fn lists_come_a_page_at_a_time() {
    let users = "users = [\"Cat@example.com\", \"a/b\"]\nips = [\"192.0.2.1\", \"2001:db8::1\"]";
    let exporter = Setup::new().watch(users).start().await;
    for id in ["a/1", "b?2", "c"] {
        let body = Body::new(id, id, &["ann@example.com", "cat@example.com"]).json();
        assert_eq!(exporter.deliver(&body).await, 200);
    }
    let watched = paged(&exporter, "/watch", "entries", "subject").await;
    assert_eq!(
        watched.concat(),
        [
            "a/b",
            "ann@example.com",
            "cat@example.com",
            "cat@example.com",
            "192.0.2.1",
            "2001:db8::1"
        ]
    );
    assert_eq!(watched.len(), 3);
    let checks = paged(&exporter, "/checks", "checks", "id").await;
    assert_eq!(checks, [vec!["a/1", "b?2"], vec!["c"]]);
    for path in ["/watch?cursor=nonsense", "/watch?cursor=host/a/api", "/watch?limit=0"] {
        assert_eq!(exporter.api("GET", path, None).await.0, 400, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_for_people_has_an_end() {
    let exporter = Setup::new().start().await;
    let sent = (0..230).map(|number| {
        let id = format!("check-{number:03}");
        let exporter = &exporter;
        async move { exporter.deliver(&Body::new(&id, &id, &["ann@example.com"]).json()).await }
    });
    let statuses = futures_util::future::join_all(sent).await;
    assert!(statuses.iter().all(|status| *status == 200));
    let (_, page) = exporter.get("/").await;
    assert!(page.contains("And 30 further checks"), "{page}");
}

#[tokio::test]
async fn texts_that_are_too_long_are_cut_with_a_mark() {
    let exporter = Setup::new().start().await;
    let mut body = Body::new("1", &"i".repeat(5000), &["a@example.com"]).json();
    body["detail"]["title"] = json!("t".repeat(5000));
    body["detail"]["severity"] = json!("s".repeat(5000));
    body["detail"]["description"] = json!(["d".repeat(50_000)]);
    assert_eq!(exporter.deliver(&body).await, 200);
    let (_, page) = exporter.api("GET", "/checks", None).await;
    let check = &page["checks"][0];
    for (field, most) in [("id", 256), ("title", 1024), ("severity", 1024)] {
        let text = check[field].as_str().unwrap();
        assert!(text.len() <= most && text.ends_with('…'), "{field} {}", text.len());
    }
    let (status, text) = exporter.get("/metrics").await;
    let longest = text.lines().map(str::len).max().unwrap();
    assert!(status == 200 && longest < 3000, "{longest}");
}

#[tokio::test]
async fn an_id_that_is_too_long_is_one_check_in_answers_and_deliveries() {
    let simulator = Simulator::start(Options { users: 2, ..Options::default() }).await.unwrap();
    let logins: Vec<String> =
        simulator.tenant(|tenant| tenant.users().map(|user| user.login.clone()).collect());
    let id = "i".repeat(300);
    simulator.tenant(|tenant| {
        for login in &logins {
            tenant.set_failing(login, &id, true);
        }
    });
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch(&format!("users = [{:?}]", logins[0]))
        .start()
        .await;
    let long = || async {
        let (_, page) = exporter.api("GET", "/checks", None).await;
        let checks = page["checks"].as_array().unwrap().clone();
        let ids = checks.iter().map(|check| check["id"].as_str().unwrap().to_owned());
        ids.filter(|id| id.starts_with("iii")).collect::<Vec<_>>()
    };
    let expected = [format!("{}…", "i".repeat(253))];
    until("the listed check", || async { (long().await == expected).then_some(()) }).await;
    let body = Body::new("1", &id, &[&logins[1]]).json();
    assert_eq!(exporter.deliver(&body).await, 200);
    assert_eq!(long().await, expected);
}
