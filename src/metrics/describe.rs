//! Builds the samples of one subject from its rows in the store.

mod service;
pub(super) mod tenant;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{
    Family, Scope, TenantListing,
    applications::Use,
    sample::{Sample, Samples},
    view::Subject,
};
use crate::{
    domain::{CheckId, PollOutcome, Timestamp},
    store::{CheckState, IpView, PollState, Reader, StoreError, UserView},
};

/// The inputs of samples.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) reader: &'a Reader,
    pub(super) scope: &'a Scope,
    pub(super) now: Timestamp,
}

/// Reads a subject's rows and builds its samples; none when the subject no longer exists or is not
/// watched.
pub(super) fn read_samples(
    known: &Known<'_>,
    subject: &Subject,
) -> Result<Vec<Sample>, StoreError> {
    let (reader, mut samples) = (known.reader, Samples::default());
    match subject {
        Subject::Ip(address) => {
            if let Some(state) = reader.watched_ip(address)?.filter(|_| known.scope.has_polls()) {
                add_ip(&mut samples, address, &state);
            }
        }
        // These come from the totals over many subjects, or need them; see `round`.
        Subject::Check(_)
        | Subject::Checks
        | Subject::User(_)
        | Subject::Application(_)
        | Subject::People => {}
        Subject::Watched => {
            let counts = reader.counts()?;
            samples.add(Family::Watched, &["user"], counts.users);
            samples.add(Family::Watched, &["ip"], counts.ips);
            samples.add(Family::FollowedUsers, &[], counts.followed);
            let is_past = usize::try_from(counts.watched_users())
                .is_ok_and(|users| users > known.scope.max_users);
            samples.add(Family::WatchLimitReached, &[], is_past);
            samples.add(Family::NewIps, &[], counts.new_ips);
            samples.add(Family::NewCountries, &[], counts.new_countries);
        }
        Subject::Tenant => {
            tenant::add_tenant_info(
                &mut samples,
                known.scope.tenant_name.as_deref(),
                reader.tenant_id()?,
            );
            tenant::add_figures(&mut samples, &reader.tenant_figures()?);
            samples.add_known(Family::TenantListingComplete, &[], is_tenant_known(known)?);
        }
        Subject::Service => service::add_service(&mut samples, &reader.service()?),
        Subject::Webhook => {
            samples.add_known(Family::WebhookLastDelivery, &[], reader.last_delivery_at()?);
        }
    }
    Ok(samples.into_vec())
}

/// Builds the samples of a watched user.
pub(super) fn user_samples(login: &str, state: &UserView) -> Vec<Sample> {
    let mut samples = Samples::default();
    add_user(&mut samples, login, state);
    samples.into_vec()
}

/// Builds the samples of an application; none when no user has it.
pub(super) fn application_samples(name: &str, found: Use) -> Vec<Sample> {
    let mut samples = Samples::default();
    if found.unused + found.used > 0 {
        samples.add(Family::ApplicationUnusedUsers, &[name], found.unused);
        samples.add(Family::ApplicationUsedUsers, &[name], found.used);
    }
    samples.into_vec()
}

/// When the samples of a check next change with time alone: a failure becomes overdue.
pub(super) type Due = Option<Timestamp>;

/// Reads a check and builds its samples; none when there is no such check.
pub(super) fn read_check_samples(
    known: &Known<'_>,
    id: &CheckId,
) -> Result<(Vec<Sample>, Due), StoreError> {
    let mut samples = Samples::default();
    let Some(state) = known.reader.check(id.as_str())? else { return Ok((Vec::new(), None)) };
    add_check(&mut samples, id.as_str(), &state);
    let Some(objective) = known.scope.objectives.limit_for(id, &state.severity) else {
        return Ok((samples.into_vec(), None));
    };
    let (overdue, next) = known.reader.failures_before(id.as_str(), known.now - objective)?;
    samples.add(Family::CheckOverdue, &[id.as_str()], overdue);
    // A failure is overdue once it has lasted longer than the objective, so one microsecond after
    // it.
    let due = next.map(|opened_at| opened_at + objective + TimeDelta::microseconds(1));
    Ok((samples.into_vec(), due))
}

/// Whether a listing of the whole tenant completed with the failing checks; `None` without `[api]`.
pub(super) fn is_tenant_known(known: &Known<'_>) -> Result<Option<bool>, StoreError> {
    match known.scope.listing {
        TenantListing::NoApi => Ok(None),
        TenantListing::Off => Ok(Some(false)),
        TenantListing::On => Ok(Some(known.reader.tenant_listing_state()?.is_complete())),
    }
}

fn add_check(samples: &mut Samples, id: &str, state: &CheckState) {
    let severity = state.severity.label();
    samples.add(Family::CheckFailingUsers, &[id, &severity], state.failing);
    samples.add(Family::CheckInfo, &[id, &severity, &state.title], 1_u64);
    samples.add(Family::CheckLastEvent, &[id], state.last_event_at);
    samples.add_known(Family::CheckOldestFailure, &[id], state.oldest_failure_at);
    samples.add_known(Family::CheckOldestConfirmation, &[id], state.oldest_report_at);
    samples.add_histogram(Family::CheckFailureDuration, &[id], &state.durations);
    samples.add_known(Family::CheckLastFailure, &[id], state.last_failure_at);
    samples.add(Family::CheckFailures, &[id], state.failures);
    samples.add(Family::CheckResolutions, &[id], state.resolutions);
}

fn add_user(samples: &mut Samples, login: &str, user: &UserView) {
    let labels = [login];
    samples.add(Family::UserFailingChecks, &labels, user.failing_checks);
    samples.add_known(Family::UserPollUp, &labels, user.poll.as_ref().map(is_up));
    let Some(state) = user.current_snapshot() else { return };
    let unused = state.unused_applications.as_ref().map(BTreeSet::len);
    samples.add_known(Family::UserUnusedApplications, &labels, unused);
    let used = state.used_applications.as_ref().map(BTreeSet::len);
    samples.add_known(Family::UserUsedApplications, &labels, used);
    let addresses = state.ip_addresses.as_ref().map(BTreeMap::len);
    samples.add_known(Family::UserIpAddresses, &labels, addresses);
    samples.add(Family::UserNewIps, &labels, user.new_ips);
    samples.add_known(Family::UserLastNewIp, &labels, user.last_new_ip_at);
    samples.add_known(Family::UserLastNewCountry, &labels, user.last_new_country_at);
    samples.add_known(Family::UserObserved, &labels, user.observed_at);
    let user_type = state.user_type.as_deref().unwrap_or("unknown");
    samples.add(Family::UserInfo, &[login, &state.status, user_type], 1_u64);
}

fn add_ip(samples: &mut Samples, address: &str, state: &IpView) {
    let labels = [address];
    samples.add_known(Family::IpPollUp, &labels, state.poll.as_ref().map(is_up));
    let Some(users) = state.users else { return };
    samples.add(Family::IpUsers, &labels, users);
    samples.add(Family::IpNewUsers, &labels, state.new_users);
    samples.add_known(Family::IpLastNewUser, &labels, state.last_new_user_at);
    samples.add_known(Family::IpObserved, &labels, state.observed_at);
}

/// Whether the last poll was answered.
fn is_up(poll: &PollState) -> bool {
    poll.outcome == PollOutcome::Answered
}
