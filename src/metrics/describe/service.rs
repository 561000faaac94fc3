//! Samples of the service: integrations, administrators, daily counts.

use super::{Family, Samples};
use crate::{
    domain::{Admin, Integration, Timestamp},
    store::ServiceView,
};

/// Days without a sign-in after which an administrator counts as inactive.
const INACTIVE_DAYS: [u64; 2] = [30, 90];

pub(super) fn add_service(samples: &mut Samples, service: &ServiceView) {
    for integration in &service.integrations {
        let Integration { id, name, status, date, .. } = integration;
        let labels = [id.as_str(), name, status];
        samples.add_known(Family::IntegrationUp, &labels, integration.is_up());
        samples.add_known(Family::IntegrationLastStatus, &labels, *date);
    }
    if let Some((at, admins)) = &service.admins {
        add_administrators(samples, admins, *at);
    }
    samples.add_known(Family::TenantDailyFailures, &[], service.daily_failures);
}

fn add_administrators(samples: &mut Samples, admins: &[Admin], at: Timestamp) {
    let days = |admin: &Admin| {
        let days = (at - admin.last_sign_in?).num_days();
        Some(u64::try_from(days).unwrap_or_default())
    };
    samples.add(Family::Admins, &[], admins.len());
    for limit in INACTIVE_DAYS {
        let is_inactive = |admin: &&Admin| days(admin).is_none_or(|days| days >= limit);
        let inactive = admins.iter().filter(is_inactive).count();
        samples.add(Family::AdminsInactive, &[&limit.to_string()], inactive);
    }
    let mut known: Vec<_> = admins.iter().filter_map(|admin| admin.last_sign_in).collect();
    known.sort_unstable_by(|one, other| other.cmp(one));
    for (rank, at) in [
        ("latest", known.first()),
        ("median", known.get(known.len() / 2)),
        ("earliest", known.last()),
    ] {
        samples.add_known(Family::AdminLastSignIn, &[rank], at.copied());
    }
}
