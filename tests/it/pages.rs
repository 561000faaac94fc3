//! The pages beside the overview: what each of them answers.

use chrono::TimeDelta;
use cii_exporter::{clock, domain::UserState, store::Store};
use cii_simulator::{
    Options, Simulator,
    tenant::{IpAddress, Location},
};
use serde_json::{Value, json};

use crate::harness::{Body, Exporter, Setup, tell_state, until};

/// A page without its marks, and a blank where one of them parts two words.
pub fn text(page: &str) -> String {
    let whole = page.replace("<wbr>", "").replace("</time>", "").replace("</code>", "");
    let parts = whole.split('<').enumerate().map(|(number, part)| {
        if number == 0 { part } else { part.split_once('>').map_or("", |(_, text)| text) }
    });
    let joined = parts.collect::<Vec<_>>().join(" ");
    joined.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where a request is sent on to, or what it is answered.
async fn find(exporter: &Exporter, query: &str) -> (u16, Option<String>, String) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let url = format!("{}/find?q={query}", exporter.ops_url);
    let answer = client.unwrap().get(url).send().await.unwrap();
    let location = answer.headers().get("location").map(|at| at.to_str().unwrap().to_owned());
    (answer.status().as_u16(), location, text(&answer.text().await.unwrap()))
}

#[tokio::test]
async fn a_user_a_check_or_an_address_is_found_by_a_part_of_its_name() {
    let setup = Setup::new().watch("ips = [\"203.0.113.7\", \"203.0.113.70\"]");
    let (store, writer) = Store::open(&setup.database()).unwrap();
    let state = UserState { display_name: "Jordan Ökafor".to_owned(), ..UserState::default() };
    tell_state(&store, "jok@example.com", state).await;
    drop(store);
    writer.stop().await;
    let exporter = setup.start().await;
    let users = ["ann@example.com", "joanna@example.com", "Service_Bot", "100%safe"];
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &users).json()).await, 200);
    assert_eq!(exporter.deliver(&Body::new("2", "mfa-flood", &users[..1]).json()).await, 200);
    // One match is where one is sent.
    for (query, expected) in [
        ("ANN@example.com", "/users/ann@example.com"),
        (" joanna ", "/users/joanna@example.com"),
        ("ökaf", "/users/jok@example.com"),
        ("service_", "/users/Service_Bot"),
        ("Service_Bot", "/users/Service_Bot"),
        ("0%s", "/users/100%25safe"),
        ("no-mfa", "/checks/no-mfa"),
        ("flood", "/checks/mfa-flood"),
        ("::ffff:203.0.113.70", "/ips/203.0.113.70"),
    ] {
        let (status, location, page) = find(&exporter, query).await;
        assert_eq!((status, location.as_deref()), (303, Some(expected)), "{query}: {page}");
        let (status, _) = exporter.get(&location.unwrap()).await;
        assert_eq!(status, 200, "{query}");
    }
    // One whole name among several is listed before the others, and nobody is sent on.
    assert_eq!(exporter.deliver(&Body::new("3", "z", &["e", "ve"]).json()).await, 200);
    for (query, first, other) in [
        ("e", "/users/e\"", "/users/ve\""),
        ("203.0.113.7", "/ips/203.0.113.7\"", "/ips/203.0.113.70\""),
    ] {
        let answer = reqwest::get(format!("{}/find?q={query}", exporter.ops_url)).await.unwrap();
        assert!(answer.url().path().starts_with("/find"), "{query}");
        let page = answer.text().await.unwrap();
        assert!(page.find(first).unwrap() < page.find(other).unwrap(), "{query}: {page}");
    }
    // Several are listed, with what there is to choose by.
    let (status, _, page) = find(&exporter, "ann").await;
    assert_eq!(status, 200);
    assert!(page.contains("2 users with \u{201c}ann\u{201d}."), "{page}");
    assert!(page.contains("ann@example.com 2 checks"), "{page}");
    let (_, _, page) = find(&exporter, "203.0.113").await;
    assert!(page.contains("2 addresses with"), "{page}");
    // No sign of a text is a pattern.
    for query in ["%", "_ann", "a%@", "*", "\\", "' OR 1", "ann\u{0}"] {
        let (status, location, page) = find(&exporter, query).await;
        if query == "%" {
            assert_eq!(location.as_deref(), Some("/users/100%25safe"));
        } else {
            assert!(status == 200 && page.contains("Nothing that is known has"), "{query}: {page}");
        }
    }
    let (status, _, page) = find(&exporter, "").await;
    assert!(status == 200 && page.contains("Write a part of"), "{page}");
    let (status, _, _) = find(&exporter, &"x".repeat(321)).await;
    assert_eq!(status, 400);
    assert_eq!(exporter.get("/find?nothing=1").await.0, 400);
    let (_, page) = exporter.get("/find?q=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;"), "{page}");
}

