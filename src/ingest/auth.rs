//! Authenticates the sender of a delivery.

use axum::http::HeaderMap;
use secrecy::SecretString;
use subtle::{Choice, ConstantTimeEq as _};

use super::authorization::{Authorization, matches_any, single_header};

/// The accepted credentials; one of them is enough.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// Secrets for the header that the rules name.
    pub secrets: Vec<SecretString>,
    /// The user of Basic authentication, with all accepted passwords.
    pub basic: Option<(String, Vec<SecretString>)>,
    /// Whether the listener has users (`webhook.web_config`). It checks them before and marks their
    /// requests as [`KnownUser`](super::KnownUser).
    pub has_users: bool,
    /// Bearer tokens.
    pub bearer: Vec<SecretString>,
}

impl Credentials {
    /// Whether the request has a valid credential. A header that occurs twice invalidates the
    /// request: a proxy may have checked the other one.
    pub(super) fn accepts_request(&self, headers: &HeaderMap, header: &str) -> bool {
        let (Ok(key), Ok(authorization)) =
            (single_header(headers, header), Authorization::from_headers(headers))
        else {
            return false;
        };
        // Both are always compared, so that the time does not depend on which one matches.
        let by_key = key.map(|key| matches_any(&self.secrets, key.as_bytes()));
        let by_scheme = authorization.map(|given| self.match_authorization(&given));
        (by_key.unwrap_or(Choice::from(0)) | by_scheme.unwrap_or(Choice::from(0))).into()
    }

    fn match_authorization(&self, given: &Authorization) -> Choice {
        match (given, &self.basic) {
            (Authorization::Bearer(token), _) => matches_any(&self.bearer, token),
            (Authorization::Basic { user, password }, Some((name, passwords))) => {
                user.ct_eq(name.as_bytes()) & matches_any(passwords, password)
            }
            (Authorization::Basic { .. }, None) => Choice::from(0),
        }
    }

    /// The challenges of `WWW-Authenticate` for a request without a valid credential.
    pub(super) fn challenges(&self) -> Vec<&'static str> {
        [
            (!self.secrets.is_empty(), "ApiKey"),
            (
                self.basic.is_some() || self.has_users,
                "Basic realm=\"cii-exporter\", charset=\"UTF-8\"",
            ),
            (!self.bearer.is_empty(), "Bearer"),
        ]
        .into_iter()
        .filter_map(|(is_offered, challenge)| is_offered.then_some(challenge))
        .collect()
    }

    /// Describes where a credential is expected, without naming any.
    pub(super) fn expected_places(&self, header: &str) -> String {
        let mut places = Vec::new();
        if !self.secrets.is_empty() {
            places.push(format!("a secret in the header {header}"));
        }
        if self.basic.is_some() || self.has_users {
            places.push("a user and a password as authorization: Basic".to_owned());
        }
        if !self.bearer.is_empty() {
            places.push("a token as authorization: Bearer".to_owned());
        }
        places.join(", or ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "x-api-client-token";

    fn credentials() -> Credentials {
        let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned().into()).collect();
        Credentials {
            secrets: all(&["old-secret", "new-secret"]),
            basic: Some(("cii".to_owned(), all(&["pass:word", "other"]))),
            bearer: all(&["token-1", "token-2"]),
            has_users: false,
        }
    }

    fn admits(credentials: &Credentials, given: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, value.parse().unwrap());
        }
        credentials.accepts_request(&headers, KEY)
    }

    #[test]
    fn any_of_the_secrets_opens_and_nothing_else() {
        let all = credentials();
        assert!(admits(&all, &[(KEY, "old-secret")]) && admits(&all, &[(KEY, "new-secret")]));
        for wrong in ["new-secre", "new-secret1", "", "token-1"] {
            assert!(!admits(&all, &[(KEY, wrong)]), "{wrong}");
        }
        assert!(!admits(&all, &[]));
        assert!(!admits(&Credentials::default(), &[(KEY, "")]));
    }

    #[test]
    fn basic_and_bearer_open_too_in_any_case_of_their_names() {
        let all = credentials();
        for right in [
            "Basic Y2lpOnBhc3M6d29yZA==",
            "basic Y2lpOnBhc3M6d29yZA",
            "Basic Y2lpOm90aGVy",
            "Bearer token-1",
            "BEARER  token-2",
        ] {
            assert!(admits(&all, &[("authorization", right)]), "{right}");
            assert!(!admits(&Credentials::default(), &[("authorization", right)]), "{right}");
        }
        // A wrong user, no colon, no Base64, another scheme, no scheme.
        for wrong in [
            "Basic Y2lqOm90aGVy",
            "Basic Y2lp",
            "Basic ???",
            "Digest token-1",
            "token-1",
            "Bearer ",
        ] {
            assert!(!admits(&all, &[("authorization", wrong)]), "{wrong}");
        }
    }

    #[test]
    fn a_header_that_is_given_twice_proves_nothing() {
        let all = credentials();
        assert!(!admits(&all, &[(KEY, "new-secret"), (KEY, "new-secret")]));
        assert!(!admits(&all, &[(KEY, "x"), (KEY, "new-secret")]));
        let token = ("authorization", "Bearer token-1");
        assert!(
            !admits(&all, &[token, token]) && !admits(&all, &[(KEY, "new-secret"), token, token])
        );
        assert!(admits(&all, &[(KEY, "new-secret"), ("authorization", "Bearer x")]));
    }
}
