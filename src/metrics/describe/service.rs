//! The service itself: integrations, administrators, daily counts.

use super::{Family, Sample, Value};
use crate::{
    domain::{Admin, Integration, Timestamp},
    store::ServiceView,
};

/// Days without a sign-in after which an administrator counts as inactive.
const INACTIVE_DAYS: [u64; 2] = [30, 90];

pub(super) fn samples(service: &ServiceView) -> Vec<Sample> {
    let mut samples: Vec<_> = service.integrations.iter().flat_map(integration).collect();
    if let Some((at, admins)) = &service.admins {
        samples.extend(administrators(admins, *at));
    }
    let daily = service.daily_failures;
    samples.extend(
        daily.map(|count| Sample::new(Family::TenantDailyFailures, &[], Value::Count(count))),
    );
    samples
}

fn integration(integration: &Integration) -> Vec<Sample> {
    let Integration { id, name, status, date, .. } = integration;
    let labels = [("integration_id", id.as_str()), ("integration", name), ("status", status)];
    let up = integration.is_up().map(u64::from);
    let up = up.map(|up| Sample::new(Family::IntegrationUp, &labels, Value::Count(up)));
    let last =
        date.map(|date| Sample::new(Family::IntegrationLastStatus, &labels, Value::Moment(date)));
    up.into_iter().chain(last).collect()
}

fn administrators(admins: &[Admin], at: Timestamp) -> Vec<Sample> {
    let days = |admin: &Admin| {
        let days = (at - admin.last_sign_in?).num_days();
        Some(u64::try_from(days).unwrap_or_default())
    };
    let count = |number: usize| Value::Count(u64::try_from(number).unwrap_or(u64::MAX));
    let mut samples = vec![Sample::new(Family::Admins, &[], count(admins.len()))];
    for limit in INACTIVE_DAYS {
        let is_inactive = |admin: &&Admin| days(admin).is_none_or(|days| days >= limit);
        let inactive = admins.iter().filter(is_inactive).count();
        let labels = [("days", &*limit.to_string())];
        samples.push(Sample::new(Family::AdminsInactive, &labels, count(inactive)));
    }
    let mut known: Vec<_> = admins.iter().filter_map(days).collect();
    known.sort_unstable();
    let quantiles =
        [("0", known.first()), ("0.5", known.get(known.len() / 2)), ("1", known.last())];
    samples.extend(quantiles.into_iter().filter_map(|(quantile, days)| {
        let labels = [("quantile", quantile)];
        Some(Sample::new(Family::AdminDaysSinceSignIn, &labels, Value::Count(*days?)))
    }));
    samples
}