#[tokio::test]
async fn a_name_that_browsers_take_out_of_a_path_has_pages_all_the_same() {
    let exporter = Setup::new().start().await;
    let logins = [".", "..", "ann@example.com"];
    for check in ["..", ".", "no-mfa"] {
        assert_eq!(exporter.deliver(&Body::new(check, check, &logins).json()).await, 200);
    }
    // As a browser asks: the client normalizes paths, too.
    let get = async |path: &str| {
        let answer = reqwest::get(format!("{}{path}", exporter.ops_url)).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    };
    let (_, home) = exporter.get("/").await;
    let links = |page: &str| -> Vec<String> {
        let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        links.map(|link| link.replace("&amp;", "&")).collect()
    };
    for link in ["/checks?id=..", "/checks?id=."] {
        assert!(links(&home).iter().any(|of| of == link), "{link}: {home}");
        let page = get(link).await;
        let id = link.rsplit('=').next().unwrap();
        assert!(page.contains(&format!("<h1>Title of {id}</h1>")), "{page}");
        // Whatever the page leads to is there, and is about it.
        for link in links(&page).iter().filter(|link| link.starts_with("/checks")) {
            let list = get(link).await;
            assert!(list.contains("ann@") || link.contains("view=overdue"), "{link}: {list}");
        }
        assert!(links(&page).iter().any(|link| link == "/users?login=.."), "{page}");
    }
    for login in [".", ".."] {
        let page = get(&format!("/users?login={login}")).await;
        assert!(links(&page).iter().any(|link| link == "/checks?id=.."), "{page}");
        let csv = get(&format!("/users?login={login}&list=checks.csv")).await;
        assert_eq!(csv.lines().count(), 4, "{csv}");
        let json = get(&format!("/api/v1/users?login={login}")).await;
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (json["login"].as_str(), &json["failing_checks"][2]["check_id"]),
            (Some(login), &json!("no-mfa")),
            "{json}"
        );
        let json = get(&format!("/api/v1/checks?id={login}")).await;
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["checks"].as_array().unwrap().len(), 1, "{json}");
        assert_eq!(json["checks"][0]["id"], login, "{json}");
    }
}

#[tokio::test]
async fn an_address_that_leads_nowhere_says_why_and_where_to_go() {
    let exporter = Setup::new().start().await;
    for (path, status, said) in [
        (
            "/ips/not-an-address",
            400,
            "\"not-an-address\" is not an IP address; an address is written as 203.0.113.7",
        ),
        ("/ips/203.0.113.0%2F24", 400, "is a range; name the addresses one by one"),
        ("/deliveries/abc", 404, "\"abc\" is neither the number of a delivery nor"),
        ("/users", 404, "/users is no page by itself: write /users/ and the login"),
        ("/nowhere", 404, "There is nothing at /nowhere."),
        ("/?since=soon", 400, "Since: \"soon\" is no moment; write one such as"),
    ] {
        let (found, page) = exporter.get(path).await;
        assert_eq!(found, status, "{path}");
        let shown = text(&page);
        assert!(shown.contains(&said.replace('"', "&quot;")), "{path}: {shown}");
        for link in ["href=\"/\"", "href=\"/watched\"", "href=\"/deliveries\"", "action=\"/find\""]
        {
            assert!(page.contains(link), "{path}: {page}");
        }
    }
}

