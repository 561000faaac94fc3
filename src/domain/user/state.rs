//! The state of a watched user.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use crate::domain::{Login, Past, PastKind, Timestamp};

/// The newest snapshot of a user (`EndUserState` of the published schema).
///
/// `None` in a field that is compared means that it was never given. Its first value is the
/// baseline and makes no event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserState {
    /// The service's own id of the user.
    pub id: String,
    /// The user's name for people.
    pub display_name: String,
    /// Aggregated over the identity providers; free text. Empty as long as the service gave none.
    pub status: String,
    /// `userTypeClassification`.
    pub user_type: Option<String>,
    /// The manager's login.
    pub manager_login: Option<String>,
    /// The user's page in the service's console.
    pub reference_url: Option<String>,
    /// The user's addresses in canonical form, with their places.
    pub ip_addresses: Option<BTreeMap<String, Place>>,
    /// Applications the user can access and did not use in the past 30 days.
    pub unused_applications: Option<BTreeSet<String>>,
    /// Applications the user used in the past 30 days.
    pub used_applications: Option<BTreeSet<String>>,
    /// Factors the user signs in with.
    pub used_factors: Option<BTreeSet<String>>,
    /// Where the user is registered: none or one.
    pub registered_location: Option<BTreeSet<Place>>,
    /// Where the user works from.
    pub working_locations: Option<BTreeSet<Place>>,
    /// The share of the user's work that is done from each place, in hundredths of a per cent; it
    /// varies daily.
    pub prevalence: BTreeSet<(Place, u32)>,
    /// The user's numbers as an employee.
    pub employee_ids: Option<BTreeSet<String>>,
    /// The user's telephone.
    pub phone_number: Option<String>,
}

impl UserState {
    /// The countries of the user's addresses, as far as they are known.
    #[must_use]
    pub fn countries(&self) -> BTreeSet<&str> {
        let places = self.ip_addresses.iter().flat_map(BTreeMap::values);
        places.filter_map(|place| place.country.as_deref()).collect()
    }

    /// Records addresses and countries that the user had `before` and no longer has.
    pub fn record_gone(&self, before: &Self, past: &mut Past, at: Timestamp) {
        let (Some(old), Some(new)) = (&before.ip_addresses, &self.ip_addresses) else { return };
        let (old, new) = (old.keys().map(String::as_str), new.keys().map(String::as_str));
        past.record_difference(PastKind::Address, &old.collect(), &new.collect(), at);
        past.record_difference(PastKind::Country, &before.countries(), &self.countries(), at);
    }

    /// Whether the user is deleted in the tenant.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.status.eq_ignore_ascii_case("deleted")
    }

    /// The share of the user's work that is done from a place, in hundredths of a per cent.
    #[must_use]
    pub fn prevalence_of(&self, place: &Place) -> Option<u32> {
        self.prevalence.iter().find(|(known, _)| known == place).map(|(_, share)| *share)
    }
}

/// A field of a snapshot that can be missing in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserField {
    /// [`UserState::id`]
    Id,
    /// [`UserState::display_name`]
    DisplayName,
    /// [`UserState::status`]
    Status,
    /// [`UserState::employee_ids`]
    EmployeeIds,
    /// [`UserState::phone_number`]
    PhoneNumber,
    /// [`UserState::user_type`]
    UserType,
    /// [`UserState::manager_login`]
    ManagerLogin,
    /// [`UserState::reference_url`]
    ReferenceUrl,
    /// [`UserState::ip_addresses`]
    IpAddresses,
    /// [`UserState::unused_applications`]
    UnusedApplications,
    /// [`UserState::used_applications`]
    UsedApplications,
    /// [`UserState::used_factors`]
    UsedFactors,
    /// [`UserState::registered_location`]
    RegisteredLocation,
    /// [`UserState::working_locations`]
    WorkingLocations,
}

/// One answer of the service about one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserObservation {
    /// The user's login as the service writes it, where the answer has it.
    pub login: Option<Login>,
    /// The state in the answer.
    pub state: UserState,
    /// Fields that are missing in the answer; their stored values stay.
    pub untold: BTreeSet<UserField>,
    /// Lists that are null without an error, and empty in `state`. Whether null means empty or
    /// unknown is decided later, from other answers.
    pub null_lists: BTreeSet<UserField>,
}

impl UserObservation {
    /// The state after this answer.
    #[must_use]
    pub fn merge_onto(mut self, old: Option<&UserState>) -> UserState {
        let new = &mut self.state;
        for field in self.untold {
            match field {
                UserField::Id => new.id = old.map(|o| o.id.clone()).unwrap_or_default(),
                UserField::DisplayName => {
                    new.display_name = old.map(|o| o.display_name.clone()).unwrap_or_default();
                }
                UserField::Status => new.status = old.map(|o| o.status.clone()).unwrap_or_default(),
                UserField::EmployeeIds => {
                    new.employee_ids = old.and_then(|o| o.employee_ids.clone());
                }
                UserField::PhoneNumber => {
                    new.phone_number = old.and_then(|o| o.phone_number.clone());
                }
                UserField::UserType => new.user_type = old.and_then(|o| o.user_type.clone()),
                UserField::ManagerLogin => {
                    new.manager_login = old.and_then(|o| o.manager_login.clone());
                }
                UserField::ReferenceUrl => {
                    new.reference_url = old.and_then(|o| o.reference_url.clone());
                }
                UserField::IpAddresses => {
                    new.ip_addresses = old.and_then(|o| o.ip_addresses.clone());
                }
                UserField::UnusedApplications => {
                    new.unused_applications = old.and_then(|o| o.unused_applications.clone());
                }
                UserField::UsedApplications => {
                    new.used_applications = old.and_then(|o| o.used_applications.clone());
                }
                UserField::UsedFactors => {
                    new.used_factors = old.and_then(|o| o.used_factors.clone());
                }
                UserField::RegisteredLocation => {
                    new.registered_location = old.and_then(|o| o.registered_location.clone());
                }
                UserField::WorkingLocations => {
                    new.working_locations = old.and_then(|o| o.working_locations.clone());
                    new.prevalence = old.map(|o| o.prevalence.clone()).unwrap_or_default();
                }
            }
        }
        // The service can list an application as both; it counts as used then.
        if let (Some(unused), Some(used)) = (&mut new.unused_applications, &new.used_applications) {
            unused.retain(|application| !used.contains(application));
        }
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "this is the form of the fields")]
    fn names(names: &[&str]) -> Option<BTreeSet<String>> {
        Some(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn what_an_answer_cannot_tell_stays_as_it_was() {
        let old = UserState { used_factors: names(&["PUSH"]), ..UserState::default() };
        let state = UserState { status: "ACTIVE".into(), ..UserState::default() };
        let observation = UserObservation {
            login: None,
            state,
            untold: [UserField::UsedFactors].into(),
            null_lists: BTreeSet::new(),
        };
        let new = observation.clone().merge_onto(Some(&old));
        assert_eq!((new.used_factors, new.status.as_str()), (names(&["PUSH"]), "ACTIVE"));
        assert_eq!(observation.merge_onto(None).used_factors, None);
    }

    #[test]
    fn an_application_listed_twice_counts_as_used() {
        let state = UserState {
            unused_applications: names(&["Jira", "Slack"]),
            used_applications: names(&["Slack"]),
            ..UserState::default()
        };
        let new = UserObservation {
            login: None,
            state,
            untold: BTreeSet::new(),
            null_lists: BTreeSet::new(),
        }
        .merge_onto(None);
        assert_eq!(new.unused_applications, names(&["Jira"]));
    }
}
