//! Events about the tenant's integrations and administrators.

use super::{Admin, Integration};
use crate::domain::{Event, EventName, Timestamp, event::key};

/// `cii.integration.status.changed`: an integration's status changed.
pub(super) fn integration_changed(before: &str, now: &Integration, at: Timestamp) -> Event {
    let body = format!("Integration {} is {} (was {before})", now.name, now.status);
    let mut event =
        Event::new(EventName::IntegrationStatusChanged, now.date.unwrap_or(at), at, body);
    event.set(key::INTEGRATION_ID, &now.id);
    event.set(key::INTEGRATION_NAME, &now.name);
    event.set(key::INTEGRATION_STATUS, &now.status);
    event.set(key::INTEGRATION_STATUS_PREVIOUS, before);
    event.set_if_some(key::ERROR_MESSAGE, now.error.as_ref());
    event
}

/// `cii.admin.added`: a user became an administrator.
pub(super) fn admin_added(admin: &Admin, at: Timestamp) -> Event {
    admin_event(EventName::AdminAdded, admin, at, "is a new administrator of the service")
}

/// `cii.admin.removed`: a user is no longer an administrator.
pub(super) fn admin_removed(admin: &Admin, at: Timestamp) -> Event {
    admin_event(EventName::AdminRemoved, admin, at, "is no longer an administrator of the service")
}

fn admin_event(name: EventName, admin: &Admin, at: Timestamp, what: &str) -> Event {
    let mut event = Event::new(name, at, at, format!("{} {what}", admin.login));
    event.set_login(&admin.login);
    event.set_if_some(key::USER_FULL_NAME, admin.display_name.as_ref());
    event
}