#[tokio::test]
async fn since_and_until_are_written_alike_everywhere() {
    let exporter = Setup::new().start().await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a@example.com"]).json()).await, 200);
    let today = clock::now().format("%Y-%m-%d");
    for (since, is_found) in [
        ("30m".to_owned(), true),
        ("24h".to_owned(), true),
        ("7d".to_owned(), true),
        ("2026-01-02".to_owned(), true),
        ("2026-01-02T03:04:05Z".to_owned(), true),
        ("2026-01-02T03:04:05+02:00".to_owned(), true),
        (format!("{today}T00:00:00%2B00:00"), true),
        ("2100-01-01".to_owned(), false),
        ("0s".to_owned(), false),
    ] {
        for path in ["/", "/events.csv", "/api/v1/events"] {
            let (status, page) = exporter.get(&format!("{path}?since={since}")).await;
            assert_eq!(status, 200, "{path} {since}: {page}");
            let is_shown = page.contains("newly fails");
            assert_eq!(is_shown, is_found, "{path} {since}: {page}");
            let (status, page) = exporter.get(&format!("{path}?until={since}")).await;
            assert_eq!(status, 200, "{path} {since}: {page}");
            assert_eq!(page.contains("newly fails"), !is_found, "{path} until {since}: {page}");
        }
    }
    for wrong in ["yesterday", "7", "-7d", "2026-02-30", "99999999999y"] {
        for path in ["/", "/events.csv", "/api/v1/events"] {
            let (status, page) = exporter.get(&format!("{path}?since={wrong}")).await;
            assert!(status == 400 && page.contains("30m, 24h or 7d"), "{path} {wrong}: {page}");
        }
        let ended = exporter.run(&["report", &format!("--since={wrong}")]).await;
        assert!(ended.code != 0 && ended.errors.contains("30m, 24h or 7d"), "{wrong}: {ended:?}");
    }
}

#[tokio::test]
async fn health_is_a_line_a_part_with_what_to_do() {
    let exporter = Setup::new().start().await;
    let page = text(&exporter.get("/health").await.1);
    for said in [
        "API off There is no [api] in the configuration",
        "OTLP off No collector is configured.",
        "Webhook waiting No delivery came yet.",
        "Configuration in force Read at the start",
        "Clock believed",
        "Store open",
        "Daemon ready",
        "Waiting. Webhook: waiting.",
    ] {
        assert!(page.contains(said), "{said:?} is not in {page}");
    }
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a@example.com"]).json()).await, 200);
    exporter.metrics().await;
    let page = text(&exporter.get("/health").await.1);
    assert!(page.contains("Healthy. The last delivery came just now."), "{page}");
    assert!(page.contains("Webhook receiving") && page.contains("Metrics scraped"), "{page}");
    // Of the 23 hours before nothing is known.
    let page = exporter.get("/health").await.1;
    let strip = "Webhook, last 24 hours: 1 delivery; 23 hours without any";
    assert!(page.contains(strip) && page.matches("class=\"ok\"").count() == 1, "{page}");
    // What is refused is told, and the verdict with it.
    assert_eq!(exporter.post("{ no json").await.unwrap().0, 400);
    let page = exporter.get("/health").await.1;
    let strip = "Webhook, last 24 hours: 2 deliveries, 1 refused; 23 hours without any";
    assert!(page.contains(strip), "{page}");
    let page = text(&page);
    assert!(
        page.contains(
            "Attention. Webhook: refused some. 1 delivery was refused in 24 hours. Parts"
        ),
        "{page}"
    );
    exporter.stop().await;
}

#[tokio::test]
async fn an_api_that_does_not_answer_and_a_reload_that_is_refused_are_told() {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    let url = simulator.graphql_url();
    let mut setup = Setup::new()
        .polling(&simulator, "* * * * * *")
        .api("retries = 0")
        .watch("users = [\"a@example.com\"]");
    setup.replace(&url, "http://127.0.0.1:9/graphql");
    let mut exporter = setup.start().await;
    let page = until("a job that failed", || async {
        let page = text(&exporter.get("/health").await.1);
        (page.contains("failing Service poll failed")
            || page.contains("API no answer")
            || page.contains("API circuit open"))
        .then_some(page)
    })
    .await;
    assert!(page.contains("Degraded"), "{page}");
    exporter.setup().set_webhook("nonsense = 1");
    exporter.setup().write_config();
    let reload = reqwest::Client::new().post(format!("{}/-/reload", exporter.ops_url));
    assert_eq!(reload.send().await.unwrap().status(), 422);
    let page = text(&exporter.get("/health").await.1);
    assert!(page.contains("Configuration not reloaded"), "{page}");
    assert!(page.contains("nonsense"), "{page}");
}

