//! The state of the service itself: its integrations with the tenant's systems, and its
//! administrators.

mod event;

use std::collections::{BTreeMap, BTreeSet};

use super::{Event, Login, Timestamp};

/// An integration with one of the tenant's systems
/// (`PublicIntegrationStatus` of the published schema).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// The service's id of the integration.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// How its last activity ended, in lower case (`ActivityResultType`), or
    /// [`Self::UNKNOWN`].
    pub status: String,
    /// When that was, if the service gave it.
    pub date: Option<Timestamp>,
    /// The service's error message.
    pub error: Option<String>,
}

impl Integration {
    /// The status of an integration without a status.
    pub const UNKNOWN: &str = "unknown";

    /// Whether its last activity is in progress, so that its result is unknown.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.status == "started"
    }

    /// Whether it works; `None` when its status does not say.
    #[must_use]
    pub fn is_up(&self) -> Option<bool> {
        match self.status.as_str() {
            "success" | "partial_success" | "info" => Some(true),
            "failure" | "timeout" | "blocked" => Some(false),
            _ => None,
        }
    }
}

/// An administrator of the service (`AdminLogin`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// The login.
    pub login: Login,
    /// The name for people.
    pub display_name: Option<String>,
    /// When they last signed in, when the service knows.
    pub last_sign_in: Option<Timestamp>,
}

/// Adds the items known before to a list with rows that could not be read: an absent item may be in
/// one of those rows.
pub fn keep_unread<T, K: Ord>(now: &mut Vec<T>, known: Vec<T>, key: impl Fn(&T) -> K) {
    let read: BTreeSet<_> = now.iter().map(&key).collect();
    now.extend(known.into_iter().filter(|known| !read.contains(&key(known))));
}

/// Removes repeated administrators; the first row of a login stays.
pub fn keep_first(admins: &mut Vec<Admin>) {
    let mut seen = BTreeSet::new();
    admins.retain(|admin| seen.insert(admin.login.clone()));
}

/// Keeps the last finished result of an integration whose activity is in progress: a beginning says
/// nothing about its end.
pub fn keep_finished(before: &[Integration], now: &mut [Integration]) {
    let finished: BTreeMap<_, _> = before
        .iter()
        .filter(|known| !known.is_under_way())
        .map(|known| (known.id.clone(), known))
        .collect();
    for integration in now.iter_mut().filter(|integration| integration.is_under_way()) {
        if let Some(known) = finished.get(&integration.id) {
            integration.status.clone_from(&known.status);
            integration.date = known.date;
            integration.error.clone_from(&known.error);
        }
    }
}

/// The events of integrations whose status changed. A new integration gets no event.
#[must_use]
pub fn on_integrations(before: &[Integration], now: &[Integration], at: Timestamp) -> Vec<Event> {
    let statuses: BTreeMap<_, _> =
        before.iter().map(|known| (&known.id, known.status.as_str())).collect();
    now.iter()
        .filter_map(|integration| {
            let before = statuses.get(&integration.id)?;
            // The first finished activity is the baseline.
            let is_told = [*before, &integration.status]
                .iter()
                .all(|status| ![Integration::UNKNOWN, "started"].contains(status));
            (is_told && *before != integration.status)
                .then(|| event::integration_changed(before, integration, at))
        })
        .collect()
}

/// The events of added and removed administrators; the first list is the baseline.
#[must_use]
pub fn on_admins(before: Option<&[Admin]>, now: &[Admin], at: Timestamp) -> Vec<Event> {
    let Some(before) = before else { return Vec::new() };
    let logins = |admins: &[Admin]| -> BTreeSet<Login> {
        admins.iter().map(|admin| admin.login.clone()).collect()
    };
    let (old, new) = (logins(before), logins(now));
    let added = now.iter().filter(|admin| !old.contains(&admin.login));
    let removed = before.iter().filter(|admin| !new.contains(&admin.login));
    added
        .map(|admin| event::admin_added(admin, at))
        .chain(removed.map(|admin| event::admin_removed(admin, at)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::EventName;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn admin(login: &str) -> Admin {
        Admin { login: Login::new(login).unwrap(), display_name: None, last_sign_in: None }
    }

    fn integration(id: &str, status: &str) -> Integration {
        let (id, status) = (id.to_owned(), status.to_owned());
        Integration { name: id.clone(), id, status, date: Some(AT), error: None }
    }

    #[test]
    fn the_first_list_of_administrators_is_no_news() {
        assert!(on_admins(None, &[admin("a")], AT).is_empty());
        let events = on_admins(Some(&[admin("a"), admin("b")]), &[admin("b"), admin("c")], AT);
        let names: Vec<_> = events.iter().map(|event| event.name).collect();
        assert_eq!(names, [EventName::AdminAdded, EventName::AdminRemoved]);
    }

    #[test]
    fn an_integration_s_new_status_is_news() {
        let before = [integration("okta", "success"), integration("duo", "success")];
        let now = [integration("okta", "failure"), integration("new", "failure")];
        let events = on_integrations(&before, &now, AT);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].sentence(), "Integration okta is failure (was success)");
    }

    #[test]
    fn an_activity_that_begins_keeps_the_result_of_the_last_one() {
        let before = [integration("okta", "failure")];
        let mut now = [integration("okta", "started"), integration("duo", "started")];
        keep_finished(&before, &mut now);
        let statuses = now.each_ref().map(|integration| integration.status.as_str());
        assert_eq!(statuses, ["failure", "started"]);
        assert!(on_integrations(&before, &now, AT).is_empty());
        assert_eq!(now[1].is_up(), None, "nothing of it ended yet");
        let ended = [integration("okta", "success"), integration("duo", "success")];
        assert_eq!(on_integrations(&now, &ended, AT).len(), 1, "only okta had a result before");
    }

    #[test]
    fn what_never_ran_is_neither_up_nor_down() {
        assert_eq!(integration("a", "none").is_up(), None);
        assert_eq!(integration("a", "blocked").is_up(), Some(false));
    }
}
