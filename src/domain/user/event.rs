//! Events about watched users.

use std::collections::BTreeSet;

use super::{Place, UserChange, UserState};
use crate::domain::{Event, EventName, Login, Timestamp, event::key};

/// The user that a change is about, and when it was seen.
#[derive(Debug, Clone, Copy)]
pub struct UserContext<'a> {
    /// The login by which the user is watched.
    pub login: &'a Login,
    /// The user's newest snapshot.
    pub state: &'a UserState,
    /// When the answer came.
    pub at: Timestamp,
}

/// The event of the first snapshot of a user.
#[must_use]
pub fn user_first_seen(user: UserContext<'_>) -> Event {
    new_event(user, EventName::UserBaseline, format!("First snapshot of {}", user.login))
}

/// The event of a change.
#[must_use]
pub fn user_changed(user: UserContext<'_>, change: &UserChange) -> Event {
    let login = user.login;
    match change {
        UserChange::IpNew { ip, place } => {
            let body = format!("{login} is seen at a new IP address, {ip} ({place})");
            with_address(new_event(user, EventName::UserIpNew, body), ip, place)
        }
        UserChange::IpBack { ip, place } => {
            let body = format!("{login} is seen at the IP address {ip} ({place}) again");
            with_address(new_event(user, EventName::UserIpBack, body), ip, place)
        }
        UserChange::CountryNew { country, ip, place } => {
            let body = format!("{login} is seen in a new country, {country}, at {ip} ({place})");
            with_address(new_event(user, EventName::UserCountryNew, body), ip, place)
        }
        UserChange::IpGone { ip, place } => {
            let body = format!("{login} is no longer seen at the IP address {ip} ({place})");
            with_address(new_event(user, EventName::UserIpGone, body), ip, place)
        }
        UserChange::ApplicationUnused { application, was_used } => {
            let body = format!("{login} has not used {application} in the past 30 days");
            let mut event = new_event(user, EventName::UserApplicationUnused, body);
            event.set(key::APPLICATION_WAS_USED, *was_used);
            with_application(event, application)
        }
        UserChange::ApplicationUsed { application, was_unused } => {
            let body = format!("{login} uses {application}");
            let mut event = new_event(user, EventName::UserApplicationUsed, body);
            event.set(key::APPLICATION_WAS_UNUSED, *was_unused);
            with_application(event, application)
        }
        UserChange::ApplicationGone { application } => {
            let body = format!("{login} no longer has {application}");
            with_application(new_event(user, EventName::UserApplicationGone, body), application)
        }
        UserChange::Status { old, new } => {
            let body = format!("The status of {login} changed from {old} to {new}");
            let mut event = new_event(user, EventName::UserStatusChanged, body);
            event.set(key::STATUS, new);
            event.set(key::STATUS_PREVIOUS, old);
            event
        }
        UserChange::Factors { added, removed } => {
            let (added, removed): (Vec<_>, Vec<_>) =
                (added.iter().cloned().collect(), removed.iter().cloned().collect());
            let body =
                format!("The factors of {login} changed: {}", format_difference(&added, &removed));
            let mut event = new_event(user, EventName::UserFactorsChanged, body);
            event.set(key::FACTORS_ADDED, added);
            event.set(key::FACTORS_REMOVED, removed);
            event
        }
        UserChange::Locations { kind, added, removed } => {
            let (came, went): (Vec<_>, Vec<_>) = (
                added.iter().map(Place::to_string).collect(),
                removed.iter().map(Place::to_string).collect(),
            );
            let changed = format_difference(&came, &went);
            let body = format!("The {kind} location of {login} changed: {changed}");
            let mut event = new_event(user, EventName::UserLocationChanged, body);
            if let (1, Some(place)) = (added.len(), added.first()) {
                set_place(&mut event, place);
            }
            event.set(key::LOCATION_KIND, *kind);
            event.set(key::LOCATIONS_ADDED, came);
            let prevalence = format_prevalence(user.state, added);
            if *kind == "working" && !prevalence.is_empty() {
                event.set(key::LOCATIONS_PREVALENCE, prevalence);
            }
            event.set(key::LOCATIONS_REMOVED, went);
            event
        }
        UserChange::Description => {
            new_event(user, EventName::UserDescribed, format!("What describes {login} changed"))
        }
    }
}

fn new_event(user: UserContext<'_>, name: EventName, body: String) -> Event {
    let mut event = Event::new(name, user.at, user.at, body);
    event.set_login(user.login);
    event.set(key::USER_ID, &user.state.id);
    event.set(key::USER_FULL_NAME, &user.state.display_name);
    event.set_if_some(key::URL_FULL, user.state.reference_url.as_ref());
    event
}

fn with_application(mut event: Event, application: &str) -> Event {
    event.set(key::APPLICATION, application);
    event.application = Some(application.to_owned());
    event
}

fn with_address(mut event: Event, ip: &str, place: &Place) -> Event {
    event.set(key::CLIENT_ADDRESS, ip);
    event.ip = Some(ip.to_owned());
    set_place(&mut event, place);
    event
}

/// `Brno, CZ: 66.67` for each place with a known prevalence.
fn format_prevalence(state: &UserState, places: &BTreeSet<Place>) -> Vec<String> {
    let share = |place| Some((place, state.prevalence_of(place)?));
    let told = places.iter().filter_map(share);
    told.map(|(place, share)| format!("{place}: {}.{:02}", share / 100, share % 100)).collect()
}

fn set_place(event: &mut Event, place: &Place) {
    event.set_if_some(key::GEO_LOCALITY, place.city.as_ref());
    event.set_if_some(key::GEO_STATE, place.state.as_ref());
    event.set_if_some(key::GEO_COUNTRY, place.country.as_ref());
}

/// `+ added, added; - removed`, for people.
fn format_difference(added: &[String], removed: &[String]) -> String {
    let side = |sign: &str, items: &[String]| {
        (!items.is_empty()).then(|| format!("{sign} {}", items.join(", ")))
    };
    [side("+", added), side("-", removed)].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