/// What the page has between these two, as text.
fn between(page: &str, begin: &str, end: &str) -> String {
    let (_, rest) = page.split_once(begin).unwrap();
    text(&format!("<i {}", rest.split_once(end).unwrap().0))
}

#[tokio::test]
async fn a_reason_that_several_jobs_share_stands_once_on_a_page() {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    let mut setup = Setup::new()
        .polling(&simulator, "* * * * * *")
        .tables("[sync.tenant]\nenabled = true\nschedule = \"* * * * * *\"")
        .api("retries = 0")
        .watch("users = [\"a@example.com\"]\nips = [\"203.0.113.7\"]");
    setup.replace(&simulator.token_url(), "http://127.0.0.1:9/oauth/token");
    let exporter = setup.start().await;
    let page = until("an open circuit, and jobs that failed", || async {
        let page = exporter.get("/health").await.1;
        let is_whole = [
            "API circuit open",
            "User polls failed",
            "Address polls failed",
            "Tenant listing failed",
        ];
        let shown = text(&page);
        is_whole.iter().all(|said| shown.contains(said)).then_some(page)
    })
    .await;
    let reason = "cannot be reached";
    for part in ["API", "User polls", "Tenant listing"] {
        assert!(page.contains(&format!("{part}, last 24 hours: ")), "{part}: {page}");
    }
    let (_, strip) = page.split_once("User polls, last 24 hours: ").unwrap();
    assert!(strip.split_once(';').unwrap().0.ends_with(" failed"), "{page}");
    assert!(!page.contains("class=\"ok\""), "{page}");
    let shown = text(&page);
    assert_eq!(shown.matches(reason).count(), 1, "{shown}");
    assert!(shown.matches("for the reason of API").count() >= 3, "{shown}");
    let (_, home) = exporter.get("/").await;
    assert!(text(&home).matches(reason).count() <= 1, "{home}");
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a@example.com"]).json()).await, 200);
    let (_, home) = exporter.get("/").await;
    assert!(text(&home).matches(reason).count() <= 1, "{home}");
    let tile = between(&home, "id=\"tile-health\"", "</section>");
    let line = tile.strip_prefix("Health Degraded ").unwrap().strip_suffix(" What to do").unwrap();
    assert!(line.starts_with("API: circuit open. The service does not answer."), "{line}");
    assert!(line.len() <= 90, "{line}");
    exporter.stop().await;
}

/// A delivery of users who fail a check of a severity for so long.
fn failing_for(id: &str, check: &str, severity: &str, users: &[&str], time: TimeDelta) -> Value {
    let mut body = Body::new(id, check, users).json();
    body["detail"]["severity"] = json!(severity);
    body["detail"]["published"] = json!((cii_exporter::clock::now() - time).to_rfc3339());
    body
}

/// A tenant of a few users who fail nothing.
async fn tenant() -> (Simulator, Vec<String>) {
    let simulator = Simulator::start(Options { users: 4, ..Options::default() }).await.unwrap();
    let logins = simulator.tenant(|tenant| tenant.logins());
    simulator.tenant(|tenant| {
        for login in &logins {
            tenant.user_mut(login).unwrap().failing_checks.clear();
        }
    });
    (simulator, logins)
}

/// Where a text stands in a page, which has it.
fn place(page: &str, said: &str) -> usize {
    let found = page.find(said);
    assert!(found.is_some(), "{said:?} is not in {page}");
    found.unwrap_or_default()
}

