//! Recognises sentences that say that a user or an address does not exist.
//!
//! The service's messages are not published, so patterns are recognised instead of fixed texts.
//! They are narrow: a missed sentence only delays the end of a failure, while a false match ends
//! failures that still exist.

use std::net::IpAddr;

/// The nouns that name a subject.
pub(super) struct Nouns {
    names: &'static [&'static str],
    /// Words that may directly precede a name.
    before: &'static [&'static str],
}

pub(super) const USER: Nouns = Nouns {
    names: &["user", "users", "login", "username", "enduser", "endusers"],
    before: &["end"],
};
pub(super) const ADDRESS: Nouns = Nouns {
    names: &["ip", "address", "ipaddress", "addresses", "user", "users", "enduser", "endusers"],
    before: &["end", "ip"],
};

/// Things that can be not found during an outage, and are no subject.
const OTHER_THINGS: &[&str] = &[
    "table",
    "resource",
    "host",
    "hostname",
    "index",
    "function",
    "secret",
    "bucket",
    "queue",
    "endpoint",
    "database",
    "pool",
    "schema",
    "service",
    "module",
    "provider",
    "session",
    "key",
    "file",
    "route",
    "cluster",
    "stream",
    "topic",
    "role",
    "policy",
    "certificate",
    "connection",
    "server",
    "credential",
    "token",
    "field",
    "type",
    "column",
    "tenant",
    "organization",
    "integration",
    "manager",
    "group",
    "application",
    "app",
    "template",
    "resolver",
    "datasource",
    "lambda",
    "method",
    "path",
    "url",
    "request",
    "context",
    "header",
    "payload",
    "body",
    "cache",
    "permission",
    "access",
    "domain",
    "dns",
    "network",
    "version",
    "alias",
    "region",
    "account",
    "device",
    "partition",
    "shard",
    "record",
    "setting",
    "attribute",
    "config",
    "configuration",
    "object",
    "bundle",
    "package",
    "command",
    "operation",
    "handler",
    "api",
    "client",
    "job",
];

/// Things that only name the reporter: "Request 7: user not found".
const CALLERS: &[&str] = &["request", "lambda", "handler", "api", "operation"];

/// Words that may begin a sentence before its subject.
const OPENING: &[&str] = &[
    "the",
    "a",
    "an",
    "this",
    "that",
    "any",
    "such",
    "requested",
    "given",
    "specified",
    "provided",
    "we",
    "i",
    "there",
    "is",
    "are",
    "was",
    "were",
    "sorry",
    "error",
    "exception",
    "found",
    "have",
    "has",
    "with",
    "matching",
    "asked",
    "existing",
];

/// Words that may be between a subject and its predicate.
const BETWEEN: &[&str] = &[
    "with",
    "by",
    "the",
    "this",
    "that",
    "given",
    "specified",
    "requested",
    "provided",
    "id",
    "identifier",
    "name",
    "called",
    "named",
    "is",
    "was",
    "were",
    "are",
    "has",
    "have",
    "had",
    "could",
    "can",
    "does",
    "do",
    "did",
    "been",
    "be",
    "which",
    "for",
    "of",
    "end",
    "a",
    "an",
];

/// Words that may follow a subject after a denial.
const AFTER: &[&str] = &[
    "with", "for", "by", "named", "called", "matching", "having", "found", "exists", "exist", "in",
];

/// Predicates after the subject that say that it does not exist.
const PREDICATES: &[&[&str]] = &[
    &["not", "found"],
    &["not", "be", "found"],
    &["not", "been", "found"],
    &["cannot", "be", "found"],
    &["cant", "be", "found"],
    &["couldnt", "be", "found"],
    &["wasnt", "found"],
    &["not", "exist"],
    &["not", "exists"],
    &["doesnt", "exist"],
    &["dont", "exist"],
    &["didnt", "exist"],
    &["no", "longer", "exists"],
    &["no", "longer", "exist"],
    &["not", "known"],
    &["isnt", "known"],
    &["isnt", "found"],
    &["unknown"],
    &["nonexistent"],
];

/// Denials before the subject that say that it does not exist.
const DENIALS: &[&[&str]] = &[
    &["no", "such"],
    &["no"],
    &["unknown"],
    &["nonexistent"],
    &["cannot", "find"],
    &["can", "not", "find"],
    &["cant", "find"],
    &["could", "not", "find"],
    &["couldnt", "find"],
    &["did", "not", "find"],
    &["didnt", "find"],
    &["unable", "to", "find"],
    &["failed", "to", "find"],
    &["cannot", "locate"],
    &["could", "not", "locate"],
    &["couldnt", "locate"],
    &["unable", "to", "locate"],
];

