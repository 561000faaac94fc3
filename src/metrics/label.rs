//! The value of the label `login`: by what a person is named in metrics.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;

use crate::{config::UserLabel, domain::Login, store::UserView};

/// Bytes of a hash that are shown: enough that two users of a tenant never share one.
const SHOWN: usize = 16;

/// The label of a user; none while the service has not told the user's id, where that is
/// the label.
pub(super) fn of_user(label: &UserLabel, login: &Login, user: &UserView) -> Option<String> {
    match label {
        UserLabel::Login => Some(login.as_str().to_owned()),
        UserLabel::Id => {
            let state = user.snapshot.as_ref()?;
            (!state.id.is_empty()).then(|| state.id.clone())
        }
        UserLabel::Hash(key) => hash(key.expose_secret().as_bytes(), login),
    }
}

/// HMAC-SHA-256 of the identity: without the key nobody finds the login by trying.
fn hash(key: &[u8], login: &Login) -> Option<String> {
    // A key of any length is one.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(login.as_str().as_bytes());
    let bytes = mac.finalize().into_bytes();
    Some(bytes.iter().take(SHOWN).fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_same_for_every_spelling_and_another_with_another_key() {
        let login = |text| Login::new(text).unwrap();
        let of = |key: &str, text| hash(key.as_bytes(), &login(text)).unwrap();
        assert_eq!(of("key", "Ann@example.com"), of("key", "ann@example.com"));
        assert_ne!(of("key", "ann@example.com"), of("other", "ann@example.com"));
        assert_ne!(of("key", "ann@example.com"), of("key", "bob@example.com"));
        // printf %s ann@example.com | openssl dgst -sha256 -hmac key
        assert_eq!(of("key", "ann@example.com"), "9e477c88a643485898d5bad53f82b84a");
    }
}
