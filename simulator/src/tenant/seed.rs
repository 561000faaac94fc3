//! A tenant out of a number.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::IndexedRandom};

use super::{
    Device, Integration, IpAddress, Location, SignIn, Tenant, User, WorkingLocation,
    check::TEMPLATES, words,
};
use crate::{
    ids::uuid_from,
    vocabulary::{
        ActivityResultType, DeviceType, EndUserStatus, LevelOfTrust, OsType, Provider,
        UserTypeClassification,
    },
};

pub(super) fn tenant(seed: u64, users: usize, now: DateTime<Utc>) -> Tenant {
    let mut rng = SmallRng::seed_from_u64(seed);
    let checks = TEMPLATES
        .iter()
        .map(|template| (template.id.to_owned(), template.instantiate(uuid_from(&mut rng))))
        .collect();
    let mut tenant = Tenant {
        account: format!("{:012}", rng.random_range(0..1_000_000_000_000_u64)),
        id: uuid_from(&mut rng),
        region: "us-east-2".to_owned(),
        failing_checks_by_title: false,
        daily_failing: Vec::new(),
        admins: Vec::new(),
        integrations: vec![
            Integration::new("okta-1", "Okta"),
            Integration {
                status: ActivityResultType::PartialSuccess,
                error: Some("1 page failed".to_owned()),
                ..Integration::new("duo-1", "Duo")
            },
        ],
        users: std::collections::BTreeMap::new(),
        checks,
        newly_failing: std::collections::BTreeMap::new(),
        failing_since: std::collections::BTreeMap::new(),
        addresses: addresses(&mut rng, 8 + users / 8),
        rng,
    };
    let logins = logins(&mut tenant.rng, users);
    for (index, (login, name)) in logins.into_iter().enumerate() {
        let user = user(&mut tenant, index, &login, &name, now);
        tenant.users.insert(user.login.clone(), user);
    }
    fail_some(&mut tenant);
    tenant.admins = tenant.users.keys().take(users.div_ceil(10)).cloned().collect();
    tenant.daily_failing = history(&mut tenant, now);
    tenant
}

/// An address out of the ranges that are set aside for documentation.
pub(super) fn address(rng: &mut SmallRng) -> IpAddress {
    let text = match rng.random_range(0..4) {
        0 => format!("192.0.2.{}", rng.random_range(1..255)),
        1 => format!("198.51.100.{}", rng.random_range(1..255)),
        2 => format!("203.0.113.{}", rng.random_range(1..255)),
        _ => format!("2001:db8:{:x}::{:x}", rng.random::<u16>(), rng.random_range(1..u16::MAX)),
    };
    let address = IpAddress::new(&text);
    // The service does not know the place of every address.
    if rng.random_bool(0.9) { address.at(place(rng)) } else { address }
}

pub(super) fn place(rng: &mut SmallRng) -> Location {
    let (city, state, country) = pick(rng, &words::PLACES);
    Location::new(city, state, country)
}

/// One of a list that is never empty.
pub(super) fn pick<T: Copy>(rng: &mut SmallRng, list: &[T]) -> T {
    list[rng.random_range(0..list.len())]
}

fn addresses(rng: &mut SmallRng, count: usize) -> Vec<IpAddress> {
    let mut seen = BTreeSet::from(["203.0.113.7".to_owned()]);
    let mut list = vec![IpAddress::new("203.0.113.7").at(place(rng))];
    list.extend((1..count).map(|_| address(rng)).filter(|new| seen.insert(new.ip_address.clone())));
    list
}

/// Logins with names: one in ten is a service account, as long as there are any.
fn logins(rng: &mut SmallRng, count: usize) -> Vec<(String, String)> {
    let mut taken = BTreeSet::new();
    let mut services = words::SERVICE_ACCOUNTS.iter();
    (0..count)
        .map(|index| {
            if index % 10 == 4
                && let Some((login, name)) = services.next()
            {
                return ((*login).to_owned(), (*name).to_owned());
            }
            let given = words::GIVEN[index % words::GIVEN.len()];
            let family = pick(rng, &words::FAMILY);
            let name = format!("{given} {family}");
            let mut login = if index == 0 {
                "alice@example.com".to_owned()
            } else {
                format!("{given}.{family}@{}", pick(rng, &words::DOMAINS)).to_lowercase()
            };
            if !taken.insert(login.clone()) {
                login = login.replacen('@', &format!("{index}@"), 1);
                taken.insert(login.clone());
            }
            (login, name)
        })
        .collect()
}

