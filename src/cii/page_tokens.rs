//! Detects repeated page tokens of a listing.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use super::ApiError;

/// Remembers the tokens that a listing followed, so that a cycle of any length ends the listing.
///
/// Only a hash of each token is kept, because the length of a token is not limited. A listing of a
/// million pages would be aborted by a collision in one of 10 million cases, and would start again.
#[derive(Debug, Default)]
pub struct PageTokens {
    followed: HashSet<u64>,
    hasher: RandomState,
}

impl PageTokens {
    /// Creates an empty set of tokens.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the token of the next page of `field` and returns it; `None` on the last page, which
    /// can also have an empty token.
    ///
    /// # Errors
    /// [`ApiError::Malformed`] when the token was followed before.
    pub fn follow(
        &mut self,
        next: Option<String>,
        field: &str,
    ) -> Result<Option<String>, ApiError> {
        let Some(next) = next.filter(|token| !token.is_empty()) else { return Ok(None) };
        if self.followed.insert(self.hasher.hash_one(&next)) {
            return Ok(Some(next));
        }
        Err(ApiError::Malformed(format!("{field}: its page tokens go round in a circle")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_ends_at_the_first_token_seen_before() {
        let mut tokens = PageTokens::new();
        let mut follow = |token: &str| tokens.follow(Some(token.to_owned()), "listEndUsers");
        assert_eq!(follow("A"), Ok(Some("A".to_owned())));
        assert_eq!(follow("B"), Ok(Some("B".to_owned())));
        assert!(follow("A").unwrap_err().to_string().contains("listEndUsers"));
    }

    #[test]
    fn the_last_page_has_no_token_or_an_empty_one() {
        let mut tokens = PageTokens::new();
        assert_eq!(tokens.follow(None, "f"), Ok(None));
        assert_eq!(tokens.follow(Some(String::new()), "f"), Ok(None));
        assert_eq!(tokens.follow(Some(String::new()), "f"), Ok(None));
    }
}
