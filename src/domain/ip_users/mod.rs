//! The users of a watched IP address.

mod event;

use std::collections::BTreeMap;

use super::{Login, Past, PastKind, Timestamp};

pub use event::{ip_changed, ip_first_seen};

/// The users of an address, by login.
pub type IpUsers = BTreeMap<Login, IpUser>;

/// A user of an address (`EndUserRef` of the published schema).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpUser {
    /// The service's own id of the user.
    pub id: String,
    /// The user's name for people.
    pub display_name: String,
    /// The user's page in the service's console.
    pub reference_url: Option<String>,
    /// Since when the user is seen at the address without interruption, as far as the exporter
    /// knows; none in an answer, which does not have it.
    pub since: Option<Timestamp>,
}

/// One difference between two snapshots of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IpChange {
    /// A user appeared.
    UserNew(Login, IpUser),
    /// A user appeared again who was there before.
    UserBack(Login, IpUser),
    /// A user disappeared.
    UserGone(Login, IpUser),
}

/// Sets since when each user is seen at the address: the moment from `before` for users who were
/// there, and `at` for others.
pub fn record_since(before: Option<&IpUsers>, users: &mut IpUsers, at: Timestamp) {
    for (login, user) in users {
        let known = before.and_then(|before| before.get(login));
        user.since = known.map_or(Some(at), |known| known.since);
    }
}

/// Records users who were there `before` and are no longer.
pub fn record_gone(before: &IpUsers, now: &IpUsers, past: &mut Past, at: Timestamp) {
    let (before, now) = (before.keys().map(Login::as_str), now.keys().map(Login::as_str));
    past.record_difference(PastKind::User, &before.collect(), &now.collect(), at);
}

/// Who appeared and who disappeared. A changed name alone is no change, and a user in `past` is not
/// new.
#[must_use]
pub fn changes(old: &IpUsers, new: &IpUsers, past: &Past) -> Vec<IpChange> {
    let appeared = new.iter().filter(|(login, _)| !old.contains_key(login)).map(|(login, user)| {
        let (login, user) = (login.clone(), user.clone());
        if past.contains(PastKind::User, login.as_str()) {
            IpChange::UserBack(login, user)
        } else {
            IpChange::UserNew(login, user)
        }
    });
    let vanished = old
        .iter()
        .filter(|(login, _)| !new.contains_key(login))
        .map(|(login, user)| IpChange::UserGone(login.clone(), user.clone()));
    appeared.chain(vanished).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(logins: &[&str]) -> IpUsers {
        let user =
            IpUser { id: "1".into(), display_name: "A".into(), reference_url: None, since: None };
        logins.iter().map(|login| (Login::new(login).unwrap(), user.clone())).collect()
    }

    #[test]
    fn who_came_and_who_went() {
        let mut past = Past::default();
        past.insert(PastKind::User, "d", Timestamp::UNIX_EPOCH);
        let found = changes(&users(&["a", "b"]), &users(&["b", "c", "d"]), &past);
        let logins: Vec<_> = found
            .iter()
            .map(|change| match change {
                IpChange::UserNew(login, _) => ("new", login.as_str()),
                IpChange::UserBack(login, _) => ("back", login.as_str()),
                IpChange::UserGone(login, _) => ("gone", login.as_str()),
            })
            .collect();
        assert_eq!(logins, [("new", "c"), ("back", "d"), ("gone", "a")]);
    }
}