/// A word in lower case, or a punctuation mark that ends a sentence or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// A colon, a comma or a dash.
    Pause,
    Stop,
}

impl Token {
    fn is_any_of(&self, words: &[&str]) -> bool {
        matches!(self, Self::Word(word) if words.contains(&word.as_str()))
    }
}

/// Whether the text says that the subject of these nouns does not exist, in the form "user … not
/// found", "no such user" or "cannot find user".
pub(super) fn has_absence_sentence(text: &str, nouns: &Nouns) -> bool {
    let tokens = tokenize(text);
    let begins = (0..tokens.len())
        .filter(|at| *at == 0 || !matches!(tokens[*at - 1], Token::Word(_)))
        .collect::<Vec<_>>();
    begins.into_iter().any(|at| {
        let opening = tokens[at..].iter().take_while(|token| token.is_any_of(OPENING)).count();
        // "no" may follow any part of the opening: "there is no user".
        (at..=at + opening).any(|at| {
            is_subject_predicate(&tokens, at, nouns) || is_denial_subject(&tokens, at, nouns)
        })
    })
}

/// Whether the text names a thing that is neither a user nor an address.
pub(super) fn has_other_thing(text: &str) -> bool {
    tokenize(text).iter().any(is_other_thing)
}

fn is_other_thing(token: &Token) -> bool {
    let Token::Word(word) = token else { return false };
    let names = |word: &str| OTHER_THINGS.contains(&word);
    names(word)
        || word.strip_suffix('s').is_some_and(names)
        || word.strip_suffix("ies").is_some_and(|stem| names(&format!("{stem}y")))
}

fn is_subject_predicate(tokens: &[Token], at: usize, nouns: &Nouns) -> bool {
    let Some(subject_end) = subject_end(tokens, at, nouns) else { return false };
    let mut next = subject_end;
    loop {
        if let Some(end) = phrase_end(tokens, next, PREDICATES) {
            let before = tokens[..at].iter().filter(|token| !token.is_any_of(CALLERS));
            let is_of_another = before.chain(skip_location(tokens, end)).any(is_other_thing);
            return !is_of_another && !is_attributive(tokens, end);
        }
        let previous = next.checked_sub(1).and_then(|at| tokens.get(at));
        match tokens.get(next) {
            Some(Token::Pause) => {}
            Some(token) if token.is_any_of(BETWEEN) || token.is_any_of(nouns.names) => {}
            // "user with e-mail x", and not "user e-mail".
            Some(token)
                if token.is_any_of(&["email", "mail", "e-mail", "address"])
                    && previous.is_some_and(|word| {
                        word.is_any_of(&["with", "by", "the", "this", "email", "e-mail", "for"])
                    }) => {}
            _ => return false,
        }
        next += 1;
    }
}

/// Whether a predicate that ends at `end` is an attribute of the next word: "unknown error" is not
/// about the subject before it.
fn is_attributive(tokens: &[Token], end: usize) -> bool {
    let is_adjective =
        end.checked_sub(1).is_some_and(|at| tokens[at].is_any_of(&["unknown", "nonexistent"]));
    let is_place = |token: &Token| token.is_any_of(&["in", "to", "at", "here", "within"]);
    is_adjective && matches!(tokens.get(end), Some(token @ Token::Word(_)) if !is_place(token))
}

/// The tokens after the predicate, without a place of the search: "not found in the database".
fn skip_location(tokens: &[Token], end: usize) -> &[Token] {
    let rest = &tokens[end..];
    let is_place = rest
        .first()
        .is_some_and(|token| token.is_any_of(&["in", "within", "on", "from", "to", "at"]));
    let place = if is_place {
        rest.iter().position(|token| !matches!(token, Token::Word(_))).unwrap_or(rest.len())
    } else {
        0
    };
    &rest[place..]
}

