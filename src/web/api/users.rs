//! `/api/v1/users/{login}`: what is known of a user, and the purge of a user.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{Json, extract::State, http::Uri};
use serde::Serialize;
use tokio::sync::oneshot;

use super::resolution;
use crate::{
    clock,
    domain::{self, CheckId, Login, Objectives, Timestamp},
    store::{FailingCheck, NullList, Purge, UserRecord, WatchReason},
    web::{
        Ops,
        json::{Place, PollState},
        link,
        problem::Problem,
        query::{Fields, Segment},
        subject,
    },
};

#[derive(Debug, Serialize)]
pub(super) struct User {
    login: String,
    watch: Watch,
    failing_checks: Vec<FailedCheck>,
    failing_checks_told: Option<bool>,
    failing_checks_untold_since: Option<Timestamp>,
    untold_lists: Vec<UntoldList>,
    /// Texts of the most recent answer that match no known check, or several.
    undecided_checks: BTreeSet<String>,
    poll: Option<PollState>,
    snapshot: Option<Snapshot>,
}

/// A list that was null in the most recent answer, where null does not mean an empty list.
#[derive(Debug, Serialize)]
struct UntoldList {
    field: &'static str,
    since: Timestamp,
}

/// Whether a subject is watched, with the reasons for or against it.
#[derive(Debug, Serialize)]
pub(super) struct Watch {
    watched: bool,
    reasons: Vec<Reason>,
    explanation: String,
}

#[derive(Debug, Serialize)]
struct Reason {
    source: String,
    since: Timestamp,
}

#[derive(Debug, Serialize)]
struct FailedCheck {
    check_id: String,
    title: String,
    severity: String,
    since: Timestamp,
    since_is_first_seen: bool,
    last_reported_at: Timestamp,
    failing_seconds: u64,
    overdue_seconds: Option<u64>,
}

/// The most recent answer of the service. A list that no answer contained is `null`.
#[derive(Debug, Serialize)]
struct Snapshot {
    id: String,
    display_name: String,
    status: String,
    employee_ids: Option<BTreeSet<String>>,
    user_type: Option<String>,
    manager_login: Option<String>,
    phone_number: Option<String>,
    reference_url: Option<String>,
    used_applications: Option<BTreeSet<String>>,
    unused_applications: Option<BTreeSet<String>>,
    used_factors: Option<BTreeSet<String>>,
    ip_addresses: Option<Vec<Address>>,
    registered_location: Option<Vec<Place>>,
    working_locations: Option<Vec<WorkingLocation>>,
    new_ips: u64,
    last_new_ip_at: Option<Timestamp>,
    last_new_country_at: Option<Timestamp>,
    first_observed_at: Timestamp,
    observed_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct Address {
    ip: String,
    place: Place,
}

#[derive(Debug, Serialize)]
struct WorkingLocation {
    #[serde(flatten)]
    place: Place,
    /// The share of the user's activity from this place; `None` when the service did not return it.
    prevalence_percent: Option<f64>,
}

/// Shows what is known of a user.
pub(super) async fn show_user(
    State(ops): State<Arc<Ops>>,
    Segment(text): Segment,
    uri: Uri,
) -> Result<Json<User>, Problem> {
    Fields::parse(&uri)?.finish()?;
    read_user(&ops, &text).await
}

/// Shows a user named in the query, for logins such as `..` that clients remove from a path.
pub(super) async fn show_user_by_query(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
) -> Result<Json<User>, Problem> {
    let mut fields = Fields::parse(&uri)?;
    let text = fields.take_subject("users")?;
    fields.finish()?;
    read_user(&ops, &text).await
}

async fn read_user(ops: &Ops, text: &str) -> Result<Json<User>, Problem> {
    let login = Login::new(text).map_err(|error| Problem::bad_request(error.to_string()))?;
    let key = login.clone();
    let known = ops.sources.store.read(move |reader| subject::read_user(reader, &key)).await?;
    let known = known.ok_or_else(|| subject::unknown_user(&login))?;
    let failing_checks_told = known.failing_checks_told();
    let failing_checks_untold_since = known.failing_checks_untold_since();
    let untold_lists = known.untold.iter().map(UntoldList::from).collect();
    let watch = Watch::new(known.reasons, subject::why_no_user_watch(!known.failing.is_empty()));
    let objectives = ops.sources.scope.borrow().objectives.clone();
    let now = clock::now();
    let failing = known.failing.into_iter();
    Ok(Json(User {
        failing_checks_told,
        failing_checks_untold_since,
        untold_lists,
        undecided_checks: known.undecided,
        poll: known.poll.map(PollState::from),
        login: known.login.to_string(),
        watch,
        failing_checks: failing.map(|check| FailedCheck::new(check, &objectives, now)).collect(),
        snapshot: known.record.map(Snapshot::from),
    }))
}

/// The result of a purge, or of a dry run.
#[derive(Debug, Serialize)]
pub(super) struct Purged {
    result: &'static str,
    /// Rows by table.
    removed: BTreeMap<&'static str, u64>,
    redacted: BTreeMap<&'static str, u64>,
    left: BTreeMap<&'static str, u64>,
    known_to_service: bool,
    configured: bool,
}

/// Purges a user from all tables.
pub(super) async fn purge(
    State(ops): State<Arc<Ops>>,
    Segment(text): Segment,
    uri: Uri,
) -> Result<Json<Purged>, Problem> {
    let mut fields = Fields::parse(&uri)?;
    let is_trial = match fields.take("dry_run").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::bad_request("dry_run is true or false")),
    };
    fields.finish()?;
    let login = Login::new(&text).map_err(|error| Problem::bad_request(error.to_string()))?;
    let purge = Purge { login, is_trial, at: clock::now() };
    let stopping = || Problem::unavailable("the daemon is stopping; purge again");
    // A task of its own purges: a client that disconnects would otherwise leave the purge half
    // done.
    let (reply, answer) = oneshot::channel();
    ops.sources.purges.send((purge, reply)).await.map_err(|_| stopping())?;
    let purged = answer.await.map_err(|_| stopping())??;
    Ok(Json(Purged {
        result: match (is_trial, purged.left.is_empty()) {
            (true, _) => "counted",
            (false, true) => "forgotten",
            (false, false) => "incomplete",
        },
        removed: purged.removed,
        redacted: purged.redacted,
        left: purged.left,
        known_to_service: purged.is_known_to_service,
        configured: purged.is_configured,
    }))
}

