//! The first page and that of a check: how bad, better or worse, since when, who, and for how
//! long; and the same as CSV and by the API.

use chrono::TimeDelta;
use cii_exporter::clock;
use cii_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::{
    harness::{Body, Exporter, Setup, until},
    pages::text,
};

/// A delivery about users who fail a check for so long.
fn failing_for(id: &str, check: &str, logins: &[&str], time: TimeDelta) -> Value {
    let mut body = Body::new(id, check, logins).json();
    body["detail"]["published"] = json!((clock::now() - time).to_rfc3339());
    body
}

async fn deliver(exporter: &Exporter, body: &Value) {
    assert_eq!(exporter.deliver(body).await, 200);
}

/// Two who fail for ten days, one who fails since now, with a target of a week.
async fn overdue() -> Exporter {
    let exporter = Setup::new().tables("[slo]\nhigh = \"7d\"").start().await;
    let old = TimeDelta::days(10);
    deliver(&exporter, &failing_for("1", "no-mfa", &["old@x.com", "older@x.com"], old)).await;
    deliver(&exporter, &failing_for("2", "no-mfa", &["new@x.com"], TimeDelta::zero())).await;
    exporter
}

#[tokio::test]
async fn the_first_page_answers_how_bad_how_new_and_what_is_overdue() {
    let exporter = overdue().await;
    let (status, page) = exporter.get("/").await;
    assert_eq!(status, 200, "{page}");
    let text = text(&page);
    for expected in [
        "3 failures of 3 users in 1 check, 2 overdue.",
        "Critical and high 3 failures 0 critical, 3 high",
        "New, 24 hours 3 failures 3 critical or high",
        // Nobody tells when a failure ends.
        "Resolved, 24 hours not known Without [api]",
        "1 fails, 3 failures of 3 users · 2 overdue CSV Users as CSV JSON",
        "High Title of no-mfa 3",
        "+3 −? 10 d 2 over 7 d",
        "new@x.com newly fails the check",
        "Webhook delivery: 2 users fail the check",
        "The 2 users old@x.com older@x.com",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert!(page.contains("aria-label=\"Failing users on 14 days: first 3, highest 3, now 3\""));
    let (_, page) = exporter.get("/?overdue=1").await;
    assert!(page.contains("Only checks with overdue failures"), "{page}");
}

#[tokio::test]
async fn the_page_of_a_check_says_who_fails_it_for_how_long_and_whether_that_is_too_long() {
    let exporter = overdue().await;
    let (_, page) = exporter.get("/checks/no-mfa").await;
    let all = text(&page);
    for expected in [
        "Failing now 3 users 24 hours +3 −? Overdue, target 7 d 2 users Oldest 10 d",
        "What it looks for. What to do. Events of the check Last delivery JSON",
        "3 users, the longest first CSV All 3 Overdue 2 Since 24 hours at most 1",
        "old@x.com 10 d 3 d overdue 0",
        "due in 6 d",
        "30 days",
        "The figures as a table",
    ] {
        assert!(all.contains(expected), "{expected}\n{all}");
    }
    let is_new = |seconds: u32| all.contains(&format!("new@x.com {seconds} s"));
    assert!((0..60).any(is_new), "{all}");
    let today = clock::now().date_naive();
    assert!(all.contains(&format!("{today} 3 3 0")), "{all}");
    assert!(all.contains(&format!("{} – – –", today - TimeDelta::days(1))), "{all}");
    let users = async |query: &str| text(&exporter.get(&format!("/checks/no-mfa{query}")).await.1);
    let overdue = users("?view=overdue").await;
    assert!(overdue.contains("old@x.com") && !overdue.contains("new@x.com"), "{overdue}");
    let new = users("?view=new").await;
    assert!(new.contains("new@x.com") && !new.contains("older@x.com"), "{new}");
    let by_login = users("?sort=login").await;
    let place = |login: &str| by_login.find(login).unwrap();
    assert!(place("new@x.com") < place("old@x.com"), "{by_login}");
    for wrong in ["?view=odd", "?sort=odd", "?cursor=odd", "?odd=1"] {
        assert_eq!(exporter.get(&format!("/checks/no-mfa{wrong}")).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn users_of_a_check_come_page_by_page() {
    let exporter = Setup::new().start().await;
    let logins: Vec<_> = (0..150).map(|number| format!("u{number:03}@x.com")).collect();
    let names: Vec<_> = logins.iter().map(String::as_str).collect();
    deliver(&exporter, &Body::new("1", "no-mfa", &names).json()).await;
    let (mut path, mut seen) = ("/checks/no-mfa".to_owned(), Vec::new());
    loop {
        let (status, page) = exporter.get(&path).await;
        assert_eq!(status, 200, "{page}");
        let text = text(&page);
        seen.extend(logins.iter().filter(|login| text.contains(*login)).cloned());
        let Some((before, _)) = page.split_once("#users\">More users") else { break };
        let link = before.rsplit("href=\"").next().unwrap();
        path = link.replace("&amp;", "&");
    }
    assert_eq!(seen, logins);
}

#[tokio::test]
async fn lists_are_csv_in_which_no_text_leaves_its_field_or_is_a_formula() {
    let exporter = Setup::new().tables("[slo]\nhigh = \"7d\"").start().await;
    let odd = ["=cmd|'/c calc'!A1", "a,\"b\"@x.com"];
    deliver(&exporter, &failing_for("1", "no-mfa", &odd, TimeDelta::days(10))).await;
    let csv = async |path: &str| {
        let answer = reqwest::get(format!("{}{path}", exporter.ops_url)).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/csv; charset=utf-8; header=present");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("content-disposition").starts_with("attachment; filename="));
        answer.text().await.unwrap()
    };
    let users = csv("/checks/no-mfa/users.csv").await;
    let lines: Vec<_> = users.split("\r\n").collect();
    assert!(lines[0].starts_with("login,name,status,failing_since,"), "{users}");
    assert!(lines[1].starts_with("\"'=cmd|'/c calc'!A1\",\"\",\"\",2"), "{users}");
    assert!(lines[2].starts_with("\"a,\"\"b\"\"@x.com\",\"\",\"\",2"), "{users}");
    assert_eq!(lines[3..], [""], "{users}");
    let checks = csv("/checks.csv").await;
    let row = checks.split("\r\n").nth(1).unwrap();
    assert!(row.starts_with("\"no-mfa\",\"Title of no-mfa\",\"high\",2,2,0,"), "{checks}");
    assert!(row.contains(",604800,2,0,,"), "{checks}");
    let events = csv("/events.csv?name=cii.check.failed").await;
    assert_eq!(events.split("\r\n").filter(|line| line.contains(",cii.check.failed,")).count(), 2);
    let people = csv("/users.csv").await;
    let lines: Vec<_> = people.split("\r\n").collect();
    assert!(lines[0].starts_with("login,name,status,failing_checks,worst_severity,"), "{people}");
    assert!(lines[1].starts_with("\"'=cmd|'/c calc'!A1\",\"\",\"\",1,\"high\",2"), "{people}");
    assert!(lines[2].starts_with("\"a,\"\"b\"\"@x.com\",\"\",\"\",1,\"high\",2"), "{people}");
    assert!(lines[2].ends_with(",1,\"no-mfa\""), "{people}");
    assert_eq!(lines[3..], [""], "{people}");
    let own = csv("/users/%3Dcmd%7C'%2Fc%20calc'!A1/checks.csv").await;
    let row = own.split("\r\n").nth(1).unwrap();
    assert!(row.starts_with("\"no-mfa\",\"Title of no-mfa\",\"high\",2"), "{own}");
    let watched = csv("/watched.csv").await;
    let lines: Vec<_> = watched.split("\r\n").collect();
    assert!(lines[0].starts_with("kind,subject,name,status,failing_checks,watched_by,"));
    assert!(lines[1].starts_with("user,\"'=cmd|'/c calc'!A1\",\"\",\"\",1,webhook,2"), "{watched}");
    assert_eq!(lines.len(), 4, "{watched}");
    let deliveries = csv("/deliveries.csv?check_id=no-mfa&result=accepted").await;
    let row = deliveries.split("\r\n").nth(1).unwrap();
    assert!(row.starts_with("1,2") && row.contains(",\"no-mfa\",\"Title of no-mfa\","), "{row}");
    assert!(row.contains(",accepted,200,\"\",2,2,0,0,0,0,,,"), "{row}");
    assert_eq!(csv("/deliveries.csv?result=refused").await.lines().count(), 1);
    for (path, link) in [
        ("/", "/users.csv"),
        ("/watched", "/watched.csv"),
        ("/deliveries?result=accepted", "/deliveries.csv?result=accepted"),
        ("/users/a,%22b%22@x.com", "/users/a%2C%22b%22@x.com/checks.csv"),
    ] {
        let (_, page) = exporter.get(path).await;
        assert!(page.contains(&format!("href=\"{link}\"")), "{link}: {page}");
    }
    for (path, status) in [
        ("/checks/none/users.csv", 404),
        ("/users/nobody/checks.csv", 404),
        ("/checks.csv?odd=1", 400),
        ("/users.csv?odd=1", 400),
        ("/watched.csv?odd=1", 400),
        ("/events.csv?name=odd", 400),
        ("/deliveries.csv?result=odd", 400),
    ] {
        assert_eq!(exporter.get(path).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn a_long_list_is_streamed_to_its_end() {
    let exporter = Setup::new().start().await;
    let logins: Vec<_> = (0..1700).map(|number| format!("u{number:04}@x.com")).collect();
    let names: Vec<_> = logins.iter().map(String::as_str).collect();
    deliver(&exporter, &Body::new("1", "no-mfa", &names).json()).await;
    let (_, csv) = exporter.get("/checks/no-mfa/users.csv").await;
    let users: Vec<_> = csv.lines().skip(1).map(|line| line.split('"').nth(1).unwrap()).collect();
    assert_eq!(users, names);
    for (path, at) in [("/users.csv", 1), ("/watched.csv", 1)] {
        let (_, csv) = exporter.get(path).await;
        let users: Vec<_> =
            csv.lines().skip(1).map(|line| line.split('"').nth(at).unwrap()).collect();
        assert_eq!(users, names, "{path}");
    }
    let (_, csv) = exporter.get("/events.csv").await;
    assert!(csv.lines().filter(|line| line.contains(",cii.check.failed,")).count() == 1700);
}

#[tokio::test]
async fn the_api_tells_who_is_overdue_and_how_long_failures_last() {
    let exporter = overdue().await;
    let (status, check) = exporter.api("GET", "/checks/no-mfa", None).await;
    assert_eq!(status, 200, "{check}");
    assert_eq!(check["last_24_hours"], json!({ "new": 3, "resolved": 0 }));
    let overdue = &check["overdue"];
    assert_eq!(
        (overdue["objective_seconds"].as_u64(), overdue["users"].as_u64()),
        (Some(604_800), Some(2))
    );
    let days = overdue["longest_seconds"].as_u64().unwrap() / 86_400;
    assert_eq!(days, 3, "{check}");
    assert_eq!(
        check["time_to_resolve"]["last_30_days"],
        json!({ "count": 0, "median_seconds": null })
    );
    let (_, list) = exporter.api("GET", "/checks", None).await;
    assert_eq!(list["checks"][0]["overdue"]["users"], 2, "{list}");
    assert_eq!(exporter.api("GET", "/checks/none", None).await.0, 404);

    let users = async |query: &str| {
        exporter.api("GET", &format!("/checks/no-mfa/users{query}"), None).await.1
    };
    let logins = |page: &Value| -> Vec<String> {
        let users = page["users"].as_array().unwrap();
        users.iter().map(|user| user["login"].as_str().unwrap().to_owned()).collect()
    };
    let all = users("").await;
    assert_eq!(logins(&all), ["new@x.com", "old@x.com", "older@x.com"]);
    assert_eq!(all["users"][0]["overdue_seconds"], 0);
    assert!(all["users"][1]["overdue_seconds"].as_u64().unwrap() >= 3 * 86_400 - 60, "{all}");
    let (_, user) = exporter.api("GET", "/users/old@x.com", None).await;
    let failed = &user["failing_checks"][0];
    assert!(failed["overdue_seconds"].as_u64().unwrap() >= 3 * 86_400 - 60, "{user}");
    assert!(failed["failing_seconds"].as_u64().unwrap() >= 10 * 86_400 - 60, "{user}");
    let first = users("?overdue=true&limit=1").await;
    assert_eq!(logins(&first), ["old@x.com"]);
    let cursor = first["next_cursor"].as_str().unwrap().replace(' ', "+");
    let second = users(&format!("?overdue=true&limit=1&cursor={cursor}")).await;
    assert_eq!(
        (logins(&second), &second["next_cursor"]),
        (vec!["older@x.com".to_owned()], &Value::Null)
    );
    let (status, _) = exporter.api("GET", "/checks/no-mfa/users?overdue=odd", None).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn what_is_resolved_is_counted_with_its_median_and_the_moderate_are_medium() {
    let simulator = Simulator::start(Options { users: 6, ..Options::default() }).await.unwrap();
    let logins: Vec<String> =
        simulator.tenant(|tenant| tenant.users().map(|user| user.login.clone()).collect());
    simulator.tenant(|tenant| {
        for login in &logins {
            tenant.set_failing(login, "no-mfa", false);
        }
    });
    let exporter = Setup::new().polling(&simulator, "* * * * * *").start().await;
    let mut body = failing_for("1", "no-mfa", &[&logins[0]], TimeDelta::hours(5));
    body["detail"]["severity"] = json!("Moderate");
    deliver(&exporter, &body).await;
    exporter.until_metric("cii_check_resolutions_total{check_id=\"no-mfa\"}", 1.0).await;
    let page = until("the page to say so", || async {
        let page = text(&exporter.get("/").await.1);
        page.contains("Resolved, 24 hours 1 failure").then_some(page)
    })
    .await;
    assert!(page.contains("median time to resolve 5 h"), "{page}");
    assert!(page.contains(", after 5 h"), "{page}");
    let check = text(&exporter.get("/checks/no-mfa").await.1);
    assert!(check.contains("Median time to resolve 5 h 1 resolved in 30 d"), "{check}");
    assert!(check.contains(" Medium ") && !check.contains("Moderate"), "{check}");
    let (_, check) = exporter.api("GET", "/checks/no-mfa", None).await;
    let median = check["time_to_resolve"]["last_30_days"]["median_seconds"].as_u64().unwrap();
    assert!((18_000..18_600).contains(&median), "{check}");
    assert_eq!((check["severity"].as_str(), &check["overdue"]), (Some("medium"), &Value::Null));
}
