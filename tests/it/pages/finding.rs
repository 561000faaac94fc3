//! What is found by a part of its name, and by addresses that are typed.

use cii_exporter::{domain::UserState, store::Store};
use serde_json::{Value, json};

use super::text;
use crate::harness::{Body, Exporter, Setup, close, tell_state};

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
    close(store, writer, &setup.database()).await;
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
