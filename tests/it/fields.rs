//! Every field of the connector's three cards is seen where `docs/fields.md` says.

use std::{collections::BTreeMap, fs, sync::LazyLock};

use cii_simulator::{
    AppsyncError, Fault, Kind, Options, Simulator,
    tenant::{IpAddress, Location, User, WorkingLocation},
    vocabulary::UserTypeClassification,
};
use serde_json::{Value, json};

use crate::harness::{Exporter, Setup, until};

const LOGIN: &str = "zoe@example.com";
const REFUSED: &str = "refused@example.com";
const IP: &str = "203.0.113.99";
const REFUSED_IP: &str = "203.0.113.98";
const CHECK: &str = "check-of-the-fields";

/// One row of a table.
struct Row {
    field: String,
    /// Names of events, each with an attribute.
    events: Vec<(String, String)>,
    /// Paths, each with a field of the answer.
    api: Vec<(String, String)>,
    pages: Vec<String>,
    commands: Vec<String>,
    metrics: Vec<String>,
}

/// The tables of the three cards, in order.
fn tables() -> Vec<Vec<Row>> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/fields.md")).unwrap();
    let tables = text.split("\n## ").skip(1);
    tables
        .map(|table| {
            let rows = table.lines().filter(|line| line.starts_with("| "));
            rows.skip(1).map(row).collect()
        })
        .collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<_> = line.trim_matches('|').split(" |").map(str::trim).collect();
    assert!(cells.len() >= 6, "{line}");
    let spans = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let pairs = |cell: &str| -> Vec<(String, String)> {
        let spans = spans(cell);
        assert!(spans.len() % 2 == 0, "{line}");
        spans.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
    };
    Row {
        field: cells[0].replace('`', ""),
        events: pairs(cells[1]),
        api: pairs(cells[2]),
        pages: spans(cells[3]),
        commands: spans(cells[4]),
        metrics: spans(cells[5]),
    }
}

/// Now: one of long ago opens nothing where there is an API to ask.
static PUBLISHED: LazyLock<String> = LazyLock::new(|| {
    cii_exporter::clock::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
});

/// The value that each field of the event card has.
fn of_delivery() -> (Value, BTreeMap<&'static str, &'static str>) {
    let values = BTreeMap::from([
        ("title", "Title 101"),
        ("id", "detail-102"),
        ("checkId", CHECK),
        ("usersFailing", "fails@example.com"),
        ("published", PUBLISHED.as_str()),
        ("description", "Sentence 105."),
        ("recommendedActions", "Action 106."),
        ("severity", "critical"),
        ("loginDetails", "why-107"),
        ("detail-type", "FAILED_CHECK"),
        ("region", "region-108"),
        ("envelope id", "envelope-109"),
        ("time", "2026-01-02T03:04:09Z"),
        ("source", "11011011-608a-4225-bd01-b2214a3c4127__a7708c35"),
        ("account", "111111111111"),
    ]);
    let body = json!({
        "version": "0",
        "id": values["envelope id"],
        "detail-type": values["detail-type"],
        "source": values["source"],
        "account": values["account"],
        "time": values["time"],
        "region": values["region"],
        "detail": {
            "id": values["id"],
            "checkId": values["checkId"],
            "title": values["title"],
            "severity": values["severity"],
            "usersFailing": [values["usersFailing"]],
            "description": [values["description"]],
            "recommendedActions": [values["recommendedActions"]],
            "published": values["published"],
            "loginDetails": [{
                "login": values["usersFailing"],
                "details": [{ "key": "because", "value": values["loginDetails"] }],
            }],
        },
    });
    (body, values)
}

