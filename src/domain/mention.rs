//! Finds where a text names a person, and replaces the name.

use super::{Login, login::FORGOTTEN};

/// The minimum length of a login that is searched for within sentences. A shorter one, such as `a`,
/// is also a common word.
const LEAST_CHARS: usize = 3;

/// Bytes beside a mention that decide whether it is a part of a longer login: two characters of
/// four bytes, each written as an escape of three.
const NEAR: usize = 2 * 4 * 3;

/// Finds a person's login in texts, in any spelling with the same identity, and with any of its
/// characters written as a URL escape.
#[derive(Debug, Clone)]
pub struct Mention {
    login: Login,
    /// Whether case is ignored.
    folds: bool,
}

impl Mention {
    /// Mentions of this person.
    #[must_use]
    pub fn of(login: &Login) -> Self {
        Self { login: login.clone(), folds: login.as_email().is_some() }
    }

    /// Whether the text is the login, and nothing else.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        Login::new(text).is_ok_and(|login| login == self.login)
    }

    /// Whether the text contains the login, possibly as a part of another one. A text that fails
    /// this cheap test needs no closer look.
    #[must_use]
    pub fn may_be_in(&self, text: &str) -> bool {
        self.find(text.as_bytes(), 0).is_some()
    }

    /// The text with a mark in place of the login; none when it does not name the person. Another
    /// user's login that contains this one stays.
    #[must_use]
    pub fn redact(&self, text: &str) -> Option<String> {
        self.replace_by(FORGOTTEN, text)
    }

    /// The text with another name in place of the login; none when it does not name the person. A
    /// login below `LEAST_CHARS` is replaced only where it stands alone, and not in sentences.
    #[must_use]
    pub fn replace_by(&self, name: &str, text: &str) -> Option<String> {
        let is_long = self.login.as_str().chars().count() >= LEAST_CHARS;
        if is_long || self.matches(text) { self.replace_each_by(name, text) } else { None }
    }

    /// The text with another name in place of the login, for a sentence that is known to name the
    /// person: a login of any length is replaced.
    #[must_use]
    pub fn replace_each_by(&self, name: &str, text: &str) -> Option<String> {
        if self.matches(text) {
            return Some(name.to_owned());
        }
        let bytes = text.as_bytes();
        let mut replaced = String::new();
        let (mut copied, mut from) = (0, 0);
        while let Some((begin, end)) = self.find(bytes, from) {
            let before = &bytes[begin.saturating_sub(NEAR)..begin];
            let after = &bytes[end..bytes.len().min(end + NEAR)];
            if is_standalone(&unescape(before), &unescape(after)) {
                // A mention begins and ends at character boundaries, so that the slices are valid.
                replaced.push_str(&text[copied..begin]);
                replaced.push_str(name);
                copied = end;
                from = end;
            } else {
                from = begin + 1;
            }
        }
        (copied > 0).then(|| replaced + &text[copied..])
    }

    /// The range of the login at this position or later.
    fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        let first = *self.login.as_str().as_bytes().first()?;
        (from..text.len()).find_map(|begin| {
            // Most positions differ in the first byte.
            (text[begin] == b'%' || self.are_equal(text[begin], first))
                .then(|| self.length_at(&text[begin..]))
                .flatten()
                .map(|length| (begin, begin + length))
        })
    }

    /// The number of bytes that the login takes at the start of the text, plain or with escapes. A
    /// login can contain text that looks like an escape; that is compared as it is.
    fn length_at(&self, text: &[u8]) -> Option<usize> {
        let login = self.login.as_str().as_bytes();
        let plain = text.get(..login.len())?;
        if plain.iter().zip(login).all(|(byte, wanted)| self.are_equal(*byte, *wanted)) {
            return Some(login.len());
        }
        let mut rest = text;
        for wanted in login {
            let (byte, length) = read_unit(rest)?;
            if !self.are_equal(byte, *wanted) {
                return None;
            }
            rest = &rest[length..];
        }
        Some(text.len() - rest.len())
    }

    const fn are_equal(&self, byte: u8, wanted: u8) -> bool {
        byte == wanted || (self.folds && byte.eq_ignore_ascii_case(&wanted))
    }
}

/// Whether the text between these two is not a part of a longer login.
fn is_standalone(before: &str, after: &str) -> bool {
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

/// The first byte of a text, and its length there: three when it is a URL escape (RFC 3986, 2.1).
fn read_unit(text: &[u8]) -> Option<(u8, usize)> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if let [b'%', high, low, ..] = *text
        && let (Some(high), Some(low)) = (digit(high), digit(low))
    {
        return Some((high << 4 | low, 3));
    }
    text.first().map(|byte| (*byte, 1))
}

/// The text with its escapes decoded. A text that is cut within a character may begin or end with a
/// replacement character.
fn unescape(mut text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    while let Some((byte, length)) = read_unit(text) {
        bytes.push(byte);
        text = &text[length..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn a_login_is_found_in_every_form_that_a_url_can_have_it_in() {
        for (login, text, redacted) in [
            ("ann@example.com", "?to=%2Fann%40example.com", "?to=%2F(forgotten)"),
            ("ann@example.com", "%3Cann%40example.com%3E", "%3C(forgotten)%3E"),
            ("ann@example.com", "/%41nn%40Example%2Ecom", "/(forgotten)"),
            ("ann@example.com", "%ann@example.com", "%(forgotten)"),
            ("ab@example.com", "50%ab@example.com", "50%(forgotten)"),
            ("o'brien@x.com", "/o'brien%40x.com", "/(forgotten)"),
            ("o'brien@x.com", "/o%27brien@x.com", "/(forgotten)"),
            ("ann+x@x.com", "/ann+x%40x.com", "/(forgotten)"),
            ("ann+x@x.com", "/ann%2bx%40x.com", "/(forgotten)"),
            ("ann+x@x.com", "/ann%2Bx%40x.com", "/(forgotten)"),
            ("\u{fc}nd@x.com", "/%c3%BCnd%40x.com", "/(forgotten)"),
            ("svc backup", "/svc%20backup/x", "/(forgotten)/x"),
            ("a%40b", "of a%40b and a%2540b", "of (forgotten) and (forgotten)"),
        ] {
            assert!(mention(login).may_be_in(text), "{text}");
            assert_eq!(mention(login).redact(text).as_deref(), Some(redacted), "{text}");
        }
        let ann = mention("ann@example.com");
        for text in [
            "jo%61nn%40example.com",
            "x%2Eann%40example.com",
            "%C3%BCann%40example.com",
            "ann%40example.com%2Eau",
            "ann%40example.com%C3%BC",
            "ann%40example.co%",
            "ann%4",
        ] {
            assert_eq!(ann.redact(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_redacted_passed_the_first_look(
            login in "[a%@\u{fc}]{3,6}",
            text in "[a%@.4025CcBb\u{fc} ]{0,40}",
        ) {
            let mention = mention(&login);
            prop_assert!(mention.redact(&text).is_none() || mention.may_be_in(&text));
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
        // Too short to be searched for in sentences.
        assert_eq!(mention("a").redact("a user"), None);
        assert_eq!(mention("a").redact("a").as_deref(), Some("(forgotten)"));
        assert_eq!(mention("a").replace_by("b", "a user"), None);
        assert_eq!(
            mention("a").replace_each_by("b", "a is watched").as_deref(),
            Some("b is watched")
        );
    }
}