fn is_denial_subject(tokens: &[Token], at: usize, nouns: &Nouns) -> bool {
    DENIALS.iter().any(|denial| {
        let Some(mut next) = phrase_end(tokens, at, &[denial]) else { return false };
        while tokens.get(next).is_some_and(|token| token.is_any_of(OPENING)) {
            next += 1;
        }
        let Some(end) = subject_end(tokens, next, nouns) else { return false };
        let is_ended = match &tokens[end..] {
            [] | [Token::Pause | Token::Stop, ..] => true,
            [first, second, ..] if first.is_any_of(&["was", "were", "is", "could"]) => {
                second.is_any_of(&["found", "known", "be"])
            }
            [first, ..] => first.is_any_of(AFTER),
        };
        is_ended && !tokens[at..].iter().any(is_other_thing)
    })
}

/// The end of a subject at `at`: "user", "end user", "IP address".
fn subject_end(tokens: &[Token], at: usize, nouns: &Nouns) -> Option<usize> {
    let named = |at: usize| tokens.get(at).is_some_and(|token| token.is_any_of(nouns.names));
    if tokens.get(at).is_some_and(|token| token.is_any_of(nouns.before)) && named(at + 1) {
        return Some(at + 2);
    }
    named(at).then_some(at + 1)
}

/// The end of one of the phrases at `at`.
fn phrase_end(tokens: &[Token], at: usize, phrases: &[&[&str]]) -> Option<usize> {
    phrases.iter().find_map(|phrase| {
        let here = tokens.get(at..at + phrase.len())?;
        here.iter()
            .zip(*phrase)
            .all(|(token, word)| token.is_any_of(&[word]))
            .then_some(at + phrase.len())
    })
}

/// Removes `subject` from the text, ignoring case. A subject that is a word of the patterns is
/// kept, because the sentence would lose that word.
pub(super) fn remove_subject(text: &str, subject: &str) -> String {
    let known = [OPENING, BETWEEN, USER.names, ADDRESS.names, OTHER_THINGS];
    let lower = subject.to_lowercase();
    let is_word = known.iter().any(|words| words.contains(&lower.as_str()));
    if lower.is_empty() || is_word {
        return text.to_owned();
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let is_start = !kept.ends_with(char::is_alphanumeric);
        match rest.get(..subject.len()) {
            Some(found)
                if is_start
                    && found.to_lowercase() == lower
                    && !rest[subject.len()..].starts_with(char::is_alphanumeric) =>
            {
                rest = &rest[subject.len()..];
            }
            _ => {
                kept.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    kept
}

/// The tokens, without quoted texts, e-mail addresses, IP addresses and numbers.
fn tokenize(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for part in remove_quoted(text).split_whitespace() {
        let word = part.trim_matches(|c: char| !c.is_alphanumeric());
        let is_value = word.contains('@') || word.parse::<IpAddr>().is_ok() || is_number(word);
        if !is_value {
            push_words(word, &mut tokens);
        }
        match part.chars().last() {
            Some('.' | ';' | '!' | '?') => tokens.push(Token::Stop),
            Some(':' | ',' | '-' | '–' | '—') => tokens.push(Token::Pause),
            _ => {}
        }
    }
    tokens
}

fn is_number(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// Adds the words of a text without white space; `UserNotFound` has three.
fn push_words(text: &str, tokens: &mut Vec<Token>) {
    let text = text.replace(['\'', '’'], "");
    for part in text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != ':') {
        for (position, part) in part.split(':').enumerate() {
            if position > 0 {
                tokens.push(Token::Pause);
            }
            let mut word = String::new();
            for c in part.chars() {
                if c.is_uppercase() && word.ends_with(char::is_lowercase) {
                    tokens.push(Token::Word(std::mem::take(&mut word).to_lowercase()));
                }
                word.push(c);
            }
            if !word.is_empty() {
                tokens.push(Token::Word(word.to_lowercase()));
            }
        }
    }
}

/// Removes quoted parts. A quote inside a word is an apostrophe.
fn remove_quoted(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        let closing = match next {
            '"' | '\'' | '`' => next,
            '“' => '”',
            '‘' => '’',
            '«' => '»',
            _ => {
                kept.push(next);
                continue;
            }
        };
        let is_apostrophe = matches!(next, '\'') && kept.ends_with(char::is_alphanumeric);
        let end = rest
            .match_indices(closing)
            .map(|(at, _)| at)
            .find(|at| !rest[at + closing.len_utf8()..].starts_with(char::is_alphanumeric));
        match end {
            Some(end) if !is_apostrophe => {
                kept.push(' ');
                rest = &rest[end + closing.len_utf8()..];
            }
            _ => kept.push(next),
        }
    }
    kept
}

#[cfg(test)]
mod tests;