impl Watch {
    /// Creates the answer's part; `why_not` is its explanation when there is no reason to watch.
    pub(super) fn new(reasons: Vec<WatchReason>, why_not: &str) -> Self {
        let explanation = if reasons.is_empty() {
            why_not.to_owned()
        } else {
            subject::watched_by_text(&reasons)
        };
        Self {
            watched: !reasons.is_empty(),
            explanation,
            reasons: reasons
                .into_iter()
                .map(|reason| Reason { source: reason.source, since: reason.since })
                .collect(),
        }
    }
}

impl From<&NullList> for UntoldList {
    fn from(list: &NullList) -> Self {
        Self { field: list.field.as_str(), since: list.since }
    }
}

impl FailedCheck {
    fn new(check: FailingCheck, objectives: &Objectives, now: Timestamp) -> Self {
        let age = now - check.since;
        let objective =
            CheckId::new(&check.check_id).and_then(|id| objectives.limit_for(&id, &check.severity));
        Self {
            check_id: check.check_id,
            title: check.title,
            severity: check.severity.label(),
            since: check.since,
            since_is_first_seen: !check.is_dated,
            last_reported_at: check.reported_at,
            failing_seconds: resolution::whole_seconds(age),
            overdue_seconds: objective.map(|objective| resolution::whole_seconds(age - objective)),
        }
    }
}

impl From<UserRecord> for Snapshot {
    fn from(record: UserRecord) -> Self {
        let state = record.state;
        let working_locations = state.working_locations.as_ref().map(|places| {
            let located = |place: &domain::Place| WorkingLocation {
                place: place.clone().into(),
                prevalence_percent: state
                    .prevalence_of(place)
                    .map(|share| f64::from(share) / 100.0),
            };
            places.iter().map(located).collect()
        });
        Self {
            working_locations,
            reference_url: link::web_url(state.reference_url.as_ref()).map(str::to_owned),
            id: state.id,
            display_name: state.display_name,
            status: state.status,
            employee_ids: state.employee_ids,
            user_type: state.user_type,
            manager_login: state.manager_login,
            phone_number: state.phone_number,
            used_applications: state.used_applications,
            unused_applications: state.unused_applications,
            used_factors: state.used_factors,
            ip_addresses: state.ip_addresses.map(list_addresses),
            registered_location: state
                .registered_location
                .map(|places| places.into_iter().map(Place::from).collect()),
            new_ips: record.new_ips,
            last_new_ip_at: record.last_new_ip_at,
            last_new_country_at: record.last_new_country_at,
            first_observed_at: record.first_observed_at,
            observed_at: record.observed_at,
        }
    }
}

fn list_addresses(addresses: BTreeMap<String, domain::Place>) -> Vec<Address> {
    addresses.into_iter().map(|(ip, place)| Address { ip, place: place.into() }).collect()
}
