//! Figures of the whole tenant; none of them is about a person.

use std::collections::{BTreeMap, BTreeSet};

use super::Timestamp;
use chrono::TimeDelta;
use strum::{EnumString, IntoStaticStr};

/// One account of a listing, with the fields that are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantUser {
    /// The state of the account, in lower case.
    pub status: Option<String>,
    /// What kind of account it is, in lower case.
    pub user_type: Option<String>,
    /// The systems that know it, in lower case.
    pub providers: BTreeSet<String>,
    /// Whether it has a second factor.
    pub mfa: Option<bool>,
    /// The level of trust, in lower case.
    pub level_of_trust: Option<String>,
    /// When the account was last used: last active, else last signed in, else created.
    pub last_active: Option<Timestamp>,
    /// Its devices.
    pub devices: Vec<TenantDevice>,
}

/// A device of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantDevice {
    /// The device's id in the system that reported it.
    pub id: String,
    /// Its name, in lower case.
    pub name: Option<String>,
    /// `access` or `authentication`, in lower case.
    pub kind: Option<String>,
}

/// A dimension by which accounts are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Dimension {
    /// State of the account.
    Status,
    /// Kind of account.
    UserType,
    /// A system that knows the account; one account can count several times.
    Provider,
    /// `enabled`, `disabled` or `unknown`.
    Mfa,
    /// Level of trust.
    LevelOfTrust,
    /// Days without use, `30` or `90`; accounts of 90 count under 30, too.
    InactiveDays,
    /// Kind of device.
    DeviceType,
    /// Devices that only authenticate.
    UnlinkedDevices,
}

impl Dimension {
    /// The dimension as the store writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The dimension of this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Numbers of accounts or devices, by dimension and value.
pub type TenantFigures = BTreeMap<(Dimension, String), u64>;

/// After how many days without use an account counts as inactive.
const INACTIVE_DAYS: [i64; 2] = [30, 90];

/// Accounts in these states are deleted, and do not count as inactive.
const GONE: [&str; 2] = ["deleted", "deprovisioned"];

const UNKNOWN: &str = "unknown";

/// The figures of an empty tenant: every known value is present with 0.
#[must_use]
pub fn no_figures() -> TenantFigures {
    let mut figures = TenantFigures::new();
    for mfa in ["enabled", "disabled", UNKNOWN] {
        figures.insert((Dimension::Mfa, mfa.to_owned()), 0);
    }
    for days in INACTIVE_DAYS {
        figures.insert((Dimension::InactiveDays, days.to_string()), 0);
    }
    figures.insert((Dimension::UnlinkedDevices, String::new()), 0);
    figures
}

/// Adds an account to the figures, as of a moment.
pub fn count(figures: &mut TenantFigures, user: &TenantUser, at: Timestamp) {
    let mut add = |dimension, value: &str| {
        *figures.entry((dimension, value.to_owned())).or_default() += 1;
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| UNKNOWN.to_owned());
    let status = text(&user.status);
    add(Dimension::Status, &status);
    add(Dimension::UserType, &text(&user.user_type));
    add(Dimension::LevelOfTrust, &text(&user.level_of_trust));
    add(Dimension::Mfa, user.mfa.map_or(UNKNOWN, |mfa| if mfa { "enabled" } else { "disabled" }));
    for provider in &user.providers {
        add(Dimension::Provider, provider);
    }
    if let Some(last_active) = user.last_active.filter(|_| !GONE.contains(&status.as_str())) {
        for days in INACTIVE_DAYS {
            if at - last_active >= TimeDelta::days(days) {
                add(Dimension::InactiveDays, &days.to_string());
            }
        }
    }
    for device in &user.devices {
        add(Dimension::DeviceType, device.kind.as_deref().unwrap_or(UNKNOWN));
        if is_unlinked(device, &user.devices) {
            add(Dimension::UnlinkedDevices, "");
        }
    }
}

/// Whether a device only authenticates: no device with the same id or name is known to be used for
/// access.
fn is_unlinked(device: &TenantDevice, all: &[TenantDevice]) -> bool {
    let is = |device: &TenantDevice, kind| device.kind.as_deref() == Some(kind);
    let is_same = |other: &&TenantDevice| {
        other.id == device.id || (device.name.is_some() && other.name == device.name)
    };
    is(device, "authentication") && !all.iter().filter(is_same).any(|other| is(other, "access"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, name: &str, kind: &str) -> TenantDevice {
        TenantDevice { id: id.into(), name: Some(name.into()), kind: Some(kind.into()) }
    }

    #[test]
    fn every_account_counts_once_in_each_dimension_that_has_one_value() {
        let at: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let mut figures = no_figures();
        let used = |days| Some(at - TimeDelta::days(days));
        for (status, days) in [("active", 1), ("active", 40), ("inactive", 90), ("deleted", 400)] {
            let user = TenantUser {
                status: Some(status.to_owned()),
                mfa: Some(days > 50),
                last_active: used(days),
                providers: ["okta", "duo"].map(str::to_owned).into(),
                ..TenantUser::default()
            };
            count(&mut figures, &user, at);
        }
        let figure = |dimension, value: &str| figures.get(&(dimension, value.to_owned())).copied();
        assert_eq!(figure(Dimension::Status, "active"), Some(2));
        assert_eq!(figure(Dimension::UserType, "unknown"), Some(4));
        assert_eq!(figure(Dimension::Provider, "duo"), Some(4));
        assert_eq!(figure(Dimension::Mfa, "enabled"), Some(2));
        assert_eq!(figure(Dimension::Mfa, "unknown"), Some(0));
        assert_eq!(figure(Dimension::InactiveDays, "30"), Some(2));
        assert_eq!(figure(Dimension::InactiveDays, "90"), Some(1));
    }

    #[test]
    fn a_device_that_only_authenticates_is_unlinked() {
        let devices = vec![
            device("1", "laptop", "access"),
            device("2", "laptop", "authentication"),
            device("3", "phone", "authentication"),
        ];
        let mut figures = no_figures();
        let user = TenantUser { devices, ..TenantUser::default() };
        count(&mut figures, &user, Timestamp::UNIX_EPOCH);
        assert_eq!(figures[&(Dimension::UnlinkedDevices, String::new())], 1);
        assert_eq!(figures[&(Dimension::DeviceType, "authentication".to_owned())], 2);
    }
}
