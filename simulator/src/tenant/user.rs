//! One account of the tenant, with everything that the service tells of it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::place::{IpAddress, Location, WorkingLocation};
use crate::vocabulary::{
    DeviceType, EndUserStatus, LevelOfTrust, OsType, Provider, UserTypeClassification,
};

/// A device that a user signs in or authenticates with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The provider's id of it.
    pub id: String,
    /// A name for people.
    pub display_name: Option<String>,
    /// Its operating system.
    pub os: Option<OsType>,
    /// When it was last seen.
    pub last_seen: Option<DateTime<Utc>>,
    /// What it is used for.
    pub device_type: Option<DeviceType>,
    /// Who reports it.
    pub provider: Provider,
}

/// A sign-in of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// `SUCCESS` or `FAILURE`.
    pub result: Option<String>,
    /// Why it ended so.
    pub reason: Option<String>,
    /// Where it came from.
    pub ip_address: Option<String>,
    /// Where that address is.
    pub location: Option<Location>,
}

/// An account. Every field may be changed freely: nothing else is derived from it and kept.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// The service's id, a UUID.
    pub id: String,
    /// The login: a lower-case e-mail address, or a bare name for a service account.
    pub login: String,
    /// The name for people.
    pub display_name: String,
    /// Numbers of the personnel system.
    pub employee_ids: Vec<String>,
    /// The state of the account.
    pub status: EndUserStatus,
    /// What `getEndUserState` gives as status instead of the name of [`User::status`].
    pub status_text: Option<String>,
    /// What kind of account it is.
    pub user_type: Option<UserTypeClassification>,
    /// The login of the manager.
    pub manager_login: Option<String>,
    /// The addresses the user was seen at.
    pub ip_addresses: Vec<IpAddress>,
    /// A telephone number.
    pub phone_number: Option<String>,
    /// Applications used in the last 30 days.
    pub used_applications: Vec<String>,
    /// Applications that the user may use and did not in the last 30 days.
    pub unused_applications: Vec<String>,
    /// Authentication factors in use.
    pub used_factors: Vec<String>,
    /// Where the user is registered.
    pub registered_location: Option<Location>,
    /// Where the user works from.
    pub working_locations: Vec<WorkingLocation>,
    /// The company.
    pub company: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// The title at work.
    pub title: Option<String>,
    /// Names of the groups the user is in.
    pub groups: Vec<String>,
    /// Devices.
    pub devices: Vec<Device>,
    /// The systems that know the user.
    pub providers: Vec<Provider>,
    /// How far the user is trusted.
    pub trust: LevelOfTrust,
    /// The ids of the checks that the user fails now.
    pub failing_checks: BTreeSet<String>,
    /// The last sign-in.
    pub last_sign_in: Option<SignIn>,
    /// When the account was made.
    pub created: DateTime<Utc>,
}

impl User {
    /// An active internal user of one provider of whom little is known: for tests that add users.
    #[must_use]
    pub fn new(login: &str, display_name: &str) -> Self {
        Self {
            id: crate::ids::uuid(),
            login: login.to_owned(),
            display_name: display_name.to_owned(),
            employee_ids: Vec::new(),
            status: EndUserStatus::Active,
            status_text: None,
            user_type: Some(UserTypeClassification::Internal),
            manager_login: None,
            ip_addresses: Vec::new(),
            phone_number: None,
            used_applications: Vec::new(),
            unused_applications: Vec::new(),
            used_factors: Vec::new(),
            registered_location: None,
            working_locations: Vec::new(),
            company: None,
            department: None,
            title: None,
            groups: Vec::new(),
            devices: Vec::new(),
            providers: vec![Provider::Okta],
            trust: LevelOfTrust::Neutral,
            failing_checks: BTreeSet::new(),
            last_sign_in: None,
            created: crate::clock::now(),
        }
    }

    /// The e-mail addresses: the login, when it is one.
    #[must_use]
    pub fn emails(&self) -> Vec<String> {
        if self.login.contains('@') { vec![self.login.clone()] } else { Vec::new() }
    }

    /// Whether the user has a second factor.
    #[must_use]
    pub fn mfa_enabled(&self) -> bool {
        !self.used_factors.is_empty()
    }

    /// The `referenceUrl`: where the console shows the user.
    #[must_use]
    pub fn reference_url(&self) -> String {
        format!("https://console.example.com/users/{}", self.id)
    }

    /// Whether the user was seen at this address, in any spelling of it.
    #[must_use]
    pub fn has_ip(&self, ip_address: &str) -> bool {
        self.ip_addresses.iter().any(|at| super::place::same_address(&at.ip_address, ip_address))
    }
}
