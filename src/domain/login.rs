//! A login: the name under which the service knows a user.

use std::{fmt, sync::Arc};

/// A user's login, compared exactly as given.
///
/// Most logins are e-mail addresses, which the service lower-cases itself;
/// service accounts have bare names such as `hrms.serviceuser`, for which no
/// public text says whether case matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Login(Arc<str>);

/// Why a text cannot be a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Nothing but white space.
    #[error("a login must not be empty")]
    Empty,
    /// Longer than any login the service hands out.
    #[error("a login must not be longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Holds a control character, which no login has.
    #[error("a login must not hold control characters")]
    Control,
}

/// Twice the longest e-mail address that RFC 5321 allows.
const MAX_BYTES: usize = 512;

impl Login {
    /// Takes a login as the service, a webhook or an operator wrote it; white
    /// space around it is dropped.
    ///
    /// # Errors
    /// When the text is empty, too long, or holds control characters.
    pub fn new(text: &str) -> Result<Self, LoginError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(LoginError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(LoginError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(LoginError::Control);
        }
        Ok(Self(text.into()))
    }

    /// The login's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The login as an e-mail address, when it has the form of one.
    #[must_use]
    pub fn as_email(&self) -> Option<&str> {
        let (local, domain) = self.0.rsplit_once('@')?;
        (!local.is_empty() && !domain.is_empty()).then_some(&self.0)
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_keeps_its_case_and_loses_the_space_around_it() {
        assert_eq!(Login::new(" HRMS.ServiceUser ").unwrap().as_str(), "HRMS.ServiceUser");
    }

    #[test]
    fn what_is_no_login_is_refused_with_the_reason() {
        assert_eq!(Login::new("  "), Err(LoginError::Empty));
        assert_eq!(Login::new("a\nb"), Err(LoginError::Control));
        assert_eq!(Login::new(&"x".repeat(600)), Err(LoginError::TooLong));
    }

    #[test]
    fn only_an_address_is_an_email() {
        assert_eq!(Login::new("a@example.com").unwrap().as_email(), Some("a@example.com"));
        assert_eq!(Login::new("pass.resetter").unwrap().as_email(), None);
        assert_eq!(Login::new("@example.com").unwrap().as_email(), None);
    }
}
