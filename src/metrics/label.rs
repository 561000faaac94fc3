//! The value of the label `login`, by `metrics.user_label`.

use crate::{config::UserLabel, domain::Login, store::UserView};

/// Returns the label of a user. `None` when the label is the service's id and no answer contained
/// it yet.
pub(super) fn user_label(label: &UserLabel, login: &Login, user: &UserView) -> Option<String> {
    match label {
        UserLabel::Login => Some(login.as_str().to_owned()),
        UserLabel::Id => {
            let state = user.snapshot.as_ref()?;
            (!state.id.is_empty()).then(|| state.id.clone())
        }
        UserLabel::Hash(_) => label.hash_login(login),
    }
}