fn user(tenant: &mut Tenant, index: usize, login: &str, name: &str, now: DateTime<Utc>) -> User {
    let service = !login.contains('@');
    // The first users become managers of later ones.
    let managers: Vec<String> = tenant.users.keys().take(1 + index / 8).cloned().collect();
    let rng = &mut tenant.rng;
    let (department, title) = pick(rng, &words::WORK);
    let (used, unused) = applications(rng);
    let shared = 1 + rng.random_range(0..3_usize).min(tenant.addresses.len() - 1);
    let mut ip_addresses: Vec<IpAddress> = tenant.addresses.sample(rng, shared).cloned().collect();
    if index.is_multiple_of(2) && !ip_addresses.contains(&tenant.addresses[0]) {
        ip_addresses.push(tenant.addresses[0].clone());
    }
    let home = place(rng);
    let share = f64::from(rng.random_range(600..1000)) / 10.0;
    let working_locations = vec![
        WorkingLocation { location: home.clone(), prevalence: share },
        WorkingLocation {
            location: place(rng),
            prevalence: ((100.0 - share) * 10.0).round() / 10.0,
        },
    ];
    let at = &ip_addresses[0];
    let last_sign_in = SignIn {
        timestamp: now - TimeDelta::minutes(rng.random_range(5..60 * 24 * 20)),
        result: Some("SUCCESS".to_owned()),
        reason: None,
        ip_address: Some(at.ip_address.clone()),
        location: at.location.clone(),
    };
    User {
        id: uuid_from(rng),
        employee_ids: if service { Vec::new() } else { vec![format!("E{:05}", 10_000 + index)] },
        status: status(rng),
        user_type: Some(if service {
            UserTypeClassification::ServiceAccount
        } else if rng.random_bool(0.85) {
            UserTypeClassification::Internal
        } else {
            UserTypeClassification::External
        }),
        manager_login: if service { None } else { managers.choose(rng).cloned() },
        phone_number: (!service).then(|| format!("+1555010{:04}", rng.random_range(0..10_000))),
        used_factors: factors(rng, if service { 0 } else { 2 }),
        registered_location: (!service).then_some(home),
        company: Some("Example Corporation".to_owned()),
        department: (!service).then(|| department.to_owned()),
        title: (!service).then(|| title.to_owned()),
        groups: vec!["Everyone".to_owned(), department.to_owned()],
        devices: if service { Vec::new() } else { vec![device(rng, now)] },
        providers: if rng.random_bool(0.6) {
            vec![Provider::Okta, Provider::Duo]
        } else {
            vec![Provider::AzureAd]
        },
        trust: trust(rng),
        created: now - TimeDelta::days(rng.random_range(40..2_000)),
        ip_addresses,
        used_applications: used,
        unused_applications: unused,
        working_locations,
        last_sign_in: Some(last_sign_in),
        ..User::new(login, name)
    }
}

fn applications(rng: &mut SmallRng) -> (Vec<String>, Vec<String>) {
    let total = rng.random_range(4..10);
    let mut all: Vec<String> =
        words::APPLICATIONS.sample(rng, total).map(|&name| name.to_owned()).collect();
    let unused = all.split_off(rng.random_range(2..total));
    (all, unused)
}

fn factors(rng: &mut SmallRng, most: usize) -> Vec<String> {
    let count = rng.random_range(0..=most);
    words::FACTORS.sample(rng, count).map(|&name| name.to_owned()).collect()
}

fn status(rng: &mut SmallRng) -> EndUserStatus {
    match rng.random_range(0..20) {
        0 => EndUserStatus::Suspended,
        1 => EndUserStatus::Inactive,
        2 => EndUserStatus::LockedOut,
        _ => EndUserStatus::Active,
    }
}

fn trust(rng: &mut SmallRng) -> LevelOfTrust {
    pick(
        rng,
        &[
            LevelOfTrust::Trusted,
            LevelOfTrust::Favorable,
            LevelOfTrust::Neutral,
            LevelOfTrust::Questionable,
            LevelOfTrust::Untrusted,
        ],
    )
}

fn device(rng: &mut SmallRng, now: DateTime<Utc>) -> Device {
    let os = pick(rng, &[OsType::Windows, OsType::MacOs, OsType::Linux, OsType::Ios]);
    Device {
        id: uuid_from(rng),
        display_name: Some(format!("Laptop {:03}", rng.random_range(0..1000))),
        os: Some(os),
        last_seen: Some(now - TimeDelta::minutes(rng.random_range(1..60 * 24 * 10))),
        device_type: Some(DeviceType::Access),
        provider: Provider::Duo,
    }
}

/// One user in five starts out failing one to three checks; nothing of it waits for a delivery.
fn fail_some(tenant: &mut Tenant) {
    let ids: Vec<&str> = TEMPLATES.iter().map(|template| template.id).collect();
    for user in tenant.users.values_mut() {
        if tenant.rng.random_bool(0.2) {
            let count = tenant.rng.random_range(1..=3);
            user.failing_checks =
                ids.sample(&mut tenant.rng, count).map(|&id| id.to_owned()).collect();
        }
    }
}

fn history(tenant: &mut Tenant, now: DateTime<Utc>) -> Vec<(String, usize)> {
    let total: usize = tenant.users.values().map(|user| user.failing_checks.len()).sum();
    (0..7)
        .rev()
        .map(|age| {
            let day = (now - TimeDelta::days(age)).format("%Y-%m-%d").to_string();
            (day, if age == 0 { total } else { total + tenant.rng.random_range(0..5) })
        })
        .collect()
}
