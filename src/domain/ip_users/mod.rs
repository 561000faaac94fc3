//! Who uses a watched IP address.

mod event;

use std::collections::BTreeMap;

use super::Login;

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
}

/// One difference between two snapshots of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IpChange {
    /// A user appeared.
    UserNew(Login, IpUser),
    /// A user vanished.
    UserGone(Login, IpUser),
}

/// Who appeared and who vanished; a change of name alone is none.
#[must_use]
pub fn changes(old: &IpUsers, new: &IpUsers) -> Vec<IpChange> {
    let appeared = new
        .iter()
        .filter(|(login, _)| !old.contains_key(login))
        .map(|(login, user)| IpChange::UserNew(login.clone(), user.clone()));
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
        let user = IpUser { id: "1".into(), display_name: "A".into(), reference_url: None };
        logins.iter().map(|login| (Login::new(login).unwrap(), user.clone())).collect()
    }

    #[test]
    fn who_came_and_who_went() {
        let found = changes(&users(&["a", "b"]), &users(&["b", "c"]));
        let logins: Vec<_> = found
            .iter()
            .map(|change| match change {
                IpChange::UserNew(login, _) => ("new", login.as_str()),
                IpChange::UserGone(login, _) => ("gone", login.as_str()),
            })
            .collect();
        assert_eq!(logins, [("new", "c"), ("gone", "a")]);
    }
}
