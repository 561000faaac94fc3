//! Where a text names a person, and the same text without the name.

use super::{Login, login::FORGOTTEN};

/// Characters that a login needs to be looked for inside sentences: `a` is a word of most.
const LEAST_CHARS: usize = 3;

/// Finds a person's login in texts, in any spelling that is the same identity, and as it is
/// written in a URL.
#[derive(Debug, Clone)]
pub struct Mention {
    login: Login,
    /// The login, and its form in a URL where that is another one.
    needles: Vec<String>,
    /// Whether case does not count.
    folds: bool,
}

impl Mention {
    /// Mentions of this person.
    #[must_use]
    pub fn of(login: &Login) -> Self {
        let plain = login.as_str().to_owned();
        let encoded = percent_encoded(&plain);
        let mut needles = vec![plain];
        if encoded != needles[0] {
            needles.push(encoded);
        }
        Self { login: login.clone(), needles, folds: login.as_email().is_some() }
    }

    /// Whether the text is the login, and nothing else.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        Login::new(text).is_ok_and(|login| login == self.login)
    }

    /// Whether the login stands anywhere in the text, if only as a part of another one. What
    /// fails this need not be looked at closely.
    #[must_use]
    pub fn may_be_in(&self, text: &str) -> bool {
        self.needles.iter().any(|needle| self.find(needle, text, 0).is_some())
    }

    /// The text with a mark in the place of the login; nothing when it does not name the
    /// person. The login of somebody else that has this one as a part stays.
    #[must_use]
    pub fn redact(&self, text: &str) -> Option<String> {
        let is_looked_for = self.needles[0].chars().count() >= LEAST_CHARS || self.is(text);
        is_looked_for.then(|| self.replace_by(FORGOTTEN, text)).flatten()
    }

    /// The text with another name in the place of the login, likewise, however short that is.
    #[must_use]
    pub fn replace_by(&self, name: &str, text: &str) -> Option<String> {
        if self.is(text) {
            return Some(name.to_owned());
        }
        let mut redacted: Option<String> = None;
        for needle in &self.needles {
            let current = redacted.as_deref().unwrap_or(text);
            redacted = self.replace(needle, name, current).or(redacted);
        }
        redacted
    }

    fn replace(&self, needle: &str, name: &str, text: &str) -> Option<String> {
        let mut replaced = String::new();
        let (mut copied, mut from) = (0, 0);
        while let Some(begin) = self.find(needle, text, from) {
            let end = begin + needle.len();
            if is_apart(&text[..begin], &text[end..]) {
                replaced.push_str(&text[copied..begin]);
                replaced.push_str(name);
                copied = end;
            }
            from = end;
        }
        (copied > 0).then(|| replaced + &text[copied..])
    }

    /// Where the needle begins, at this position or later.
    fn find(&self, needle: &str, text: &str, from: usize) -> Option<usize> {
        if !self.folds {
            return text.get(from..)?.find(needle).map(|position| from + position);
        }
        // ASCII case does not change the length, and UTF-8 has no other text's begin inside
        // a character: a position that fits is a boundary.
        let (needle, text) = (needle.as_bytes(), text.as_bytes());
        let last = text.len().checked_sub(needle.len())?;
        let first = needle.first()?;
        (from..=last).find(|&at| {
            text[at].eq_ignore_ascii_case(first)
                && text[at..at + needle.len()].eq_ignore_ascii_case(needle)
        })
    }
}

/// Whether what stands between these two is not a part of a longer login.
fn is_apart(before: &str, after: &str) -> bool {
    let joins_before = |c: char| matches!(c, '.' | '-' | '_' | '+' | '@' | '\'');
    let joins_after = |c: char| matches!(c, '.' | '-' | '_' | '+' | '@');
    let mut before = before.chars().rev();
    let mut after = after.chars();
    let goes_on = |first: Option<char>, second: Option<char>, joins: &dyn Fn(char) -> bool| {
        first.is_some_and(|c| {
            c.is_alphanumeric() || (joins(c) && second.is_some_and(char::is_alphanumeric))
        })
    };
    !goes_on(before.next(), before.next(), &joins_before)
        && !goes_on(after.next(), after.next(), &joins_after)
}

/// As it is written in a URL: of unreserved characters alone (RFC 3986).
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for half in [byte >> 4, byte & 15] {
                encoded.push(char::from(b"0123456789ABCDEF"[usize::from(half)]));
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mention(login: &str) -> Mention {
        Mention::of(&Login::new(login).unwrap())
    }

    #[test]
    fn a_login_in_any_spelling_becomes_a_mark() {
        let ann = mention("Ann@Example.com");
        for (text, redacted) in [
            ("ann@example.com", "(forgotten)"),
            (" ANN@EXAMPLE.COM ", "(forgotten)"),
            ("Is ann@Example.com's, or <ann@example.com>.", "Is (forgotten)'s, or <(forgotten)>."),
            ("ann@example.com, ann@example.com", "(forgotten), (forgotten)"),
            ("https://x/users/ann%40example.com?a", "https://x/users/(forgotten)?a"),
            ("ünd ANN@example.com ü", "ünd (forgotten) ü"),
        ] {
            assert_eq!(ann.redact(text).as_deref(), Some(redacted), "{text}");
            assert!(ann.may_be_in(text), "{text}");
        }
    }

    #[test]
    fn somebody_else_stays() {
        let ann = mention("ann@example.com");
        for text in [
            "joann@example.com",
            "x.ann@example.com",
            "o'ann@example.com",
            "ann@example.community",
            "ann@example.com.au",
            "ann@example",
            "",
        ] {
            assert_eq!(ann.redact(text), None, "{text}");
        }
        assert!(!ann.may_be_in("bob@example.com"));
    }

    #[test]
    fn a_bare_name_counts_as_it_is_written() {
        let bot = mention("svc.Backup");
        assert_eq!(bot.redact("by svc.Backup").as_deref(), Some("by (forgotten)"));
        assert_eq!(bot.redact("by svc.backup"), None);
        // Too short to be looked for in sentences.
        assert_eq!(mention("a").redact("a user"), None);
        assert_eq!(mention("a").redact("a").as_deref(), Some("(forgotten)"));
    }
}
