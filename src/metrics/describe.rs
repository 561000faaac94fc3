//! Makes the samples of one subject from its rows in the store.

mod service;
mod tenant;

use super::{
    Family, TenantListing,
    people::People,
    sample::{Sample, Value},
    view::Subject,
};
use crate::{
    domain::{PollOutcome, UserState},
    store::{CheckState, IpView, PollState, Reader, StoreError, UserView},
};

/// What samples are made of.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) reader: &'a Reader,
    pub(super) people: &'a People,
    pub(super) listing: TenantListing,
}

/// Reads a subject's rows and makes its samples; none when the subject does not
/// exist any more, or is not watched.
pub(super) fn samples(known: &Known<'_>, subject: &Subject) -> Result<Vec<Sample>, StoreError> {
    let reader = known.reader;
    Ok(match subject {
        Subject::Check(id) => reader.check(id)?.map(|state| check(id, &state)).unwrap_or_default(),
        Subject::User(login) => {
            reader.watched_user(login)?.map(|state| user(login, &state)).unwrap_or_default()
        }
        Subject::Ip(address) => {
            reader.watched_ip(address)?.map(|state| ip(address, &state)).unwrap_or_default()
        }
        Subject::Application(name) => {
            let found = reader.application_use(name)?;
            let labels = [("application", name.as_str())];
            if found.unused + found.used == 0 {
                return Ok(Vec::new());
            }
            vec![
                Sample::new(Family::ApplicationUnusedUsers, &labels, Value::Count(found.unused)),
                Sample::new(Family::ApplicationUsedUsers, &labels, Value::Count(found.used)),
            ]
        }
        Subject::Watched => ["user", "ip"]
            .into_iter()
            .map(|kind| {
                let count = reader.watched_count(kind)?;
                Ok(Sample::new(Family::Watched, &[("kind", kind)], Value::Count(count)))
            })
            .collect::<Result<_, StoreError>>()?,
        Subject::People => known.people.samples(is_tenant_known(known)? == Some(true)),
        Subject::Tenant => {
            let mut samples = tenant::samples(&reader.tenant_figures()?);
            samples.extend(is_tenant_known(known)?.map(|is_known| {
                let value = Value::Count(u64::from(is_known));
                Sample::new(Family::TenantListingComplete, &[], value)
            }));
            samples
        }
        Subject::Service => service::samples(&reader.service()?),
        Subject::Webhook => reader
            .last_delivery_at()?
            .map(|at| Sample::new(Family::WebhookLastDelivery, &[], Value::Moment(at)))
            .into_iter()
            .collect(),
    })
}

/// Whether a listing told who fails what in the whole tenant; `None` where there
/// is no API to ask.
fn is_tenant_known(known: &Known<'_>) -> Result<Option<bool>, StoreError> {
    match known.listing {
        TenantListing::NoApi => Ok(None),
        TenantListing::Off => Ok(Some(false)),
        TenantListing::On => Ok(Some(known.reader.tenant_listing_state()?.is_complete())),
    }
}

fn check(id: &str, state: &CheckState) -> Vec<Sample> {
    let severity = state.severity.label();
    let labels = [("check_id", id), ("severity", severity.as_str())];
    let mut samples = vec![
        Sample::new(Family::CheckFailingUsers, &labels, Value::Count(state.failing)),
        Sample::new(
            Family::CheckInfo,
            &[labels[0], labels[1], ("title", state.title.as_str())],
            Value::Count(1),
        ),
        Sample::new(Family::CheckLastEvent, &labels[..1], Value::Moment(state.last_event_at)),
    ];
    for totals in &state.totals {
        let labels = [("check_id", id), ("severity", totals.severity.as_str())];
        samples.push(Sample::new(Family::CheckFailures, &labels, Value::Count(totals.failures)));
        let resolutions = Value::Count(totals.resolutions);
        samples.push(Sample::new(Family::CheckResolutions, &labels, resolutions));
    }
    samples
}

fn user(login: &str, user: &UserView) -> Vec<Sample> {
    let labels = [("login", login)];
    let count = |family, number| Sample::new(family, &labels, Value::Count(number));
    let mut samples = vec![count(Family::UserFailingChecks, user.failing_checks)];
    samples.extend(user.poll.as_ref().map(|poll| count(Family::UserPollUp, up(poll))));
    let Some(state) = &user.snapshot else { return samples };
    samples.extend(sizes(state).into_iter().filter_map(|(family, size)| {
        Some(count(family, u64::try_from(size?).unwrap_or(u64::MAX)))
    }));
    samples.push(count(Family::UserNewIps, user.new_ips));
    if let Some(at) = user.last_new_ip_at {
        samples.push(Sample::new(Family::UserLastNewIp, &labels, Value::Moment(at)));
    }
    let user_type = state.user_type.as_deref().unwrap_or("unknown");
    let labels = [labels[0], ("status", state.status.as_str()), ("user_type", user_type)];
    samples.push(Sample::new(Family::UserInfo, &labels, Value::Count(1)));
    samples
}

/// The sizes of the lists that the service told.
fn sizes(state: &UserState) -> [(Family, Option<usize>); 3] {
    [
        (
            Family::UserUnusedApplications,
            state.unused_applications.as_ref().map(std::collections::BTreeSet::len),
        ),
        (
            Family::UserUsedApplications,
            state.used_applications.as_ref().map(std::collections::BTreeSet::len),
        ),
        (Family::UserIpAddresses, state.ip_addresses.as_ref().map(std::collections::BTreeMap::len)),
    ]
}

fn ip(address: &str, state: &IpView) -> Vec<Sample> {
    let labels = [("ip", address)];
    let count = |family, number| Sample::new(family, &labels, Value::Count(number));
    let mut samples: Vec<_> =
        state.poll.as_ref().map(|poll| count(Family::IpPollUp, up(poll))).into_iter().collect();
    let Some(users) = &state.users else { return samples };
    samples.push(count(Family::IpUsers, u64::try_from(users.len()).unwrap_or(u64::MAX)));
    samples.push(count(Family::IpNewUsers, state.new_users));
    if let Some(at) = state.last_new_user_at {
        samples.push(Sample::new(Family::IpLastNewUser, &labels, Value::Moment(at)));
    }
    samples
}

/// 1 when the last poll was answered.
fn up(poll: &PollState) -> u64 {
    u64::from(poll.outcome == PollOutcome::Answered)
}
