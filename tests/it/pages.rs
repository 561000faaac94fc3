//! The pages beside the overview: what each of them answers.

use std::collections::BTreeSet;

use cii_exporter::{
    domain::{CheckFilter, Login, UserObservation, UserState},
    ledger::change::RecordAnswer,
    store::Store,
};
use cii_simulator::{Options, Simulator};

use crate::harness::{Body, Exporter, Setup, until};

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

/// Has the store know a user by name before a daemon starts.
async fn name(store: &Store, login: &str, name: &str) {
    let state = UserState { display_name: name.to_owned(), ..UserState::default() };
    let observation = UserObservation {
        login: None,
        state,
        untold: BTreeSet::new(),
        null_lists: BTreeSet::new(),
    };
    let answer = RecordAnswer {
        login: Login::new(login).unwrap(),
        state: Some((observation, cii_exporter::clock::now())),
        checks: None,
        filter: CheckFilter::default(),
        end: None,
    };
    store.commit(answer).await.unwrap();
}

#[tokio::test]
async fn a_user_a_check_or_an_address_is_found_by_a_part_of_its_name() {
    let setup = Setup::new().watch("ips = [\"203.0.113.7\", \"203.0.113.70\"]");
    let (store, writer) = Store::open(&setup.database()).unwrap();
    name(&store, "jok@example.com", "Jordan Ökafor").await;
    drop(store);
    writer.stop().await;
    let exporter = setup.start().await;
    let users = ["ann@example.com", "joanna@example.com", "Service_Bot", "100%safe"];
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &users).json()).await, 200);
    assert_eq!(exporter.deliver(&Body::new("2", "mfa-flood", &users[..1]).json()).await, 200);
    // One match, or one whole name among several, is where one is sent.
    for (query, expected) in [
        ("ANN@example.com", "/users/ann@example.com"),
        (" joanna ", "/users/joanna@example.com"),
        ("ökaf", "/users/jok@example.com"),
        ("service_", "/users/Service_Bot"),
        ("Service_Bot", "/users/Service_Bot"),
        ("0%s", "/users/100%25safe"),
        ("no-mfa", "/checks/no-mfa"),
        ("flood", "/checks/mfa-flood"),
        ("203.0.113.7", "/ips/203.0.113.7"),
        ("::ffff:203.0.113.70", "/ips/203.0.113.70"),
    ] {
        let (status, location, page) = find(&exporter, query).await;
        assert_eq!((status, location.as_deref()), (303, Some(expected)), "{query}: {page}");
        let (status, _) = exporter.get(&location.unwrap()).await;
        assert_eq!(status, 200, "{query}");
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
    // What is refused is told, and the verdict with it.
    assert_eq!(exporter.post("{ no json").await.unwrap().0, 400);
    let page = text(&exporter.get("/health").await.1);
    assert!(page.contains("Attention. Webhook: refused some. 1 delivery was refused"), "{page}");
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
