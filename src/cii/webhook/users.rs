//! The users whom a delivery names as failing.

use std::collections::HashMap;

use super::{FailingUser, Malformed, field::Field};
use crate::domain::Login;

/// Everyone whom `detail` names, each once, in the order of first mention:
/// `usersFailing`, then `loginDetails`, then the `login` of a direct message.
pub(super) fn failing(detail: &Field<'_>) -> Result<Vec<FailingUser>, Malformed> {
    let mut named = Named::default();
    for user in detail.child("usersFailing").elements()? {
        named.add(login(&user)?, None);
    }
    for entry in detail.child("loginDetails").elements()? {
        entry.object()?;
        let why = entry.child("details").list_as_json()?;
        let user = entry.child("login");
        if !user.is_missing() {
            named.add(login(&user)?, why);
        }
    }
    let user = detail.child("login");
    let why = detail.child("explainabilityDetails").list_as_json()?;
    if !user.is_missing() {
        named.add(login(&user)?, why);
    }
    Ok(named.users)
}

fn login(field: &Field<'_>) -> Result<Login, Malformed> {
    Login::new(field.text()?).map_err(|error| field.malformed(error.to_string()))
}

#[derive(Debug, Default)]
struct Named {
    users: Vec<FailingUser>,
    positions: HashMap<Login, usize>,
}

impl Named {
    /// The first explanation of a user stays.
    fn add(&mut self, login: Login, explanation: Option<String>) {
        let end = self.users.len();
        let position = *self.positions.entry(login.clone()).or_insert(end);
        match self.users.get_mut(position) {
            Some(user) => user.explanation = user.explanation.take().or(explanation),
            None => self.users.push(FailingUser { login, explanation }),
        }
    }
}
