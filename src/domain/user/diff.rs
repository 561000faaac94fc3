//! The differences between two snapshots of a user.

use std::collections::BTreeSet;

use super::{Place, UserState};
use crate::domain::{Past, PastKind};

/// One difference between an old and a new snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserChange {
    /// An address appeared.
    IpNew {
        /// The address.
        ip: String,
        /// Where it is.
        place: Place,
    },
    /// An address appeared again that the user had before.
    IpBack {
        /// The address.
        ip: String,
        /// Where it is.
        place: Place,
    },
    /// An address appeared in a country in which the user had none before.
    CountryNew {
        /// The country.
        country: String,
        /// The address.
        ip: String,
        /// Where it is.
        place: Place,
    },
    /// An address disappeared.
    IpGone {
        /// The address.
        ip: String,
        /// Where it was.
        place: Place,
    },
    /// An application is now among those not used in 30 days.
    ApplicationUnused {
        /// Its name.
        application: String,
        /// Whether it was among the used ones before.
        was_used: bool,
    },
    /// An application is now among those used in the past 30 days.
    ApplicationUsed {
        /// Its name.
        application: String,
        /// Whether it was among the unused ones before.
        was_unused: bool,
    },
    /// The user no longer has the application.
    ApplicationGone {
        /// Its name.
        application: String,
    },
    /// The aggregated status changed.
    Status {
        /// The status before.
        old: String,
        /// The status now.
        new: String,
    },
    /// Factors were added or removed.
    Factors {
        /// Factors that were added.
        added: BTreeSet<String>,
        /// Factors that were removed.
        removed: BTreeSet<String>,
    },
    /// The registered location, or the working locations, changed.
    Locations {
        /// `registered` or `working`.
        kind: &'static str,
        /// Places that were added.
        added: BTreeSet<Place>,
        /// Places that were removed.
        removed: BTreeSet<Place>,
    },
    /// A field changed that has no event of its own: name, type, manager, page, numbers, the share
    /// of work from a place, or a field that was given for the first time.
    Description,
}

/// All differences; empty when there are none. An attribute in `past` is not new.
#[must_use]
pub fn changes(old: &UserState, new: &UserState, past: &Past) -> Vec<UserChange> {
    let mut found = Vec::new();
    // An empty old status means that it was unknown: the first one is the baseline.
    if old.status != new.status && !old.status.is_empty() {
        found.push(UserChange::Status { old: old.status.clone(), new: new.status.clone() });
    }
    ip_changes(old, new, past, &mut found);
    country_changes(old, new, past, &mut found);
    application_changes(old, new, &mut found);
    if let Some((added, removed)) = set_change(old.used_factors.as_ref(), new.used_factors.as_ref())
    {
        found.push(UserChange::Factors { added, removed });
    }
    for (kind, old, new) in [
        ("registered", &old.registered_location, &new.registered_location),
        ("working", &old.working_locations, &new.working_locations),
    ] {
        if let Some((added, removed)) = set_change(old.as_ref(), new.as_ref()) {
            found.push(UserChange::Locations { kind, added, removed });
        }
    }
    if description(old) != description(new) || (old.status.is_empty() && !new.status.is_empty()) {
        found.push(UserChange::Description);
    }
    found
}

fn ip_changes(old: &UserState, new: &UserState, past: &Past, found: &mut Vec<UserChange>) {
    let (Some(old), Some(new)) = (&old.ip_addresses, &new.ip_addresses) else { return };
    for (ip, place) in new.iter().filter(|(ip, _)| !old.contains_key(*ip)) {
        let (ip, place) = (ip.clone(), place.clone());
        found.push(if past.contains(PastKind::Address, &ip) {
            UserChange::IpBack { ip, place }
        } else {
            UserChange::IpNew { ip, place }
        });
    }
    for (ip, place) in old {
        if !new.contains_key(ip) {
            found.push(UserChange::IpGone { ip: ip.clone(), place: place.clone() });
        }
    }
}

