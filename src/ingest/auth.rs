//! The shared secret of a delivery.

use axum::http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};

/// Whether the request carries one of the secrets. All of them are compared,
/// each in constant time, so that the time tells nothing of which one was close.
pub(super) fn is_authorized(headers: &HeaderMap, header: &str, secrets: &[SecretString]) -> bool {
    let Some(given) = headers.get(header) else { return false };
    secrets
        .iter()
        .map(|secret| secret.expose_secret().as_bytes().ct_eq(given.as_bytes()))
        .fold(Choice::from(0), |any, one| any | one)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_secrets_opens_and_nothing_else() {
        let secrets = ["old-secret".to_owned().into(), "new-secret".to_owned().into()];
        let given = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-api-client-token", value.parse().unwrap());
            is_authorized(&headers, "x-api-client-token", &secrets)
        };
        assert!(given("old-secret") && given("new-secret"));
        assert!(!given("new-secre") && !given("new-secret1") && !given(""));
        assert!(!is_authorized(&HeaderMap::new(), "x-api-client-token", &secrets));
        assert!(!is_authorized(&HeaderMap::new(), "x-api-client-token", &[]));
    }
}
