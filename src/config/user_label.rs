//! What identifies users in metrics and events.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::domain::Login;

/// Bytes of a hash that are shown: enough that hashes of two users of a tenant do not collide.
const SHOWN: usize = 16;

/// What identifies users in series of their own, and in exported events.
#[derive(Debug, Clone)]
pub enum UserLabel {
    /// The login, which can be an e-mail address.
    Login,
    /// The service's id of the user.
    Id,
    /// A hash of the login with this key, to hide logins from other systems.
    Hash(SecretString),
}

impl UserLabel {
    /// Returns the HMAC-SHA-256 of the identity, for the label `hash`. Without the key, logins
    /// cannot be found by trying.
    #[must_use]
    pub fn hash_login(&self, login: &Login) -> Option<String> {
        let Self::Hash(key) = self else { return None };
        hash_with_key(key.expose_secret().as_bytes(), login)
    }

    /// Whether both identify users in the same way.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Login, Self::Login) | (Self::Id, Self::Id) => true,
            (Self::Hash(one), Self::Hash(other)) => one.expose_secret() == other.expose_secret(),
            _ => false,
        }
    }
}

fn hash_with_key(key: &[u8], login: &Login) -> Option<String> {
    // HMAC accepts keys of any length, so this cannot fail.
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
        let of = |key: &str, text| hash_with_key(key.as_bytes(), &login(text)).unwrap();
        assert_eq!(of("key", "Ann@example.com"), of("key", "ann@example.com"));
        assert_ne!(of("key", "ann@example.com"), of("other", "ann@example.com"));
        assert_ne!(of("key", "ann@example.com"), of("key", "bob@example.com"));
        // printf %s ann@example.com | openssl dgst -sha256 -hmac key
        assert_eq!(of("key", "ann@example.com"), "9e477c88a643485898d5bad53f82b84a");
    }
}