/// Countries of addresses that were not there before. An address whose place changed, or is given
/// for the first time, has not moved: only the knowledge of it improved.
fn country_changes(old: &UserState, new: &UserState, past: &Past, found: &mut Vec<UserChange>) {
    let (Some(before), Some(now)) = (&old.ip_addresses, &new.ip_addresses) else { return };
    let mut known = old.countries();
    // Without any known place before, there are no countries to compare with.
    if known.is_empty() && past.is_empty_of(PastKind::Country) && !before.is_empty() {
        return;
    }
    for (ip, place) in now.iter().filter(|(ip, _)| !before.contains_key(*ip)) {
        let Some(country) = &place.country else { continue };
        if known.insert(country) && !past.contains(PastKind::Country, country) {
            let (country, ip) = (country.clone(), ip.clone());
            found.push(UserChange::CountryNew { country, ip, place: place.clone() });
        }
    }
}

/// A list that is given counts even when the other one never was.
fn application_changes(old: &UserState, new: &UserState, found: &mut Vec<UserChange>) {
    let has = |list: &Option<BTreeSet<String>>, application: &String| {
        list.as_ref().is_some_and(|list| list.contains(application))
    };
    let came = |old: &Option<BTreeSet<String>>, new: &Option<BTreeSet<String>>| -> Vec<String> {
        set_change(old.as_ref(), new.as_ref())
            .map_or_else(Vec::new, |(added, _)| added.into_iter().collect())
    };
    for application in came(&old.unused_applications, &new.unused_applications) {
        let was_used = has(&old.used_applications, &application);
        found.push(UserChange::ApplicationUnused { application, was_used });
    }
    for application in came(&old.used_applications, &new.used_applications) {
        let was_unused = has(&old.unused_applications, &application);
        found.push(UserChange::ApplicationUsed { application, was_unused });
    }
    let known = [&old.unused_applications, &old.used_applications];
    let known: BTreeSet<_> = known.into_iter().flatten().flatten().collect();
    for application in known {
        let is_gone = !has(&new.unused_applications, application)
            && !has(&new.used_applications, application);
        if is_gone {
            found.push(UserChange::ApplicationGone { application: application.clone() });
        }
    }
}

fn set_change<T: Ord + Clone>(
    old: Option<&BTreeSet<T>>,
    new: Option<&BTreeSet<T>>,
) -> Option<(BTreeSet<T>, BTreeSet<T>)> {
    let (old, new) = (old?, new?);
    (old != new)
        .then(|| (new.difference(old).cloned().collect(), old.difference(new).cloned().collect()))
}

