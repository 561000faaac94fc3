//! A login: the name under which the service knows a user.

use std::{
    borrow::Cow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// The text that replaces the login of a removed person. It is not a valid login, so that a
/// replayed delivery with it names no user.
pub const FORGOTTEN: &str = "(forgotten)";

/// A user's login: the identity by which users are compared and stored, and the spelling in which
/// the service or an operator wrote it.
///
/// The case of an e-mail login does not matter: its identity is the text in ASCII lower case. A
/// service account has a bare name such as `hrms.serviceuser`; no public document says whether its
/// case matters, so its identity is the text as given.
#[derive(Clone)]
pub struct Login {
    /// The identity, followed by the spelling if that is another text. Both share one allocation,
    /// because logins are cloned for every row of a change.
    text: Arc<str>,
    /// Whether `text` holds both. ASCII case does not change the length, so each is half of `text`
    /// then.
    is_respelled: bool,
}

/// Why a text cannot be a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The text has only white space.
    #[error("a login must not be empty")]
    Empty,
    /// The text is longer than any login of the service.
    #[error("a login must not be longer than {MAX_BYTES} bytes")]
    TooLong,
    /// The text has a control character, which no login has.
    #[error("a login must not hold control characters")]
    Control,
    /// The text is the mark of a removed person.
    #[error("{FORGOTTEN} stands for somebody who was forgotten, and is no login")]
    Forgotten,
}

/// Twice the longest e-mail address that RFC 5321 allows.
const MAX_BYTES: usize = 512;

impl Login {
    /// Takes a login as the service, a webhook or an operator wrote it; white space around it is
    /// removed.
    ///
    /// # Errors
    /// When the text is empty, too long, holds control characters, or is [`FORGOTTEN`].
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
        if text == FORGOTTEN {
            return Err(LoginError::Forgotten);
        }
        Ok(match identity(text) {
            Cow::Borrowed(text) => Self { text: text.into(), is_respelled: false },
            Cow::Owned(identity) => Self { text: (identity + text).into(), is_respelled: true },
        })
    }

    /// The identity, which is stored and compared, and is the value of the label `login`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.get(..self.identity_end()).unwrap_or(&self.text)
    }

    /// The login as it was written, for requests to the service and for people.
    #[must_use]
    pub fn spelling(&self) -> &str {
        let begin = if self.is_respelled { self.identity_end() } else { 0 };
        self.text.get(begin..).unwrap_or(&self.text)
    }

    /// Whether the spelling differs from the identity.
    #[must_use]
    pub const fn is_respelled(&self) -> bool {
        self.is_respelled
    }

    /// The same user in this spelling; unchanged when the text is another user's login.
    #[must_use]
    pub fn with_spelling(self, text: &str) -> Self {
        match Self::new(text) {
            Ok(login) if login == self => login,
            _ => self,
        }
    }

    /// The login as an e-mail address, when it has the form of one.
    #[must_use]
    pub fn as_email(&self) -> Option<&str> {
        is_email(self.as_str()).then(|| self.spelling())
    }

    fn identity_end(&self) -> usize {
        if self.is_respelled { self.text.len() / 2 } else { self.text.len() }
    }
}

fn is_email(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

/// The text by which users are compared.
fn identity(text: &str) -> Cow<'_, str> {
    if is_email(text) && text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Login {}

impl PartialOrd for Login {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Login {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Login {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Login").field(&self.as_str()).finish()
    }
}

/// Writes the spelling, for people.
impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spelling())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_login_is_one_person_in_any_case_and_keeps_its_spelling() {
        let [mixed, lower] =
            ["Mixed@Example.com", "mixed@example.com"].map(|text| Login::new(text).unwrap());
        assert_eq!(mixed, lower);
        assert_eq!((mixed.as_str(), mixed.spelling()), (lower.as_str(), "Mixed@Example.com"));
        assert_eq!(mixed.to_string(), "Mixed@Example.com");
        assert_eq!(mixed.as_email(), Some("Mixed@Example.com"));
        assert!(mixed.is_respelled() && !lower.is_respelled());
        assert_eq!(
            lower.clone().with_spelling("MIXED@example.com").spelling(),
            "MIXED@example.com"
        );
        assert_eq!(lower.with_spelling("other@example.com").spelling(), "mixed@example.com");
    }

    #[test]
    fn only_ascii_is_folded_and_a_bare_name_not_at_all() {
        let login = |text| Login::new(text).unwrap();
        assert_eq!(login("JÜRGEN@example.com").as_str(), "jÜrgen@example.com");
        assert_ne!(login("HRMS.ServiceUser"), login("hrms.serviceuser"));
        assert_ne!(login("@Example.com"), login("@example.com"));
    }

    #[test]
    fn a_login_keeps_its_case_and_loses_the_space_around_it() {
        assert_eq!(Login::new(" HRMS.ServiceUser ").unwrap().as_str(), "HRMS.ServiceUser");
    }

    #[test]
    fn what_is_no_login_is_refused_with_the_reason() {
        assert_eq!(Login::new("  "), Err(LoginError::Empty));
        assert_eq!(Login::new("a\nb"), Err(LoginError::Control));
        assert_eq!(Login::new(&"x".repeat(600)), Err(LoginError::TooLong));
        assert_eq!(Login::new(FORGOTTEN), Err(LoginError::Forgotten));
    }

    #[test]
    fn only_an_address_is_an_email() {
        assert_eq!(Login::new("a@example.com").unwrap().as_email(), Some("a@example.com"));
        assert_eq!(Login::new("pass.resetter").unwrap().as_email(), None);
        assert_eq!(Login::new("@example.com").unwrap().as_email(), None);
    }
}
