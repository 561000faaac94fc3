//! `/api/v1/ips/{ip}`: the users of an address, and since when.

use std::sync::Arc;

use axum::{Json, extract::State, http::Uri};
use serde::Serialize;

use super::users::Watch;
use crate::{
    domain::Timestamp,
    store::{IpRecord, IpRecordUser},
    web::{
        Ops, filter,
        json::PollState,
        link,
        problem::Problem,
        query::{Fields, Segment},
        subject,
    },
};

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    ip: String,
    watch: Watch,
    poll: Option<PollState>,
    snapshot: Option<Snapshot>,
}

#[derive(Debug, Serialize)]
struct Snapshot {
    users: Vec<User>,
    new_users: u64,
    last_new_user_at: Option<Timestamp>,
    first_observed_at: Timestamp,
    observed_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct User {
    login: String,
    id: String,
    display_name: String,
    reference_url: Option<String>,
    since: Timestamp,
}

/// Shows what is known of an address. Every spelling of the address finds it.
pub(super) async fn show(
    State(ops): State<Arc<Ops>>,
    Segment(text): Segment,
    uri: Uri,
) -> Result<Json<Answer>, Problem> {
    Fields::parse(&uri)?.finish()?;
    let ip = filter::parse_ip(&text)?;
    let key = ip.clone();
    let known = ops.sources.store.read(move |reader| subject::read_ip(reader, &key)).await?;
    let known = known.ok_or_else(|| subject::unknown_ip(&ip))?;
    let watch = Watch::new(known.reasons, subject::WHY_NO_IP_WATCH);
    Ok(Json(Answer {
        ip,
        watch,
        poll: known.poll.map(PollState::from),
        snapshot: known.record.map(Snapshot::from),
    }))
}

impl From<IpRecord> for Snapshot {
    fn from(record: IpRecord) -> Self {
        Self {
            users: record.users.into_iter().map(User::from).collect(),
            new_users: record.new_users,
            last_new_user_at: record.last_new_user_at,
            first_observed_at: record.first_observed_at,
            observed_at: record.observed_at,
        }
    }
}

impl From<IpRecordUser> for User {
    fn from(found: IpRecordUser) -> Self {
        Self {
            login: found.login.to_string(),
            reference_url: link::web_url(found.user.reference_url.as_ref()).map(str::to_owned),
            id: found.user.id,
            display_name: found.user.display_name,
            since: found.since,
        }
    }
}