/// A user of whom everything is known, and the value of each field of the user card.
fn of_user() -> (User, BTreeMap<&'static str, &'static str>) {
    let values = BTreeMap::from([
        ("id", "user-201"),
        ("displayName", "Zoe 202"),
        ("login", LOGIN),
        ("employeeId", "employee-203"),
        ("status", "STATUS-204"),
        ("userTypeClassification", "EXTERNAL"),
        ("managerLogin", "manager205@example.com"),
        ("ipAddresses[].ipAddress", IP),
        ("ipAddresses[].location.city", "City 206"),
        ("ipAddresses[].location.state", "State 207"),
        ("ipAddresses[].location.country", "CH"),
        ("phoneNumber", "+49 30 208"),
        ("unusedApplications", "Unused 209"),
        ("usedApplications", "Used 210"),
        ("usedFactors", "Factor 211"),
        ("referenceUrl", "https://console.example.com/users/user-201"),
        ("registeredLocationDetails.city", "City 213"),
        ("registeredLocationDetails.state", "State 214"),
        ("registeredLocationDetails.country", "DE"),
        ("workingLocationDetails[].location.city", "City 215"),
        ("workingLocationDetails[].location.state", "State 216"),
        ("workingLocationDetails[].location.country", "FR"),
        ("workingLocationDetails[].userLocationPrevalence", "21.7"),
        ("status code", "200"),
    ]);
    let text = |field: &str| values[field].to_owned();
    let place = |path: &str| {
        let part = |name: &str| values[format!("{path}.{name}").as_str()];
        Location::new(part("city"), part("state"), part("country"))
    };
    let mut user = User::new(LOGIN, values["displayName"]);
    user.id = text("id");
    user.employee_ids = vec![text("employeeId")];
    user.status_text = Some(text("status"));
    user.user_type = Some(UserTypeClassification::External);
    user.manager_login = Some(text("managerLogin"));
    user.ip_addresses = vec![IpAddress::new(IP).at(place("ipAddresses[].location"))];
    user.phone_number = Some(text("phoneNumber"));
    user.unused_applications = vec![text("unusedApplications")];
    user.used_applications = vec![text("usedApplications")];
    user.used_factors = vec![text("usedFactors")];
    user.registered_location = Some(place("registeredLocationDetails"));
    user.working_locations = vec![WorkingLocation {
        location: place("workingLocationDetails[].location"),
        prevalence: values["workingLocationDetails[].userLocationPrevalence"].parse().unwrap(),
    }];
    (user, values)
}

/// An error with a value of its own in each field, and where they are.
fn an_error(number: u32) -> (AppsyncError, BTreeMap<&'static str, String>) {
    let values = BTreeMap::from([
        ("errors[].errorType", format!("Type{number}")),
        ("errors[].message", format!("message {number}")),
        ("errors[].errorInfo", format!("info-{number}")),
        ("errors[].data", format!("data-{number}")),
    ]);
    let mut error = AppsyncError::new(&values["errors[].errorType"], &values["errors[].message"]);
    error.error_info = json!({ "info": values["errors[].errorInfo"] });
    error.data = json!({ "data": values["errors[].data"] });
    (error, values)
}

/// Whether a value, or any within it, says this.
fn says(value: &Value, said: &str) -> bool {
    match value {
        Value::String(text) => text.contains(said),
        Value::Array(items) => items.iter().any(|item| says(item, said)),
        Value::Object(fields) => fields.values().any(|field| says(field, said)),
        Value::Number(number) => number.as_f64() == said.parse().ok(),
        Value::Null | Value::Bool(_) => false,
    }
}

/// The values at a path such as `users[].login`.
fn at<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    let name = step.trim_end_matches("[]");
    let Some(field) = value.get(name) else { return Vec::new() };
    let items = if step.ends_with("[]") {
        field.as_array().map(|items| items.iter().collect()).unwrap_or_default()
    } else {
        vec![field]
    };
    if rest.is_empty() {
        return items;
    }
    items.into_iter().flat_map(|item| at(item, rest)).collect()
}

/// The text of a page as a browser shows it, links included.
fn unescaped(page: &str) -> String {
    page.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

struct Seen<'a> {
    exporter: &'a Exporter,
    number: String,
}

impl Seen<'_> {
    fn fill(&self, place: &str) -> String {
        [
            ("{check}", CHECK),
            ("{login}", LOGIN),
            ("{ip}", IP),
            ("{number}", &self.number),
            ("{refused}", REFUSED),
            ("{refused_ip}", REFUSED_IP),
        ]
        .into_iter()
        .fold(place.to_owned(), |place, (name, value)| place.replace(name, value))
    }

    /// The places of a row where its value is not seen.
    async fn missing(&self, row: &Row, said: &str) -> Vec<String> {
        let mut missing = Vec::new();
        for (name, attribute) in &row.events {
            let (_, found) = self.exporter.api("GET", &format!("/events?name={name}"), None).await;
            let events = found["events"].as_array().cloned().unwrap_or_default();
            if !events.iter().any(|event| says(&event["attributes"][attribute], said)) {
                missing.push(format!("{attribute} of {name}"));
            }
        }
        for (path, field) in &row.api {
            let path = self.fill(path);
            let (status, text) = self.exporter.get(&path).await;
            let answer: Value = serde_json::from_str(&text).unwrap_or_default();
            if status != 200 || !at(&answer, field).into_iter().any(|value| says(value, said)) {
                missing.push(format!("{field} of {path}: {text}"));
            }
        }
        for path in &row.pages {
            let (status, page) = self.exporter.get(&self.fill(path)).await;
            let page = unescaped(&page);
            // Pages do not shout a word that the service has in capitals.
            let quiet = said.get(..1).unwrap_or_default().to_owned()
                + &said.get(1..).unwrap_or_default().to_lowercase();
            if status != 200 || !(page.contains(said) || page.contains(&quiet)) {
                missing.push(format!("page {path}"));
            }
        }
        for command in &row.commands {
            let command = self.fill(command);
            let arguments: Vec<_> = command.split(' ').collect();
            let ended = self.exporter.run(&arguments).await;
            if !ended.output.contains(said) {
                missing.push(format!("command {command}: {}{}", ended.output, ended.errors));
            }
        }
        let metrics = self.exporter.metrics().await;
        for metric in &row.metrics {
            if !metrics.series(metric).iter().any(|(series, _)| series.contains(said)) {
                missing.push(format!("metric {metric}"));
            }
        }
        missing
    }
}