/// The fields of a snapshot that have no event of their own; equal when none of them changed.
fn description(state: &UserState) -> impl PartialEq + use<'_> {
    (
        (&state.id, &state.display_name, &state.user_type, &state.manager_login),
        (&state.reference_url, &state.employee_ids, &state.phone_number, &state.prevalence),
        [
            state.ip_addresses.is_some(),
            state.unused_applications.is_some(),
            state.used_applications.is_some(),
            state.used_factors.is_some(),
            state.registered_location.is_some(),
            state.working_locations.is_some(),
        ],
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "this is the form of the fields")]
    fn set(names: &[&str]) -> Option<BTreeSet<String>> {
        Some(names.iter().map(|&name| name.to_owned()).collect())
    }

    fn state() -> UserState {
        UserState {
            status: "ACTIVE".to_owned(),
            ip_addresses: Some(BTreeMap::from([("203.0.113.7".to_owned(), Place::default())])),
            unused_applications: set(&["Jira", "Miro"]),
            used_applications: set(&["Slack"]),
            used_factors: set(&["PUSH"]),
            registered_location: Some(BTreeSet::new()),
            working_locations: Some(BTreeSet::new()),
            ..UserState::default()
        }
    }

    #[test]
    fn equal_snapshots_differ_in_nothing() {
        assert_eq!(changes(&state(), &state(), &Past::default()), []);
    }

    #[test]
    fn every_kind_of_difference_is_found() {
        let mut new = state();
        new.status = "SUSPENDED".to_owned();
        new.ip_addresses = Some(BTreeMap::from([("198.51.100.1".to_owned(), Place::default())]));
        new.unused_applications = set(&["Slack", "Zoom"]);
        new.used_applications = set(&["Jira"]);
        new.used_factors = set(&["TOTP"]);
        let place = Place { country: Some("DE".to_owned()), ..Place::default() };
        new.registered_location = Some(BTreeSet::from([place.clone()]));
        let text = |text: &str| text.to_owned();
        assert_eq!(
            changes(&state(), &new, &Past::default()),
            [
                UserChange::Status { old: text("ACTIVE"), new: text("SUSPENDED") },
                UserChange::IpNew { ip: text("198.51.100.1"), place: Place::default() },
                UserChange::IpGone { ip: text("203.0.113.7"), place: Place::default() },
                UserChange::ApplicationUnused { application: text("Slack"), was_used: true },
                UserChange::ApplicationUnused { application: text("Zoom"), was_used: false },
                UserChange::ApplicationUsed { application: text("Jira"), was_unused: true },
                UserChange::ApplicationGone { application: text("Miro") },
                UserChange::Factors {
                    added: BTreeSet::from([text("TOTP")]),
                    removed: BTreeSet::from([text("PUSH")]),
                },
                UserChange::Locations {
                    kind: "registered",
                    added: BTreeSet::from([place]),
                    removed: BTreeSet::new(),
                },
            ]
        );
    }

    #[test]
    fn applications_are_followed_in_the_list_that_is_told() {
        let old = UserState { unused_applications: None, ..state() };
        let new = UserState { used_applications: set(&["Slack", "Zoom", "Miro"]), ..old.clone() };
        let used = |application: &str| UserChange::ApplicationUsed {
            application: application.to_owned(),
            was_unused: false,
        };
        assert_eq!(changes(&old, &new, &Past::default()), [used("Miro"), used("Zoom")]);
        let gone = ["Miro", "Zoom"]
            .map(|name| UserChange::ApplicationGone { application: name.to_owned() });
        assert_eq!(changes(&new, &old, &Past::default()), gone);
    }

    fn placed(addresses: &[(&str, Option<&str>)]) -> UserState {
        let place = |country: Option<&str>| Place {
            country: country.map(str::to_owned),
            ..Place::default()
        };
        let addresses = addresses.iter().map(|(ip, country)| ((*ip).to_owned(), place(*country)));
        UserState { ip_addresses: Some(addresses.collect()), ..state() }
    }

    /// The addresses and countries that are new.
    fn new_places(old: &UserState, new: &UserState, past: &Past) -> Vec<String> {
        let name = |change| match change {
            UserChange::IpNew { ip, .. } => Some(ip),
            UserChange::CountryNew { country, .. } => Some(country),
            _ => None,
        };
        changes(old, new, past).into_iter().filter_map(name).collect()
    }

    #[test]
    fn a_country_is_new_with_an_address_in_it_and_once() {
        let old = placed(&[("a", Some("DE"))]);
        let none = Past::default();
        let new =
            placed(&[("a", Some("DE")), ("b", Some("DE")), ("c", Some("NO")), ("d", Some("NO"))]);
        assert_eq!(new_places(&old, &new, &none), ["b", "c", "d", "NO"]);
        // The place of a known address became known.
        assert_eq!(new_places(&old, &placed(&[("a", Some("FR"))]), &none), [""; 0]);
        // The first places are a baseline. A snapshot without addresses is none.
        let unplaced = placed(&[("a", None)]);
        let now = placed(&[("a", None), ("b", Some("NO"))]);
        assert_eq!(new_places(&unplaced, &now, &none), ["b"]);
        assert_eq!(new_places(&placed(&[]), &placed(&[("b", Some("NO"))]), &none), ["b", "NO"]);
    }

    #[test]
    fn what_comes_back_is_not_new() {
        let at = crate::domain::Timestamp::UNIX_EPOCH;
        let mut past = Past::default();
        past.insert(PastKind::Address, "a", at);
        past.insert(PastKind::Country, "DE", at);
        let back = placed(&[("a", Some("DE")), ("b", Some("DE"))]);
        assert_eq!(new_places(&placed(&[]), &back, &past), ["b"]);
        let is_back = |change: &UserChange| matches!(change, UserChange::IpBack { .. });
        assert!(changes(&placed(&[]), &back, &past).iter().any(is_back));
    }

    #[test]
    fn a_field_seen_for_the_first_time_is_a_baseline() {
        let old = UserState { ip_addresses: None, ..state() };
        assert_eq!(changes(&old, &state(), &Past::default()), [UserChange::Description]);
    }
}
