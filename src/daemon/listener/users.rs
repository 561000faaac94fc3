//! Users of a listener, whose passwords are kept as bcrypt hashes.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::HeaderMap;
use rustls::crypto::aws_lc_rs;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use crate::ingest::Authorization;

/// Hashes that are computed at once: each takes a processor for a tenth of a second.
const AT_ONCE: usize = 2;

/// How long a password waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Passwords that are remembered as right.
const REMEMBERED: usize = 1000;

/// Compared with the password of a user whom nobody knows, so that the time does not tell
/// who is known. It is exporter-toolkit's own.
const NOBODY: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

/// Who a request is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// A user whose password is right.
    Known,
    /// Somebody else, or nobody who says so.
    Unknown,
    /// Too many passwords wait to be compared.
    Busy,
}

/// Compares passwords, and remembers the right ones.
#[derive(Debug)]
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    /// Hashes of user, hash and password, which nobody can compute without the salt.
    right: Mutex<HashSet<[u8; 32]>>,
    salt: [u8; 32],
}

impl Passwords {
    pub(super) fn new() -> Result<Self, String> {
        let mut salt = [0; 32];
        let random = aws_lc_rs::default_provider().secure_random;
        random.fill(&mut salt).map_err(|_| "the system has no random bytes".to_owned())?;
        Ok(Self { turns: Arc::new(Semaphore::new(AT_ONCE)), right: Mutex::default(), salt })
    }

    /// Who sends a request.
    pub(super) async fn caller(
        &self,
        users: &BTreeMap<String, SecretString>,
        headers: &HeaderMap,
    ) -> Caller {
        let Some((user, password)) = credentials(headers) else { return Caller::Unknown };
        let known = users.get(&user);
        let hash = known.map_or(NOBODY, |hash| hash.expose_secret()).to_owned();
        let key = self.key(&user, &hash, password.expose_secret());
        if self.right.lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
            return Caller::Known;
        }
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Caller::Busy };
        let verified = tokio::task::spawn_blocking(move || {
            // Who hangs up does not end the computation, and so holds the turn for as long.
            let _turn = turn;
            bcrypt::verify(password.expose_secret(), &hash).unwrap_or(false)
        });
        if !verified.await.unwrap_or(false) || known.is_none() {
            return Caller::Unknown;
        }
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= REMEMBERED {
            right.clear();
        }
        right.insert(key);
        Caller::Known
    }

    fn key(&self, user: &str, hash: &str, password: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.salt);
        for part in [user, hash, password] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }
}

/// User and password of Basic authentication, given once.
fn credentials(headers: &HeaderMap) -> Option<(String, SecretString)> {
    let Ok(Some(Authorization::Basic { user, password })) = Authorization::of(headers) else {
        return None;
    };
    Some((String::from_utf8(user).ok()?, String::from_utf8(password).ok()?.into()))
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn headers(value: &str) -> HeaderMap {
        [(header::AUTHORIZATION, value.parse().unwrap())].into_iter().collect()
    }

    #[tokio::test]
    async fn a_user_is_known_by_the_password_and_remembered() {
        let hash = bcrypt::hash("pass:word", 4).unwrap();
        let users: BTreeMap<_, SecretString> = [("cii".to_owned(), hash.into())].into();
        let passwords = Arc::new(Passwords::new().unwrap());
        let right = headers("Basic Y2lpOnBhc3M6d29yZA==");
        assert_eq!(passwords.caller(&users, &right).await, Caller::Known);
        // Every turn is taken, and what is remembered needs none.
        let turns = passwords.turns.acquire_many(2).await.unwrap();
        assert_eq!(passwords.caller(&users, &right).await, Caller::Known);
        drop(turns);
        for wrong in ["Basic Y2lpOndyb25n", "Basic eDpwYXNzOndvcmQ=", "Basic x", "Bearer y"] {
            assert_eq!(passwords.caller(&users, &headers(wrong)).await, Caller::Unknown, "{wrong}");
        }
        // Another hash is another password.
        let other = bcrypt::hash("other", 4).unwrap();
        let users = [("cii".to_owned(), other.into())].into();
        assert_eq!(passwords.caller(&users, &right).await, Caller::Unknown);
    }
}
