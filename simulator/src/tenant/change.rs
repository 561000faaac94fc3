//! What time does to a tenant.

use chrono::{DateTime, Utc};
use rand::{RngExt, seq::IndexedRandom};

use super::{SignIn, Tenant, User, seed, words};
use crate::vocabulary::EndUserStatus;

/// Something that happened to a user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the login concerned and what the variant names")]
pub enum Change {
    /// The user was seen at a new address.
    IpNew { login: String, ip_address: String },
    /// An address of the user is no longer reported.
    IpGone { login: String, ip_address: String },
    /// The user has not used an application for 30 days.
    ApplicationUnused { login: String, application: String },
    /// The user came back to an application.
    ApplicationUsed { login: String, application: String },
    /// The user's factors are others than before.
    Factors { login: String },
    /// The state of the account changed.
    Status { login: String, status: EndUserStatus },
    /// The user works from elsewhere.
    Location { login: String },
    /// The user started failing a check.
    Failed { login: String, check_id: String },
    /// The user stopped failing a check.
    Resolved { login: String, check_id: String },
}

pub(super) fn some(tenant: &mut Tenant, count: usize, now: DateTime<Utc>) -> Vec<Change> {
    let logins = tenant.logins();
    (0..count)
        .filter_map(|_| {
            let login = logins.choose(&mut tenant.rng)?;
            // Not every kind of change is possible for every user: try until one is.
            (0..8).find_map(|_| one(tenant, login, now))
        })
        .collect()
}

fn one(tenant: &mut Tenant, login: &str, now: DateTime<Utc>) -> Option<Change> {
    match tenant.rng.random_range(0..12) {
        0 | 1 => ip_new(tenant, login, now),
        2 => ip_gone(tenant, login),
        3 => application(tenant, login, false),
        4 => application(tenant, login, true),
        5 => factors(tenant, login),
        6 => status(tenant, login),
        7 => location(tenant, login),
        8..=10 => failed(tenant, login),
        _ => resolved(tenant, login),
    }
}

fn ip_new(tenant: &mut Tenant, login: &str, now: DateTime<Utc>) -> Option<Change> {
    let address = if tenant.rng.random_bool(0.5) {
        tenant.addresses.choose(&mut tenant.rng)?.clone()
    } else {
        seed::address(&mut tenant.rng)
    };
    let user = tenant.users.get_mut(login)?;
    if user.has_ip(&address.ip_address) {
        return None;
    }
    user.last_sign_in = Some(SignIn {
        timestamp: now,
        result: Some("SUCCESS".to_owned()),
        reason: None,
        ip_address: Some(address.ip_address.clone()),
        location: address.location.clone(),
    });
    let ip_address = address.ip_address.clone();
    user.ip_addresses.push(address);
    Some(Change::IpNew { login: login.to_owned(), ip_address })
}

fn ip_gone(tenant: &mut Tenant, login: &str) -> Option<Change> {
    let user = tenant.users.get_mut(login)?;
    if user.ip_addresses.len() < 2 {
        return None;
    }
    let gone = user.ip_addresses.remove(tenant.rng.random_range(0..user.ip_addresses.len()));
    Some(Change::IpGone { login: login.to_owned(), ip_address: gone.ip_address })
}

fn application(tenant: &mut Tenant, login: &str, used: bool) -> Option<Change> {
    let User { used_applications, unused_applications, .. } = tenant.users.get_mut(login)?;
    let (from, to) = if used {
        (unused_applications, used_applications)
    } else {
        (used_applications, unused_applications)
    };
    if from.is_empty() {
        return None;
    }
    let application = from.remove(tenant.rng.random_range(0..from.len()));
    to.push(application.clone());
    let login = login.to_owned();
    Some(if used {
        Change::ApplicationUsed { login, application }
    } else {
        Change::ApplicationUnused { login, application }
    })
}

fn factors(tenant: &mut Tenant, login: &str) -> Option<Change> {
    let factor = seed::pick(&mut tenant.rng, &words::FACTORS);
    let user = tenant.users.get_mut(login)?;
    match user.used_factors.iter().position(|used| used == factor) {
        Some(position) => {
            user.used_factors.remove(position);
        }
        None => user.used_factors.push(factor.to_owned()),
    }
    Some(Change::Factors { login: login.to_owned() })
}

fn status(tenant: &mut Tenant, login: &str) -> Option<Change> {
    use EndUserStatus::{Active, Inactive, LockedOut, Suspended};
    let status =
        seed::pick(&mut tenant.rng, &[Active, Active, Active, Inactive, LockedOut, Suspended]);
    let user = tenant.users.get_mut(login)?;
    if user.status == status {
        return None;
    }
    user.status = status;
    Some(Change::Status { login: login.to_owned(), status })
}

fn location(tenant: &mut Tenant, login: &str) -> Option<Change> {
    let place = seed::place(&mut tenant.rng);
    let working = tenant.users.get_mut(login)?.working_locations.first_mut()?;
    if working.location == place {
        return None;
    }
    working.location = place;
    Some(Change::Location { login: login.to_owned() })
}

fn failed(tenant: &mut Tenant, login: &str) -> Option<Change> {
    let ids: Vec<&String> = tenant.checks.keys().collect();
    let check_id = (*ids.choose(&mut tenant.rng)?).clone();
    tenant
        .set_failing(login, &check_id, true)
        .then(|| Change::Failed { login: login.to_owned(), check_id })
}

fn resolved(tenant: &mut Tenant, login: &str) -> Option<Change> {
    let failing: Vec<String> = tenant.users.get(login)?.failing_checks.iter().cloned().collect();
    let check_id = failing.choose(&mut tenant.rng)?.clone();
    tenant
        .set_failing(login, &check_id, false)
        .then(|| Change::Resolved { login: login.to_owned(), check_id })
}
