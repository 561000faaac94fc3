//! Authenticates users of a listener against bcrypt hashes.

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

use crate::{blocking, ingest::Authorization};

/// Most concurrent hash computations: each takes a CPU for a tenth of a second.
const AT_ONCE: usize = 2;

/// Most passwords that wait for their turn.
const WAITING: usize = 64;

/// How long a password waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most correct passwords that are cached.
const REMEMBERED: usize = 1000;

/// The hash for unknown users, so that the time does not reveal which users exist. It is the one of
/// exporter-toolkit.
const NOBODY: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

/// Users by name, each with the bcrypt hash of the password.
type Users = BTreeMap<String, SecretString>;

/// The result of an authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// A user with the correct password.
    Known,
    /// An unknown user, or a wrong password.
    Unknown,
    /// Too many passwords are waiting.
    Busy,
}

/// Compares passwords, and caches the correct ones.
#[derive(Debug)]
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    waiting: Semaphore,
    /// Salted digests of user, hash and correct password. The salt is random and never leaves the
    /// process.
    right: Mutex<HashSet<[u8; 32]>>,
    salt: [u8; 32],
}

impl Passwords {
    pub(super) fn new() -> Result<Self, String> {
        let mut salt = [0; 32];
        let random = aws_lc_rs::default_provider().secure_random;
        random.fill(&mut salt).map_err(|_| "the system has no random bytes".to_owned())?;
        Ok(Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Semaphore::new(WAITING),
            right: Mutex::default(),
            salt,
        })
    }

    /// Whether the password is cached as correct; needs no turn.
    pub(super) fn is_remembered(&self, users: &Users, given: &Given) -> bool {
        let key = self.cache_key(given, hash_for(users, given));
        self.right.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    /// Compares the password with the user's hash, once it has a turn.
    pub(super) async fn verify(&self, users: &Users, given: Given) -> Caller {
        // A waiting request costs memory and a connection, so a flood is rejected at once.
        let Ok(place) = self.waiting.try_acquire() else { return Caller::Busy };
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Caller::Busy };
        drop(place);
        let is_known = users.contains_key(&given.user);
        let hash = hash_for(users, &given).to_owned();
        let key = self.cache_key(&given, &hash);
        let verify = move || {
            // The computation goes on after a client disconnects, so it must hold the turn until it
            // ends.
            let _turn = turn;
            bcrypt::verify(given.password.expose_secret(), &hash).unwrap_or(false)
        };
        match blocking::run(verify).await {
            Some(true) if is_known => {}
            Some(_) => return Caller::Unknown,
            None => return Caller::Busy,
        }
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= REMEMBERED {
            right.clear();
        }
        right.insert(key);
        Caller::Known
    }

    fn cache_key(&self, given: &Given, hash: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.salt);
        for part in [&given.user, hash, given.password.expose_secret()] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }
}

/// The hash to compare the password with.
fn hash_for<'a>(users: &'a Users, given: &Given) -> &'a str {
    users.get(&given.user).map_or(NOBODY, |hash| hash.expose_secret())
}

/// The user and password of Basic authentication.
#[derive(Debug, Clone)]
pub(super) struct Given {
    user: String,
    password: SecretString,
}

impl Given {
    /// Parses the header; `None` when it is absent, invalid, or given twice.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let Ok(Some(Authorization::Basic { user, password })) =
            Authorization::from_headers(headers)
        else {
            return None;
        };
        let (user, password) = (String::from_utf8(user).ok()?, String::from_utf8(password).ok()?);
        Some(Self { user, password: password.into() })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;
    use futures_util::FutureExt as _;

    use super::*;

    fn given(value: &str) -> Option<Given> {
        Given::from_headers(
            &[(header::AUTHORIZATION, value.parse().unwrap())].into_iter().collect(),
        )
    }

    fn users(password: &str) -> Users {
        [("cii".to_owned(), bcrypt::hash(password, 4).unwrap().into())].into()
    }

    const RIGHT: &str = "Basic Y2lpOnBhc3M6d29yZA==";

    #[tokio::test]
    async fn a_user_is_known_by_the_password_and_remembered() {
        let (users, passwords) = (users("pass:word"), Passwords::new().unwrap());
        let right = given(RIGHT).unwrap();
        assert!(!passwords.is_remembered(&users, &right));
        assert_eq!(passwords.verify(&users, right.clone()).await, Caller::Known);
        assert!(passwords.is_remembered(&users, &right));
        for wrong in ["Basic Y2lpOndyb25n", "Basic eDpwYXNzOndvcmQ="] {
            let wrong = given(wrong).unwrap();
            assert_eq!(passwords.verify(&users, wrong.clone()).await, Caller::Unknown);
            assert!(!passwords.is_remembered(&users, &wrong));
        }
        assert!(given("Basic x").is_none() && given("Bearer y").is_none());
        // Another hash is another password.
        let users = self::users("other");
        assert!(!passwords.is_remembered(&users, &right));
        assert_eq!(passwords.verify(&users, right).await, Caller::Unknown);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_passwords_is_answered_at_once() {
        let (users, passwords) = (users("pass:word"), Passwords::new().unwrap());
        let turns = passwords.turns.acquire_many(2).await.unwrap();
        let compare = || passwords.verify(&users, given(RIGHT).unwrap());
        let begun = tokio::time::Instant::now();
        let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(compare())).collect();
        for one in &mut waiting {
            assert!(one.now_or_never().is_none());
        }
        assert_eq!(compare().await, Caller::Busy);
        assert!(begun.elapsed().is_zero());
        // A password that waits too long is answered, and frees its place in the queue.
        let answers = futures_util::future::join_all(waiting).await;
        assert!(answers.iter().all(|caller| *caller == Caller::Busy));
        assert_eq!(begun.elapsed(), PATIENCE);
        drop(turns);
        tokio::time::resume();
        assert_eq!(compare().await, Caller::Known);
    }
}