#[tokio::test]
async fn a_user_has_the_worst_first_what_is_overdue_and_what_was_resolved() {
    let (simulator, logins) = tenant().await;
    let user = logins[0].as_str();
    let tables = "[slo]\ncritical = \"2h\"\nhigh = \"30d\"";
    let exporter = Setup::new().tables(tables).start().await;
    for (id, check, severity, age) in [
        ("1", "mild", "low", TimeDelta::days(9)),
        ("2", "grave", "critical", TimeDelta::hours(5)),
        ("3", "middling", "high", TimeDelta::days(3)),
    ] {
        let body = failing_for(id, check, severity, &[user], age);
        assert_eq!(exporter.deliver(&body).await, 200);
    }
    let path = format!("/users/{user}");
    let page = text(&exporter.get(&path).await.1);
    let order = [
        place(&page, "Critical Title of grave"),
        place(&page, "High Title of middling"),
        place(&page, "Low Title of mild"),
    ];
    assert!(order.is_sorted(), "{page}");
    for said in [
        "Fails 3 checks 1 critical, 1 high, 1 low",
        "Overdue 1 check by 3 h",
        "failing for 5 h",
        "3 h overdue",
        "due in 26 d",
        "no target",
    ] {
        place(&page, said);
    }
    let page = exporter.get(&path).await.1;
    assert!(page.contains("aria-label=\"Failed on 10 of the last 30 days\""), "{page}");
    // An answer ends all of them: they stay, with how long they took.
    let setup = exporter.stop().await.polling(&simulator, "* * * * * *");
    let exporter = setup.start().await;
    let page = until("a user who fails nothing", || async {
        let page = text(&exporter.get(&path).await.1);
        page.contains("Fails 0 checks").then_some(page)
    })
    .await;
    for said in ["Overdue none", "The user is not known to fail a check.", "took 9 d", "took 5 h"] {
        place(&page, said);
    }
    assert!(
        place(&page, "Critical Title of grave resolved")
            < place(&page, "Low Title of mild resolved"),
        "{page}"
    );
}

#[tokio::test]
async fn addresses_have_when_they_were_first_and_last_seen_and_where() {
    let (simulator, logins) = tenant().await;
    let user = logins[0].clone();
    let at = |ip: &str, city: &str, country: &str| {
        IpAddress::new(ip).at(Location::new(city, "", country))
    };
    let places = |addresses: Vec<IpAddress>| {
        simulator.tenant(|tenant| tenant.user_mut(&user).unwrap().ip_addresses = addresses);
    };
    places(vec![at("198.51.100.1", "Berlin", "DE"), at("198.51.100.2", "Berlin", "DE")]);
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch(&format!("users = [{user:?}]\nips = [\"198.51.100.1\"]"))
        .start()
        .await;
    exporter.until_metric(&format!("cii_user_ip_addresses{{login={user:?}}}"), 2.0).await;
    let path = format!("/users/{user}");
    let (_, page) = exporter.get(&path).await;
    assert!(page.contains("just now</time> or before"), "{page}");
    // Only an address that is asked about has a page.
    assert!(
        page.contains("href=\"/ips/198.51.100.1\"") && !page.contains("/ips/198.51.100.2"),
        "{page}"
    );
    places(vec![at("198.51.100.1", "Berlin", "DE"), at("203.0.113.9", "Porto", "PT")]);
    let page = until("a new address", || async {
        let page = text(&exporter.get(&path).await.1);
        page.contains("203.0.113.9").then_some(page)
    })
    .await;
    let list = &page[place(&page, "Addresses that the user came from")..];
    assert!(place(list, "203.0.113.9") < place(list, "198.51.100.1"), "{list}");
    assert!(place(list, "198.51.100.1") < place(list, "198.51.100.2"), "{list}");
    for said in ["Porto, PT new country", "gone", "2 1 new in 7 days, in a new country"] {
        place(&page, said);
    }
}

#[tokio::test]
async fn an_address_says_who_is_new_there_and_who_fails_what() {
    let (simulator, logins) = tenant().await;
    let place_of = |login: &str| {
        simulator.tenant(|tenant| {
            tenant.user_mut(login).unwrap().ip_addresses = vec![IpAddress::new("203.0.113.7")];
        });
    };
    simulator.tenant(|tenant| {
        for login in &logins {
            tenant.user_mut(login).unwrap().ip_addresses.clear();
        }
    });
    place_of(&logins[0]);
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch("ips = [\"203.0.113.7\"]\nfailing_users = false")
        .start()
        .await;
    exporter.until_metric("cii_ip_users{ip=\"203.0.113.7\"}", 1.0).await;
    let page = text(&exporter.get("/ips/203.0.113.7").await.1);
    for said in ["Users 1", "New in 24 hours 0 users", "Users who fail a check 0", "fails none"] {
        place(&page, said);
    }
    place_of(&logins[1]);
    exporter.until_metric("cii_ip_users{ip=\"203.0.113.7\"}", 2.0).await;
    let body = failing_for("1", "no-mfa", "critical", &[&logins[1]], TimeDelta::hours(1));
    assert_eq!(exporter.deliver(&body).await, 200);
    let page = text(&exporter.get("/ips/203.0.113.7").await.1);
    for said in
        ["New in 24 hours 1 user", "Users who fail a check 1 1 critical", "Critical 1 check"]
    {
        place(&page, said);
    }
    let list = &page[place(&page, "Users of the address")..];
    assert!(place(list, &logins[1]) < place(list, &logins[0]), "{list}");
    assert_eq!(exporter.get("/ips/203.0.113.7?page=1").await.0, 200);
    assert_eq!(exporter.get("/ips/203.0.113.7?page=-1").await.0, 400);
}