#[tokio::test]
async fn every_field_is_seen_where_the_documentation_says() {
    let (body, delivered) = of_delivery();
    let (zoe, user) = of_user();
    let simulator = Simulator::start(Options { users: 2, ..Options::default() }).await.unwrap();
    // First a plain user: what is found later is new, and makes events.
    simulator.tenant(|tenant| {
        let mut plain = User::new(LOGIN, user["displayName"]);
        plain.id = user["id"].to_owned();
        plain.used_applications = vec![user["unusedApplications"].to_owned()];
        plain.unused_applications = vec![user["usedApplications"].to_owned()];
        plain.used_factors = vec!["Factor before".to_owned()];
        plain.registered_location = Some(Location::new("Before", "Before", "US"));
        plain.working_locations = vec![WorkingLocation {
            location: Location::new("Before", "Before", "US"),
            prevalence: 100.0,
        }];
        plain.ip_addresses = vec![IpAddress::new("192.0.2.1")];
        tenant.add_user(plain);
        tenant.add_user(User::new(REFUSED, "Refused"));
    });
    let (user_error, mut user_errors) = an_error(301);
    let (ip_error, mut ip_errors) = an_error(401);
    user_errors.insert("errors[].path", "getEndUserState".to_owned());
    ip_errors.insert("errors[].path", "getEndUsersByIp".to_owned());
    simulator
        .faults()
        .add(Fault::graphql(Kind::Error(user_error)).of("getEndUserState").about(REFUSED));
    simulator
        .faults()
        .add(Fault::graphql(Kind::Error(ip_error)).of("getEndUsersByIp").about(REFUSED_IP));
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch(&format!("users = [{LOGIN:?}, {REFUSED:?}]\nips = [{IP:?}, {REFUSED_IP:?}]"))
        .start()
        .await;
    exporter.until_metric(&format!("cii_user_ip_addresses{{login=\"{LOGIN}\"}}"), 1.0).await;
    simulator.tenant(|tenant| *tenant.user_mut(LOGIN).unwrap() = zoe);
    exporter.until_metric(&format!("cii_ip_users{{ip=\"{IP}\"}}"), 1.0).await;
    exporter.until_metric(&format!("cii_ip_poll_up{{ip=\"{REFUSED_IP}\"}}"), 0.0).await;
    exporter.until_metric(&format!("cii_user_poll_up{{login=\"{REFUSED}\"}}"), 0.0).await;
    assert_eq!(exporter.deliver(&body).await, 200);
    until("the user's new snapshot", || async {
        let (_, found) = exporter.api("GET", &format!("/users/{LOGIN}"), None).await;
        (found["snapshot"]["status"] == user["status"]).then_some(())
    })
    .await;

    let (_, kept) = exporter.api("GET", "/deliveries", None).await;
    let number = kept["deliveries"][0]["number"].to_string();
    let seen = Seen { exporter: &exporter, number };
    let texts = |values: &BTreeMap<&'static str, &'static str>| -> BTreeMap<String, String> {
        values.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
    };
    let errors = |values: BTreeMap<&'static str, String>| {
        values.into_iter().map(|(field, value)| (field.to_owned(), value))
    };
    let mut of_user = texts(&user);
    of_user.extend(errors(user_errors));
    let mut of_ip: BTreeMap<_, _> = texts(&user)
        .into_iter()
        .filter(|(field, _)| {
            ["id", "displayName", "login", "referenceUrl", "status code"].contains(&&**field)
        })
        .collect();
    of_ip.extend(errors(ip_errors));

    let mut missing = Vec::new();
    for (rows, values) in tables().iter().zip([texts(&delivered), of_user, of_ip]) {
        let mut documented: Vec<_> = rows.iter().map(|row| row.field.clone()).collect();
        documented.sort_unstable();
        let fields: Vec<_> = values.keys().cloned().collect();
        assert_eq!(documented, fields, "docs/fields.md has every field, and no other");
        for row in rows {
            // Pages write whole seconds with a fraction.
            let said = values[&row.field].trim_end_matches('Z');
            let lost = seen.missing(row, said).await;
            missing
                .extend(lost.into_iter().map(|place| format!("{} {said:?}: {place}", row.field)));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    exporter.stop().await;
}
