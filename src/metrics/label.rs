//! The value of the label `login`: by what a person is named in metrics.

use crate::{config::UserLabel, domain::Login, store::UserView};

/// The label of a user; none while the service has not told the user's id, where that is
/// the label.
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
