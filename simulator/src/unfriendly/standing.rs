//! What holds from the start on.

use rand::{
    RngExt,
    rngs::SmallRng,
    seq::{IndexedRandom, SliceRandom},
};
use serde_json::{Value, json};

use crate::{
    faults::{AppsyncError, Fault, Kind, Oddity},
    tenant::Tenant,
};

/// Ways to say that there is no such user.
const UNKNOWN_LOGINS: [(&str, &str); 4] = [
    ("NotFound", "the user is not found"),
    ("EndUserNotFoundException", "No end user exists for the given login"),
    ("Lambda:Unhandled", "User not found"),
    ("Lambda:Unhandled", "Login could not be found"),
];

/// Values of enums that the published schema lacks.
const PROVIDERS: [&str; 4] = ["SNOWFLAKE", "JAMF", "OPEN_AI", "ACTIVE_DIRECTORY"];

/// Severities that no list of words has.
const SEVERITIES: [&str; 4] = ["3", "Moderate", "urgent", "informational"];

pub(super) fn draw(rng: &mut SmallRng, tenant: &mut Tenant) -> Vec<Fault> {
    let mut faults = token(rng);
    faults.extend(checks(rng, tenant));
    faults.extend(users(rng, tenant));
    faults.extend(lists(rng));
    faults.push(Fault::graphql(Kind::LagMillis(rng.random_range(0..2_000))));
    let (error_type, message) = pick(rng, &UNKNOWN_LOGINS);
    faults.push(Fault::graphql(Kind::unknown_login(error_type, message)));
    if rng.random_bool(0.5) {
        faults.push(Fault::graphql(Kind::NullForEmpty));
    }
    if rng.random_bool(0.5) {
        let operation = "getTotalCheckFailingCounts";
        let refused = Kind::Error(AppsyncError::unauthorized(operation));
        faults.push(Fault::graphql(refused).of(operation));
    }
    faults
}

fn token(rng: &mut SmallRng) -> Vec<Fault> {
    let refusal = pick(rng, &[400, 415]);
    let body = pick(rng, &[Kind::JsonOnly(refusal), Kind::FormOnly(refusal)]);
    let expiry = pick(rng, &[json!(36_000), json!(0), json!("36000"), Value::Null]);
    let mut kinds = vec![body, Kind::ExpiresIn(expiry)];
    if rng.random_bool(0.5) {
        kinds.push(Kind::ByteOrderMark);
    }
    kinds.into_iter().map(Fault::token).collect()
}

/// Titles in the answers, or ids; with ids, two checks may share a title.
fn checks(rng: &mut SmallRng, tenant: &mut Tenant) -> Vec<Fault> {
    let mut ids: Vec<String> = tenant.checks().map(|check| check.id.clone()).collect();
    ids.shuffle(rng);
    if let Some(check) = ids.first().and_then(|id| tenant.check_mut(id)) {
        pick(rng, &SEVERITIES).clone_into(&mut check.severity);
    }
    if rng.random_bool(0.5) {
        return vec![Fault::graphql(Kind::ChecksByTitle)];
    }
    if let [one, other, ..] = &ids[..] {
        let title = tenant.check(one).map(|check| check.title.clone());
        if let (Some(title), Some(check)) = (title, tenant.check_mut(other)) {
            check.title = title;
        }
    }
    Vec::new()
}

/// Leaves of some users that no reader expects.
fn users(rng: &mut SmallRng, tenant: &Tenant) -> Vec<Fault> {
    let logins = tenant.logins();
    let sign_in = AppsyncError::timed_out().at_field("lastSignIn");
    let kinds = [
        Kind::LoneSurrogate("displayName".to_owned()),
        Kind::InvalidNumber("userLocationPrevalence".to_owned()),
        Kind::ManyAddresses(rng.random_range(100..1_000)),
        Kind::Error(sign_in),
        Kind::set("lastActive", "yesterday"),
        Kind::set("firstCreatedDate", 1_764_072_000_u64),
        Kind::set("mfaEnabled", "yes"),
        Kind::set("devices", json!({ "deviceId": 7 })),
        Kind::set("status", "PENDING_ACTIVATION"),
        Kind::set("userTypeClassification", "ROBOT"),
        Kind::set("levelOfTrust", "SPLENDID"),
        Kind::set("provider", pick(rng, &PROVIDERS)),
        Kind::set("providers", json!([pick(rng, &PROVIDERS)])),
        Kind::set("providers", Value::Null),
    ];
    let about = |kind| Some(Fault::graphql(kind).about(logins.choose(rng)?));
    kinds.into_iter().filter_map(about).collect()
}

/// A row more in each list, and page tokens of addresses that go in a circle at first.
fn lists(rng: &mut SmallRng) -> Vec<Fault> {
    let oddities = [Oddity::Null, Oddity::NullWithError, Oddity::EmptyLogin, Oddity::LongLogin];
    let operations =
        ["listEndUsers", "getEndUsersByIp", "listAdminLogins", "getIntegrationsStatus"];
    let mut faults = Vec::new();
    for operation in operations {
        let row = Kind::ExtraRow(rng.random_range(0..5), pick(rng, &oddities));
        faults.push(Fault::graphql(row).of(operation));
    }
    let circle = Kind::PageCircle(rng.random_range(1..4));
    faults.push(Fault::graphql(circle).of("getEndUsersByIp").times(6));
    let status = Kind::Set("status".to_owned(), json!("DEGRADED"));
    faults.push(Fault::graphql(status).of("getIntegrationsStatus"));
    faults
}

/// One of a list that is never empty.
fn pick<T: Clone>(rng: &mut SmallRng, list: &[T]) -> T {
    list[rng.random_range(0..list.len())].clone()
}
