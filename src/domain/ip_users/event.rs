//! Events about watched IP addresses.

use super::IpChange;
use crate::domain::{Event, EventName, IpAddress, Timestamp, event::key};

/// The event of the first snapshot of an address.
#[must_use]
pub fn ip_first_seen(ip: IpAddress, at: Timestamp) -> Event {
    new_event(ip, EventName::IpBaseline, at, format!("First snapshot of {ip}"))
}

/// The event of a change.
#[must_use]
pub fn ip_changed(ip: IpAddress, change: &IpChange, at: Timestamp) -> Event {
    let (name, login, user, body) = match change {
        IpChange::UserNew(login, user) => {
            (EventName::IpUserNew, login, user, format!("{login} is a new user of {ip}"))
        }
        IpChange::UserBack(login, user) => {
            (EventName::IpUserBack, login, user, format!("{login} is a user of {ip} again"))
        }
        IpChange::UserGone(login, user) => {
            (EventName::IpUserGone, login, user, format!("{login} is no longer a user of {ip}"))
        }
    };
    let mut event = new_event(ip, name, at, body);
    event.set_login(login);
    event.set(key::USER_ID, &user.id);
    event.set(key::USER_FULL_NAME, &user.display_name);
    event.set_if_some(key::URL_FULL, user.reference_url.as_ref());
    event
}

fn new_event(ip: IpAddress, name: EventName, at: Timestamp, body: String) -> Event {
    let mut event = Event::new(name, at, at, body);
    event.set_ip(ip);
    event
}