#[tokio::test]
async fn the_watch_list_says_why_until_when_and_what_went_wrong() {
    let (simulator, logins) = tenant().await;
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch(&format!("users = [{:?}, \"alcie@example.com\"]", logins[0]))
        .start()
        .await;
    let wish = json!({
        "kind": "user", "subject": logins[1], "note": "case <4711>",
        "expires_at": (cii_exporter::clock::now() + TimeDelta::days(14)).to_rfc3339(),
    });
    assert_eq!(exporter.api("POST", "/watch", Some(&wish)).await.0, 201);
    let body = failing_for("1", "no-mfa", "critical", &[&logins[2]], TimeDelta::hours(1));
    assert_eq!(exporter.deliver(&body).await, 200);
    let page = until("a poll of each", || async {
        let page = text(&exporter.get("/watched").await.1);
        (page.contains("is the login right?") && page.contains("Critical 1 check")).then_some(page)
    })
    .await;
    for said in [
        "not found",
        "case &lt;4711&gt;",
        "command until ",
        "With a problem 1",
        "By configuration 2",
        "Expire 1",
        "All 4",
    ] {
        place(&page, said);
    }
    for (view, there, gone) in [
        ("problem", "alcie@example.com", &logins[0]),
        ("configuration", &logins[0], &logins[1]),
        ("expiring", &logins[1], &logins[0]),
    ] {
        let page = text(&exporter.get(&format!("/watched?view={view}")).await.1);
        let list = &page[place(&page, "Watched users")..];
        place(list, there);
        assert!(!list.contains(gone), "{view}: {list}");
    }
    assert_eq!(exporter.get("/watched?view=none").await.0, 400);
    assert_eq!(exporter.get("/watched?page=7").await.0, 200);
}

#[tokio::test]
async fn deliveries_are_filtered_by_check_and_by_what_became_of_them() {
    let exporter = Setup::new().start().await;
    let page = text(&exporter.get("/deliveries").await.1);
    place(&page, "cii-exporter webhook test");
    for (id, check) in [("1", "no-mfa"), ("2", "mfa-flood"), ("3", "no-mfa")] {
        assert_eq!(exporter.deliver(&Body::new(id, check, &["a@example.com"]).json()).await, 200);
    }
    assert_eq!(exporter.post("<script>alert(1)</script>").await.unwrap().0, 400);
    let rows = |page: &str| {
        page.split("<caption class=\"unseen\">Deliveries<")
            .nth(1)
            .map_or(0, |list| list.matches("<tr>").count() - 1)
    };
    for (query, count) in [
        ("", 4),
        ("?check_id=no-mfa", 2),
        ("?check_id=mfa-flood&result=accepted", 1),
        ("?result=refused", 1),
        ("?check_id=&result=", 4),
        ("?check_id=no-mfa&before=3", 1),
        ("?check_id=none", 0),
    ] {
        let (status, page) = exporter.get(&format!("/deliveries{query}")).await;
        assert_eq!((status, rows(&page)), (200, count), "{query}: {page}");
        // The field suggests what is known, and a body of a stranger stays text.
        assert!(page.contains("<option value=\"mfa-flood\">"), "{page}");
        assert!(!page.contains("<script>alert"), "{page}");
    }
    assert_eq!(exporter.get("/deliveries?result=none").await.0, 400);
    let page = text(&exporter.get("/deliveries/4").await.1);
    place(&page, "Result Malformed answered with 400");
    place(&page, "cii-exporter deliveries replay 4");
}
