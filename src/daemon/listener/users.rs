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

use crate::{blocking, ingest::Authorization};

/// Hashes that are computed at once: each takes a processor for a tenth of a second.
const AT_ONCE: usize = 2;

/// Passwords that wait for their turn at most.
const WAITING: usize = 64;

/// How long a password waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Passwords that are remembered as right.
const REMEMBERED: usize = 1000;

/// Compared with the password of a user whom nobody knows, so that the time does not tell
/// who is known. It is exporter-toolkit's own.
const NOBODY: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

/// Users by name, each with the bcrypt hash of the password.
type Users = BTreeMap<String, SecretString>;

/// Who a request is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// A user whose password is right.
    Known,
    /// Somebody else.
    Unknown,
    /// Too many passwords wait to be compared.
    Busy,
}

/// Compares passwords, and remembers the right ones.
#[derive(Debug)]
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    waiting: Semaphore,
    /// Hashes of user, hash and password, which nobody can compute without the salt.
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

    /// Whether the password was right before; it costs no turn.
    pub(super) fn is_remembered(&self, users: &Users, given: &Given) -> bool {
        let key = self.cache_key(given, hash_for(users, given));
        self.right.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    /// Compares the password with that of the user, in its turn.
    pub(super) async fn verify(&self, users: &Users, given: Given) -> Caller {
        // Waiting costs memory and a connection: a flood is answered at once.
        let Ok(place) = self.waiting.try_acquire() else { return Caller::Busy };
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Caller::Busy };
        drop(place);
        let is_known = users.contains_key(&given.user);
        let hash = hash_for(users, &given).to_owned();
        let key = self.cache_key(&given, &hash);
        let verify = move || {
            // Who hangs up does not end the computation, and so holds the turn for as long.
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

/// What the password of the user is compared with.
fn hash_for<'a>(users: &'a Users, given: &Given) -> &'a str {
    users.get(&given.user).map_or(NOBODY, |hash| hash.expose_secret())
}

/// User and password of Basic authentication.
#[derive(Debug, Clone)]
pub(super) struct Given {
    user: String,
    password: SecretString,
}

impl Given {
    /// Those of a request that gives them once.
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
        // One that waits for too long is told, and leaves its place.
        let answers = futures_util::future::join_all(waiting).await;
        assert!(answers.iter().all(|caller| *caller == Caller::Busy));
        assert_eq!(begun.elapsed(), PATIENCE);
        drop(turns);
        tokio::time::resume();
        assert_eq!(compare().await, Caller::Known);
    }
}
